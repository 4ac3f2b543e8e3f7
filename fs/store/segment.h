/*
 * A segment: sealed blocks, one after the other, in one object that is written
 * once.  docs/format.md, "Segment": head (64 bytes), blocks, footer, tail (64).
 *
 * The footer lists block ids, offsets, stored sizes and sums of the ciphertext:
 * nothing that derives from content or name.  Head, footer and tail carry their
 * own checksums, so every byte of a segment is covered without keys.
 *
 * Sums of blocks are there against rot, and anybody can make them: GMAC under a key that
 * docs/format.md prints, six times as fast as SHA-256, which segments of format 1 have.
 * What attackers do is told by the blocks' tags.
 */
#ifndef FS_STORE_SEGMENT_H
#define FS_STORE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/bytes.h"

struct err;
struct keyed_hash;
struct objects;
struct object_name;

#define SEGMENT_SIZE_DEFAULT (64u * 1024 * 1024)
#define SEGMENT_BLOCKS_MAX (1u << 20)
#define SEGMENT_HEAD 64

struct segment_entry {
	uint8_t uid[16];	/* of the block */
	uint64_t offset;
	uint32_t stored;
	uint8_t sum[16];	/* of the ciphertext */
};

/*
 * What stands around the blocks of one in the making, for who writes its bytes as they
 * come: head[], then each block at the offset that it was given, then, after
 * segment_plan_end(), all of footer.  Starts as zeros; segment_plan_free() in the end.
 */
struct segment_plan {
	uint8_t uid[16];
	uint8_t head[SEGMENT_HEAD];
	uint64_t used;		/* head and blocks */
	uint32_t count;
	struct buffer footer;
};
int segment_plan_start(struct segment_plan *p, const uint8_t archive_id[16],
		       struct err *e);	/* with a new uid */
/* Is there room for a block of `stored`, head and blocks being `target` at most?  Into an
 * empty one any block fits. */
bool segment_plan_fits(const struct segment_plan *p, uint64_t target, uint32_t stored);
int segment_plan_add(struct segment_plan *p, const uint8_t uid[16], uint32_t stored,
		     const uint8_t sum[16], uint64_t *offset, struct err *e);
int segment_plan_end(struct segment_plan *p, struct err *e);	/* footer is whole, tail and all */
void segment_plan_free(struct segment_plan *p);

/* Collects up to about `capacity` bytes in memory; one thread at a time. */
struct segment_builder;

int segment_builder_new(const uint8_t archive_id[16], size_t capacity,
			struct segment_builder **out, struct err *e);
void segment_builder_free(struct segment_builder *b);
const uint8_t *segment_builder_uid(const struct segment_builder *b);	/* 16 random bytes */
size_t segment_builder_used(const struct segment_builder *b);
/* MUNI_LIMIT when it does not fit any more (never for an empty builder).
 * sum is given by the caller, who computed it on another thread. */
int segment_builder_add(struct segment_builder *b, const uint8_t uid[16],
			const void *sealed, uint32_t stored, const uint8_t sum[16],
			uint64_t *offset, struct err *e);
/* Writes it through objects_put(), then starts the next with a new uid. */
int segment_builder_put(struct segment_builder *b, struct objects *o, struct err *e);

/* What makes the sums of blocks; a thread's.  keyed_hash_free() in the end. */
int segment_sums_new(struct keyed_hash **out, struct err *e);
int segment_sum(struct keyed_hash *sums, const void *sealed, size_t stored, uint8_t sum[16],
		struct err *e);

/* The footer's entries in offset order, *out malloc'ed.  Checks head, tail and
 * footer: MUNI_DAMAGED names what is wrong. */
int segment_read_footer(struct objects *o, const struct object_name *name,
			const uint8_t archive_id[16], struct segment_entry **out,
			size_t *count, struct err *e);
/* Reads all of it and compares every checksum; needs no key. */
int segment_check(struct objects *o, const struct object_name *name,
		  const uint8_t archive_id[16], struct err *e);

#endif

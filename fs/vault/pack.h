/*
 * From chunks to blocks to segments, many threads at once.
 *
 * Each worker has a lane with open blocks of its own, one a class and kind; sealed blocks go into a
 * segment that all share, which a thread writes as it grows, and others sync when
 * it is whole.  Its parity is made on the way (fs/store/parity_stream.h).  A chunk's place is final the moment it is packed (block ids are
 * reserved ahead), so nobody ever waits for a block to be written; the caller
 * gives the catalogue a segment's blocks once `sealed` was called with it.
 *
 *   P1  Equal chunks of one class get one place, also when two lanes meet them
 *       at the same moment.
 *   P2  `sealed` is called only for a segment that is on stable storage.
 *   P3  Memory is bounded: 24 MiB of segments on their way, 16 blocks and half a
 *       MiB of sealed ones a lane, those that are handed over, parity as
 *       long as two segments, and a map of chunks that forgets what the catalogue
 *       knows.
 *   P4  When packer_finish() returns 0, parity covers every segment that was sealed,
 *       unless there is to be none or it would not fit into memory.
 *   P5  Segments are told of in the order in which they were begun: a block's leader
 *       (pack_leader.h) is in the catalogue before the block is.
 */
#ifndef FS_VAULT_PACK_H
#define FS_VAULT_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"
#include "fs/store/parity.h"
#include "fs/vault/pack_bases.h"
#include "fs/vault/pack_kind.h"

struct err;
struct vault;
struct packer;
struct pack_lane;
struct pack_filled;	/* a full block, not sealed yet */

struct pack_name {		/* a chunk that a block brings */
	uint8_t name[16];
	uint32_t at, size;
};

struct pack_block {
	struct block block;	/* segment is still 0 */
	struct pack_name *names;	/* owned */
	size_t count;
	struct sketch sketch;	/* count 0: it will be no base */
};

struct pack_segment {		/* on stable storage, not yet in the catalogue */
	uint8_t uid[16];
	struct pack_block *blocks;	/* owned; of arena_new(), for they have keys */
	size_t count;
	struct pack_segment *next;	/* for who keeps a list */
};
void pack_segment_free(struct pack_segment *s);	/* NULL is allowed */

struct pack_options {
	uint32_t block_size, level;
	uint32_t chunk_names;	/* enum chunk_names */
	size_t segment_size;	/* at most; they begin small and grow with the ingest */
	struct parity_strength parity;
	bool dry_run;		/* count what would be new, store nothing */
	bool has_chunks;	/* the catalogue has chunks: worth asking */
	struct base_limits bases;	/* of blocks on older ones */
	/* A lane's block is full: is there another who would seal it?  True: it was taken, and
	 * comes to pack_seal() or pack_filled_free().  NULL: each lane seals its own. */
	bool (*hand_over)(void *arg, struct pack_filled *f);
	size_t lookup_cache;	/* bytes, of each lane's connection */
	/* Called from threads that sync, one at a time (P5).  Takes the segment; may wait. */
	void (*sealed)(void *arg, struct pack_segment *s);
	/* Any thread of the packer failed; everything has to stop. */
	void (*failed)(void *arg, const struct err *e);
	void *arg;
};

int packer_new(struct vault *v, const struct pack_options *o, struct packer **out,
	       struct err *e);
/* After all lanes are closed; stops the threads that write. */
void packer_free(struct packer *p);

/* Block ids: the catalogue's thread tops the pool up (with the writer's
 * connection) whenever it passes by; lanes wait when it is empty. */
int packer_top_up(struct packer *p, struct catalogue *c, struct err *e);
/* The catalogue has committed this segment: its chunks may be forgotten. */
void packer_committed(struct packer *p, const struct pack_segment *s);
/* No lane will pack any more: the last segment is written; returns when
 * `sealed` has been called for it.  From any thread but the catalogue's. */
int packer_finish(struct packer *p, struct err *e);
/* Wakes everybody who waits; they fail with MUNI_CANCELLED. */
void packer_cancel(struct packer *p);
void packer_totals(const struct packer *p, uint64_t *raw, uint64_t *stored);

int pack_lane_open(struct packer *p, struct pack_lane **out, struct err *e);
/* data: 1 to 3/2 block sizes; digest: its SHA-256 if it is a file's whole content, which is
 * one chunk then; else NULL.  A block holds chunks of one class and kind, and equal content is
 * one within its class. */
int pack_chunk(struct pack_lane *l, int64_t class_id, const void *data, size_t size,
	       const struct digest *digest, enum pack_kind kind,
	       struct chunk_place *out, struct err *e);
/* Seals what another lane handed over; takes f, also when it fails. */
int pack_seal(struct pack_lane *l, struct pack_filled *f, struct err *e);
void pack_filled_free(struct pack_filled *f);	/* NULL is allowed; who frees it fails the ingest */
/* Seals the open blocks.  Once, at the end. */
int pack_lane_flush(struct pack_lane *l, struct err *e);
void pack_lane_close(struct pack_lane *l);	/* NULL is allowed */

#endif

/*
 * Base blocks for an ingest's new blocks: chosen by sketches, decoded once, shared by all
 * lanes.
 *
 *   B1  A base was in the catalogue before the ingest began, is of the block's class, and
 *       has a lower number.
 *   B2  A base that cannot be read is none: the block stands alone.
 *   B3  A read of a block, with all it leans on and what leads that, decodes
 *       base_limits.decoded blocks at most.
 *   B4  Memory: an index of at most 48 MiB, decoded bases of 32 MiB, some 4 MiB a lane;
 *       nothing of it before the first block is sealed.
 */
#ifndef FS_VAULT_PACK_BASES_H
#define FS_VAULT_PACK_BASES_H

#include "fs/vault/sketch.h"

struct err;
struct vault;
struct bases;
struct bases_lane;

struct base_limits {
	unsigned depth;		/* of a block; a reader takes READER_DEPTH_MAX, with leaders */
	unsigned decoded;	/* blocks for a read of one, itself and leaders included;
				 * at most REACH_MAX */
	unsigned votes;		/* that a second base has for each block it adds, at least */
};

/* What an archive's blocks keep to. */
struct base_limits base_limits_of(bool is_dense);

/* before: the first block that is not older than the ingest.  NULL without memory. */
struct bases *bases_new(struct vault *v, int64_t before, struct base_limits limits);
void bases_free(struct bases *b);	/* after its lanes; NULL is allowed */

struct bases_lane *bases_lane_new(struct bases *b);	/* NULL without memory */
void bases_lane_free(struct bases_lane *l);	/* NULL is allowed */

struct base_bytes {
	const uint8_t *data;	/* of the bases, joined; borrowed from the lane until the
				 * next call; NULL: the block stands alone */
	size_t size;
	uint8_t depth;		/* that the block has with them */
	bool is_far;		/* with them it is too far from its bytes to be a base itself */
};

/* For a block of block->class_id with these features, whose order is lost: fills
 * block->bases. */
int bases_choose(struct bases_lane *l, uint32_t *features, size_t count, struct block *block,
		 struct base_bytes *out, struct err *e);

#endif

/*
 * Which blocks of a lane get a leader, and how large blocks are.
 *
 * A leader is a block that stands alone and lends its bytes, as a prefix, to those of its
 * class that come after it in its lane.  Now and then a block is encoded in all three ways
 * and the better way is kept: small blocks with a leader where content goes on as it
 * began (logs, tables, many letters), large blocks with or without one elsewhere.
 *
 *   G1  A leader's number is lower than that of any block it leads, and it stands in the
 *       same segment or an earlier one.
 *   G2  Memory: a leader and its tables, under 2 MiB at default settings.
 */
#ifndef FS_VAULT_PACK_LEADER_H
#define FS_VAULT_PACK_LEADER_H

#include "fs/store/block.h"

struct err;

struct pack_leader {		/* of one class of one lane */
	struct block_sizes sizes;
	bool is_part;
	struct block_leader *leader;	/* owned; NULL: there is none */
	enum pack_leader_way {
		PACK_SEEK,		/* the next block may become a leader */
		PACK_TRY,		/* the next block is tried in all ways */
		PACK_ALIKE,		/* small blocks, led */
		PACK_LED,		/* large ones, led */
		PACK_ALONE,		/* large ones, alone */
	} way;
	enum pack_leader_way best;	/* of the last trial */
	uint64_t try_after;	/* raw bytes from one trial to the next: they get rarer */
	uint64_t done;		/* raw bytes since the last trial, or search */
	uint64_t led;		/* raw bytes with this leader */
};

/* is_part: the lane's blocks of large files, which are read here and there; small ones are
 * read whole.  has_older: most blocks will have bases of older versions. */
void pack_leader_init(struct pack_leader *p, uint32_t block_size, int level, bool is_part,
		      bool has_older);
void pack_leader_end(struct pack_leader *p);

/* Raw bytes that the next block aims at. */
size_t pack_leader_target(const struct pack_leader *p);

/* block_encode(), with a leader where that pays.  b->id is its number. */
int pack_leader_encode(struct pack_leader *p, struct block_encoder *enc, const void *raw,
		       size_t size, struct block *b, const uint8_t **sealed, struct err *e);

#endif

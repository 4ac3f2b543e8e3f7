/*
 * The second half of a lane: a full block becomes a sealed one, and goes into a segment.
 *
 * Who fills a block need not be who seals it: what is filled has its number and its place
 * already, and is sealed by any lane (docs/decisions/0182-one-fills-others-seal.md).
 */
#ifndef FS_VAULT_PACK_SEAL_H
#define FS_VAULT_PACK_SEAL_H

#include "fs/vault/pack.h"

struct pack_leader;
struct pack_sealer;

struct pack_filled {
	int64_t class_id;
	enum pack_kind kind;
	int64_t id;		/* 0: none is open */
	uint8_t *raw;		/* BLOCK_RAW_MAX; owned; NULL: not yet needed */
	size_t used;
	struct pack_name *names;	/* owned */
	size_t count, capacity;
};

int pack_sealer_new(struct packer *p, struct pack_sealer **out, struct err *e);
void pack_sealer_free(struct pack_sealer *s);	/* NULL is allowed */

/* leader: the lane's, for this class and kind.  Takes f's names, and leaves it empty, with its
 * buffer. */
int pack_sealer_seal(struct pack_sealer *s, struct pack_leader *leader, struct pack_filled *f,
		     struct err *e);
/* What is sealed goes into a segment. */
int pack_sealer_flush(struct pack_sealer *s, struct err *e);

#endif

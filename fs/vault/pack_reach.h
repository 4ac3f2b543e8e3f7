/*
 * How many blocks a read of one decodes: itself, its bases and leader, and theirs.
 */
#ifndef FS_VAULT_PACK_REACH_H
#define FS_VAULT_PACK_REACH_H

#include <stdint.h>

struct catalogue;
struct err;
struct row_cache;

#define REACH_MAX 31u

struct reach {			/* blocks, each once; all zeros: none */
	unsigned count;
	int64_t blocks[REACH_MAX];
};

/* Adds the block and all that it needs.  0 done; 1 they would be more than `most` (at most
 * REACH_MAX), and r is as it was; -1 with e, and r is as it was. */
int reach_add(struct reach *r, struct row_cache *rows, struct catalogue *c, int64_t block,
	      unsigned most, struct err *e);

#endif

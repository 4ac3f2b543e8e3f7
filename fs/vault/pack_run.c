#include "fs/vault/pack_run.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/arena.h"
#include "fs/vault/pack_inside.h"

#define BLOCKS_MAX 64u

struct pack_run {
	struct packer *packer;	/* borrowed */
	struct pack_block *blocks;	/* of the arena: they have keys; owned, with their names */
	uint8_t sums[BLOCKS_MAX][16];
	size_t count, used;
	uint8_t sealed[PACK_RUN_SIZE];
};

struct pack_run *pack_run_new(struct packer *p)
{
	struct pack_run *r = malloc(sizeof *r);

	if (!r)
		return NULL;
	r->packer = p;
	r->count = r->used = 0;
	r->blocks = arena_new_zeroed(BLOCKS_MAX * sizeof *r->blocks);
	if (!r->blocks) {
		free(r);
		return NULL;
	}
	return r;
}

static int add_alone(struct pack_run *r, struct pack_block *b, const uint8_t *sealed,
		     const uint8_t sum[16], struct err *e)
{
	packer_hold(r->packer);
	int rc = packer_add(r->packer, b, sealed, sum, e);
	packer_let_go(r->packer);
	return rc;
}

int pack_run_add(struct pack_run *r, struct pack_block *b, const uint8_t *sealed,
		 const uint8_t sum[16], struct err *e)
{
	uint32_t size = b->block.stored;

	if ((r->count == BLOCKS_MAX || size > sizeof r->sealed - r->used) &&
	    pack_run_flush(r, e) < 0)
		return -1;
	if (size > sizeof r->sealed)
		return add_alone(r, b, sealed, sum, e);
	r->blocks[r->count] = *b;
	memcpy(r->sums[r->count], sum, sizeof r->sums[0]);
	memcpy(r->sealed + r->used, sealed, size);
	r->count++;
	r->used += size;
	return 0;
}

int pack_run_flush(struct pack_run *r, struct err *e)
{
	const uint8_t *at = r->sealed;
	size_t count = r->count;
	int rc = 0;

	packer_hold(r->packer);
	for (size_t i = 0; i < count && rc == 0; i++) {
		uint32_t stored = r->blocks[i].block.stored;

		rc = packer_add(r->packer, &r->blocks[i], at, r->sums[i], e);
		at += stored;
		if (rc == 0)
			r->blocks[i].names = NULL;
	}
	packer_let_go(r->packer);
	if (rc == 0)
		r->count = r->used = 0;
	return rc;
}

void pack_run_free(struct pack_run *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		free(r->blocks[i].names);
	arena_free(r->blocks);	/* wipes */
	free(r);
}

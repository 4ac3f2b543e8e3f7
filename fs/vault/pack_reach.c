#include "fs/vault/pack_reach.h"

#include <assert.h>
#include <stdbool.h>

#include "fs/crypt/secret.h"
#include "fs/vault/reader_rows.h"

static bool has(const struct reach *r, int64_t block)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->blocks[i] == block)
			return true;
	return false;
}

/* False: there is no more room. */
static bool put(struct reach *r, int64_t block, unsigned most)
{
	if (block == 0 || has(r, block))
		return true;
	if (r->count == most)
		return false;
	r->blocks[r->count++] = block;
	return true;
}

int reach_add(struct reach *r, struct row_cache *rows, struct catalogue *c, int64_t block,
	      unsigned most, struct err *e)
{
	struct reach next = *r;

	assert(most <= REACH_MAX);
	if (!put(&next, block, most))
		return 1;
	/* What is added stands behind what is there, until nothing is; none stands twice. */
	for (unsigned i = r->count; i < next.count; i++) {
		struct block row = { 0 };
		uint8_t unused[16];
		int rc = rows_block(rows, c, next.blocks[i], &row, unused, e);
		bool fits = true;

		for (unsigned n = 0; rc == 0 && n < BLOCK_BASES_MAX; n++)
			fits = fits && put(&next, row.bases[n], most);
		secret_wipe(&row, sizeof row);
		if (rc < 0)
			return -1;
		if (!fits)
			return 1;
	}
	*r = next;
	return 0;
}

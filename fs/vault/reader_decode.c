#include "fs/vault/reader_decode.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/secret.h"
#include "fs/store/objects.h"
#include "fs/vault/reader_rows.h"

#define SAMPLE_STEP 8192u	/* a sample is decoded up to a multiple of this */

static int pin(struct vault_reader *r, int64_t id, uint32_t wanted, bool is_sample,
	       unsigned depth, struct cached_block **out, struct err *e);

static int grow(uint8_t **scratch, size_t *have, size_t need, struct err *e)
{
	if (*have >= need)
		return 0;
	uint8_t *more = realloc(*scratch, need);
	if (!more)
		return err_set(e, MUNI_NO_MEMORY, "no memory to decode a block");
	*scratch = more;
	*have = need;
	return 0;
}

/* The bases' bytes, joined in r->base.  Decoding a base uses the same scratch,
 * so both are pinned before either is copied. */
static int join_bases(struct vault_reader *r, const struct block *b, unsigned depth,
		      size_t *size, struct err *e)
{
	struct cached_block *bases[BLOCK_BASES_MAX] = { NULL };
	unsigned count = 0;
	int rc = -1;

	*size = 0;
	for (unsigned i = 0; i < BLOCK_BASES_MAX; i++) {
		struct block row;
		uint8_t unused[16];
		if (b->bases[i] == 0)
			continue;
		if (rows_block(block_cache_rows(r->cache), r->catalogue, b->bases[i], &row,
			       unused, e) < 0)
			goto out;
		uint32_t whole = row.raw;
		secret_wipe(&row, sizeof row);
		if (pin(r, b->bases[i], whole, false, depth + 1, &bases[count], e) < 0) {
			err_wrap(e, "as a base of block %lld", (long long)b->id);
			goto out;
		}
		*size += bases[count++]->valid;
	}
	if (grow(&r->base, &r->base_size, *size, e) < 0)
		goto out;
	for (size_t i = 0, at = 0; i < count; at += bases[i++]->valid)
		memcpy(r->base + at, bases[i]->data, bases[i]->valid);
	rc = 0;
out:
	for (unsigned i = 0; i < count; i++)
		block_cache_unpin(r->cache, bases[i]);
	return rc;
}

/* D4, D5: as much as is wanted, or all of it on the second visit. */
static uint32_t how_far(const struct block *b, uint32_t wanted, bool is_sample, bool had_part)
{
	if (!is_sample || had_part || wanted >= b->raw - b->raw / 4)
		return b->raw;
	uint32_t step = (wanted + SAMPLE_STEP - 1) / SAMPLE_STEP * SAMPLE_STEP;
	return step < b->raw ? step : b->raw;
}

static int decode(struct vault_reader *r, const struct block *b, const uint8_t uid[16],
		  uint32_t to, unsigned depth, struct cached_block **out, struct err *e)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	size_t base_size;

	if (join_bases(r, b, depth, &base_size, e) < 0 ||
	    grow(&r->sealed, &r->sealed_size, b->stored, e) < 0)
		return -1;
	memcpy(name.uid, uid, sizeof name.uid);
	if (objects_get(r->objects, &name, b->offset, r->sealed, b->stored, e) < 0)
		return -1;
	struct cached_block *fresh = cached_block_new(b->id, to);
	if (!fresh)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a decoded block");
	if (block_decode(r->decoder, b, r->sealed, base_size ? r->base : NULL, base_size,
			 fresh->data, to, e) < 0) {
		cached_block_free(fresh);
		return -1;
	}
	*out = fresh;
	return 0;
}

static int pin(struct vault_reader *r, int64_t id, uint32_t wanted, bool is_sample,
	       unsigned depth, struct cached_block **out, struct err *e)
{
	struct block b = { 0 };
	struct flight flight;
	uint8_t uid[16];
	int rc = -1;

	if (depth > READER_DEPTH_MAX)
		return err_set(e, MUNI_DAMAGED, "block %lld stands deeper than %d bases; "
			       "run muni verify", (long long)id, READER_DEPTH_MAX);
	if (block_cache_pin(r->cache, id, wanted, &flight, out))
		return 0;
	if (rows_block(block_cache_rows(r->cache), r->catalogue, id, &b, uid, e) < 0)
		goto out;
	if (wanted > b.raw) {
		err_set(e, MUNI_DAMAGED, "an extent ends past block %lld; run muni verify",
			(long long)id);
		goto out;
	}
	rc = decode(r, &b, uid, how_far(&b, wanted, is_sample, flight.had_part), depth, out, e);
out:
	if (rc == 0)
		block_cache_publish(r->cache, &flight, *out);
	else
		block_cache_abandon(r->cache, &flight);
	secret_wipe(&b, sizeof b);
	return rc;
}

int reader_pin(struct vault_reader *r, int64_t block, uint32_t wanted, bool is_sample,
	       struct cached_block **out, struct err *e)
{
	return pin(r, block, wanted, is_sample, 0, out, e);
}

void reader_decode_ahead(struct vault_reader *r, int64_t block)
{
	struct err ignored = ERR_NONE;
	struct cached_block *b = NULL;
	struct block row;
	uint8_t unused[16];

	if (rows_block(block_cache_rows(r->cache), r->catalogue, block, &row, unused,
		       &ignored) < 0)
		return;
	uint32_t whole = row.raw;
	secret_wipe(&row, sizeof row);
	if (!block_cache_is_coming(r->cache, block, whole) &&
	    pin(r, block, whole, false, 0, &b, &ignored) == 0)
		block_cache_unpin(r->cache, b);
}

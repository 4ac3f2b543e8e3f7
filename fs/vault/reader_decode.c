#include "fs/vault/reader_decode.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/secret.h"
#include "fs/store/objects.h"
#include "fs/vault/reader_helpers.h"
#include "fs/vault/reader_near.h"
#include "fs/vault/reader_rows.h"

#define RUN_BYTES (512u * 1024)	/* got for a run of blocks at once */
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

/* The bases of a block while it is decoded. */
struct bases {
	struct cached_block *pins[BLOCK_BASES_MAX];
	unsigned count;
	const uint8_t *data;	/* joined; NULL: there are none */
	size_t size;
};

static void let_go(struct vault_reader *r, struct bases *bases)
{
	while (bases->count > 0)
		block_cache_unpin(r->cache, bases->pins[--bases->count]);
}

/* Two into one piece of memory, unless they are there from the block before. */
static int join(struct vault_reader *r, const struct block *b, struct bases *bases,
		struct err *e)
{
	struct cached_block *const *pins = bases->pins;

	if (r->joined[0] != b->bases[0] || r->joined[1] != b->bases[1]) {
		memset(r->joined, 0, sizeof r->joined);
		if (grow(&r->base, &r->base_size, bases->size, e) < 0)
			return -1;
		memcpy(r->base, pins[0]->data, pins[0]->valid);
		memcpy(r->base + pins[0]->valid, pins[1]->data, pins[1]->valid);
		memcpy(r->joined, b->bases, sizeof r->joined);
	}
	bases->data = r->base;
	return 0;
}

/* Decoding a base uses the same scratch, so both are pinned before either is copied;
 * one alone is not copied at all. */
static int take_bases(struct vault_reader *r, const struct block *b, unsigned depth,
		      struct bases *bases, struct err *e)
{
	for (unsigned i = 0; i < BLOCK_BASES_MAX; i++) {
		struct cached_block **pinned = &bases->pins[bases->count];
		struct block row;
		uint8_t unused[16];
		if (b->bases[i] == 0)
			continue;
		if (rows_block(block_cache_rows(r->cache), r->catalogue, b->bases[i], &row,
			       unused, e) < 0)
			return -1;
		uint32_t whole = row.raw;
		secret_wipe(&row, sizeof row);
		if (pin(r, b->bases[i], whole, false, depth + 1, pinned, e) < 0)
			return err_wrap(e, "as a base of block %lld", (long long)b->id);
		bases->size += (*pinned)->valid;
		bases->count++;
	}
	if (bases->count == BLOCK_BASES_MAX)
		return join(r, b, bases, e);
	bases->data = bases->count ? bases->pins[0]->data : NULL;
	return 0;
}

/* D4, D5: as much as is wanted, or all of it on the second visit. */
static uint32_t how_far(const struct block *b, uint32_t wanted, bool is_sample, bool had_part)
{
	if (!is_sample || had_part || wanted >= b->raw - b->raw / 4)
		return b->raw;
	/* One byte short of the step: zstd asked for all of one decodes the next, too. */
	uint32_t step = (wanted + SAMPLE_STEP) / SAMPLE_STEP * SAMPLE_STEP - 1;
	return step < b->raw ? step : b->raw;
}

/* The block's ciphertext: from what was got ahead, or into the scratch. */
static int get_sealed(struct vault_reader *r, const struct block *b, const uint8_t uid[16],
		      const uint8_t **out, struct err *e)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };

	if (r->ahead_count >= b->stored && b->offset >= r->ahead_offset &&
	    b->offset - r->ahead_offset <= r->ahead_count - b->stored &&
	    memcmp(r->ahead_uid, uid, sizeof r->ahead_uid) == 0) {
		*out = r->ahead + (b->offset - r->ahead_offset);
		return 0;
	}
	if (grow(&r->sealed, &r->sealed_size, b->stored, e) < 0)
		return -1;
	memcpy(name.uid, uid, sizeof name.uid);
	*out = r->sealed;
	return objects_get(r->objects, &name, b->offset, r->sealed, b->stored, e);
}

static int decode(struct vault_reader *r, const struct block *b, const uint8_t uid[16],
		  uint32_t to, unsigned depth, struct cached_block **out, struct err *e)
{
	struct cached_block *fresh = NULL;
	struct bases bases = { .count = 0 };
	const uint8_t *sealed;
	int rc = -1;

	if (take_bases(r, b, depth, &bases, e) < 0 || get_sealed(r, b, uid, &sealed, e) < 0)
		goto out;
	fresh = cached_block_new(b->id, to);
	if (!fresh) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a decoded block");
		goto out;
	}
	if (block_decode(r->decoder, b, sealed, bases.data, bases.size, fresh->data, to,
			 e) < 0)
		goto out;
	*out = fresh;
	fresh = NULL;
	rc = 0;
out:
	cached_block_free(fresh);
	let_go(r, &bases);
	return rc;
}

static void ask_near(struct vault_reader *r, int64_t id)
{
	struct helpers *h = block_cache_helpers(r->cache);
	struct helpers_errand near = { .block = id, .wanted = HELPERS_NEAR };

	if (h)
		helpers_hint(h, &near, 1, false);
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
	if (is_sample && near_note(block_cache_near(r->cache), uid, b.offset))
		ask_near(r, id);
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

void reader_know(struct vault_reader *r, int64_t block)
{
	struct err ignored = ERR_NONE;
	struct block row;
	uint8_t unused[16];

	(void)rows_block(block_cache_rows(r->cache), r->catalogue, block, &row, unused, &ignored);
	secret_wipe(&row, sizeof row);
}

void reader_decode_ahead(struct vault_reader *r, int64_t block, uint32_t wanted)
{
	struct err ignored = ERR_NONE;
	struct cached_block *b = NULL;
	struct block row;
	uint8_t unused[16];

	if (rows_block(block_cache_rows(r->cache), r->catalogue, block, &row, unused,
		       &ignored) < 0)
		return;
	bool is_sample = wanted < row.raw;
	if (!is_sample)
		wanted = row.raw;
	secret_wipe(&row, sizeof row);
	if (!block_cache_is_coming(r->cache, block, wanted) &&
	    pin(r, block, wanted, is_sample, 0, &b, &ignored) == 0)
		block_cache_unpin(r->cache, b);
}

/* How many of the blocks lie one behind the other, from the first on; where, and how
 * much that is. */
static unsigned stretch(struct vault_reader *r, int64_t first, unsigned count,
			uint8_t uid[16], uint64_t *offset, size_t *size)
{
	struct err ignored = ERR_NONE;
	unsigned n = 0;

	*size = 0;
	for (bool goes_on = true; goes_on && n < count; n += goes_on) {
		struct block row = { .id = 0 };
		uint8_t its_uid[16];
		goes_on = rows_block(block_cache_rows(r->cache), r->catalogue, first + n, &row,
				     its_uid, &ignored) == 0 &&
			  (n == 0 || (memcmp(uid, its_uid, 16) == 0 &&
				      row.offset == *offset + *size)) &&
			  *size + row.stored <= RUN_BYTES;
		if (goes_on && n == 0) {
			memcpy(uid, its_uid, 16);
			*offset = row.offset;
		}
		*size += goes_on ? row.stored : 0;
		secret_wipe(&row, sizeof row);
	}
	return n;
}

void reader_decode_run(struct vault_reader *r, int64_t first, unsigned count)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct err ignored = ERR_NONE;
	size_t size;

	if (stretch(r, first, count, name.uid, &r->ahead_offset, &size) > 1 &&
	    grow(&r->ahead, &r->ahead_size, size, &ignored) == 0 &&
	    objects_get(r->objects, &name, r->ahead_offset, r->ahead, size, &ignored) == 0) {
		memcpy(r->ahead_uid, name.uid, sizeof r->ahead_uid);
		r->ahead_count = size;
	}
	for (unsigned i = 0; i < count; i++)
		reader_decode_ahead(r, first + i, HELPERS_WHOLE);
	r->ahead_count = 0;
}

void reader_expect_near(struct vault_reader *r, int64_t block)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct err ignored = ERR_NONE;
	struct block row;

	if (rows_block(block_cache_rows(r->cache), r->catalogue, block, &row, name.uid,
		       &ignored) == 0)
		objects_expect(r->objects, &name, row.offset / NEAR_SIZE * NEAR_SIZE, NEAR_SIZE);
	secret_wipe(&row, sizeof row);
}

#include "fs/vault/chunk.h"

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/secret.h"
#include "fs/store/block.h"

#define NORMAL 2	/* bits that the masks differ from the average's, each way */

/* The gear hash keeps the last 64 bytes, the newest in its lowest bits: only
 * its top bits depend on all of them. */
static uint64_t top_bits(unsigned count)
{
	return ~(uint64_t)0 << (64 - count);
}

static unsigned log2_of(size_t n)
{
	unsigned bits = 0;

	while (n >>= 1)
		bits++;
	return bits;
}

int chunker_init(struct chunker *c, const uint8_t key[32], uint32_t block_size,
		 struct err *e)
{
	uint8_t raw[sizeof c->gear] = { 0 };
	struct reader r = reader_over(raw, sizeof raw);

	if (block_size < 4096 || block_size > BLOCK_RAW_MAX / 8 * 5)
		return err_set(e, MUNI_USAGE, "a block size of %u bytes is outside of "
			       "4,096 to %u", block_size, BLOCK_RAW_MAX / 8 * 5);
	if (digest_hkdf(key, 32, NULL, 0, "muniment gear 1", raw, sizeof raw, e) < 0)
		return err_wrap(e, "deriving the table for cutting files");
	for (size_t i = 0; i < 256; i++)
		c->gear[i] = reader_u64(&r);
	secret_wipe(raw, sizeof raw);

	c->min = block_size / 8;
	c->average = block_size / 2;
	c->max = block_size / 2 * 3;
	unsigned bits = log2_of(c->average);
	c->mask_small = top_bits(bits + NORMAL);
	c->mask_large = top_bits(bits - NORMAL);
	return 0;
}

/*
 * How far the first cut in data[at, end) is from data's beginning; 0: there is none, and
 * *hash is that of end.
 * Four bytes a round: what they add to the hash is put together aside from it, so
 * that a round waits for the hash of the one before once, not four times.
 */
static size_t scan(const uint64_t *gear, const uint8_t *data, size_t at, size_t end,
		   uint64_t mask, uint64_t *hash)
{
	uint64_t h = *hash;

	for (; at + 4 <= end; at += 4) {
		uint64_t a = gear[data[at]];
		uint64_t b = (a << 1) + gear[data[at + 1]];
		uint64_t c = (b << 1) + gear[data[at + 2]];
		uint64_t d = (c << 1) + gear[data[at + 3]];

		if (!(((h << 1) + a) & mask))
			return at + 1;
		if (!(((h << 2) + b) & mask))
			return at + 2;
		if (!(((h << 3) + c) & mask))
			return at + 3;
		h = (h << 4) + d;
		if (!(h & mask))
			return at + 4;
	}
	while (at < end) {
		h = (h << 1) + gear[data[at++]];
		if (!(h & mask))
			return at;
	}
	*hash = h;
	return 0;
}

size_t chunker_cut(const struct chunker *c, const uint8_t *data, size_t size)
{
	size_t end = size < c->max ? size : c->max;
	size_t middle = end < c->average ? end : c->average;
	uint64_t hash = 0;
	size_t i, found;

	if (size <= c->min)
		return size;
	/* The hash forgets after 64 bytes: starting that far before the first
	 * possible cut gives each cut its whole window (H1). */
	for (i = c->min - 64; i < c->min; i++)
		hash = (hash << 1) + c->gear[data[i]];
	found = scan(c->gear, data, i, middle, c->mask_small, &hash);
	if (found == 0 && middle < end)
		found = scan(c->gear, data, middle, end, c->mask_large, &hash);
	return found ? found : end;
}

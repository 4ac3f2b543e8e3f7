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

size_t chunker_cut(const struct chunker *c, const uint8_t *data, size_t size)
{
	size_t end = size < c->max ? size : c->max;
	size_t middle = end < c->average ? end : c->average;
	uint64_t hash = 0;
	size_t i;

	if (size <= c->min)
		return size;
	/* The hash forgets after 64 bytes: starting that far before the first
	 * possible cut gives each cut its whole window (H1). */
	i = c->min - 64;
	while (i < c->min)
		hash = (hash << 1) + c->gear[data[i++]];
	while (i < middle) {
		hash = (hash << 1) + c->gear[data[i++]];
		if (!(hash & c->mask_small))
			return i;
	}
	while (i < end) {
		hash = (hash << 1) + c->gear[data[i++]];
		if (!(hash & c->mask_large))
			return i;
	}
	return end;
}

/*
 * A block whose seal is right and whose frame and row say anything: what a source could
 * make zstd do, or somebody who has the catalogue's key.  The input: 1 byte codec, 4
 * raw, 4 wanted, 2 size of the base, the base, then what was sealed.
 */
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/store/block_inside.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t archive[16] = "archive of fuzz";
static struct block_decoder *decoder;
static struct sealer *sealer;

static void close_all(void)
{
	block_decoder_free(decoder);
	sealer_free(sealer);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = ERR_NONE;

	(void)argc;
	(void)argv;
	MUST(block_decoder_new(archive, &decoder, &e) == 0 && sealer_new(&sealer, &e) == 0);
	MUST(atexit(close_all) == 0);
	return 0;
}

static void seal(const struct block *b, const void *plain, size_t size, uint8_t *sealed)
{
	uint8_t ad[BLOCK_AD_SIZE];
	struct err e = ERR_NONE;

	block_ad(archive, b->uid, ad);
	MUST(sealer_set_key(sealer, b->key, &e) == 0);
	MUST(seal_close(sealer, block_nonce, ad, sizeof ad, plain, size, sealed, sealed + size,
			&e) == 0);
}

/* As often as a reader does it: whole, a part, alone and behind its base. */
static void decode(const struct block *b, const uint8_t *sealed, const void *base,
		   size_t base_size, size_t wanted)
{
	uint8_t *out = malloc(b->raw + 1), *room = malloc(base_size + b->raw + 1);
	uint8_t *behind = room + base_size;
	struct err e = ERR_NONE, e2 = ERR_NONE;
	size_t got = 0, got2 = 0;

	MUST(out && room);
	if (base_size > 0)
		memcpy(room, base, base_size);
	int rc = block_decode(decoder, b, sealed, base, base_size, out, wanted, &got, &e);
	MUST(rc == 0 ? got >= wanted && got <= b->raw : e.code != MUNI_OK && *e.text);
	int rc2 = block_decode(decoder, b, sealed, base_size > 0 ? room : NULL, base_size, behind,
			       wanted, &got2, &e2);
	MUST(rc2 < 0 || (got2 >= wanted && got2 <= b->raw));
	/* Of a part of a broken frame zstd may say this or that; and whether one is broken
	 * whose last bits are not its own hangs on which of its two ways it takes. */
	if (wanted == b->raw && rc == 0 && rc2 == 0)
		MUST(memcmp(out, behind, wanted) == 0);
	free(out);
	free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	struct block b = { .id = 1, .uid = "block", .key = "key of this block" };
	uint8_t *base = NULL, *sealed;
	size_t wanted, base_size;
	struct err e = ERR_NONE;

	b.codec = reader_u8(&r) % 4;
	b.raw = reader_u32(&r) % (BLOCK_RAW_MAX + 2);
	wanted = reader_u32(&r) % (b.raw + 2u);
	base_size = reader_u16(&r);
	if (r.underflow || base_size > reader_left(&r))
		return 0;
	if (base_size > 0) {
		base = malloc(base_size);
		MUST(base);
		reader_bytes(&r, base, base_size);
	}
	b.stored = (uint32_t)(reader_left(&r) + SEAL_TAG_SIZE);
	sealed = malloc(b.stored);
	MUST(sealed);
	seal(&b, data + r.used, reader_left(&r), sealed);
	MUST(reader_left(&r) == 0 || block_authenticate(decoder, &b, sealed, &e) == 0);
	decode(&b, sealed, base, base_size, wanted);
	free(sealed);
	free(base);
	return 0;
}

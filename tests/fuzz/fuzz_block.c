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

/* As often as a reader does it: whole, a part, and with the bases that are held. */
static void decode(struct block *b, const uint8_t *sealed, const void *base, size_t base_size,
		   size_t wanted)
{
	uint8_t *out = malloc(wanted + (wanted == 0)), *again = malloc(wanted + (wanted == 0));
	struct err e = ERR_NONE, e2 = ERR_NONE;

	MUST(out && again);
	int rc = block_decode(decoder, b, sealed, base, base_size, out, wanted, &e);
	MUST(rc == 0 || (e.code != MUNI_OK && *e.text));
	b->bases[0] = base_size > 0 ? 7 : 0;
	for (int i = 0; i < 2; i++) {
		int rc2 = block_decode(decoder, b, sealed, base, base_size, again, wanted, &e2);

		/* Of a part of a broken frame zstd may say this or that. */
		if (wanted == b->raw)
			MUST(rc2 == rc && (rc < 0 || memcmp(out, again, wanted) == 0));
	}
	b->bases[0] = 8;	/* nobody's: what is held is another's from here */
	(void)block_decode(decoder, b, sealed, base, base_size, again, 0, &e2);
	b->bases[0] = 0;
	free(out);
	free(again);
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

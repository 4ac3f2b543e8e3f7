/*
 * Blocks in: compress (block_compress.c), seal.  Blocks out are in block_decode.c.
 */
#include "fs/store/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/secret.h"
#include "fs/store/block_inside.h"

#define FORMAT 1
/* Ids and keys of so many blocks are drawn in one: a draw costs some thousand cycles, of
 * which the bytes are a few. */
#define DRAWN_MOST 32
#define DRAWN_SIZE (sizeof((struct block *)0)->uid + sizeof((struct block *)0)->key)

void block_ad(const uint8_t archive_id[16], const uint8_t uid[16],
	      uint8_t out[BLOCK_AD_SIZE])
{
	static const uint8_t kind[16] = "muniment.block";
	struct writer w = writer_over(out, BLOCK_AD_SIZE);

	writer_bytes(&w, kind, sizeof kind);
	writer_u32(&w, FORMAT);
	writer_bytes(&w, archive_id, 16);
	writer_bytes(&w, uid, 16);
	assert(!w.overflow && w.used == BLOCK_AD_SIZE);
}

int block_encoder_new(const uint8_t archive_id[16], int level, struct block_encoder **out,
		      struct err *e)
{
	struct block_encoder *enc;

	*out = NULL;
	if (level < 1 || level > BLOCK_LEVEL_MAX)
		return err_set(e, MUNI_USAGE, "a compression level is 1 to %d, not %d",
			       BLOCK_LEVEL_MAX, level);
	enc = calloc(1, sizeof *enc);
	if (enc == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a block encoder");
	memcpy(enc->archive_id, archive_id, sizeof enc->archive_id);
	enc->level = level;
	enc->zstd = ZSTD_createCCtx();
	enc->packed = malloc(BLOCK_STORED_MAX);
	enc->sealed = malloc(BLOCK_STORED_MAX);
	enc->drawn = secret_new(DRAWN_MOST * DRAWN_SIZE);
	if (enc->zstd == NULL || enc->packed == NULL || enc->sealed == NULL ||
	    enc->drawn == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a block encoder");
		goto fail;
	}
	if (sealer_new(&enc->sealer, e) < 0)
		goto fail;
	*out = enc;
	return 0;
fail:
	block_encoder_free(enc);
	return -1;
}

void block_encoder_free(struct block_encoder *enc)
{
	if (enc == NULL)
		return;
	ZSTD_freeCCtx(enc->zstd);
	sealer_free(enc->sealer);
	free(enc->packed);
	free(enc->sealed);
	secret_free(enc->drawn);
	free(enc);
}

/* A block's id and key, which nobody has had before and which are here no longer. */
static int draw(struct block_encoder *enc, struct block *b, struct err *e)
{
	uint8_t *at;

	if (enc->drawn_count == 0) {
		if (random_bytes(enc->drawn, DRAWN_MOST * DRAWN_SIZE, e) < 0)
			return err_wrap(e, "making a block's key");
		enc->drawn_count = DRAWN_MOST;
	}
	at = enc->drawn + --enc->drawn_count * DRAWN_SIZE;
	memcpy(b->uid, at, sizeof b->uid);
	memcpy(b->key, at + sizeof b->uid, sizeof b->key);
	secret_wipe(at, DRAWN_SIZE);
	return 0;
}

/* The frame of `packed` bytes in enc->packed, or if that is 0 the raw bytes. */
static int seal(struct block_encoder *enc, const void *raw, size_t size, size_t packed,
		bool is_based, struct block *b, const uint8_t **sealed, struct err *e)
{
	const void *plain = packed > 0 ? enc->packed : raw;
	size_t plain_size = packed > 0 ? packed : size;
	uint8_t ad[BLOCK_AD_SIZE];

	b->codec = packed == 0 ? BLOCK_STORED : is_based ? BLOCK_ZSTD_BASED : BLOCK_ZSTD;
	if (draw(enc, b, e) < 0)
		return -1;
	block_ad(enc->archive_id, b->uid, ad);
	if (sealer_set_key(enc->sealer, b->key, e) < 0 ||
	    seal_close(enc->sealer, block_nonce, ad, sizeof ad, plain, plain_size,
		       enc->sealed, enc->sealed + plain_size, e) < 0)
		return err_wrap(e, "sealing a block");
	b->raw = (uint32_t)size;
	b->stored = (uint32_t)(plain_size + SEAL_TAG_SIZE);
	*sealed = enc->sealed;
	return 0;
}

int block_encode(struct block_encoder *enc, const void *raw, size_t size,
		 const void *base, size_t base_size, struct block *b,
		 const uint8_t **sealed, struct err *e)
{
	size_t packed;

	assert(size >= 1 && size <= BLOCK_RAW_MAX);
	assert(base_size <= (size_t)BLOCK_BASES_MAX * BLOCK_RAW_MAX);
	if (base_size == 0)
		base = NULL;
	*sealed = NULL;
	if (block_compress(enc, raw, size, base, base_size, &packed, e) < 0)
		return -1;
	return seal(enc, raw, size, packed, base != NULL, b, sealed, e);
}

int block_encode_led(struct block_encoder *enc, struct block_leader *leader, bool is_alike,
		     const void *raw, size_t size, struct block *b, const uint8_t **sealed,
		     struct err *e)
{
	size_t packed;

	assert(size >= 1 && size <= BLOCK_RAW_MAX);
	*sealed = NULL;
	if (block_compress_led(enc, leader, is_alike, raw, size, &packed, e) < 0 ||
	    seal(enc, raw, size, packed, true, b, sealed, e) < 0)
		return -1;
	memset(b->bases, 0, sizeof b->bases);
	if (b->codec == BLOCK_ZSTD_BASED)
		b->bases[0] = block_leader_id(leader);
	return 0;
}

int block_measure(struct block_encoder *enc, struct block_leader *leader, bool is_alike,
		  const void *raw, size_t size, size_t *stored, struct err *e)
{
	size_t packed;
	int rc = leader ? block_compress_led(enc, leader, is_alike, raw, size, &packed, e) :
			  block_compress(enc, raw, size, NULL, 0, &packed, e);

	if (rc == 0)
		*stored = (packed > 0 ? packed : size) + SEAL_TAG_SIZE;
	return rc;
}

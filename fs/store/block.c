/*
 * Blocks in: compress, seal.  Blocks out are in block_decode.c.
 */
#include "fs/store/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/store/block_inside.h"

#define FORMAT 1
#define LEVEL_MAX 19

/*
 * zstd's choice for 128 KiB of input, as of 1.5.4: pinned, for the library's
 * own choice moves with its version and with the size of input and prefix, not
 * always for the better (docs/decisions/0020-block-frames.md).
 */
static const struct params {
	uint8_t chain_log, hash_log, search_log, min_match;
	uint16_t target_length;
	uint8_t strategy;
} levels[LEVEL_MAX] = {
	{ 12, 13, 1, 6, 0, ZSTD_fast },
	{ 13, 15, 1, 5, 0, ZSTD_fast },
	{ 15, 16, 2, 5, 0, ZSTD_dfast },
	{ 17, 17, 2, 4, 0, ZSTD_dfast },
	{ 16, 17, 3, 4, 2, ZSTD_greedy },
	{ 16, 17, 3, 4, 4, ZSTD_lazy },
	{ 16, 17, 3, 4, 8, ZSTD_lazy2 },
	{ 16, 17, 4, 4, 8, ZSTD_lazy2 },
	{ 16, 17, 5, 4, 8, ZSTD_lazy2 },
	{ 16, 17, 6, 4, 8, ZSTD_lazy2 },
	{ 17, 17, 5, 4, 8, ZSTD_btlazy2 },
	{ 18, 17, 7, 4, 12, ZSTD_btlazy2 },
	{ 18, 17, 3, 4, 12, ZSTD_btopt },
	{ 18, 17, 4, 3, 32, ZSTD_btopt },
	{ 18, 17, 6, 3, 256, ZSTD_btopt },
	{ 18, 17, 6, 3, 128, ZSTD_btultra },
	{ 18, 17, 8, 3, 256, ZSTD_btultra },
	{ 18, 17, 10, 3, 512, ZSTD_btultra },
	{ 18, 17, 5, 3, 256, ZSTD_btultra2 },
};

/* A block that has bases is mostly found in them: a search that would be too slow without
 * them costs little (docs/decisions/0103-bases-by-sketches.md). */
#define BASED_LEVELS 4

/* A frame is cut into zstd blocks of this much, so that a read of the block's
 * beginning need not decode the rest; it makes frames smaller, too. */
#define FRAME_STEP (32 * 1024)

struct block_encoder {
	uint8_t archive_id[16];
	const struct params *params, *based_params;
	ZSTD_CCtx *zstd;
	struct sealer *sealer;
	bool is_based;		/* the parameters in zstd are those for prefixes */
	uint8_t *packed;	/* BLOCK_STORED_MAX */
	uint8_t *sealed;	/* BLOCK_STORED_MAX */
};

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

static int set_parameters(struct block_encoder *enc, bool is_based, struct err *e)
{
	const struct params *p = is_based ? enc->based_params : enc->params;
	/* Two bases and the block fit the window, and their positions the tables. */
	const struct { ZSTD_cParameter name; int value; } list[] = {
		{ ZSTD_c_windowLog, is_based ? BLOCK_WINDOW_LOG_MAX : 20 },
		{ ZSTD_c_hashLog, p->hash_log + (is_based ? 1 : 0) },
		{ ZSTD_c_chainLog, p->chain_log + (is_based ? 1 : 0) },
		{ ZSTD_c_searchLog, p->search_log },
		{ ZSTD_c_minMatch, p->min_match },
		{ ZSTD_c_targetLength, p->target_length },
		{ ZSTD_c_strategy, p->strategy },
		{ ZSTD_c_contentSizeFlag, 0 },	/* the catalogue has it */
		{ ZSTD_c_checksumFlag, 0 },	/* the tag is better */
		{ ZSTD_c_dictIDFlag, 0 },
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		size_t rc = ZSTD_CCtx_setParameter(enc->zstd, list[i].name, list[i].value);

		if (ZSTD_isError(rc))
			return err_set(e, MUNI_UNSUPPORTED, "this zstd refuses a parameter: %s",
				       ZSTD_getErrorName(rc));
	}
	enc->is_based = is_based;
	return 0;
}

int block_encoder_new(const uint8_t archive_id[16], int level, struct block_encoder **out,
		      struct err *e)
{
	struct block_encoder *enc;

	*out = NULL;
	if (level < 1 || level > LEVEL_MAX)
		return err_set(e, MUNI_USAGE, "a compression level is 1 to %d, not %d",
			       LEVEL_MAX, level);
	enc = calloc(1, sizeof *enc);
	if (enc == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a block encoder");
	memcpy(enc->archive_id, archive_id, sizeof enc->archive_id);
	enc->params = &levels[level - 1];
	enc->based_params = &levels[(level + BASED_LEVELS > LEVEL_MAX ? LEVEL_MAX :
				     level + BASED_LEVELS) - 1];
	enc->zstd = ZSTD_createCCtx();
	enc->packed = malloc(BLOCK_STORED_MAX);
	enc->sealed = malloc(BLOCK_STORED_MAX);
	if (enc->zstd == NULL || enc->packed == NULL || enc->sealed == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a block encoder");
		goto fail;
	}
	if (sealer_new(&enc->sealer, e) < 0 || set_parameters(enc, false, e) < 0)
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
	free(enc);
}

/* Less than this saved is not worth a decode at every read. */
static size_t worth(size_t raw)
{
	return raw - raw / 64;
}

/* One frame into enc->packed; *size 0 if it does not compress. */
static int compress(struct block_encoder *enc, const uint8_t *raw, size_t raw_size,
		    const void *base, size_t base_size, size_t *size, struct err *e)
{
	ZSTD_outBuffer out = { .dst = enc->packed, .size = worth(raw_size) };
	bool is_based = base != NULL;
	size_t rc;

	*size = 0;
	ZSTD_CCtx_reset(enc->zstd, ZSTD_reset_session_only);
	if (is_based != enc->is_based && set_parameters(enc, is_based, e) < 0)
		return -1;
	/* Set also when NULL: a prefix left from a frame given up would stay. */
	rc = ZSTD_CCtx_refPrefix(enc->zstd, base, base_size);
	if (!ZSTD_isError(rc))
		rc = ZSTD_CCtx_setPledgedSrcSize(enc->zstd, raw_size);
	for (size_t at = 0; at < raw_size && !ZSTD_isError(rc); at += FRAME_STEP) {
		bool is_last = raw_size - at <= FRAME_STEP;
		ZSTD_inBuffer in = { .src = raw + at,
				     .size = is_last ? raw_size - at : FRAME_STEP };

		rc = ZSTD_compressStream2(enc->zstd, &out, &in,
					  is_last ? ZSTD_e_end : ZSTD_e_flush);
		if (rc > 0 && !ZSTD_isError(rc))
			return 0;	/* no room: it would not be worth it */
	}
	if (ZSTD_isError(rc))
		return err_set(e, MUNI_NO_MEMORY, "compressing a block: %s",
			       ZSTD_getErrorName(rc));
	*size = out.pos;
	return 0;
}

int block_encode(struct block_encoder *enc, const void *raw, size_t size,
		 const void *base, size_t base_size, struct block *b,
		 const uint8_t **sealed, struct err *e)
{
	uint8_t ad[BLOCK_AD_SIZE];
	const void *plain = enc->packed;
	size_t packed;

	assert(size >= 1 && size <= BLOCK_RAW_MAX);
	assert(base_size <= (size_t)BLOCK_BASES_MAX * BLOCK_RAW_MAX);
	if (base_size == 0)
		base = NULL;
	*sealed = NULL;
	if (compress(enc, raw, size, base, base_size, &packed, e) < 0)
		return -1;
	if (packed == 0) {
		b->codec = BLOCK_STORED;
		plain = raw;
		packed = size;
	} else {
		b->codec = base != NULL ? BLOCK_ZSTD_BASED : BLOCK_ZSTD;
	}
	if (random_bytes(b->uid, sizeof b->uid, e) < 0 ||
	    random_bytes(b->key, sizeof b->key, e) < 0)
		return err_wrap(e, "making a block's key");
	block_ad(enc->archive_id, b->uid, ad);
	if (sealer_set_key(enc->sealer, b->key, e) < 0 ||
	    seal_close(enc->sealer, block_nonce, ad, sizeof ad, plain, packed,
		       enc->sealed, enc->sealed + packed, e) < 0)
		return err_wrap(e, "sealing a block");
	b->raw = (uint32_t)size;
	b->stored = (uint32_t)(packed + SEAL_TAG_SIZE);
	*sealed = enc->sealed;
	return 0;
}

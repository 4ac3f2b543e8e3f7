/*
 * Blocks out: authenticate, then decode as far as the read goes.
 */
#define ZSTD_STATIC_LINKING_ONLY	/* for an allocator of ours, and steps without a window */
#include <zstd.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"
#include "fs/store/block_inside.h"

struct block_decoder {
	uint8_t archive_id[16];
	ZSTD_DCtx *zstd;
	struct sealer *sealer;
	uint8_t *plain;		/* BLOCK_STORED_MAX */
	size_t plain_used;	/* its first so many bytes were ever written */
};

/* zstd keeps decoded bytes in memory of its own, too. */
static void *take(void *unused, size_t size)
{
	(void)unused;
	return malloc(size);
}

static void wipe_and_free(void *unused, void *at)
{
	(void)unused;
	if (at != NULL)
		secret_wipe(at, malloc_usable_size(at));
	free(at);
}

int block_decoder_new(const uint8_t archive_id[16], struct block_decoder **out,
		      struct err *e)
{
	struct block_decoder *dec = calloc(1, sizeof *dec);

	*out = NULL;
	if (dec == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a block decoder");
	memcpy(dec->archive_id, archive_id, sizeof dec->archive_id);
	dec->zstd = ZSTD_createDCtx_advanced((ZSTD_customMem){ take, wipe_and_free, NULL });
	dec->plain = malloc(BLOCK_STORED_MAX);
	if (dec->zstd == NULL || dec->plain == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a block decoder");
		goto fail;
	}
	if (sealer_new(&dec->sealer, e) < 0)
		goto fail;
	*out = dec;
	return 0;
fail:
	block_decoder_free(dec);
	return -1;
}

void block_decoder_free(struct block_decoder *dec)
{
	if (dec == NULL)
		return;
	ZSTD_freeDCtx(dec->zstd);
	sealer_free(dec->sealer);
	/* What was decoded here may have been destroyed since. */
	if (dec->plain != NULL)
		secret_wipe(dec->plain, dec->plain_used);
	free(dec->plain);
	free(dec);
}

static int damaged(const struct block *b, const char *why, struct err *e)
{
	char hex[33];

	text_hex(b->uid, sizeof b->uid, hex);
	return err_set(e, MUNI_DAMAGED, "block %s at byte %llu of its segment: %s", hex,
		       (unsigned long long)b->offset, why);
}

static int check_row(const struct block *b, size_t base_size, struct err *e)
{
	if (b->raw == 0 || b->raw > BLOCK_RAW_MAX || b->stored <= SEAL_TAG_SIZE ||
	    b->stored > BLOCK_STORED_MAX)
		return damaged(b, "its row in the catalogue gives impossible sizes", e);
	if (b->codec > BLOCK_ZSTD_BASED)
		return damaged(b, "its row names a coding that this program does not know",
			       e);
	if (b->codec == BLOCK_STORED && b->stored - SEAL_TAG_SIZE != b->raw)
		return damaged(b, "its sizes contradict each other", e);
	if ((b->codec == BLOCK_ZSTD_BASED) != (base_size > 0) ||
	    base_size > (size_t)BLOCK_BASES_MAX * BLOCK_RAW_MAX)
		return damaged(b, "its row and its bases contradict each other", e);
	return 0;
}

/* K3: into out, which has room for the plain text. */
static int open_sealed(struct block_decoder *dec, const struct block *b,
		       const uint8_t *sealed, void *out, struct err *e)
{
	size_t size = b->stored - SEAL_TAG_SIZE;
	uint8_t ad[BLOCK_AD_SIZE];

	block_ad(dec->archive_id, b->uid, ad);
	if (sealer_set_key(dec->sealer, b->key, e) < 0)
		return -1;
	if (seal_open(dec->sealer, block_nonce, ad, sizeof ad, sealed, size, sealed + size,
		      out, e) == 0)
		return 0;
	if (e->code != MUNI_DAMAGED)
		return -1;
	return damaged(b, "its bytes are not those that were sealed", e);
}

/* Into dec->plain. */
static int open_inside(struct block_decoder *dec, const struct block *b,
		       const uint8_t *sealed, struct err *e)
{
	if (dec->plain_used < b->stored)
		dec->plain_used = b->stored;
	return open_sealed(dec, b, sealed, dec->plain, e);
}

static int does_not_decode(const struct block *b, struct err *e)
{
	return damaged(b, "it was sealed, but does not decode to its size", e);
}

/* One who asks for a larger window is not ours: docs/format.md, "Block". */
static bool is_frame_of_ours(const uint8_t *data, size_t size)
{
	ZSTD_frameHeader h;

	return ZSTD_getFrameHeader(&h, data, size) == 0 && h.frameType == ZSTD_frame &&
	       h.windowSize <= 1u << BLOCK_WINDOW_LOG_MAX;
}

/* zstd takes bytes that begin like a dictionary of its own for one, unless they come by
 * this door, which knows no steps. */
static bool is_like_a_dictionary(const uint8_t *base, size_t size)
{
	static const uint8_t magic[4] = { 0x37, 0xa4, 0x30, 0xec };

	return size >= sizeof magic && memcmp(base, magic, sizeof magic) == 0;
}

static int decode_at_once(struct block_decoder *dec, const struct block *b, const void *base,
			  size_t base_size, void *out, size_t *got, struct err *e)
{
	ZSTD_DCtx_reset(dec->zstd, ZSTD_reset_session_only);
	if (ZSTD_isError(ZSTD_DCtx_refPrefix(dec->zstd, base, base_size)))
		return err_set(e, MUNI_NO_MEMORY, "no memory to decode a block");
	*got = ZSTD_decompressDCtx(dec->zstd, out, b->raw, dec->plain,
				   b->stored - SEAL_TAG_SIZE);
	return ZSTD_isError(*got) || *got != b->raw ? does_not_decode(b, e) : 0;
}

/* The frame in dec->plain, step by step.  Unlike a stream this needs no window of zstd's
 * own, whatever the frame says that its window is: out is one. */
static int decode_in_steps(struct block_decoder *dec, const struct block *b, const void *base,
			   size_t base_size, uint8_t *out, size_t wanted, size_t *got,
			   struct err *e)
{
	const uint8_t *from = dec->plain;
	size_t left = b->stored - SEAL_TAG_SIZE, step, rc;

	*got = 0;
	if (ZSTD_isError(ZSTD_decompressBegin_usingDict(dec->zstd, base, base_size)))
		return err_set(e, MUNI_NO_MEMORY, "no memory to decode a block");
	while ((step = ZSTD_nextSrcSizeToDecompress(dec->zstd)) > 0) {
		if (*got >= wanted && wanted < b->raw)
			return 0;
		if (step > left)
			return does_not_decode(b, e);
		rc = ZSTD_decompressContinue(dec->zstd, out + *got, b->raw - *got, from, step);
		if (ZSTD_isError(rc))
			return does_not_decode(b, e);
		*got += rc;
		from += step;
		left -= step;
	}
	/* The frame is over. */
	return left > 0 || *got != b->raw ? does_not_decode(b, e) : 0;
}

int block_decode(struct block_decoder *dec, const struct block *b, const uint8_t *sealed,
		 const void *base, size_t base_size, void *out, size_t wanted, size_t *got,
		 struct err *e)
{
	*got = 0;
	if (base == NULL)
		base_size = 0;
	if (check_row(b, base_size, e) < 0)
		return -1;
	if (wanted > b->raw)
		return damaged(b, "a file asks for bytes past its end", e);
	if (b->codec == BLOCK_STORED) {
		if (open_sealed(dec, b, sealed, out, e) < 0)
			return -1;
		*got = b->raw;
		return 0;
	}
	if (open_inside(dec, b, sealed, e) < 0)
		return -1;
	if (!is_frame_of_ours(dec->plain, b->stored - SEAL_TAG_SIZE))
		return does_not_decode(b, e);
	if (base_size > 0 && is_like_a_dictionary(base, base_size))
		return decode_at_once(dec, b, base, base_size, out, got, e);
	return decode_in_steps(dec, b, base, base_size, out, wanted, got, e);
}

int block_authenticate(struct block_decoder *dec, const struct block *b,
		       const uint8_t *sealed, struct err *e)
{
	if (b->stored <= SEAL_TAG_SIZE || b->stored > BLOCK_STORED_MAX)
		return damaged(b, "its row in the catalogue gives impossible sizes", e);
	return open_inside(dec, b, sealed, e);
}

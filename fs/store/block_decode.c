/*
 * Blocks out: authenticate, then decode as far as the read goes.
 */
#define ZSTD_STATIC_LINKING_ONLY	/* for an allocator of ours alone */
#include <zstd.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"
#include "fs/store/block_inside.h"

#define ROOM_SIZE ((size_t)(BLOCK_BASES_MAX + 1) * BLOCK_RAW_MAX)

struct block_decoder {
	uint8_t archive_id[16];
	ZSTD_DCtx *zstd;
	struct sealer *sealer;
	uint8_t *plain;		/* BLOCK_STORED_MAX */
	/* Bases, and what is decoded right behind them: to zstd that is one run, a third
	 * faster than two.  Copying them pays from the second block on. */
	uint8_t *room;		/* ROOM_SIZE; NULL: nobody needed it yet */
	int64_t bases[BLOCK_BASES_MAX];	/* of the block before; 0 none */
	size_t held;		/* bytes of those that are in the room */
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
	/* A frame that asks for more is not ours, and gets no memory. */
	if (ZSTD_isError(ZSTD_DCtx_setParameter(dec->zstd, ZSTD_d_windowLogMax,
						BLOCK_WINDOW_LOG_MAX))) {
		err_set(e, MUNI_UNSUPPORTED, "this zstd refuses a window limit");
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
		secret_wipe(dec->plain, BLOCK_STORED_MAX);
	if (dec->room != NULL)
		secret_wipe(dec->room, ROOM_SIZE);
	free(dec->plain);
	free(dec->room);
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

/* Has dec->room the bases at its beginning? */
static bool hold(struct block_decoder *dec, const struct block *b, const void *base, size_t size)
{
	if (b->bases[0] == 0 || memcmp(dec->bases, b->bases, sizeof dec->bases) != 0) {
		memcpy(dec->bases, b->bases, sizeof dec->bases);
		dec->held = 0;
		return false;
	}
	if (dec->held == 0) {
		if (dec->room == NULL)
			dec->room = malloc(ROOM_SIZE);
		if (dec->room == NULL)
			return false;
		memcpy(dec->room, base, size);
		dec->held = size;
	}
	return dec->held == size;
}

/* An earlier frame's prefix may not stay, so it is set also when there is none. */
static int begin(struct block_decoder *dec, const void *base, size_t base_size, struct err *e)
{
	ZSTD_DCtx_reset(dec->zstd, ZSTD_reset_session_only);
	if (ZSTD_isError(ZSTD_DCtx_refPrefix(dec->zstd, base_size > 0 ? base : NULL,
					     base_size)))
		return err_set(e, MUNI_NO_MEMORY, "no memory to decode a block");
	return 0;
}

/* The frame in dec->plain, all of it. */
static int decode_whole(struct block_decoder *dec, const struct block *b, void *out,
			struct err *e)
{
	size_t rc = ZSTD_decompressDCtx(dec->zstd, out, b->raw, dec->plain,
					b->stored - SEAL_TAG_SIZE);

	if (ZSTD_isError(rc) || rc != b->raw)
		return damaged(b, "it was sealed, but does not decode to its size", e);
	return 0;
}

static int decode_beginning(struct block_decoder *dec, const struct block *b, void *out,
			    size_t wanted, struct err *e)
{
	ZSTD_inBuffer in = { .src = dec->plain, .size = b->stored - SEAL_TAG_SIZE };
	ZSTD_outBuffer to = { .dst = out, .size = wanted };

	while (to.pos < to.size) {
		size_t in_before = in.pos, out_before = to.pos;
		size_t rc = ZSTD_decompressStream(dec->zstd, &to, &in);
		bool is_stuck = in.pos == in_before && to.pos == out_before;

		if (ZSTD_isError(rc) || (to.pos < to.size && (rc == 0 || is_stuck)))
			return damaged(b, "it was sealed, but does not decode", e);
	}
	return 0;
}

int block_decode(struct block_decoder *dec, const struct block *b, const uint8_t *sealed,
		 const void *base, size_t base_size, void *out, size_t wanted,
		 struct err *e)
{
	if (base == NULL)
		base_size = 0;
	if (check_row(b, base_size, e) < 0)
		return -1;
	if (wanted > b->raw)
		return damaged(b, "a file asks for bytes past its end", e);
	if (b->codec == BLOCK_STORED && wanted == b->raw)
		return open_sealed(dec, b, sealed, out, e);
	if (open_sealed(dec, b, sealed, dec->plain, e) < 0)
		return -1;
	if (b->codec == BLOCK_STORED) {
		memcpy(out, dec->plain, wanted);
		return 0;
	}
	if (wanted == b->raw && base_size > 0 && hold(dec, b, base, base_size)) {
		if (begin(dec, dec->room, base_size, e) < 0 ||
		    decode_whole(dec, b, dec->room + base_size, e) < 0)
			return -1;
		memcpy(out, dec->room + base_size, wanted);
		return 0;
	}
	if (begin(dec, base, base_size, e) < 0)
		return -1;
	if (wanted == b->raw)
		return decode_whole(dec, b, out, e);
	return decode_beginning(dec, b, out, wanted, e);
}

int block_authenticate(struct block_decoder *dec, const struct block *b,
		       const uint8_t *sealed, struct err *e)
{
	if (b->stored <= SEAL_TAG_SIZE || b->stored > BLOCK_STORED_MAX)
		return damaged(b, "its row in the catalogue gives impossible sizes", e);
	return open_sealed(dec, b, sealed, dec->plain, e);
}

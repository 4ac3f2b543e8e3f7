/*
 * One zstd frame: of a block that stands alone, of one with bases, of one with a leader.
 *
 * What zstd calls experimental is used in two places, and nothing but speed and size hangs
 * on it: that a frame consists of small blocks, and that a leader is prepared once.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zstd_errors.h>

#include "fs/base/err.h"
#include "fs/store/block_inside.h"

/* A frame consists of zstd blocks of this much, so that a read of the block's
 * beginning need not decode the rest; it makes frames smaller, too. */
#define FRAME_STEP (32 * 1024)

#define WINDOW_LOG 20		/* a leader and a block fit, but at the highest levels */

struct block_leader {
	int64_t id;
	size_t size;
	uint8_t *room;		/* the leader's bytes; the block that is led goes behind
				 * them, for zstd is a third faster where both are one run */
	ZSTD_CDict *prepared[2];	/* for is_alike false, true; NULL: not needed yet */
};

static int window_log(const struct block_encoder *enc, bool is_based)
{
	return is_based || enc->level >= BLOCK_LEVEL_DENSE ? BLOCK_WINDOW_LOG_MAX : WINDOW_LOG;
}

static int set_parameters(struct block_encoder *enc, bool is_based, struct err *e)
{
	const struct block_params *p = is_based ? block_params_based(enc->level) :
						 block_params_of(enc->level, false);
	/* Two bases and the block fit the window, and their positions the tables. */
	const struct { ZSTD_cParameter name; int value; } list[] = {
		{ ZSTD_c_windowLog, window_log(enc, is_based) },
		{ ZSTD_c_hashLog, p->hash_log + (is_based ? 2 : 0) },
		{ ZSTD_c_chainLog, p->chain_log + (is_based ? 2 : 0) },
		{ ZSTD_c_searchLog, p->search_log },
		{ ZSTD_c_minMatch, p->min_match },
		{ ZSTD_c_targetLength, p->target_length },
		{ ZSTD_c_strategy, p->strategy },
		{ ZSTD_c_contentSizeFlag, 0 },	/* the catalogue has it */
		{ ZSTD_c_checksumFlag, 0 },	/* the tag is better */
		{ ZSTD_c_dictIDFlag, 0 },
	};

	ZSTD_CCtx_reset(enc->zstd, ZSTD_reset_session_and_parameters);
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		size_t rc = ZSTD_CCtx_setParameter(enc->zstd, list[i].name, list[i].value);

		if (ZSTD_isError(rc))
			return err_set(e, MUNI_UNSUPPORTED, "this zstd refuses a parameter: %s",
				       ZSTD_getErrorName(rc));
	}
	/* A library without it makes frames that are decoded in larger steps. */
	if (enc->level < BLOCK_LEVEL_DENSE)
		ZSTD_CCtx_setParameter(enc->zstd, ZSTD_c_maxBlockSize, FRAME_STEP);
	return 0;
}

/* Less than this saved is not worth a decode at every read. */
static size_t worth(size_t raw)
{
	return raw - raw / 64;
}

static int frame(struct block_encoder *enc, const uint8_t *raw, size_t raw_size, size_t *size,
		 struct err *e)
{
	size_t rc = ZSTD_compress2(enc->zstd, enc->packed, worth(raw_size), raw, raw_size);

	*size = 0;
	if (ZSTD_getErrorCode(rc) == ZSTD_error_dstSize_tooSmall)
		return 0;	/* it would not be worth it */
	if (ZSTD_isError(rc))
		return err_set(e, MUNI_NO_MEMORY, "compressing a block: %s",
			       ZSTD_getErrorName(rc));
	*size = rc;
	return 0;
}

int block_compress(struct block_encoder *enc, const uint8_t *raw, size_t raw_size,
		   const void *base, size_t base_size, size_t *size, struct err *e)
{
	if (set_parameters(enc, base != NULL, e) < 0)
		return -1;
	if (ZSTD_isError(ZSTD_CCtx_refPrefix(enc->zstd, base, base_size)))
		return err_set(e, MUNI_NO_MEMORY, "no memory to compress a block");
	return frame(enc, raw, raw_size, size, e);
}

int block_leader_new(int64_t id, const void *raw, size_t size, struct block_leader **out,
		     struct err *e)
{
	struct block_leader *l = calloc(1, sizeof *l);

	assert(size >= 1 && size <= BLOCK_RAW_MAX);
	*out = NULL;
	if (l != NULL)
		l->room = malloc(size + BLOCK_RAW_MAX);
	if (l == NULL || l->room == NULL) {
		free(l);
		return err_set(e, MUNI_NO_MEMORY, "no memory for a leader of blocks");
	}
	l->id = id;
	l->size = size;
	memcpy(l->room, raw, size);
	*out = l;
	return 0;
}

void block_leader_free(struct block_leader *l)
{
	if (l == NULL)
		return;
	ZSTD_freeCDict(l->prepared[false]);
	ZSTD_freeCDict(l->prepared[true]);
	free(l->room);
	free(l);
}

int64_t block_leader_id(const struct block_leader *l)
{
	return l->id;
}

static int prepare(const struct block_encoder *enc, struct block_leader *l, bool is_alike,
		   struct err *e)
{
	const struct block_params *p = block_params_of(enc->level, is_alike);
	const ZSTD_compressionParameters c = {
		.windowLog = (unsigned)window_log(enc, false),
		.chainLog = p->chain_log, .hashLog = p->hash_log, .searchLog = p->search_log,
		.minMatch = p->min_match, .targetLength = p->target_length,
		.strategy = (ZSTD_strategy)p->strategy,
	};

	if (l->prepared[is_alike] == NULL)
		l->prepared[is_alike] = ZSTD_createCDict_advanced(l->room, l->size,
			ZSTD_dlm_byRef, ZSTD_dct_rawContent, c, ZSTD_defaultCMem);
	return l->prepared[is_alike] ? 0 :
		err_set(e, MUNI_NO_MEMORY, "no memory for a leader of blocks");
}

int block_compress_led(struct block_encoder *enc, struct block_leader *l, bool is_alike,
		       const uint8_t *raw, size_t raw_size, size_t *size, struct err *e)
{
	if (prepare(enc, l, is_alike, e) < 0 || set_parameters(enc, false, e) < 0)
		return -1;
	/* Its parameters are the ones that count. */
	if (ZSTD_isError(ZSTD_CCtx_refCDict(enc->zstd, l->prepared[is_alike])))
		return err_set(e, MUNI_NO_MEMORY, "no memory to compress a block");
	memcpy(l->room + l->size, raw, raw_size);
	return frame(enc, l->room + l->size, raw_size, size, e);
}

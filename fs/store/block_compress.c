/*
 * One zstd frame: of a block that stands alone, of one with bases, of one with a leader.
 *
 * What zstd calls experimental is used in three places, and nothing but speed and size hangs
 * on it: that a frame consists of small blocks, that a leader is prepared once, and that
 * its tables are copied as they are.
 */
#define ZSTD_STATIC_LINKING_ONLY
#define ZSTD_DISABLE_DEPRECATE_WARNINGS	/* ZSTD_copyCCtx(): see begin() */
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
	struct prepared {	/* for is_alike false, true */
		/* One of the two; both NULL: not needed yet. */
		ZSTD_CDict *dictionary;	/* owned */
		ZSTD_CCtx *begun;	/* owned; about to take a block's bytes */
	} prepared[2];
};

static int window_log(const struct block_encoder *enc, bool is_based)
{
	return is_based || enc->level >= BLOCK_LEVEL_DENSE ? BLOCK_WINDOW_LOG_MAX : WINDOW_LOG;
}

static int refused(size_t rc, struct err *e)
{
	return err_set(e, MUNI_UNSUPPORTED, "this zstd refuses a parameter: %s",
		       ZSTD_getErrorName(rc));
}

struct parameter {
	ZSTD_cParameter name;
	int value;
};

static int set_list(ZSTD_CCtx *zstd, const struct parameter *list, size_t count,
		    struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		size_t rc = ZSTD_CCtx_setParameter(zstd, list[i].name, list[i].value);

		if (ZSTD_isError(rc))
			return refused(rc, e);
	}
	return 0;
}

/* What all frames are like.  A small block that is led is read whole. */
static int set_frame(const struct block_encoder *enc, ZSTD_CCtx *zstd, bool is_alike,
		     struct err *e)
{
	const struct parameter list[] = {
		{ ZSTD_c_contentSizeFlag, 0 },	/* the catalogue has it */
		{ ZSTD_c_checksumFlag, 0 },	/* the tag is better */
		{ ZSTD_c_dictIDFlag, 0 },
		/* Also where a target length makes it leave out what it will not find. */
		{ ZSTD_c_literalCompressionMode, ZSTD_ps_enable },
	};

	ZSTD_CCtx_reset(zstd, ZSTD_reset_session_and_parameters);
	/* A library without it makes frames that are decoded in larger steps. */
	if (enc->level < BLOCK_LEVEL_DENSE && !is_alike)
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_maxBlockSize, FRAME_STEP);
	return set_list(zstd, list, sizeof list / sizeof *list, e);
}

static int set_parameters(struct block_encoder *enc, bool is_based, struct err *e)
{
	const struct block_params *p = is_based ? block_params_based(enc->level) :
						 block_params_of(enc->level, false);
	/* Two bases and the block fit the window, and their positions the tables. */
	const struct parameter list[] = {
		{ ZSTD_c_windowLog, window_log(enc, is_based) },
		{ ZSTD_c_hashLog, p->hash_log + (is_based ? 2 : 0) },
		{ ZSTD_c_chainLog, p->chain_log + (is_based ? 2 : 0) },
		{ ZSTD_c_searchLog, p->search_log },
		{ ZSTD_c_minMatch, p->min_match },
		{ ZSTD_c_targetLength, p->target_length },
		{ ZSTD_c_strategy, p->strategy },
	};

	if (set_frame(enc, enc->zstd, false, e) < 0)
		return -1;
	return set_list(enc->zstd, list, sizeof list / sizeof *list, e);
}

/* Less than this saved is not worth a decode at every read. */
static size_t worth(size_t raw)
{
	return raw - raw / 64;
}

static int packed(size_t rc, size_t *size, struct err *e)
{
	*size = 0;
	if (ZSTD_getErrorCode(rc) == ZSTD_error_dstSize_tooSmall)
		return 0;	/* it would not be worth it */
	if (ZSTD_isError(rc))
		return err_set(e, MUNI_NO_MEMORY, "compressing a block: %s",
			       ZSTD_getErrorName(rc));
	*size = rc;
	return 0;
}

static int frame(struct block_encoder *enc, const uint8_t *raw, size_t raw_size, size_t *size,
		 struct err *e)
{
	return packed(ZSTD_compress2(enc->zstd, enc->packed, worth(raw_size), raw, raw_size),
		      size, e);
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
	for (size_t i = 0; i < 2; i++) {
		ZSTD_freeCCtx(l->prepared[i].begun);
		ZSTD_freeCDict(l->prepared[i].dictionary);
	}
	free(l->room);
	free(l);
}

int64_t block_leader_id(const struct block_leader *l)
{
	return l->id;
}

/* Its parameters are the ones that count. */
static int refer(const struct block_encoder *enc, ZSTD_CCtx *zstd, const struct block_leader *l,
		 bool is_alike, struct err *e)
{
	if (set_frame(enc, zstd, is_alike, e) < 0)
		return -1;
	if (!ZSTD_isError(ZSTD_CCtx_refCDict(zstd, l->prepared[is_alike].dictionary)))
		return 0;
	return err_set(e, MUNI_NO_MEMORY, "no memory to compress a block");
}

/*
 * A context in which the leader was taken in and nothing else.  Of the strategies with plain
 * tables it can be copied, which is done at the speed of memory; of a dictionary each
 * entry is shifted on its way.  Other strategies have tables that a copy does not get.
 */
static int begin(const struct block_encoder *enc, const struct block_leader *l, bool is_alike,
		 ZSTD_CCtx **out, struct err *e)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	ZSTD_inBuffer nothing = { NULL, 0, 0 };
	ZSTD_outBuffer room = { enc->packed, BLOCK_STORED_MAX, 0 };

	*out = NULL;
	if (zstd == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a leader of blocks");
	if (refer(enc, zstd, l, is_alike, e) < 0) {
		ZSTD_freeCCtx(zstd);
		return -1;
	}
	/* What another library does not do so is done from the dictionary. */
	if (ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_forceAttachDict,
						ZSTD_dictForceCopy)) ||
	    ZSTD_isError(ZSTD_compressStream2(zstd, &room, &nothing, ZSTD_e_continue)) ||
	    room.pos != 0) {
		ZSTD_freeCCtx(zstd);
		return 0;
	}
	*out = zstd;
	return 0;
}

static int prepare(const struct block_encoder *enc, struct block_leader *l, bool is_alike,
		   struct err *e)
{
	const struct block_params *p = block_params_of(enc->level, is_alike);
	struct prepared *to = &l->prepared[is_alike];
	const ZSTD_compressionParameters c = {
		.windowLog = (unsigned)window_log(enc, false),
		.chainLog = p->chain_log, .hashLog = p->hash_log, .searchLog = p->search_log,
		.minMatch = p->min_match, .targetLength = p->target_length,
		.strategy = (ZSTD_strategy)p->strategy,
	};

	if (to->dictionary != NULL || to->begun != NULL)
		return 0;
	to->dictionary = ZSTD_createCDict_advanced(l->room, l->size, ZSTD_dlm_byRef,
						   ZSTD_dct_rawContent, c, ZSTD_defaultCMem);
	if (to->dictionary == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a leader of blocks");
	if (p->strategy > ZSTD_dfast)
		return 0;
	if (begin(enc, l, is_alike, &to->begun, e) < 0)
		return -1;
	if (to->begun != NULL) {	/* it has the tables, and l has the bytes */
		ZSTD_freeCDict(to->dictionary);
		to->dictionary = NULL;
	}
	return 0;
}

static int go_on(struct block_encoder *enc, const ZSTD_CCtx *begun, bool is_alike,
		 const uint8_t *raw, size_t raw_size, size_t *size, struct err *e)
{
	if (set_frame(enc, enc->zstd, is_alike, e) < 0)	/* a copy does not take all over */
		return -1;
	if (ZSTD_isError(ZSTD_copyCCtx(enc->zstd, begun, ZSTD_CONTENTSIZE_UNKNOWN)))
		return err_set(e, MUNI_NO_MEMORY, "no memory to compress a block");
	return packed(ZSTD_compressEnd(enc->zstd, enc->packed, worth(raw_size), raw, raw_size),
		      size, e);
}

int block_compress_led(struct block_encoder *enc, struct block_leader *l, bool is_alike,
		       const uint8_t *raw, size_t raw_size, size_t *size, struct err *e)
{
	uint8_t *room = l->room + l->size;

	if (prepare(enc, l, is_alike, e) < 0)
		return -1;
	memcpy(room, raw, raw_size);
	if (l->prepared[is_alike].begun != NULL)
		return go_on(enc, l->prepared[is_alike].begun, is_alike, room, raw_size, size,
			     e);
	return refer(enc, enc->zstd, l, is_alike, e) < 0 ? -1 :
	       frame(enc, room, raw_size, size, e);
}

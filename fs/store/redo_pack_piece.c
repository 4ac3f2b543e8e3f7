#define ZSTD_STATIC_LINKING_ONLY	/* an allocator of our own: C3 of redo_pack.h */
#include "fs/store/redo_pack_piece.h"

#include <string.h>

#include <zstd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/arena.h"
#include "fs/store/columns.h"
#include "fs/store/pagevfs_cipher.h"
#include "fs/store/redo_layout.h"

/* docs/decisions/0104, 0132, 0143: the higher one takes some hundredths of a second for as many
 * pages as get it, and makes them a tenth smaller. */
#define LEVEL 2
#define LEVEL_OF_FEW 9
#define TABLE_LOG_OF_FEW 18	/* its own would be 20 MiB of tables, and find no more */
/* Of a frame: about a page, for one of digests is told in other words than one of names. */
#define FRAME_STEP 8192

enum piece_form {	/* on disk: never renumber.  Format 3: a piece's first byte */
	PIECE_PLAIN = 0,	/* pages as they are */
	PIECE_COLUMNS = 1,	/* 4 bytes of size, then one frame of streams (columns.h) */
	PIECE_FRAME = 2,	/* one frame of pages as they are */
};
#define PIECE_COLUMNS_HEAD 5u

static size_t raw_size(uint32_t pages)
{
	return (size_t)pages * PAGEVFS_BODY_SIZE;
}

static void *zstd_new(void *unused, size_t size)
{
	(void)unused;
	return arena_new(size);
}

static void zstd_drop(void *unused, void *p)
{
	(void)unused;
	arena_free(p);
}

static const ZSTD_customMem arena = { zstd_new, zstd_drop, NULL };

/* ---- in ---------------------------------------------------------------------------- */

/* What zstd refuses of this, it does in its own way. */
static size_t compress(ZSTD_CCtx *zstd, bool is_few, uint8_t *to, size_t room,
		       const uint8_t *raw, size_t size)
{
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, is_few ? LEVEL_OF_FEW : LEVEL);
	if (is_few) {
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_hashLog, TABLE_LOG_OF_FEW);
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_chainLog, TABLE_LOG_OF_FEW);
	}
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_maxBlockSize, FRAME_STEP);
	return ZSTD_compress2(zstd, to, room, raw, size);
}

/* 0: it does not get smaller so. */
static size_t pack_columns(ZSTD_CCtx *zstd, bool is_few, uint8_t *to, const uint8_t *bodies,
			   uint32_t pages)
{
	uint8_t *streams = arena_new(columns_room(pages));
	struct writer head = writer_over(to, PIECE_COLUMNS_HEAD);
	size_t raw = streams ? columns_split(bodies, pages, streams) : 0, size = 0;

	if (raw > 0)
		size = compress(zstd, is_few, to + PIECE_COLUMNS_HEAD,
				raw_size(pages) - PIECE_COLUMNS_HEAD, streams, raw);
	arena_free(streams);
	if (raw == 0 || ZSTD_isError(size))
		return 0;
	writer_u8(&head, PIECE_COLUMNS);
	writer_u32(&head, (uint32_t)raw);
	return PIECE_COLUMNS_HEAD + size;
}

/* The list of columns is more than it saves of a page or two: both ways are tried. */
static size_t pack_few(ZSTD_CCtx *zstd, uint8_t *to, const uint8_t *bodies,
		       uint32_t pages)
{
	size_t columns = pack_columns(zstd, true, to, bodies, pages), size;
	uint8_t *frame = arena_new(raw_size(pages));

	if (!frame)
		return columns;
	size = compress(zstd, true, frame, raw_size(pages) - 1, bodies, raw_size(pages));
	if (!ZSTD_isError(size) && (columns == 0 || size + 1 < columns)) {
		to[0] = PIECE_FRAME;
		memcpy(to + 1, frame, size);
		columns = size + 1;
	}
	arena_free(frame);
	return columns;
}

size_t redo_piece_make(const uint8_t *bodies, uint32_t pages, bool is_few, uint8_t *out)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx_advanced(arena);
	size_t size = 0;

	if (zstd && is_few)
		size = pack_few(zstd, out, bodies, pages);
	else if (zstd)
		size = pack_columns(zstd, false, out, bodies, pages);
	ZSTD_freeCCtx(zstd);
	if (size > 0)
		return size;
	out[0] = PIECE_PLAIN;
	memcpy(out + 1, bodies, raw_size(pages));
	return 1 + raw_size(pages);
}

/* ---- out --------------------------------------------------------------------------- */

/* One frame of exactly so many bytes. */
static int decompress(uint8_t *to, size_t raw, const uint8_t *packed, size_t size,
		      struct err *e)
{
	ZSTD_DCtx *zstd = ZSTD_createDCtx_advanced(arena);
	size_t got;

	if (!zstd)
		return err_set(e, MUNI_NO_MEMORY, "no memory to decompress catalogue pages");
	got = ZSTD_decompressDCtx(zstd, to, raw, packed, size);
	ZSTD_freeDCtx(zstd);
	if (ZSTD_isError(got) || got != raw)
		return err_set(e, MUNI_DAMAGED, "a piece of it does not decompress to whole "
			       "pages");
	return 0;
}

static int join_pages(const uint8_t *streams, size_t size, uint8_t *bodies, uint32_t pages,
		      struct err *e)
{
	bool is_damage, is_whole = true;
	struct columns_join *j = columns_join_new(streams, size, &is_damage);

	if (!j && !is_damage)
		return err_set(e, MUNI_NO_MEMORY, "no memory to decompress catalogue pages");
	for (uint32_t i = 0; j && i < pages && is_whole; i++)
		is_whole = columns_join_page(j, bodies + (size_t)i * COLUMNS_PAGE);
	is_whole = j && is_whole && columns_join_is_done(j);
	columns_join_free(j);
	if (!is_whole)
		return err_set(e, MUNI_DAMAGED, "the columns of a piece of it do not make whole "
			       "pages");
	return 0;
}

/* Format 3. */
static int open_columns(const uint8_t *packed, size_t size, uint32_t pages, uint8_t *bodies,
			struct err *e)
{
	struct reader in = reader_over(packed, size);
	uint8_t form = reader_u8(&in);

	if (form == PIECE_PLAIN && reader_left(&in) == raw_size(pages)) {
		reader_bytes(&in, bodies, raw_size(pages));
		return 0;
	}
	if (form == PIECE_FRAME)
		return decompress(bodies, raw_size(pages), packed + 1, size - 1, e);
	size_t raw = reader_u32(&in);
	if (form != PIECE_COLUMNS || in.underflow || raw > columns_room(pages))
		return err_set(e, MUNI_DAMAGED, "a piece of it says no way in which it was made");
	uint8_t *streams = arena_new(raw);
	int rc;

	if (!streams)
		return err_set(e, MUNI_NO_MEMORY, "no memory to decompress catalogue pages");
	rc = decompress(streams, raw, packed + in.used, reader_left(&in), e);
	if (rc == 0)
		rc = join_pages(streams, raw, bodies, pages, e);
	arena_free(streams);
	return rc;
}

int redo_piece_read(unsigned format, const uint8_t *piece, size_t size, uint32_t pages,
		    uint8_t *bodies, struct err *e)
{
	if (format >= REDO_FORMAT_COLUMNS)
		return open_columns(piece, size, pages, bodies, e);
	if (size < raw_size(pages))
		return decompress(bodies, raw_size(pages), piece, size, e);
	memcpy(bodies, piece, raw_size(pages));
	return 0;
}

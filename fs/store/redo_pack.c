#define ZSTD_STATIC_LINKING_ONLY	/* an allocator of our own: C3 */
#include "fs/store/redo_pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/team.h"
#include "fs/crypt/seal.h"
#include "fs/crypt/secret.h"
#include "fs/crypt/arena.h"
#include "fs/store/columns.h"
#include "fs/store/pagevfs_cipher.h"
#include "fs/store/pagevfs_keys.h"
#include "fs/store/redo_layout.h"

/* docs/decisions/0104, 0132, 0143: the higher one takes some hundredths of a second for as many
 * pages as get it, and makes them a tenth smaller. */
#define LEVEL 2
#define LEVEL_OF_FEW 9
#define FEW_PAGES 128u		/* a set of 512, shared out over four processors */
#define TABLE_LOG_OF_FEW 18	/* its own would be 20 MiB of tables, and find no more */
/* Of a frame: about a page, for one of digests is told in other words than one of names. */
#define FRAME_STEP 8192
#define PENDING_PAGE (0x40000000 / PAGEVFS_PAGE_SIZE + 1)

#define HEAD_BOUND_MOST 56	/* of the head: (format,) kind, archive, object, epoch, sequence */

enum piece_form {	/* on disk: never renumber.  Format 3: a piece's first byte */
	PIECE_PLAIN = 0,	/* pages as they are */
	PIECE_COLUMNS = 1,	/* 4 bytes of size, then one frame of streams (columns.h) */
	PIECE_FRAME = 2,	/* one frame of pages as they are */
};
#define PIECE_COLUMNS_HEAD 5u

/* ---- pages ------------------------------------------------------------------- */

int redo_pages_new(uint32_t count, struct redo_pages *out, struct err *e)
{
	*out = (struct redo_pages){ .count = count };
	out->numbers = calloc(count, sizeof *out->numbers);
	out->seals = calloc(count, REDO_SEAL_SIZE);
	out->bodies = arena_new((size_t)count * PAGEVFS_BODY_SIZE);
	if (!out->numbers || !out->seals || !out->bodies) {
		redo_pages_free(out);
		return err_set(e, MUNI_NO_MEMORY, "no memory for a copy of catalogue pages");
	}
	return 0;
}

int redo_pages_begin(struct redo_pages *p, struct sqlite3 *db, struct err *e)
{
	uint8_t page[PAGEVFS_PAGE_SIZE];

	_Static_assert(sizeof p->first == PAGEVFS_HEAD_SIZE, "the header says 24");
	if (pagevfs_read_sealed(db, 1, page, NULL, e) < 0)
		return -1;
	memcpy(p->first, page, sizeof p->first);
	return 0;
}

void redo_pages_free(struct redo_pages *p)
{
	free(p->numbers);
	free(p->seals);
	arena_free(p->bodies);
	*p = (struct redo_pages){ 0 };
}

int redo_pages_take(struct redo_pages *p, uint32_t i, uint64_t page, struct sqlite3 *db,
		    struct err *e)
{
	uint8_t sealed[PAGEVFS_PAGE_SIZE], plain[PAGEVFS_PAGE_SIZE];
	uint8_t *seal = p->seals + (size_t)i * REDO_SEAL_SIZE;

	assert(i < p->count);
	if (pagevfs_read_sealed(db, page, sealed, plain, e) < 0)
		return -1;
	p->numbers[i] = (uint32_t)page;
	memcpy(p->bodies + (size_t)i * PAGEVFS_BODY_SIZE, plain, PAGEVFS_BODY_SIZE);
	secret_wipe(plain, sizeof plain);
	/* The page that is never sealed has none of these. */
	if (page != PENDING_PAGE)
		memcpy(seal, sealed + PAGEVFS_NONCE_AT, REDO_SEAL_SIZE);
	return 0;
}

/* ---- what both ways share -------------------------------------------------------- */

/* One object's pieces, worked on by a few threads. */
struct work {
	struct redo_object *object;
	struct redo_packing at;
	unsigned key_id, threads;
	const uint8_t *key;		/* of its pieces; secret memory */
	uint8_t *bound;			/* associated data of every piece */
	size_t bound_size;
	const struct redo_pages *pages;	/* packing */
	uint8_t *packed;		/* packing, of the arena: a piece's room after another's */
	struct piece *pieces;
};

struct piece {
	uint32_t pages;
	size_t raw;		/* bytes of its pages' bodies */
	size_t size;		/* sealed, without its tag */
	size_t at;		/* in the payload */
	bool failed;
	struct err why;
};

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

static void work_end(struct work *w, uint8_t *key)
{
	secret_free(key);
	arena_free(w->packed);
	free(w->bound);
	free(w->pieces);
}

static int work_begin(struct work *w, uint8_t **key, struct err *e)
{
	const struct redo_head *h = &w->object->head;

	w->at = redo_layout_packing(h->kind, h->pages);
	w->bound = malloc(HEAD_BOUND_MOST + w->at.pieces_at);
	w->pieces = calloc(w->at.pieces, sizeof *w->pieces);
	w->key = *key = secret_new(SEAL_KEY_SIZE);
	if (!w->bound || !w->pieces || !*key)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a copy of catalogue pages");
	for (uint32_t i = 0; i < w->at.pieces; i++) {
		w->pieces[i].pages = redo_layout_piece_pages(h->pages, i);
		w->pieces[i].raw = (size_t)w->pieces[i].pages * PAGEVFS_BODY_SIZE;
	}
	return pagevfs_keys_of_copy(w->key_id, h->uid, *key, e);
}

/* The head's part and all of the payload that stands before the pieces. */
static void bind(struct work *w)
{
	const struct redo_head *h = &w->object->head;
	struct writer out = writer_over(w->bound, HEAD_BOUND_MOST + w->at.pieces_at);

	if (h->format >= REDO_FORMAT_COLUMNS)
		writer_u32(&out, h->format);
	writer_u32(&out, h->kind);
	writer_bytes(&out, h->archive_id, sizeof h->archive_id);
	writer_bytes(&out, h->uid, sizeof h->uid);
	writer_u64(&out, h->epoch);
	writer_u64(&out, h->sequence);
	writer_bytes(&out, w->object->payload, w->at.pieces_at);
	assert(!out.overflow);
	w->bound_size = out.used;
}

static void nonce_of(size_t piece, uint8_t nonce[SEAL_NONCE_SIZE])
{
	struct writer w = writer_over(nonce, SEAL_NONCE_SIZE);

	writer_u32(&w, (uint32_t)piece);
	writer_zeros(&w, SEAL_NONCE_SIZE - w.used);
}

static int run(struct work *w, void (*act)(void *arg, size_t i), struct err *e)
{
	team_run(w->threads, w->at.pieces, act, w);
	for (uint32_t i = 0; i < w->at.pieces; i++)
		if (w->pieces[i].failed) {
			*e = w->pieces[i].why;
			return -1;
		}
	return 0;
}

/* ---- in ---------------------------------------------------------------------------- */

static const uint8_t *piece_bodies(const struct work *w, size_t i)
{
	return w->pages->bodies + i * REDO_PIECE_PAGES * PAGEVFS_BODY_SIZE;
}

/* A byte more than its pages. */
static uint8_t *piece_packed(const struct work *w, size_t i)
{
	return w->packed + i * (REDO_PIECE_PAGES * PAGEVFS_BODY_SIZE + 1);
}

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
			   const struct piece *p)
{
	uint8_t *streams = arena_new(columns_room(p->pages));
	struct writer head = writer_over(to, PIECE_COLUMNS_HEAD);
	size_t raw = streams ? columns_split(bodies, p->pages, streams) : 0, size = 0;

	if (raw > 0)
		size = compress(zstd, is_few, to + PIECE_COLUMNS_HEAD,
				p->raw - PIECE_COLUMNS_HEAD, streams, raw);
	arena_free(streams);
	if (raw == 0 || ZSTD_isError(size))
		return 0;
	writer_u8(&head, PIECE_COLUMNS);
	writer_u32(&head, (uint32_t)raw);
	return PIECE_COLUMNS_HEAD + size;
}

/* The list of columns is more than it saves of a page or two: both ways are tried. */
static size_t pack_few(ZSTD_CCtx *zstd, uint8_t *to, const uint8_t *bodies,
		       const struct piece *p)
{
	size_t columns = pack_columns(zstd, true, to, bodies, p), size;
	uint8_t *frame = arena_new(p->raw);

	if (!frame)
		return columns;
	size = compress(zstd, true, frame, p->raw - 1, bodies, p->raw);
	if (!ZSTD_isError(size) && (columns == 0 || size + 1 < columns)) {
		to[0] = PIECE_FRAME;
		memcpy(to + 1, frame, size);
		columns = size + 1;
	}
	arena_free(frame);
	return columns;
}

/* There is room for little more than it was: what does not compress is sealed as it is. */
static void compress_piece(void *arg, size_t i)
{
	struct work *w = arg;
	struct piece *p = &w->pieces[i];
	const uint8_t *bodies = piece_bodies(w, i);
	uint8_t *to = piece_packed(w, i);
	ZSTD_CCtx *zstd = ZSTD_createCCtx_advanced(arena);

	p->size = 0;
	if (zstd && w->pages->count <= FEW_PAGES)
		p->size = pack_few(zstd, to, bodies, p);
	else if (zstd)
		p->size = pack_columns(zstd, false, to, bodies, p);
	if (p->size == 0) {
		to[0] = PIECE_PLAIN;
		memcpy(to + 1, bodies, p->raw);
		p->size = 1 + p->raw;
	}
	ZSTD_freeCCtx(zstd);
}

static void seal_piece(void *arg, size_t i)
{
	struct work *w = arg;
	struct piece *p = &w->pieces[i];
	uint8_t *to = w->object->payload + p->at, nonce[SEAL_NONCE_SIZE];
	struct sealer *s = NULL;

	nonce_of(i, nonce);
	p->failed = sealer_new(&s, &p->why) < 0 || sealer_set_key(s, w->key, &p->why) < 0 ||
		    seal_close(s, nonce, w->bound, w->bound_size, piece_packed(w, i), p->size,
			       to, to + p->size, &p->why) < 0;
	sealer_free(s);
}

/* All of the payload that stands before the pieces. */
static void write_list(struct work *w)
{
	const struct redo_pages *p = w->pages;
	struct writer out = writer_over(w->object->payload, w->at.pieces_at);

	for (uint32_t i = 0; w->object->head.kind == REDO_CHANGES && i < p->count; i++)
		writer_u32(&out, p->numbers[i]);
	writer_bytes(&out, p->first, sizeof p->first);
	writer_bytes(&out, p->seals, (size_t)p->count * REDO_SEAL_SIZE);
	for (uint32_t i = 0; i < w->at.pieces; i++)
		writer_u32(&out, (uint32_t)(w->pieces[i].size + SEAL_TAG_SIZE));
	assert(!out.overflow && out.used == w->at.pieces_at);
}

static size_t place_pieces(struct work *w)
{
	size_t at = w->at.pieces_at;

	for (uint32_t i = 0; i < w->at.pieces; i++) {
		w->pieces[i].at = at;
		at += w->pieces[i].size + SEAL_TAG_SIZE;
	}
	return at;
}

int redo_pack(const struct redo_head *head, const struct redo_pages *p, unsigned key_id,
	      unsigned threads, struct redo_object *out, struct err *e)
{
	struct work w = { .object = out, .key_id = key_id, .threads = threads, .pages = p };
	uint8_t *key = NULL;
	int rc = -1;

	assert(head->pages == p->count);
	*out = (struct redo_object){ .head = *head };
	out->head.format = REDO_FORMAT_COLUMNS;
	w.packed = arena_new((size_t)p->count * PAGEVFS_BODY_SIZE +
			     redo_layout_packing(head->kind, p->count).pieces);
	if (!w.packed) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a copy of catalogue pages");
		goto out;
	}
	if (work_begin(&w, &key, e) < 0 || run(&w, compress_piece, e) < 0)
		goto out;
	out->head.payload = place_pieces(&w);
	out->payload = malloc(out->head.payload);
	if (!out->payload) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a copy of catalogue pages");
		goto out;
	}
	write_list(&w);
	bind(&w);
	rc = run(&w, seal_piece, e);
out:
	work_end(&w, key);
	if (rc < 0)
		redo_object_free(out);
	return rc;
}

/* ---- out --------------------------------------------------------------------------- */

/* The list's sizes against what is there, before any is believed. */
static int find_pieces(struct work *w, struct err *e)
{
	const struct redo_object *r = w->object;
	struct reader in = reader_over(r->payload + w->at.sizes_at,
				       w->at.pieces_at - w->at.sizes_at);
	uint64_t at = w->at.pieces_at;
	uint32_t extra = SEAL_TAG_SIZE + (r->head.format >= REDO_FORMAT_COLUMNS ? 1 : 0);

	for (uint32_t i = 0; i < w->at.pieces; i++) {
		struct piece *p = &w->pieces[i];
		uint32_t size = reader_u32(&in);

		if (size <= SEAL_TAG_SIZE || size > p->raw + extra ||
		    size > r->head.payload - at)
			return err_set(e, MUNI_DAMAGED, "the sizes of its pieces make no sense");
		p->size = size - SEAL_TAG_SIZE;
		p->at = (size_t)at;
		at += size;
	}
	if (at != r->head.payload)
		return err_set(e, MUNI_DAMAGED, "the sizes of its pieces make no sense");
	return 0;
}

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
static int open_columns(const struct piece *p, const uint8_t *packed, uint8_t *bodies,
			struct err *e)
{
	struct reader in = reader_over(packed, p->size);
	uint8_t form = reader_u8(&in);

	if (form == PIECE_PLAIN && reader_left(&in) == p->raw) {
		reader_bytes(&in, bodies, p->raw);
		return 0;
	}
	if (form == PIECE_FRAME)
		return decompress(bodies, p->raw, packed + 1, p->size - 1, e);
	size_t raw = reader_u32(&in);
	if (form != PIECE_COLUMNS || in.underflow || raw > columns_room(p->pages))
		return err_set(e, MUNI_DAMAGED, "a piece of it says no way in which it was made");
	uint8_t *streams = arena_new(raw);
	int rc;

	if (!streams)
		return err_set(e, MUNI_NO_MEMORY, "no memory to decompress catalogue pages");
	rc = decompress(streams, raw, packed + in.used, reader_left(&in), e);
	if (rc == 0)
		rc = join_pages(streams, raw, bodies, p->pages, e);
	arena_free(streams);
	return rc;
}

static int open_piece(const struct work *w, size_t i, uint8_t *packed, uint8_t *bodies,
		      struct err *e)
{
	const struct piece *p = &w->pieces[i];
	const uint8_t *sealed = w->object->payload + p->at;
	uint8_t nonce[SEAL_NONCE_SIZE];
	struct sealer *s = NULL;
	int rc;

	nonce_of(i, nonce);
	rc = sealer_new(&s, e) < 0 || sealer_set_key(s, w->key, e) < 0 ||
	     seal_open(s, nonce, w->bound, w->bound_size, sealed, p->size, sealed + p->size,
		       packed, e) < 0 ? -1 : 0;
	sealer_free(s);
	if (rc < 0)
		return -1;
	if (w->object->head.format >= REDO_FORMAT_COLUMNS)
		return open_columns(p, packed, bodies, e);
	if (p->size < p->raw)
		return decompress(bodies, p->raw, packed, p->size, e);
	memcpy(bodies, packed, p->raw);
	return 0;
}

/* C1: the bytes that it has in the catalogue, or none. */
static int seal_page(const struct work *w, struct pagevfs_cipher *c, uint32_t i,
		     const uint8_t *body, struct err *e)
{
	const uint8_t *nonce = w->object->payload + w->at.seals_at + (size_t)i * REDO_SEAL_SIZE;
	uint8_t *sealed = w->object->sealed + (size_t)i * PAGEVFS_PAGE_SIZE;
	uint32_t number = redo_object_number(w->object, i);
	uint8_t plain[PAGEVFS_PAGE_SIZE] = { 0 };
	int rc;

	if (number == PENDING_PAGE)
		return 0;	/* zeros, as it came */
	memcpy(plain, body, PAGEVFS_BODY_SIZE);
	rc = pagevfs_cipher_seal_again(c, number, plain, nonce, sealed, e);
	secret_wipe(plain, sizeof plain);
	if (rc < 0 && e->code == MUNI_USAGE)
		e->code = MUNI_DAMAGED;		/* no page of a catalogue */
	if (rc < 0)
		return -1;
	if (memcmp(sealed + PAGEVFS_NONCE_AT, nonce, REDO_SEAL_SIZE) == 0)
		return 0;
	memset(sealed, 0, PAGEVFS_PAGE_SIZE);
	return err_set(e, MUNI_DAMAGED, "page %u in it is not the one whose seal it names",
		       number);
}

static void unpack_piece(void *arg, size_t i)
{
	struct work *w = arg;
	struct piece *p = &w->pieces[i];
	const uint8_t *first = w->object->payload + w->at.head_at;
	uint8_t file_id[PAGEVFS_FILE_ID_SIZE];
	uint8_t *packed = arena_new(p->size), *bodies = arena_new(p->raw);
	struct pagevfs_cipher *c = NULL;

	p->failed = true;
	if (!packed || !bodies) {
		err_set(&p->why, MUNI_NO_MEMORY, "no memory to open catalogue pages");
		goto out;
	}
	if (!pagevfs_cipher_parse_head(first, file_id)) {
		err_set(&p->why, MUNI_DAMAGED, "it holds pages of no catalogue");
		goto out;
	}
	if (open_piece(w, i, packed, bodies, &p->why) < 0 ||
	    pagevfs_keys_cipher(w->key_id, file_id, &c, &p->why) < 0)
		goto out;
	for (uint32_t k = 0; k < p->pages; k++)
		if (seal_page(w, c, (uint32_t)i * REDO_PIECE_PAGES + k,
			      bodies + (size_t)k * PAGEVFS_BODY_SIZE, &p->why) < 0)
			goto out;
	p->failed = false;
out:
	pagevfs_cipher_free(c);
	arena_free(packed);
	arena_free(bodies);
}

int redo_unpack(struct redo_object *r, unsigned key_id, struct err *e)
{
	struct work w = { .object = r, .key_id = key_id, .threads = team_processors() };
	uint8_t *key = NULL;
	int rc = -1;

	if (r->head.format == REDO_FORMAT_SEALED || r->sealed)
		return 0;
	r->sealed = calloc(r->head.pages, PAGEVFS_PAGE_SIZE);
	if (!r->sealed) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a copy of catalogue pages");
		goto out;
	}
	if (work_begin(&w, &key, e) < 0 || find_pieces(&w, e) < 0)
		goto out;
	bind(&w);
	rc = run(&w, unpack_piece, e);
out:
	work_end(&w, key);
	if (rc < 0) {
		free(r->sealed);
		r->sealed = NULL;
	}
	return rc;
}

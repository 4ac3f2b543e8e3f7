#include "fs/store/redo_pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/team.h"
#include "fs/crypt/seal.h"
#include "fs/crypt/secret.h"
#include "fs/crypt/arena.h"
#include "fs/store/pagevfs_cipher.h"
#include "fs/store/pagevfs_keys.h"
#include "fs/store/redo_layout.h"
#include "fs/store/redo_pack_piece.h"

#define FEW_PAGES 128u		/* a set of 512, shared out over four processors */
#define PENDING_PAGE (0x40000000 / PAGEVFS_PAGE_SIZE + 1)

#define HEAD_BOUND_MOST 56	/* of the head: (format,) kind, archive, object, epoch, sequence */

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

static void compress_piece(void *arg, size_t i)
{
	struct work *w = arg;
	struct piece *p = &w->pieces[i];

	p->size = redo_piece_make(piece_bodies(w, i), p->pages, w->pages->count <= FEW_PAGES,
				  piece_packed(w, i));
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
	return redo_piece_read(w->object->head.format, packed, p->size, p->pages, bodies, e);
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

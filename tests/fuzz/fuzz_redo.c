/*
 * Base and redo under the right key, with sums, parity and seals that fit: what somebody
 * writes who has the epoch's key.  The input is a list of changes: to fields of an object's
 * head, to its list of pages, to what its pieces hold before they are sealed.  Then the
 * chain is read, checked and replayed into a catalogue.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/seal.h"
#include "fs/crypt/secret.h"
#include "fs/store/catalogue_inside.h"
#include "fs/store/pagevfs_keys.h"
#include "fs/store/redo.h"
#include "fs/store/redo_chain.h"
#include "fs/store/redo_layout.h"
#include "fs/store/redo_pack_piece.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#define EPOCH 3
#define OBJECTS 3
#define PIECE_ROOM (REDO_PIECE_PAGES * PAGEVFS_BODY_SIZE + 1)
#define BOUND_MOST 56

static int folder;
static unsigned key_id;
static const uint8_t archive[16] = "archive of fuzz";
static struct objects *objects;
static struct redo_object fresh[OBJECTS];
static struct object_name names[OBJECTS];
static size_t object_count;

/* ---- a small catalogue in base and changes --------------------------------------------- */

static void run(sqlite3 *db, const char *sql)
{
	MUST(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void append(struct catalogue *c, struct digest *at)
{
	uint64_t *pages = NULL, count = 0, page_count;
	struct digest after;
	struct err e = ERR_NONE;

	MUST(catalogue_checkpoint(c, &e) == 0);
	MUST(pagevfs_dirty(c->db, true, &pages, &count, &e) == 0);
	MUST(pagevfs_digest(c->db, &after, &page_count, &e) == 0);
	MUST(redo_append(objects, c->db, archive, EPOCH, at, &after, pages, count, &e) == 0);
	*at = after;
	free(pages);
}

static void free_all(void)
{
	for (size_t i = 0; i < object_count; i++)
		redo_object_free(&fresh[i]);
	objects_close(objects);
}

static void make_objects(void)
{
	struct digest at = { 0 };
	struct object_name *list = NULL;
	struct catalogue *c;
	struct err e = ERR_NONE;

	MUST(catalogue_create(folder, EPOCH, key_id, &c, &e) == 0);
	append(c, &at);
	run(c->db, "BEGIN; INSERT INTO account VALUES(1, 'ann'); COMMIT");
	append(c, &at);
	run(c->db, "BEGIN; INSERT INTO account VALUES(2, 'bob'); COMMIT");
	append(c, &at);
	catalogue_close(c);
	MUST(objects_list(objects, OBJECTS_CATALOGUE, &list, &object_count, NULL, &e) == 0);
	MUST(object_count == OBJECTS);
	for (size_t i = 0; i < object_count; i++) {
		names[i] = list[i];
		MUST(redo_object_load(objects, &list[i], &fresh[i], &e) == 0);
		MUST(objects_delete(objects, &list[i], &e) == 0);
	}
	free(list);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t key[32] = "the key of the fuzzed catalogue";
	struct err e = ERR_NONE;

	(void)argc;
	(void)argv;
	folder = scratch_folder();
	MUST(pagevfs_register(&e) == 0 && pagevfs_key_add(key, key, EPOCH, &key_id, &e) == 0);
	MUST(objects_make_folder(folder, &e) == 0);
	MUST(objects_open_folder(folder, true, &objects, &e) == 0);
	make_objects();
	MUST(atexit(free_all) == 0);
	return 0;
}

/* ---- sealed as docs/format.md says -------------------------------------------------------- */

/* Associated data of a piece: the head's part, and all that stands before the pieces. */
static size_t bound_of(const struct redo_object *r, size_t list, uint8_t *out)
{
	struct writer w = writer_over(out, BOUND_MOST + list);

	if (r->head.format >= REDO_FORMAT_COLUMNS)
		writer_u32(&w, r->head.format);
	writer_u32(&w, r->head.kind);
	writer_bytes(&w, r->head.archive_id, 16);
	writer_bytes(&w, r->head.uid, 16);
	writer_u64(&w, r->head.epoch);
	writer_u64(&w, r->head.sequence);
	writer_bytes(&w, r->payload, list);
	MUST(!w.overflow);
	return w.used;
}

/* Its only piece: opens it, or (plain given) seals it anew. */
static bool piece(struct redo_object *r, const struct redo_packing *at, uint8_t *plain,
		  size_t size, bool is_sealing)
{
	uint8_t nonce[SEAL_NONCE_SIZE] = { 0 }, *bound = malloc(BOUND_MOST + at->pieces_at);
	uint8_t *key = secret_new(SEAL_KEY_SIZE), *sealed = r->payload + at->pieces_at;
	struct sealer *s = NULL;
	struct err e = ERR_NONE;
	size_t bound_size = bound_of(r, at->pieces_at, bound);
	int rc;

	MUST(pagevfs_keys_of_copy(key_id, r->head.uid, key, &e) == 0);
	MUST(sealer_new(&s, &e) == 0 && sealer_set_key(s, key, &e) == 0);
	if (is_sealing)
		rc = seal_close(s, nonce, bound, bound_size, plain, size, sealed, sealed + size, &e);
	else
		rc = seal_open(s, nonce, bound, bound_size, sealed, size, sealed + size, plain, &e);
	sealer_free(s);
	secret_free(key);
	free(bound);
	return rc == 0;
}

/* ---- changes ---------------------------------------------------------------------------------- */

static void change_head(struct redo_head *h, struct reader *r)
{
	uint64_t value;
	uint8_t field = reader_u8(r) % 12;

	value = field < 6 ? reader_u8(r) : reader_u64(r);
	switch (field) {
	case 0: h->format = (uint32_t)value % 5; break;
	case 1: h->kind = (enum redo_kind)(value % 4); break;
	case 2: h->part = (uint32_t)value; break;
	case 3: h->parts = (uint32_t)value; break;
	case 4: h->pages = (uint32_t)value; break;
	case 5: h->first = (uint32_t)value; break;
	case 6: h->page_count = value >> (value & 63); break;
	case 7: h->sequence = value >> (value & 63); break;
	case 8: h->epoch = value % 5; break;
	case 9: h->before.bytes[0] ^= (uint8_t)value; break;
	case 10: h->after.bytes[0] ^= (uint8_t)value; break;
	default: h->before = fresh[value % OBJECTS].head.after;
	}
}

static void put_over(struct reader *r, uint8_t *data, size_t size)
{
	size_t at = size ? reader_u16(r) % size : 0, n = reader_u8(r);
	const uint8_t *bytes = reader_view(r, n);

	if (bytes && size)
		memcpy(data + at, bytes, n < size - at ? n : size - at);
}

/* As format 2 has it, with its bodies as they are: in a place that has the room. */
static size_t as_packed(struct redo_object *o, const struct redo_packing *at, uint8_t *plain,
			size_t size)
{
	size_t bodies = (size_t)o->head.pages * PAGEVFS_BODY_SIZE;
	struct err e = ERR_NONE;
	uint8_t *raw, *wide;

	if (bodies > PIECE_ROOM)
		return size;
	raw = malloc(bodies);
	wide = malloc(at->pieces_at + bodies + SEAL_TAG_SIZE);
	MUST(raw && wide);
	MUST(redo_piece_read(o->head.format, plain, size, o->head.pages, raw, &e) == 0);
	memcpy(plain, raw, bodies);
	memcpy(wide, o->payload, at->pieces_at);
	free(raw);
	free(o->payload);
	o->payload = wide;
	o->head.format = REDO_FORMAT_PACKED;
	return bodies;
}

static void put_size(struct redo_object *o, const struct redo_packing *at, size_t size)
{
	struct writer w = writer_over(o->payload + at->sizes_at, 4);

	o->head.payload = at->pieces_at + size + SEAL_TAG_SIZE;
	writer_u32(&w, (uint32_t)(size + SEAL_TAG_SIZE));
}

/* An object with one piece: its list and its piece, changed and sealed. */
static void change_payload(struct redo_object *o, struct reader *r)
{
	struct redo_packing at = redo_layout_packing(o->head.kind, o->head.pages);
	static uint8_t plain[PIECE_ROOM];
	size_t size;
	uint8_t act = reader_u8(r);

	if (o->head.format < REDO_FORMAT_PACKED || at.pieces != 1 ||
	    at.pieces_at + SEAL_TAG_SIZE >= o->head.payload)
		return;
	size = o->head.payload - at.pieces_at - SEAL_TAG_SIZE;
	if (size > sizeof plain || !piece(o, &at, plain, size, false))
		return;
	if (act & 8)
		put_size(o, &at, size = as_packed(o, &at, plain, size));
	if (act & 1)
		put_over(r, plain, size);
	if (act & 2)
		put_over(r, o->payload, at.pieces_at);
	if (act & 4)		/* shorter */
		put_size(o, &at, size -= reader_u16(r) % size);
	MUST(piece(o, &at, plain, size, true));
}

/* Copies, so that what is written fits its buffer to the byte. */
static void put_object(struct redo_object *o, size_t i)
{
	struct object_name name = names[i];
	struct err e = ERR_NONE;

	memcpy(o->head.uid, name.uid, 16);
	redo_object_put(objects, o, &e);
}

static int on_found(void *arg, const uint8_t uid[16], const char *what)
{
	(void)uid;
	MUST(what && *what);
	return ++*(unsigned *)arg > 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	struct digest reached, last;
	struct redo_chain chain;
	struct err e = ERR_NONE;
	unsigned count = 0;

	for (size_t i = 0; i < OBJECTS; i++) {
		struct redo_object o = fresh[i];
		uint8_t acts = reader_u8(&r);

		if (acts & 16)	/* it is lost */
			continue;
		o.payload = malloc(o.head.payload);
		MUST(o.payload);
		memcpy(o.payload, fresh[i].payload, o.head.payload);
		if (acts & 1)
			change_payload(&o, &r);
		for (int k = 0; k < (acts >> 1 & 3); k++)
			change_head(&o.head, &r);
		if (o.head.format == REDO_FORMAT_PACKED || o.head.format == REDO_FORMAT_COLUMNS)
			put_object(&o, i);
		redo_object_free(&o);
	}
	if (redo_chain_load(objects, archive, EPOCH, &chain, &e) == 0) {
		redo_chain_changed_pages(&chain);
		redo_chain_has_gap(&chain);
		redo_chain_free(&chain);
	}
	e = ERR_NONE;
	redo_check(objects, archive, EPOCH, 0, on_found, &count, &last, &e);
	e = ERR_NONE;
	redo_check(objects, archive, EPOCH, key_id, on_found, &count, &last, &e);
	e = ERR_NONE;
	if (redo_rebuild(objects, archive, EPOCH, key_id, folder, "rebuilt", &reached, &e) == 0)
		MUST(unlinkat(folder, "rebuilt", 0) == 0);
	else
		MUST(faccessat(folder, "rebuilt", F_OK, 0) < 0 && *e.text);
	for (size_t i = 0; i < OBJECTS; i++)
		MUST(objects_delete(objects, &names[i], &e) == 0);
	return 0;
}

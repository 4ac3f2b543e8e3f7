/* Chunks of earlier ingests: found by their short names, believed once compared. */
#include "tests/unit/vault/doomed.h"

#include "fs/base/bytes.h"

#define FILES 40
#define SIZE 3000	/* of each file: names that are exchanged lead to one of the same size */

static int set_up(void **state)
{
	static struct doomed_fixture f;

	doomed_open(&f, 17);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	doomed_close(*state);
	return 0;
}

/* ---- what the tests do --------------------------------------------------------------- */

static void sql(struct doomed_fixture *f, const char *text)
{
	struct sqlite3 *db = catalogue_sqlite(f->v->catalogue);

	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
}

static int64_t number(struct doomed_fixture *f, const char *text)
{
	sqlite3_stmt *s = NULL;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(catalogue_sqlite(f->v->catalogue), text, -1, &s,
					    NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static void content_of(unsigned i, uint8_t out[SIZE])
{
	uint32_t x = i * 2654435761u + 1;

	for (unsigned n = 0; n < SIZE; n++) {
		x = x * 1664525u + 1013904223u;
		out[n] = (uint8_t)(x >> 24);
	}
}

static void write_files(struct doomed_fixture *f, const char *prefix)
{
	uint8_t data[SIZE];
	char name[40];

	doomed_run("rm -f %s/*", f->source);
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "%s-%02u", prefix, i);
		content_of(i, data);
		doomed_write(f, name, data, SIZE);
	}
}

/* The same contents under names that were never seen. */
static struct version again(struct doomed_fixture *f, const char *prefix)
{
	write_files(f, prefix);
	return doomed_ingest(f, prefix);
}

static void assert_reads(struct doomed_fixture *f, const struct version *v, const char *prefix)
{
	struct block_cache *cache = block_cache_new(1 << 20);
	struct vault_reader *r = NULL;
	struct err e = ERR_NONE;
	uint8_t want[SIZE], got[SIZE + 1];

	assert_non_null(cache);
	must(vault_reader_open(f->v, cache, 1 << 20, &r, &e));
	for (unsigned i = 0; i < FILES; i++) {
		struct entry entry;
		struct node n;
		char name[40];
		size_t size;

		snprintf(name, sizeof name, "%s-%02u", prefix, i);
		must(catalogue_lookup_node(f->v->catalogue, v->id, v->root, name, strlen(name),
					   &entry, &n, &e));
		must(vault_read(r, n.content, n.size, 0, got, sizeof got, &size, &e));
		content_of(i, want);
		assert_int_equal(size, SIZE);
		assert_memory_equal(got, want, SIZE);
	}
	vault_reader_close(r);
	block_cache_free(cache);
}

static void close_and_open(struct doomed_fixture *f)
{
	struct err e = ERR_NONE;

	vault_close(f->v);
	must(vault_open(f->path, &f->options, VAULT_WRITE, &f->v, &e));
}

/* ---- what they promise ---------------------------------------------------------------- */

static void what_is_there_already_is_stored_once(void **state)
{
	struct doomed_fixture *f = *state;
	struct version v = again(f, "one");

	assert_true(v.added_raw == FILES * SIZE);
	assert_int_equal(number(f, "SELECT count(*) FROM chunk"), FILES);
	assert_int_equal(number(f, "SELECT max(length(name)) FROM chunk"), CHUNK_NAME_KEPT);
	v = again(f, "two");
	assert_int_equal(v.added_raw, 0);
	assert_int_equal(number(f, "SELECT count(*) FROM chunk"), FILES);
	assert_reads(f, &v, "two");
}

/* As rows were before format 5. */
static void a_name_that_was_kept_whole_is_found(void **state)
{
	struct doomed_fixture *f = *state;
	struct version v = again(f, "one");
	uint8_t data[SIZE], raw[8 + DIGEST_SIZE];
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(catalogue_sqlite(f->v->catalogue), "UPDATE chunk"
					    " SET name = ?1 WHERE name = substr(?1, 1, 6)", -1,
					    &s, NULL), SQLITE_OK);
	for (unsigned i = 0; i < FILES; i++) {
		struct writer w = writer_over(raw, sizeof raw);

		content_of(i, data);
		struct digest sha = digest_of(data, SIZE);
		writer_u64(&w, 1);
		writer_bytes(&w, sha.bytes, DIGEST_SIZE);
		sha = digest_hmac(keyring_dedupe_key(f->v->keyring), 32, raw, sizeof raw);
		sqlite3_bind_blob(s, 1, sha.bytes, CHUNK_NAME_SIZE, SQLITE_TRANSIENT);
		assert_int_equal(sqlite3_step(s), SQLITE_DONE);
		assert_int_equal(sqlite3_changes(catalogue_sqlite(f->v->catalogue)), 1);
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	assert_int_equal(number(f, "SELECT min(length(name)) FROM chunk"), CHUNK_NAME_SIZE);
	v = again(f, "two");
	assert_int_equal(v.added_raw, 0);
	assert_reads(f, &v, "two");
}

static void a_name_that_leads_to_other_bytes_is_not_believed(void **state)
{
	struct doomed_fixture *f = *state;
	struct version v = again(f, "one");
	int64_t chunks = number(f, "SELECT count(*) FROM chunk");

	/* They lie one behind the other in a block: each name gets its neighbour's place,
	 * the last one what is past the block's end. */
	sql(f, "UPDATE chunk SET at = at + 3000");
	v = again(f, "two");
	assert_int_equal(v.added_raw, FILES * SIZE);
	assert_reads(f, &v, "two");
	/* And the rows lead to the right ones now. */
	assert_int_equal(number(f, "SELECT count(*) FROM chunk"), chunks);
	v = again(f, "three");
	assert_int_equal(v.added_raw, 0);
	assert_reads(f, &v, "three");
}

static void a_chunk_of_another_size_is_another(void **state)
{
	struct doomed_fixture *f = *state;
	struct version v = again(f, "one");

	sql(f, "UPDATE chunk SET size = 2999");
	v = again(f, "two");
	assert_int_equal(v.added_raw, FILES * SIZE);
	assert_reads(f, &v, "two");
}

static void what_is_damaged_is_stored_again(void **state)
{
	struct doomed_fixture *f = *state;
	struct version v = again(f, "one");

	close_and_open(f);
	doomed_run("for s in %s/segments/*/*.seg; do chmod u+w $s; printf XXXXXXXX |"
		   " dd of=$s bs=1 seek=2000 conv=notrunc status=none; done", f->path);
	v = again(f, "two");
	/* Of what lay in that block, and of no other. */
	assert_true(v.added_raw > 0 && v.added_raw <= FILES * SIZE && v.added_raw % SIZE == 0);
	assert_reads(f, &v, "two");
	v = again(f, "three");
	assert_int_equal(v.added_raw, 0);
	assert_reads(f, &v, "three");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(what_is_there_already_is_stored_once),
		T(a_name_that_was_kept_whole_is_found),
		T(a_name_that_leads_to_other_bytes_is_not_believed),
		T(a_chunk_of_another_size_is_another),
		T(what_is_damaged_is_stored_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

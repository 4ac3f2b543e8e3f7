/* Databases: rows, what deleted ones left, and schemas that are up to no good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/content/documents.h"
#include "tests/unit/content/examined.h"

static const char *opaque(void **state)
{
	return ((struct bench *)*state)->seen.opaque;
}

static void assert_where(void **state, const char *sql, const char *where, unsigned confidence)
{
	struct buffer b = document_sqlite(sql);
	const struct finding *f = examined(*state, "a.db", b.data, b.size);

	if (!f)
		fail_msg("nothing found after: %s (\"%s\")", sql, opaque(state));
	assert_int_equal(f->count, 1);
	assert_string_equal(f->where, where);
	assert_int_equal(f->confidence, confidence);
	assert_string_equal(opaque(state), "");
	buffer_free(&b);
}

static void a_value_is_labelled_by_its_column_and_placed_in_its_table(void **state)
{
	assert_where(state, "CREATE TABLE staff (name TEXT, token TEXT); "
		     "INSERT INTO staff VALUES ('Al', 'TKN-4711')", "staff.token", 90);
	assert_where(state, "CREATE TABLE staff (token TEXT, name TEXT); "
		     "INSERT INTO staff VALUES ('x', 'TKN-4711')", "staff.name", 50);
}

static void every_kind_of_table_is_read(void **state)
{
	assert_where(state, "CREATE TABLE \"my \"\"staff\" (\"the token\" TEXT PRIMARY KEY) WITHOUT "
		     "ROWID; INSERT INTO \"my \"\"staff\" VALUES ('TKN-4711')",
		     "my \"staff.the token", 90);
	assert_where(state, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (token); "
		     "INSERT INTO t VALUES ('\xe5\xbc\xa0 TKN-4711')", "t.token", 90);
	assert_where(state, "CREATE TABLE t (a, token AS (a || '!') VIRTUAL); "
		     "INSERT INTO t (a) VALUES ('TKN-4711')", "t.a", 50);
	assert_where(state, "CREATE TABLE t (a, n INTEGER); INSERT INTO t VALUES "
		     "(CAST('a token: TKN-4711' AS BLOB), 3)", "t.a", 90);
	assert_where(state, "CREATE TABLE t (a DEFAULT 'TKN-4711')", "schema", 50);
}

static void a_full_text_index_keeps_its_text_in_a_table(void **state)
{
	struct buffer b = document_sqlite("CREATE VIRTUAL TABLE letters USING fts5 (body); "
					  "INSERT INTO letters VALUES ('a token, TKN-4711')");
	const struct finding *f = examined(*state, "a.db", b.data, b.size);

	assert_non_null(f);
	assert_non_null(strstr(f->where, "letters_content.c0"));
	assert_string_equal(opaque(state), "");
	buffer_free(&b);
}

static void a_file_in_a_blob_is_looked_into(void **state)
{
	static const struct sample_file file = { "in.txt", "a token, TKN-4711\n", 18 };
	struct buffer zip = sample_make("zip", NULL, NULL, &file, 1);
	char *hex = malloc(2 * zip.size + 1), *sql = malloc(2 * zip.size + 200);

	assert_non_null(hex);
	assert_non_null(sql);
	for (size_t i = 0; i < zip.size; i++)
		sprintf(hex + 2 * i, "%02x", zip.data[i]);
	sprintf(sql, "CREATE TABLE files (name, data BLOB); INSERT INTO files VALUES ('a', x'%s')", hex);
	assert_where(state, sql, "files.data: in.txt: line 1", 90);
	buffer_free(&zip);
	free(hex);
	free(sql);
}

static void what_deleted_rows_left_is_found(void **state)
{
	assert_where(state, "PRAGMA secure_delete = OFF; CREATE TABLE t (a); CREATE TABLE u (a); "
		     "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
		     "INSERT INTO t SELECT 'padding ' || hex(zeroblob(200)) FROM n; "
		     "INSERT INTO t VALUES ('a token, TKN-4711'); INSERT INTO u VALUES (1); "
		     "DROP TABLE t", "free page", 90);
}

static void a_rolled_back_wal_mode_is_no_obstacle(void **state)
{
	struct buffer b = document_sqlite("CREATE TABLE t (token); INSERT INTO t VALUES ('TKN-4711')");

	b.data[18] = b.data[19] = 2;	/* as in WAL mode: the file alone is read */
	assert_non_null(examined(*state, "a.db", b.data, b.size));
	assert_string_equal(opaque(state), "");
	buffer_free(&b);
}

/* ---- hostile ------------------------------------------------------------------------------------ */

static void nothing_that_a_schema_says_is_run(void **state)
{
	/* Each would take for ever, or fail, if it were. */
	assert_where(state, "CREATE TABLE t (token); INSERT INTO t VALUES ('TKN-4711'); "
		     "CREATE VIEW v AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
		     "SELECT count(*) FROM n; CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT "
		     "randomblob(1000000000); END; CREATE TABLE w (a, b AS (hex(zeroblob(100000000))) "
		     "VIRTUAL); INSERT INTO w (a) VALUES (1); CREATE INDEX i ON t (length(hex(token)))",
		     "t.token", 90);
}

static void replace(struct buffer *b, const char *what, const char *with)
{
	uint8_t *at = memmem(b->data, b->size, what, strlen(what));

	assert_non_null(at);
	assert_int_equal(strlen(what), strlen(with));
	memcpy(at, with, strlen(with));
}

static void a_schema_that_does_not_parse_is_said_and_the_rest_read(void **state)
{
	struct buffer b = document_sqlite("CREATE TABLE broken (x); CREATE TABLE good (token); "
					  "INSERT INTO good VALUES ('TKN-4711')");
	const struct finding *f;

	replace(&b, "CREATE TABLE broken (x)", "CREATE TABLE broken (x(");
	f = examined(*state, "a.db", b.data, b.size);
	assert_non_null(f);
	assert_string_equal(f->where, "good.token");
	assert_non_null(strstr(opaque(state), "not all of it can be read"));
	buffer_free(&b);
}

static void an_index_cannot_stand_in_for_its_table(void **state)
{
	/* The planner would rather read the index, which says something else. */
	struct buffer b = document_sqlite("CREATE TABLE t (token, filler); CREATE INDEX i ON t (token); "
					  "INSERT INTO t VALUES ('TKN-4711', 'x')");
	uint8_t *first = memmem(b.data, b.size, "TKN-4711", 8), *second;
	const struct finding *f;

	assert_non_null(first);
	second = memmem(first + 8, b.size - (size_t)(first + 8 - b.data), "TKN-4711", 8);
	assert_non_null(second);
	memcpy(second, "nothing!", 8);
	f = examined(*state, "a.db", b.data, b.size);
	if (!f) {	/* the other copy was the table's */
		memcpy(second, "TKN-4711", 8);
		memcpy(first, "nothing!", 8);
		f = examined(*state, "a.db", b.data, b.size);
	}
	assert_non_null(f);
	buffer_free(&b);
}

static void pages_that_lead_to_each_other_in_circles_come_to_an_end(void **state)
{
	struct buffer b = document_sqlite("CREATE TABLE t (token); WITH RECURSIVE n (i) AS (SELECT 1 "
					  "UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t "
					  "SELECT 'TKN-4711 ' || i FROM n");
	size_t page = (size_t)b.data[16] << 8 | b.data[17];
	bool is_said = false;

	/* All children of every inner page of a table become one and the same. */
	for (size_t at = page; at + page <= b.size; at += page) {
		size_t cells = (size_t)b.data[at + 3] << 8 | b.data[at + 4];

		if (b.data[at] != 5)
			continue;
		for (size_t i = 0; i < cells; i++) {
			size_t cell = at + ((size_t)b.data[at + 12 + 2 * i] << 8 | b.data[at + 13 + 2 * i]);

			memcpy(b.data + cell, b.data + at + 8, 4);
		}
		is_said = true;
	}
	assert_true(is_said);
	assert_non_null(examined(*state, "a.db", b.data, b.size));
	buffer_free(&b);
}

static void a_database_that_was_cut_off_is_said(void **state)
{
	struct buffer b = document_sqlite("CREATE TABLE a (token); INSERT INTO a VALUES ('TKN-4711'); "
					  "CREATE TABLE b (x); INSERT INTO b VALUES (zeroblob(20000))");

	b.size = b.size / 2 / 512 * 512;
	assert_non_null(examined(*state, "a.db", b.data, b.size));
	assert_non_null(strstr(opaque(state), "cut off"));
	buffer_free(&b);
}

static void what_cannot_be_opened_at_all_is_read_page_by_page(void **state)
{
	struct buffer b = document_sqlite("CREATE TABLE t (token); INSERT INTO t VALUES ('TKN-4711')");
	const struct finding *f;

	memset(b.data + 100, 0xa5, 300);	/* the root of the schema */
	f = examined(*state, "a.db", b.data, b.size);
	assert_non_null(f);
	assert_string_equal(f->where, "page");
	assert_non_null(strstr(opaque(state), "not all of it can be read"));
	buffer_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_labelled_by_its_column_and_placed_in_its_table),
		cmocka_unit_test(every_kind_of_table_is_read),
		cmocka_unit_test(a_full_text_index_keeps_its_text_in_a_table),
		cmocka_unit_test(a_file_in_a_blob_is_looked_into),
		cmocka_unit_test(what_deleted_rows_left_is_found),
		cmocka_unit_test(a_rolled_back_wal_mode_is_no_obstacle),
		cmocka_unit_test(nothing_that_a_schema_says_is_run),
		cmocka_unit_test(a_schema_that_does_not_parse_is_said_and_the_rest_read),
		cmocka_unit_test(an_index_cannot_stand_in_for_its_table),
		cmocka_unit_test(pages_that_lead_to_each_other_in_circles_come_to_an_end),
		cmocka_unit_test(a_database_that_was_cut_off_is_said),
		cmocka_unit_test(what_cannot_be_opened_at_all_is_read_page_by_page),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}

#include "tests/unit/store/catalogue_fixture.h"

static void add_block(struct fixture *f, int64_t id, int64_t base)
{
	struct err e = ERR_NONE;
	struct block b = { .id = id, .segment = 1, .offset = (uint64_t)id * 100, .stored = 100,
			   .raw = 1000, .class_id = 1, .bases = { base } };

	must(catalogue_block_add(f->c, &b, &e));
}

static int64_t content_in(struct fixture *f, int64_t block)
{
	struct err e = ERR_NONE;
	struct extent x[300];
	struct digest sha = { { 0 } };
	int64_t id = fixture_id(f, SEQUENCE_CONTENT);

	/* The block in question stands on the second page. */
	for (unsigned i = 0; i < 300; i++)
		x[i] = (struct extent){ .offset = i * 10, .size = 10,
					.block = i == 299 ? block : 999, .at = 0 };
	must(catalogue_content_add(f->c, id, &sha, x, 300, &e));
	return id;
}

static int note_path(void *arg, int64_t system, const void *path, size_t path_size,
		     int64_t first, int64_t last, int64_t node)
{
	char *out = arg;

	assert_true(node > 0);
	snprintf(out + strlen(out), 96, "%" PRId64 ":%.*s[%" PRId64 "-", system, (int)path_size,
		 (const char *)path, first);
	if (last != CATALOGUE_OPEN_ENDED)
		sprintf(out + strlen(out), "%" PRId64, last);
	strcat(out, "] ");
	return 0;
}

static void files_of(struct fixture *f, int64_t block, char *out)
{
	struct err e = ERR_NONE;

	out[0] = '\0';
	must(catalogue_files_of_blocks(f->c, &block, 1, note_path, out, &e));
}

/* 1: /a/x (block 1), /a/y (2, on base 1), /z (3, on base 2), /other (4).
 * 2: /a is renamed /b.  3: x goes. */
static void every_path_in_every_version_of_a_block_is_told(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char out[512];

	struct version v1 = fixture_begin(f, "hr", "1");
	must(catalogue_segment_add(f->c, 1, (const uint8_t *)"0123456789abcdef", &e));
	add_block(f, 1, 0);
	add_block(f, 2, 1);
	add_block(f, 3, 2);
	add_block(f, 4, 0);
	fixture_directory_row(f, &v1, v1.root, 0);
	int64_t dir = fixture_directory(f, &v1, v1.root, "a");
	fixture_file(f, &v1, dir, "x", content_in(f, 1));
	fixture_file(f, &v1, dir, "y", content_in(f, 2));
	fixture_file(f, &v1, v1.root, "z", content_in(f, 3));
	fixture_file(f, &v1, v1.root, "other", content_in(f, 4));
	fixture_seal(f, &v1);

	struct version v2 = fixture_begin(f, "hr", "2");
	must(catalogue_entry_close(f->c, v1.root, "a", 1, v1.id, v2.previous, &e));
	struct entry moved = fixture_entry("b", NODE_DIRECTORY, v2.id, dir);
	must(catalogue_entry_add(f->c, v1.root, &moved, &e));
	fixture_seal(f, &v2);
	struct version v3 = fixture_begin(f, "hr", "3");
	must(catalogue_entry_close(f->c, dir, "x", 1, v1.id, v3.previous, &e));
	fixture_seal(f, &v3);

	files_of(f, 4, out);
	assert_string_equal(out, "1:other[1-] ");
	files_of(f, 3, out);
	assert_string_equal(out, "1:z[1-] ");
	files_of(f, 2, out);
	assert_true(strstr(out, "1:a/y[1-1] ") && strstr(out, "1:b/y[2-] ") &&
		    strstr(out, "1:z[1-] "));
	assert_null(strstr(out, "x["));
	files_of(f, 1, out);
	assert_true(strstr(out, "1:a/x[1-1] ") && strstr(out, "1:b/x[2-2] ") &&
		    strstr(out, "1:b/y[2-] ") && strstr(out, "1:z[1-] "));
	assert_null(strstr(out, "other"));
	files_of(f, 5, out);
	assert_string_equal(out, "");
}

static void a_version_in_progress_is_not_told(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char out[256];

	struct version v1 = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &v1, v1.root, 0);
	fixture_seal(f, &v1);
	struct version v2 = fixture_begin(f, "hr", "2");
	fixture_file(f, &v2, v1.root, "new", content_in(f, 1));
	must(catalogue_commit(f->c, &e));
	files_of(f, 1, out);
	assert_string_equal(out, "");
}

static int stop_at_once(void *arg, int64_t system, const void *path, size_t path_size,
			int64_t first, int64_t last, int64_t node)
{
	(void)system, (void)path, (void)path_size, (void)first, (void)last, (void)node;
	++*(int *)arg;
	return 1;
}

static void directories_in_a_circle_are_damage(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	int64_t block = 1;
	int calls = 0;
	char out[256] = "";

	struct version v = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &v, v.root, 0);
	int64_t dir = fixture_directory(f, &v, v.root, "a");
	fixture_file(f, &v, dir, "x", content_in(f, 1));
	fixture_file(f, &v, dir, "y", content_in(f, 1));
	fixture_seal(f, &v);
	must(catalogue_files_of_blocks(f->c, &block, 1, stop_at_once, &calls, &e));
	assert_int_equal(calls, 1);

	/* a in a; then a in b in c in a */
	fixture_sql(f, "UPDATE entry SET dir = target WHERE kind = 2");
	must_fail(catalogue_files_of_blocks(f->c, &block, 1, note_path, out, &e), MUNI_DAMAGED);
	fixture_sql(f, "UPDATE entry SET dir = 101 WHERE kind = 2;"
		    "INSERT INTO entry VALUES(102, x'78', 1, NULL, 2, 101, x'00');"
		    "INSERT INTO entry SELECT target, x'7a', 1, NULL, 2, 102, x'00'"
		    " FROM entry WHERE dir = 101");
	must_fail(catalogue_files_of_blocks(f->c, &block, 1, note_path, out, &e), MUNI_DAMAGED);
	fixture_sql(f, "DELETE FROM entry WHERE kind = 2");
	must_fail(catalogue_files_of_blocks(f->c, &block, 1, note_path, out, &e), MUNI_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(every_path_in_every_version_of_a_block_is_told),
		T(a_version_in_progress_is_not_told),
		T(directories_in_a_circle_are_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

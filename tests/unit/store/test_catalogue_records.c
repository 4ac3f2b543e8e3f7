#include "fs/store/catalogue_retention.h"
#include "tests/unit/store/catalogue_fixture.h"

struct told {
	char text[20000];
	struct record_key keys[64];
	unsigned count;
};

/* "system:path[first-last]=other=other; " */
static int tell(void *arg, const struct record *r)
{
	struct told *t = arg;
	size_t used = strlen(t->text);

	used += (size_t)sprintf(t->text + used, "%" PRId64 ":%s[%" PRId64 "-", r->system, r->path,
				r->key.first);
	if (r->last != CATALOGUE_OPEN_ENDED)
		used += (size_t)sprintf(t->text + used, "%" PRId64, r->last);
	used += (size_t)sprintf(t->text + used, "]");
	for (size_t i = 0; i < r->other_count; i++)
		used += (size_t)sprintf(t->text + used, "=%s", r->other_paths[i]);
	sprintf(t->text + used, "; ");
	assert_int_equal(strlen(r->path), r->path_size);
	assert_true(r->node->id > 0);
	if (t->count < 64)
		t->keys[t->count] = r->key;
	t->count++;
	return 0;
}

static void expect(struct fixture *f, const char *want)
{
	struct told *t = calloc(1, sizeof *t), *one = calloc(1, sizeof *one);
	struct err e = ERR_NONE;

	must(catalogue_records(f->c, 0, tell, t, &e));
	assert_string_equal(t->text, want);
	/* Each by its key is told as in the walk. */
	for (unsigned i = 0; i < t->count && i < 64; i++)
		must(catalogue_record(f->c, &t->keys[i], tell, one, &e));
	assert_string_equal(one->text, want);
	free(t);
	free(one);
}

static void rename_directory(struct fixture *f, const struct version *v, int64_t from,
			     const char *name, int64_t first, int64_t to, const char *now,
			     int64_t dir)
{
	struct entry entry = fixture_entry(now, NODE_DIRECTORY, v->id, dir);
	struct err e = ERR_NONE;

	must(catalogue_entry_close(f->c, from, name, strlen(name), first, v->previous, &e));
	must(catalogue_entry_add(f->c, to, &entry, &e));
}

static void every_record_is_told_once_under_its_newest_path(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	struct version v1 = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &v1, v1.root, 0);
	int64_t a = fixture_directory(f, &v1, v1.root, "a");
	fixture_file(f, &v1, a, "x", 0);
	fixture_file(f, &v1, a, "y", 0);
	fixture_seal(f, &v1);
	/* 2: y goes; a is called b.  3: x is another file; b moves below c. */
	struct version v2 = fixture_begin(f, "hr", "2");
	must(catalogue_entry_close(f->c, a, "y", 1, v1.id, v2.previous, &e));
	rename_directory(f, &v2, v1.root, "a", v1.id, v1.root, "b", a);
	fixture_file(f, &v2, a, "z", 0);
	fixture_seal(f, &v2);
	struct version v3 = fixture_begin(f, "hr", "3");
	int64_t c = fixture_directory(f, &v3, v3.root, "c");
	must(catalogue_entry_close(f->c, a, "x", 1, v1.id, v3.previous, &e));
	fixture_file(f, &v3, a, "x", 0);
	rename_directory(f, &v3, v1.root, "b", v2.id, c, "b", a);
	fixture_seal(f, &v3);
	expect(f, "1:a/y[1-1]; 1:b/x[1-2]=a/x; 1:c/b/x[3-]; 1:c/b/z[2-]=b/z; ");
}

static void records_come_in_byte_order_of_their_paths(void **state)
{
	struct fixture *f = *state;
	static const char *const dirs[] = { "a", "a!", "a!b", "a.d" };
	static const char *const files[] = { "a!b!", "a.txt", "a0", "B" };

	struct version v = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &v, v.root, 0);
	for (size_t i = 0; i < 4; i++) {
		int64_t d = fixture_directory(f, &v, v.root, dirs[i]);

		fixture_file(f, &v, d, "x", 0);
		fixture_file(f, &v, v.root, files[i], 0);
	}
	fixture_seal(f, &v);
	expect(f, "1:B[1-]; 1:a!/x[1-]; 1:a!b!" "[1-]; 1:a!b/x[1-]; 1:a.d/x[1-]; 1:a.txt[1-]; "
	       "1:a/x[1-]; 1:a0[1-]; ");
}

static void an_empty_directory_is_a_record_and_one_that_was_filled_is_not(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	struct version v1 = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &v1, v1.root, 0);
	fixture_directory(f, &v1, v1.root, "empty");
	int64_t later = fixture_directory(f, &v1, v1.root, "later");
	fixture_seal(f, &v1);
	struct version v2 = fixture_begin(f, "hr", "2");
	fixture_file(f, &v2, later, "x", 0);
	must(catalogue_entry_close(f->c, v1.root, "empty", 5, v1.id, v2.previous, &e));
	fixture_seal(f, &v2);
	expect(f, "1:empty[1-1]; 1:later/x[2-]; ");
}

static void more_names_than_a_page_and_more_depth_than_any_path(void **state)
{
	struct fixture *f = *state;
	struct told *t = calloc(1, sizeof *t);
	struct err e = ERR_NONE;
	char name[16];

	struct version v = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &v, v.root, 0);
	int64_t d = v.root;
	for (unsigned i = 0; i < 600; i++) {
		snprintf(name, sizeof name, "%05u", i);
		fixture_file(f, &v, v.root, name, 0);
	}
	for (unsigned i = 0; i < 600; i++)
		d = fixture_directory(f, &v, d, "d");
	fixture_file(f, &v, d, "bottom", 0);
	fixture_seal(f, &v);
	must(catalogue_records(f->c, v.system, tell, t, &e));
	assert_int_equal(t->count, 601);
	assert_non_null(strstr(t->text, "/d/d/bottom[1-]; "));
	free(t);
}

static void systems_are_told_by_name_and_what_is_in_progress_is_not(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	struct version v1 = fixture_begin(f, "b", "1");
	fixture_directory_row(f, &v1, v1.root, 0);
	fixture_file(f, &v1, v1.root, "x", 0);
	fixture_seal(f, &v1);
	struct version v2 = fixture_begin(f, "a", "1");
	fixture_directory_row(f, &v2, v2.root, 0);
	fixture_file(f, &v2, v2.root, "y", 0);
	fixture_seal(f, &v2);
	struct version v3 = fixture_begin(f, "b", "2");
	fixture_file(f, &v3, v1.root, "new", 0);
	must(catalogue_entry_close(f->c, v1.root, "x", 1, v1.id, v3.previous, &e));
	must(catalogue_commit(f->c, &e));
	expect(f, "2:y[2-]; 1:x[1-1]; ");
}

static int stop(void *arg, const struct record *r)
{
	(void)r;
	return ++*(int *)arg == 2;
}

static int give_up(void *arg, const struct record *r)
{
	(void)r;
	++*(int *)arg;
	return -1;
}

static void a_row_can_stop_the_walk_or_fail_it(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	int calls = 0;

	struct version v = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &v, v.root, 0);
	int64_t d = fixture_directory(f, &v, v.root, "d");
	for (char name[2] = "a"; name[0] < 'e'; name[0]++)
		fixture_file(f, &v, d, name, 0);
	fixture_seal(f, &v);
	must(catalogue_records(f->c, 0, stop, &calls, &e));
	assert_int_equal(calls, 2);
	calls = 0;
	assert_int_equal(catalogue_records(f->c, 0, give_up, &calls, &e), -1);
	assert_int_equal(calls, 1);
}

static void directories_in_a_circle_and_missing_nodes_are_damage(void **state)
{
	struct fixture *f = *state;
	struct told *t = calloc(1, sizeof *t);
	struct err e = ERR_NONE;

	struct version v = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &v, v.root, 0);
	int64_t a = fixture_directory(f, &v, v.root, "a");
	int64_t b = fixture_directory(f, &v, a, "b");
	fixture_file(f, &v, b, "x", 0);
	fixture_seal(f, &v);
	char sql[128];
	snprintf(sql, sizeof sql, "INSERT INTO entry SELECT %" PRId64 ", x'63', first, last, kind,"
		 " target, salt FROM entry WHERE target = %" PRId64, b, a);
	fixture_sql(f, sql);
	must_fail(catalogue_records(f->c, 0, tell, t, &e), MUNI_DAMAGED);
	fixture_sql(f, "DELETE FROM entry WHERE name = x'63'; DELETE FROM node"
		    " WHERE id = (SELECT target FROM entry WHERE name = x'78')");
	must_fail(catalogue_records(f->c, 0, tell, t, &e), MUNI_DAMAGED);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(every_record_is_told_once_under_its_newest_path),
		TEST(records_come_in_byte_order_of_their_paths),
		TEST(an_empty_directory_is_a_record_and_one_that_was_filled_is_not),
		TEST(more_names_than_a_page_and_more_depth_than_any_path),
		TEST(systems_are_told_by_name_and_what_is_in_progress_is_not),
		TEST(a_row_can_stop_the_walk_or_fail_it),
		TEST(directories_in_a_circle_and_missing_nodes_are_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

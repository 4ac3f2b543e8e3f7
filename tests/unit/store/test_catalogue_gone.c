#include "fs/store/catalogue_gone.h"
#include "tests/unit/store/catalogue_fixture.h"

/* Two catalogues that began as one: `now` has lost what a test takes out of it. */
struct both {
	struct fixture *old, *now;
	int64_t root, kept;	/* directories */
	char told[4000];
};

static void fill(struct fixture *f, struct both *b)
{
	struct err e = ERR_NONE;
	struct version v1 = fixture_begin(f, "hr", "1");

	fixture_directory_row(f, &v1, v1.root, 0);
	b->root = v1.root;
	b->kept = fixture_directory(f, &v1, v1.root, "kept");
	for (int i = 0; i < 20; i++) {
		char name[16];
		snprintf(name, sizeof name, "f%02d", i);
		fixture_file(f, &v1, b->kept, name, 0);
	}
	fixture_seal(f, &v1);
	struct version v2 = fixture_begin(f, "hr", "2");
	must(catalogue_entry_close(f->c, b->kept, "f03", 3, v1.id, v2.previous, &e));
	fixture_file(f, &v2, b->kept, "f03", 0);
	int64_t gone = fixture_directory(f, &v2, v2.root, "gone");
	fixture_file(f, &v2, gone, "x", 0);
	fixture_seal(f, &v2);
}

static int setup(void **state)
{
	struct both *b = calloc(1, sizeof *b);
	void *one, *two;

	if (fixture_setup(&one) != 0 || fixture_setup(&two) != 0)
		return -1;
	b->old = one;
	b->now = two;
	fill(b->old, b);
	fill(b->now, b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct both *b = *state;
	void *one = b->old, *two = b->now;
	int rc = fixture_teardown(&one) | fixture_teardown(&two);

	free(b);
	return rc;
}

static int tell_entry(void *arg, const struct gone_entry *r)
{
	struct both *b = arg;
	size_t used = strlen(b->told);

	assert_int_equal(strlen(r->name), r->name_size);
	snprintf(b->told + used, sizeof b->told - used, "%s[%" PRId64 "-%" PRId64 "]; ", r->name,
		 r->first, r->last == CATALOGUE_OPEN_ENDED ? 0 : r->last);
	return 0;
}

static int tell_node(void *arg, int64_t node)
{
	struct both *b = arg;
	size_t used = strlen(b->told);

	snprintf(b->told + used, sizeof b->told - used, "%" PRId64 "; ", node);
	return 0;
}

static int tell_directory(void *arg, int64_t id, int64_t first, int64_t last)
{
	(void)first;
	(void)last;
	return tell_node(arg, id);
}

static const char *gone_entries(struct both *b)
{
	struct err e = ERR_NONE;

	b->told[0] = '\0';
	must(catalogue_gone_entries(b->old->c, b->now->c, tell_entry, b, &e));
	return b->told;
}

static void where_nothing_went_nothing_is_told(void **state)
{
	struct both *b = *state;
	struct err e = ERR_NONE;

	assert_string_equal(gone_entries(b), "");
	must(catalogue_gone_nodes(b->old->c, b->now->c, tell_node, b, &e));
	must(catalogue_gone_directories(b->old->c, b->now->c, tell_directory, b, &e));
	assert_string_equal(b->told, "");
}

static void the_first_the_last_and_neighbours_are_told(void **state)
{
	struct both *b = *state;

	fixture_sql(b->now, "DELETE FROM entry WHERE name IN (CAST('f00' AS BLOB),"
		    " CAST('f07' AS BLOB), CAST('f08' AS BLOB), CAST('f19' AS BLOB),"
		    " CAST('x' AS BLOB), CAST('gone' AS BLOB))");
	assert_string_equal(gone_entries(b), "gone[2-0]; f00[1-0]; f07[1-0]; f08[1-0]; "
			    "f19[1-0]; x[2-0]; ");
}

static void one_of_two_records_of_a_name_is_told_alone(void **state)
{
	struct both *b = *state;

	fixture_sql(b->now, "DELETE FROM entry WHERE name = CAST('f03' AS BLOB) AND first = 1");
	assert_string_equal(gone_entries(b), "f03[1-1]; ");
}

static void a_row_that_is_otherwise_is_told(void **state)
{
	struct both *b = *state;
	struct err e = ERR_NONE;

	fixture_sql(b->now, "UPDATE entry SET target = 4000 WHERE name = CAST('f05' AS BLOB)");
	assert_string_equal(gone_entries(b), "f05[1-0]; ");
	b->told[0] = '\0';
	fixture_sql(b->now, "UPDATE node SET class = 9 WHERE id = 2; DELETE FROM node WHERE id = 5");
	must(catalogue_gone_nodes(b->old->c, b->now->c, tell_node, b, &e));
	assert_string_equal(b->told, "2; 5; ");
}

static void what_came_is_not_told(void **state)
{
	struct both *b = *state;

	fixture_sql(b->old, "DELETE FROM entry WHERE name = CAST('f01' AS BLOB)");
	assert_string_equal(gone_entries(b), "");
}

static void without_a_next_catalogue_all_is_gone(void **state)
{
	struct both *b = *state;
	struct err e = ERR_NONE;
	unsigned count = 0;

	must(catalogue_gone_entries(b->old->c, NULL, tell_entry, b, &e));
	for (const char *at = b->told; (at = strstr(at, "; ")); at += 2)
		count++;
	assert_int_equal(count, 24);	/* 21 files in kept, two directories, x */
}

static void entries_of_nodes_are_all_their_names(void **state)
{
	struct both *b = *state;
	struct err e = ERR_NONE;
	int64_t node = 0;

	fixture_sql(b->now, "UPDATE node SET class = 7 WHERE id = (SELECT target FROM entry"
		    " WHERE name = CAST('f04' AS BLOB))");
	fixture_sql(b->now, "UPDATE entry SET target = (SELECT target FROM entry WHERE"
		    " name = CAST('f04' AS BLOB)) WHERE name = CAST('x' AS BLOB)");
	must(catalogue_class_nodes(b->now->c, 7, tell_node, b, &e));
	node = strtoll(b->told, NULL, 10);
	assert_true(node > 0);
	b->told[0] = '\0';
	must(catalogue_entries_of_nodes(b->now->c, &node, 1, tell_entry, b, &e));
	assert_string_equal(b->told, "f04[1-0]; x[2-0]; ");
}

static void the_name_before_is_itself_or_its_neighbour(void **state)
{
	struct both *b = *state;
	struct err e = ERR_NONE;
	char name[CATALOGUE_NAME_MAX + 1];
	uint16_t size;

	fixture_sql(b->now, "DELETE FROM entry WHERE name IN (CAST('f00' AS BLOB),"
		    " CAST('f07' AS BLOB), CAST('f08' AS BLOB))");
	must(catalogue_name_before(b->now->c, b->kept, "f09", 3, name, &size, &e));
	assert_string_equal(name, "f09");
	must(catalogue_name_before(b->now->c, b->kept, "f08", 3, name, &size, &e));
	assert_string_equal(name, "f06");
	assert_int_equal(size, 3);
	must_fail(catalogue_name_before(b->now->c, b->kept, "f00", 3, name, &size, &e),
		  MUNI_NOT_FOUND);
}

static void a_row_that_does_not_read_is_damage(void **state)
{
	struct both *b = *state;
	struct err e = ERR_NONE;

	fixture_sql(b->now, "UPDATE entry SET name = CAST('a/b' AS BLOB) WHERE"
		    " name = CAST('f05' AS BLOB)");
	must_fail(catalogue_gone_entries(b->old->c, b->now->c, tell_entry, b, &e), MUNI_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(where_nothing_went_nothing_is_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_first_the_last_and_neighbours_are_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_of_two_records_of_a_name_is_told_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_row_that_is_otherwise_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_came_is_not_told, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_next_catalogue_all_is_gone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(entries_of_nodes_are_all_their_names, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_name_before_is_itself_or_its_neighbour, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_row_that_does_not_read_is_damage, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

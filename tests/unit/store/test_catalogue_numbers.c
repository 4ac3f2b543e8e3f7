/* The numbers of a directory: they count only as long as it has not changed since. */
#include "tests/unit/store/catalogue_fixture.h"

#define DIRECTORY 5

static const struct numbers some = { UINT64_MAX - 7, { { 1, 2, 3 } } };
static const struct numbers others = { 9, { { 4, 5, 6 } } };

/* The row of a directory from `first` on, in place of the one before. */
static void put_directory(struct fixture *f, int64_t before, int64_t first)
{
	struct directory d = { .id = DIRECTORY, .first = first, .parent = 1, .node = first };
	struct err e = ERR_NONE;

	if (before)
		must(catalogue_directory_close(f->c, DIRECTORY, before, first - 1, &e));
	must(catalogue_directory_add(f->c, &d, &e));
}

static void put_numbers(struct fixture *f, int64_t version, const struct numbers *n)
{
	struct err e = ERR_NONE;

	must(catalogue_numbers_put(f->c, version, DIRECTORY, n, &e));
}

static bool has_numbers(struct fixture *f, int64_t version, const struct numbers *want)
{
	struct numbers n = { 0 };
	struct err e = ERR_NONE;
	bool is_there;

	must(catalogue_numbers_get(f->c, version, DIRECTORY, &n, &is_there, &e));
	if (is_there && want) {
		assert_true(n.device == want->device);
		assert_true(digest_equal(&n.digest, &want->digest));
	}
	return is_there;
}

static int begin(void **state)
{
	struct err e = ERR_NONE;

	if (fixture_setup(state) < 0)
		return -1;
	return catalogue_begin(((struct fixture *)*state)->c, &e);
}

static void numbers_are_those_that_were_put_last(void **state)
{
	struct fixture *f = *state;

	put_directory(f, 0, 1);
	assert_false(has_numbers(f, 1, NULL));
	put_numbers(f, 1, &others);
	put_numbers(f, 1, &some);
	assert_true(has_numbers(f, 1, &some));
	assert_true(has_numbers(f, 4, &some));	/* nothing has changed since */
}

static void numbers_older_than_the_directory_as_it_stands_do_not_count(void **state)
{
	struct fixture *f = *state;

	put_directory(f, 0, 1);
	put_numbers(f, 1, &some);
	put_directory(f, 1, 3);
	assert_true(has_numbers(f, 2, &some));
	assert_false(has_numbers(f, 3, NULL));
	put_numbers(f, 3, &others);
	assert_true(has_numbers(f, 3, &others));
}

static void numbers_of_a_later_version_do_not_count(void **state)
{
	struct fixture *f = *state;

	put_directory(f, 0, 1);
	put_numbers(f, 2, &some);
	assert_false(has_numbers(f, 1, NULL));
}

static void numbers_of_a_directory_that_is_gone_do_not_count(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	put_directory(f, 0, 1);
	put_numbers(f, 1, &some);
	must(catalogue_directory_close(f->c, DIRECTORY, 1, 2, &e));
	assert_true(has_numbers(f, 2, &some));
	assert_false(has_numbers(f, 3, NULL));
}

static void numbers_of_a_version_that_was_cut_off_are_taken_back(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v;
	unsigned count;

	put_directory(f, 0, 1);
	must(catalogue_commit(f->c, &e));
	v = fixture_begin(f, "hr", "1");
	put_numbers(f, v.id, &some);
	must(catalogue_commit(f->c, &e));
	assert_true(has_numbers(f, v.id, &some));
	must(catalogue_recover(f->c, &count, &e));
	assert_int_equal(count, 1);
	must(catalogue_begin(f->c, &e));
	put_directory(f, 0, v.id + 1);	/* recovery took the first one for its own */
	assert_false(has_numbers(f, v.id + 1, NULL));
}

static void a_row_that_does_not_read_is_damage(void **state)
{
	struct fixture *f = *state;
	struct numbers n;
	struct err e;
	bool is_there;

	put_directory(f, 0, 1);
	put_numbers(f, 1, &some);
	fixture_sql(f, "UPDATE numbers SET digest = x'01'");
	must_fail(catalogue_numbers_get(f->c, 1, DIRECTORY, &n, &is_there, &e), MUNI_DAMAGED);
	assert_false(is_there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_are_those_that_were_put_last, begin,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(
			numbers_older_than_the_directory_as_it_stands_do_not_count, begin,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(numbers_of_a_later_version_do_not_count, begin,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(
			numbers_of_a_directory_that_is_gone_do_not_count, begin,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(
			numbers_of_a_version_that_was_cut_off_are_taken_back, begin,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(a_row_that_does_not_read_is_damage, begin,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

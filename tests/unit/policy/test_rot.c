#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/rot.h"

#define NOW 1700000000

static enum rot rot(const char *path, uint64_t size, int64_t modified, const char *original)
{
	const struct facts f = { .path = path, .kind = FACTS_FILE, .size = size,
				 .modified = modified, .duplicate_of = original };

	return rot_of(&f, NOW);
}

static void a_copy_is_redundant_whatever_else_it_is(void **state)
{
	(void)state;
	assert_int_equal(rot("a/b.tmp", 5, 0, "c"), ROT_REDUNDANT);
}

static void what_programs_leave_behind_is_trivial_in_any_case(void **state)
{
	static const char *const paths[] = {
		"Thumbs.db", "a/THUMBS.DB", ".DS_Store", "x/y.TMP", "report.doc~", "~$report.doc",
		"app/Cache/1", "a/__pycache__/m", "notes.BAK",
	};

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (rot(paths[i], 5, NOW, NULL) != ROT_TRIVIAL)
			fail_msg("%s", paths[i]);
	assert_int_equal(rot("empty", 0, NOW, NULL), ROT_TRIVIAL);
}

static void a_record_is_none_of_it(void **state)
{
	static const char *const paths[] = {
		"payroll/2012.csv", "cached.txt", "tmpfile", "cache", "a.bake", ".tmp/..keep", "~",
	};

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (rot(paths[i], 5, NOW, NULL) != ROT_NONE)
			fail_msg("%s", paths[i]);
}

static void ten_years_untouched_is_obsolete(void **state)
{
	const int64_t years = (int64_t)ROT_YEARS * 31556952;

	(void)state;
	assert_int_equal(rot("a", 5, NOW - years - 1, NULL), ROT_OBSOLETE);
	assert_int_equal(rot("a", 5, NOW - years, NULL), ROT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_redundant_whatever_else_it_is),
		cmocka_unit_test(what_programs_leave_behind_is_trivial_in_any_case),
		cmocka_unit_test(a_record_is_none_of_it),
		cmocka_unit_test(ten_years_untouched_is_obsolete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who sees which class: the rules W1 and W2 of view.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fs/mount/hidden.c"
#include "fs/mount/view.c"

static const struct record_class unclassified = { .id = 1 };
static const struct record_class open_class = { .id = 2, .code = "OPEN" };
static const struct record_class closed = { .id = 3, .code = "PAY", .access = "hr, finance-audit" };
static const struct record_class restricted = { .id = 4, .code = "BAR", .is_restricted = true };

static void the_mounting_user_sees_all_but_restricted(void **state)
{
	struct mount_options o = { 0 };

	(void)state;
	assert_true(is_shown(&o, &unclassified));
	assert_true(is_shown(&o, &open_class));
	assert_true(is_shown(&o, &closed));
	assert_false(is_shown(&o, &restricted));
}

static void where_others_enter_closed_classes_need_an_audience(void **state)
{
	struct mount_options o = { .allow_other = true };

	(void)state;
	assert_true(is_shown(&o, &unclassified));
	assert_true(is_shown(&o, &open_class));
	assert_false(is_shown(&o, &closed));
	o.audience = (char *)(uintptr_t)"finance-audit";
	assert_true(is_shown(&o, &closed));
	o.audience = (char *)(uintptr_t)"finance";
	assert_false(is_shown(&o, &closed));
	o.audience = (char *)(uintptr_t)"hr";
	assert_true(is_shown(&o, &closed));
	assert_false(is_shown(&o, &restricted));
}

static void an_audience_narrows_a_private_mount_too(void **state)
{
	struct mount_options o = { .audience = (char *)(uintptr_t)"nobody" };

	(void)state;
	assert_false(is_shown(&o, &closed));
	assert_true(is_shown(&o, &open_class));
}

static void named_classes_are_the_only_ones(void **state)
{
	struct mount_options o = { .classes = (char *)(uintptr_t)"OPEN:-" };

	(void)state;
	assert_true(is_shown(&o, &unclassified));
	assert_true(is_shown(&o, &open_class));
	assert_false(is_shown(&o, &closed));
	o.classes = (char *)(uintptr_t)"OPE:BAR:PAY";
	assert_false(is_shown(&o, &unclassified));
	assert_false(is_shown(&o, &open_class));
	assert_true(is_shown(&o, &closed));
	assert_false(is_shown(&o, &restricted));
}

static void what_is_unknown_or_gone_is_noticed(void **state)
{
	struct shown_class two[] = { { .id = 1, .is_shown = true }, { .id = 2, .is_shown = true } };
	struct shown_class fewer[] = { { .id = 1, .is_shown = true } };
	struct shown_class hidden[] = { { .id = 1, .is_shown = true }, { .id = 2, .is_shown = false } };
	struct view_version versions[] = { { .id = 1 }, { .id = 2 } };
	struct state before = { .classes = two, .class_count = 2, .versions = versions,
				.version_count = 2 };
	struct state more = before, less = before, other = before, classes = before;

	(void)state;
	assert_false(class_shown(&before, 3));	/* W3 */
	more.version_count = 2;
	assert_false(is_shrunk(&before, &more));
	less.version_count = 1;
	assert_true(is_shrunk(&before, &less));
	other.classes = hidden;
	assert_true(is_shrunk(&before, &other));
	classes.classes = fewer;
	classes.class_count = 1;
	assert_true(is_shrunk(&before, &classes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mounting_user_sees_all_but_restricted),
		cmocka_unit_test(where_others_enter_closed_classes_need_an_audience),
		cmocka_unit_test(an_audience_narrows_a_private_mount_too),
		cmocka_unit_test(named_classes_are_the_only_ones),
		cmocka_unit_test(what_is_unknown_or_gone_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

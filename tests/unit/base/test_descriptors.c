#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "fs/base/descriptors.h"

/* Never above what was given to the process, never below what it had. */
static void lifts_to_what_is_wanted_or_given(void **state)
{
	struct rlimit before, now;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	now = (struct rlimit){ .rlim_cur = 64, .rlim_max = 200 };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	descriptors_lift(32);
	assert_int_equal(descriptors_limit(), 64);
	descriptors_lift(100);
	assert_int_equal(descriptors_limit(), 100);
	descriptors_lift(4000);
	assert_int_equal(descriptors_limit(), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lifts_to_what_is_wanted_or_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

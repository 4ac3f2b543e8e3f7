#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fs/base/team.h"

#define COUNT 10000

static atomic_uint done[COUNT];

static void act(void *arg, size_t i)
{
	assert_ptr_equal(arg, done);
	atomic_fetch_add(&done[i], 1);
}

static void each_piece_is_done_once_whatever_the_number_of_threads(void **state)
{
	static const unsigned threads[] = { 0, 1, 2, 7, 1000 };

	(void)state;
	for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
		team_run(threads[t], COUNT, act, done);
		for (size_t i = 0; i < COUNT; i++)
			assert_int_equal(atomic_exchange(&done[i], 0), 1);
	}
	team_run(4, 0, act, done);
	assert_int_equal(done[0], 0);
}

static void there_is_at_least_one_processor(void **state)
{
	(void)state;
	assert_true(team_processors() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_piece_is_done_once_whatever_the_number_of_threads),
		cmocka_unit_test(there_is_at_least_one_processor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

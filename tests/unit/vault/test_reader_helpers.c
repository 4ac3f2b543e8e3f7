#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/vault/reader_helpers.h"

#define PLENTY 100000u

/* Places that are taken before one is not. */
static unsigned taken(struct helpers *h)
{
	unsigned count = 0;

	while (count < PLENTY && helpers_near(h, (int64_t)count + 1))
		count++;
	return count;
}

/* No thread: what is asked for stays where it is. */
static struct helpers *nobody(void)
{
	struct helpers *h;
	struct err e = ERR_NONE;

	assert_int_equal(helpers_start(NULL, NULL, 0, &h, &e), 0);
	return h;
}

static void who_asks_hears_that_a_place_was_not_taken(void **state)
{
	struct helpers *h = nobody();
	unsigned count = taken(h);

	(void)state;
	assert_in_range(count, 1, PLENTY - 1);
	assert_false(helpers_near(h, 1));
	helpers_stop(h);
}

static void no_place_is_taken_during_a_rest_and_all_are_after_it(void **state)
{
	struct helpers *h = nobody();
	unsigned count = taken(h);

	(void)state;
	helpers_pause(h);
	assert_false(helpers_near(h, 1));
	helpers_resume(h);
	assert_int_equal(taken(h), count);	/* what waited before the rest was forgotten */
	helpers_stop(h);
}

static void who_has_no_helpers_to_speak_of_does_not_look(void **state)
{
	struct helpers *h = nobody();

	(void)state;
	assert_false(helpers_may_look(h));
	helpers_stop(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_hears_that_a_place_was_not_taken),
		cmocka_unit_test(no_place_is_taken_during_a_rest_and_all_are_after_it),
		cmocka_unit_test(who_has_no_helpers_to_speak_of_does_not_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/vault/reader_near.h"

static const uint8_t one[16] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static const uint8_t other[16] = { 9, 8, 7, 6, 5, 4, 3, 2 };

/* How many of `reads` reads of this place said that its neighbourhood is wanted. */
static unsigned asked(struct near *n, const uint8_t uid[16], uint64_t offset, unsigned reads)
{
	unsigned count = 0;

	for (unsigned i = 0; i < reads; i++)
		count += near_note(n, uid, offset + i * 1000);
	return count;
}

static void a_read_or_two_are_no_crowd(void **state)
{
	struct near *n = near_new();

	(void)state;
	for (uint64_t at = 0; at < 100; at++)
		assert_int_equal(asked(n, one, at * NEAR_SIZE, 2), 0);
	near_free(n);
}

static void a_crowd_has_its_place_read_once(void **state)
{
	struct near *n = near_new();

	(void)state;
	for (uint64_t at = 0; at < 8; at++)
		assert_int_equal(asked(n, one, at * NEAR_SIZE, 1000), 1);
	near_free(n);
}

static void segments_and_places_are_counted_apart(void **state)
{
	struct near *n = near_new();

	(void)state;
	assert_int_equal(asked(n, one, 0, 3), 0);
	assert_int_equal(asked(n, other, 0, 3), 0);
	assert_int_equal(asked(n, one, NEAR_SIZE, 3), 0);
	assert_int_equal(asked(n, one, 0, 1), 1);
	assert_int_equal(asked(n, other, UINT64_MAX - 5000, 3), 0);	/* no overflow */
	near_free(n);
}

static void what_could_not_be_asked_is_said_again_by_the_next_read(void **state)
{
	struct near *n = near_new();

	(void)state;
	near_again(n, one, 0);		/* nobody was there */
	assert_int_equal(asked(n, one, 0, 3), 0);
	near_again(n, one, 0);		/* no crowd yet, and none comes of it */
	assert_int_equal(asked(n, one, 0, 1), 1);
	for (unsigned i = 0; i < 5; i++) {
		near_again(n, one, NEAR_SIZE - 1);
		near_again(n, other, 0);	/* another segment's: not ours */
		assert_int_equal(asked(n, one, 0, 100), 1);
	}
	near_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_or_two_are_no_crowd),
		cmocka_unit_test(a_crowd_has_its_place_read_once),
		cmocka_unit_test(segments_and_places_are_counted_apart),
		cmocka_unit_test(what_could_not_be_asked_is_said_again_by_the_next_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The small tables of the mount: cursors, recent nodes, streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fs/mount/ahead.h"
#include "fs/mount/cursors.h"
#include "fs/mount/recent.h"

static void put(struct cursors *c, uint64_t ino, uint64_t count)
{
	struct cursor at = { .ino = ino, .count = count };

	at.name_size = (uint16_t)snprintf(at.name, sizeof at.name, "n%llu",
					  (unsigned long long)count);
	cursors_put(c, &at);
}

static void a_listing_goes_on_from_the_nearest_place_before(void **state)
{
	struct cursors *c = cursors_new();
	struct cursor at;

	(void)state;
	put(c, 5, 100);
	put(c, 5, 200);
	put(c, 6, 150);
	cursors_get(c, 5, 200, &at);
	assert_int_equal(at.count, 200);
	assert_string_equal(at.name, "n200");
	cursors_get(c, 5, 199, &at);
	assert_int_equal(at.count, 100);
	cursors_get(c, 5, 99, &at);
	assert_int_equal(at.count, 0);
	cursors_get(c, 7, 1000, &at);
	assert_int_equal(at.count, 0);
	cursors_free(c);
}

static void forgotten_cursors_only_cost_skipping(void **state)
{
	struct cursors *c = cursors_new();
	struct cursor at;

	(void)state;
	for (uint64_t n = 1; n <= 10000; n++)
		put(c, 5, n);
	for (uint64_t n = 1; n <= 10000; n += 7) {
		cursors_get(c, 5, n, &at);
		assert_true(at.count <= n);
	}
	cursors_get(c, 5, 10000, &at);
	assert_int_equal(at.count, 10000);
	cursors_free(c);
}

/* Every second name goes; who stood behind one goes on behind the one before it. */
static void even_names_go(void *arg, struct cursor *at)
{
	uint64_t n = strtoull(at->name + 1, NULL, 10);

	(void)arg;
	at->name_size = 0;
	if (n > 1)
		at->name_size = (uint16_t)snprintf(at->name, sizeof at->name, "n%llu",
						   (unsigned long long)((n - 1) | 1));
}

static void numbers_of_another_generation_are_not_mixed(void **state)
{
	struct cursors *c = cursors_new();
	struct cursor at;

	(void)state;
	put(c, 5, 4);
	put(c, 5, 10);
	cursors_renew(c, even_names_go, NULL);
	uint64_t first = cursors_first(c);
	assert_int_equal(first, UINT64_C(1) << CURSORS_GENERATION);
	cursors_get(c, 5, first + 100, &at);	/* of now: none yet */
	assert_int_equal(at.count, first);
	assert_int_equal(at.name_size, 0);
	cursors_get(c, 5, 10, &at);		/* of before: mended */
	assert_int_equal(at.count, 10);
	assert_string_equal(at.name, "n9");
	put(c, 5, first + 10);
	cursors_get(c, 5, 12, &at);
	assert_int_equal(at.count, 10);
	cursors_get(c, 5, first + 12, &at);
	assert_int_equal(at.count, first + 10);
	cursors_free(c);
}

static void numbers_stay_good_where_nothing_went(void **state)
{
	const uint64_t one = UINT64_C(1) << CURSORS_GENERATION;
	struct cursors *c = cursors_new();

	(void)state;
	cursors_renew(c, even_names_go, NULL);
	assert_int_equal(cursors_now(c, 8, 10), 10);	/* nobody knows yet */
	for (int64_t directory = 300; directory > 6; directory -= 3)
		cursors_note_lost(c, directory);
	cursors_note_lost(c, 9);
	cursors_settle(c);
	assert_int_equal(cursors_now(c, 8, 10), one + 10);
	assert_int_equal(cursors_now(c, 9, 10), 10);
	assert_int_equal(cursors_now(c, 300, 10), 10);
	assert_int_equal(cursors_now(c, 9, one + 10), one + 10);

	cursors_renew(c, even_names_go, NULL);
	assert_int_equal(cursors_now(c, 8, one + 10), one + 10);
	cursors_note_lost(c, 8);
	cursors_settle(c);
	assert_int_equal(cursors_now(c, 8, 10), 10);
	assert_int_equal(cursors_now(c, 8, one + 10), one + 10);
	assert_int_equal(cursors_now(c, 9, 10), 10);	/* lost in the one before */
	assert_int_equal(cursors_now(c, 9, one + 10), 2 * one + 10);
	assert_int_equal(cursors_now(c, 7, 10), 2 * one + 10);

	cursors_renew(c, even_names_go, NULL);	/* of which all is never said */
	cursors_renew(c, even_names_go, NULL);
	cursors_settle(c);
	assert_int_equal(cursors_now(c, 7, 2 * one + 10), 2 * one + 10);
	assert_int_equal(cursors_now(c, 7, 4 * one + 10), 4 * one + 10);
	cursors_free(c);
}

static void a_directory_too_many_makes_all_numbers_void(void **state)
{
	const uint64_t one = UINT64_C(1) << CURSORS_GENERATION;
	struct cursors *c = cursors_new();

	(void)state;
	cursors_renew(c, even_names_go, NULL);
	for (int64_t directory = 1; directory <= CURSORS_LOST_MAX + 1; directory++)
		cursors_note_lost(c, directory);
	cursors_settle(c);
	assert_int_equal(cursors_now(c, CURSORS_LOST_MAX + 5, 10), 10);
	assert_int_equal(cursors_now(c, 1, 10), 10);
	cursors_renew(c, even_names_go, NULL);
	cursors_settle(c);
	assert_int_equal(cursors_now(c, 1, one + 10), one + 10);	/* one more than need be */
	cursors_renew(c, even_names_go, NULL);
	cursors_settle(c);
	assert_int_equal(cursors_now(c, 1, 2 * one + 10), 3 * one + 10);
	cursors_free(c);
}

static void a_recent_node_is_itself_or_not_there(void **state)
{
	struct recent *r = recent_new();
	struct recent_node n;
	unsigned found = 0;

	(void)state;
	for (uint64_t ino = 1; ino <= 20000; ino++)
		recent_put(r, &(struct recent_node){ .ino = ino, .size = ino * 3 });
	for (uint64_t ino = 1; ino <= 20000; ino++) {
		if (!recent_get(r, ino, &n))
			continue;
		found++;
		assert_int_equal(n.ino, ino);
		assert_int_equal(n.size, ino * 3);
	}
	assert_true(found > 1000);
	recent_put(r, &(struct recent_node){ .ino = 20000, .size = 1 });
	assert_true(recent_get(r, 20000, &n));
	assert_int_equal(n.size, 1);
	recent_clear(r);
	assert_false(recent_get(r, 20000, &n));
	recent_free(r);
}

#define KIB UINT64_C(1024)

static void a_file_read_from_the_front_is_fetched_ahead_once(void **state)
{
	struct ahead *a = ahead_new(4096 * KIB);
	uint64_t fetched = 0, size = 64 * 1024 * KIB;

	(void)state;
	for (uint64_t at = 0; at < size; at += 128 * KIB) {
		struct ahead_advice n = ahead_note(a, 9, size, at, 128 * KIB);
		assert_true(n.goes_on);
		if (n.size == 0)
			continue;
		assert_true(n.from >= fetched);	/* never the same twice */
		assert_true(n.from + n.size <= size);
		fetched = n.from + n.size;
	}
	assert_true(fetched == size);
	ahead_free(a);
}

static void random_reads_fetch_nothing_ahead(void **state)
{
	struct ahead *a = ahead_new(4096 * KIB);
	uint64_t at = 12345;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		at = at * 6364136223846793005u + 1442695040888963407u;
		struct ahead_advice n = ahead_note(a, 9, UINT64_C(1) << 40,
						   (at >> 24) % (UINT64_C(1) << 40),
						   i % 2 ? 4096 : 128 * KIB);
		assert_false(n.goes_on);
		assert_int_equal(n.size, 0);
	}
	ahead_free(a);
}

static void no_readahead_means_none(void **state)
{
	struct ahead *a = ahead_new(0);

	(void)state;
	for (uint64_t at = 0; at < 1024 * KIB; at += 128 * KIB)
		assert_int_equal(ahead_note(a, 9, 1024 * KIB, at, 128 * KIB).size, 0);
	ahead_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listing_goes_on_from_the_nearest_place_before),
		cmocka_unit_test(forgotten_cursors_only_cost_skipping),
		cmocka_unit_test(numbers_of_another_generation_are_not_mixed),
		cmocka_unit_test(numbers_stay_good_where_nothing_went),
		cmocka_unit_test(a_directory_too_many_makes_all_numbers_void),
		cmocka_unit_test(a_recent_node_is_itself_or_not_there),
		cmocka_unit_test(a_file_read_from_the_front_is_fetched_ahead_once),
		cmocka_unit_test(random_reads_fetch_nothing_ahead),
		cmocka_unit_test(no_readahead_means_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* munifs is a program: its parts are in no library.  Each file has a table of its
 * own shape under the same names. */
#include "fs/mount/ahead.c"
#define set_of set_of_cursors
#include "fs/mount/cursors.c"
#undef set_of
#undef SETS
#undef WAYS
#include "fs/mount/recent.c"

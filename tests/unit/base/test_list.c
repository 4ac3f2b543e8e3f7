/* Lists that grow: what they hold stays, and what cannot be had changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "fs/base/list.h"

/* A sanitizer says NULL then, as malloc() does. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void what_a_list_holds_stays_as_it_grows(void **state)
{
	size_t count = 0, room = 0, grown = 0, before;
	uint32_t *list = NULL;

	(void)state;
	while (count < 1000) {
		before = room;
		assert_true(list_room(&list, count, &room, sizeof *list));
		assert_true(room > count);
		grown += room != before;
		list[count] = (uint32_t)count * 7919;
		count++;
	}
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i], (uint32_t)i * 7919);
	/* By doubling: a thousand entries are no thousand copies. */
	assert_true(grown <= 10);
	free(list);
}

static void room_that_is_there_is_not_made_again(void **state)
{
	size_t room = 0;
	char *list = NULL, *first;

	(void)state;
	assert_true(list_room(&list, 0, &room, 1));
	first = list;
	assert_true(list_room(&list, room - 1, &room, 1));
	assert_ptr_equal(list, first);
	free(list);
}

static void a_list_that_cannot_grow_is_as_it_was(void **state)
{
	size_t room = SIZE_MAX / 4, was = room;
	char *list = malloc(1), *first = list;

	(void)state;
	assert_non_null(list);
	assert_false(list_room(&list, room, &room, 64));
	assert_ptr_equal(list, first);
	assert_int_equal(room, was);
	free(list);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_list_holds_stays_as_it_grows),
		cmocka_unit_test(room_that_is_there_is_not_made_again),
		cmocka_unit_test(a_list_that_cannot_grow_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

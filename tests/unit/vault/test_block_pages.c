#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fs/vault/block_pages.h"

#define MANY 1000u	/* of several slabs */
#define ROUNDS 2000u

static const uint8_t zeros[BLOCK_PAGE];

static void pages_that_are_out_do_not_overlap(void **state)
{
	struct block_pages *p = block_pages_new();
	uint8_t *page[MANY];

	(void)state;
	assert_int_equal(block_pages_take(p, MANY, page), 0);
	for (unsigned i = 0; i < MANY; i++)
		memset(page[i], (int)(i % 251), BLOCK_PAGE);
	for (unsigned i = 0; i < MANY; i++)
		for (unsigned at = 0; at < BLOCK_PAGE; at++)
			assert_int_equal(page[i][at], i % 251);
	block_pages_give(p, page, MANY);
	block_pages_free(p);
}

static void what_was_given_back_is_handed_out_before_anything_else(void **state)
{
	struct block_pages *p = block_pages_new();
	uint8_t *first[MANY], *second[MANY];

	(void)state;
	assert_int_equal(block_pages_take(p, MANY, first), 0);
	block_pages_give(p, first + 300, 11);
	assert_int_equal(block_pages_take(p, 11, second), 0);
	assert_memory_equal(first + 300, second, 11 * sizeof *first);	/* side by side, too */
	block_pages_give(p, second, 11);
	block_pages_give(p, first, 300);
	assert_int_equal(block_pages_take(p, 311, second), 0);
	block_pages_give(p, second, 311);
	block_pages_give(p, first + 311, MANY - 311);
	block_pages_free(p);
}

static void what_is_wiped_are_zeros_and_what_is_out_stays(void **state)
{
	struct block_pages *p = block_pages_new();
	uint8_t *page[MANY], *again[MANY];

	(void)state;
	assert_int_equal(block_pages_take(p, MANY, page), 0);
	for (unsigned i = 0; i < MANY; i++)
		memset(page[i], 0x5a, BLOCK_PAGE);
	block_pages_give(p, page, MANY - 1);
	assert_int_equal(page[0][100], 0x5a);	/* P1: or the next assertion says nothing */
	block_pages_shrink(p, 10 * BLOCK_PAGE);
	for (unsigned i = 0; i < 10; i++)	/* those that would have been next */
		assert_memory_equal(page[i], zeros, BLOCK_PAGE);
	assert_int_equal(page[10][100], 0x5a);
	block_pages_wipe(p);
	for (unsigned i = 0; i < MANY - 1; i++)
		assert_memory_equal(page[i], zeros, BLOCK_PAGE);
	assert_int_equal(page[MANY - 1][BLOCK_PAGE - 1], 0x5a);
	block_pages_give(p, page + MANY - 1, 1);
	block_pages_wipe(p);			/* now that none is out */
	assert_memory_equal(page[MANY - 1], zeros, BLOCK_PAGE);
	assert_int_equal(block_pages_take(p, MANY, again), 0);
	for (unsigned i = 0; i < MANY; i++)
		assert_memory_equal(again[i], zeros, BLOCK_PAGE);
	block_pages_give(p, again, MANY);
	block_pages_free(p);
}

static bool is_left_out_of_dumps(const void *at)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	bool is_there = false, is_marked = false;
	unsigned long begin, end;
	char line[512];

	assert_non_null(maps);
	while (!is_marked && fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			is_there = begin <= (uintptr_t)at && (uintptr_t)at < end;
		else if (is_there && strncmp(line, "VmFlags:", 8) == 0)
			is_marked = strstr(line, " dd") != NULL;
	}
	fclose(maps);
	return is_marked;
}

static void no_dump_has_them(void **state)
{
	struct block_pages *p = block_pages_new();
	uint8_t *page[MANY];

	(void)state;
	assert_int_equal(block_pages_take(p, MANY, page), 0);
	assert_true(is_left_out_of_dumps(page[0]));
	assert_true(is_left_out_of_dumps(page[MANY - 1]));
	block_pages_give(p, page, MANY);
	block_pages_free(p);
}

struct worker {
	struct block_pages *pages;
	uint8_t mark;
	bool is_right;
};

static void *take_and_give(void *arg)
{
	struct worker *w = arg;
	uint8_t *page[16];

	w->is_right = true;
	for (unsigned i = 0; i < ROUNDS && w->is_right; i++) {
		unsigned n = 1 + (i * w->mark) % 16;
		w->is_right = block_pages_take(w->pages, n, page) == 0;
		if (!w->is_right)
			break;
		for (unsigned k = 0; k < n; k++)
			memset(page[k], w->mark, BLOCK_PAGE);
		for (unsigned k = 0; k < n; k++)
			w->is_right = w->is_right && page[k][i % BLOCK_PAGE] == w->mark;
		block_pages_give(w->pages, page, n);
		if (i % 97 == 0)
			block_pages_wipe(w->pages);
	}
	return NULL;
}

static void threads_have_theirs_apart(void **state)
{
	struct block_pages *p = block_pages_new();
	struct worker w[4];
	pthread_t thread[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		w[i] = (struct worker){ p, (uint8_t)(3 * i + 1), false };
		assert_int_equal(pthread_create(&thread[i], NULL, take_and_give, &w[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		assert_true(w[i].is_right);
	}
	block_pages_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_that_are_out_do_not_overlap),
		cmocka_unit_test(what_was_given_back_is_handed_out_before_anything_else),
		cmocka_unit_test(what_is_wiped_are_zeros_and_what_is_out_stays),
		cmocka_unit_test(no_dump_has_them),
		cmocka_unit_test(threads_have_theirs_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

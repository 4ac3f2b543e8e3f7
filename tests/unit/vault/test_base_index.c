#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "fs/vault/base_index.h"

struct fixture {
	struct base_index *index;
	struct base_votes *votes;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	*state = f;
	if (!f)
		return -1;
	f->index = base_index_new();
	f->votes = base_votes_new();
	return f->index && f->votes ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	base_index_free(f->index);
	base_votes_free(f->votes);
	free(f);
	return 0;
}

/* Features first, first + 1, ... */
static int add(struct fixture *f, int64_t block, int64_t class_id, unsigned depth,
	       uint32_t first, unsigned count)
{
	struct sketch s = { .class_id = class_id, .depth = (uint8_t)depth,
			    .count = (uint8_t)count };

	for (unsigned i = 0; i < count; i++)
		s.features[i] = first + i;
	return base_index_add(f->index, block, &s);
}

static struct base_choice choose(struct fixture *f, int64_t class_id, unsigned depth_max,
				 uint32_t first, unsigned count)
{
	uint32_t features[64];
	struct base_choice c;

	for (unsigned i = 0; i < count; i++)
		features[i] = first + i;
	base_index_choose(f->index, f->votes, class_id, depth_max, features, count, NULL, &c);
	return c;
}

static void the_most_alike_comes_first(void **state)
{
	struct fixture *f = *state;

	add(f, 30, 1, 0, 100, 10);
	add(f, 20, 1, 0, 105, 20);
	add(f, 10, 1, 0, 500, 20);
	struct base_choice c = choose(f, 1, 1, 100, 25);
	assert_int_equal(c.count, 2);
	assert_int_equal(c.blocks[0], 20);
	assert_int_equal(c.votes[0], 20);
	assert_int_equal(c.blocks[1], 30);
	assert_int_equal(c.votes[1], 5);
	assert_int_equal(c.depth, 1);
}

static void the_second_is_chosen_by_what_the_first_lacks(void **state)
{
	struct fixture *f = *state;

	add(f, 30, 1, 0, 100, 20);
	add(f, 29, 1, 0, 100, 19);	/* as good, and of no more use */
	add(f, 28, 1, 0, 120, 3);
	struct base_choice c = choose(f, 1, 1, 100, 30);
	assert_int_equal(c.blocks[0], 30);
	assert_int_equal(c.blocks[1], 28);
	assert_int_equal(c.votes[1], 3);
}

static void of_equals_the_newest_wins(void **state)
{
	struct fixture *f = *state;

	add(f, 50, 1, 0, 100, 8);
	add(f, 40, 1, 0, 100, 8);
	struct base_choice c = choose(f, 1, 1, 100, 8);
	assert_int_equal(c.count, 1);
	assert_int_equal(c.blocks[0], 50);
}

static void another_class_is_no_base(void **state)
{
	struct fixture *f = *state;

	add(f, 50, 2, 0, 100, 30);
	add(f, 40, 1, 0, 100, 3);
	struct base_choice c = choose(f, 1, 1, 100, 30);
	assert_int_equal(c.count, 1);
	assert_int_equal(c.blocks[0], 40);
	assert_int_equal(choose(f, 3, 1, 100, 30).count, 0);
}

static void depth_is_bounded(void **state)
{
	struct fixture *f = *state;

	add(f, 50, 1, 3, 100, 30);
	add(f, 40, 1, 1, 100, 20);
	add(f, 30, 1, 0, 100, 10);
	assert_int_equal(choose(f, 1, 1, 100, 30).blocks[0], 30);
	assert_int_equal(choose(f, 1, 2, 100, 30).blocks[0], 40);
	assert_int_equal(choose(f, 1, 2, 100, 30).depth, 2);
	assert_int_equal(choose(f, 1, 4, 100, 30).blocks[0], 50);
	assert_int_equal(choose(f, 1, 4, 100, 30).depth, 4);
}

static bool is_even(void *arg, int64_t block, unsigned votes)
{
	unsigned *asked = arg;

	assert_true(votes >= 2);
	(*asked)++;
	return block % 2 == 0;
}

static void who_is_refused_makes_way_for_the_next(void **state)
{
	struct fixture *f = *state;
	unsigned asked = 0;
	const struct base_judge judge = { is_even, &asked };
	uint32_t features[30];
	struct base_choice c;

	add(f, 51, 1, 3, 100, 20);
	add(f, 40, 1, 1, 100, 12);
	add(f, 31, 1, 0, 112, 12);
	add(f, 20, 1, 0, 112, 8);
	for (uint32_t i = 0; i < 30; i++)
		features[i] = 100 + i;
	base_index_choose(f->index, f->votes, 1, 4, features, 30, &judge, &c);
	assert_int_equal(c.count, 2);
	assert_int_equal(c.blocks[0], 40);
	assert_int_equal(c.votes[0], 12);
	assert_int_equal(c.blocks[1], 20);
	assert_int_equal(c.votes[1], 8);
	assert_int_equal(c.depth, 2);
	assert_true(asked >= 4);
	base_index_choose(f->index, f->votes, 1, 4, features + 20, 10, &judge, &c);
	assert_int_equal(c.count, 0);
}

static void one_vote_is_chance(void **state)
{
	struct fixture *f = *state;

	add(f, 50, 1, 0, 100, 1);
	assert_int_equal(choose(f, 1, 1, 100, 30).count, 0);
	assert_int_equal(choose(f, 1, 1, 500, 30).count, 0);
}

/* A licence's lines stand in every block: they may not hide what is alike. */
static void what_many_have_says_little(void **state)
{
	struct fixture *f = *state;

	for (int64_t block = 1000; block > 900; block--)
		assert_int_equal(add(f, block, 1, 0, 100, 4), 0);
	add(f, 800, 1, 0, 200, 6);
	struct base_choice c = choose(f, 1, 1, 100, 4);
	assert_int_equal(c.blocks[0], 1000);
	uint32_t features[10] = { 100, 101, 102, 103, 200, 201, 202, 203, 204, 205 };
	base_index_choose(f->index, f->votes, 1, 1, features, 10, NULL, &c);
	assert_int_equal(c.blocks[0], 800);
}

static void it_answers_the_same_however_large_it_grew(void **state)
{
	struct fixture *f = *state;
	const int64_t count = 20000;

	for (int64_t i = 0; i < count; i++)
		assert_int_equal(add(f, count - i, 1, 0, (uint32_t)i * 1000, 16), 0);
	assert_int_equal(base_index_count(f->index), count);
	for (int64_t i = 0; i < count; i += 37) {
		struct base_choice c = choose(f, 1, 1, (uint32_t)i * 1000, 16);

		assert_int_equal(c.count, 1);
		assert_int_equal(c.blocks[0], count - i);
		assert_int_equal(c.votes[0], 16);
	}
}

static void its_memory_is_bounded(void **state)
{
	struct fixture *f = *state;
	int rc = 0;
	int64_t block;

	for (block = 1 << 20; block > 0 && rc == 0; block--)
		rc = add(f, block, 1, 0, (uint32_t)block * 64, 32);
	assert_int_equal(rc, 1);
	/* At least what 98,000 blocks of 64 KiB have. */
	assert_true(base_index_count(f->index) >= 98000);
	assert_int_equal(choose(f, 1, 1, (1u << 20) * 64, 32).votes[0], 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(the_most_alike_comes_first),
		TEST(the_second_is_chosen_by_what_the_first_lacks),
		TEST(of_equals_the_newest_wins),
		TEST(another_class_is_no_base),
		TEST(depth_is_bounded),
		TEST(who_is_refused_makes_way_for_the_next),
		TEST(one_vote_is_chance),
		TEST(what_many_have_says_little),
		TEST(it_answers_the_same_however_large_it_grew),
		TEST(its_memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

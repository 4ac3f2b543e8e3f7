#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/base/rs.h"

struct shards {
	unsigned count;
	size_t size;
	uint8_t *now[255], *was[255];
};

static void shards_make(struct shards *s, const struct rs *rs, unsigned data,
			unsigned parity, size_t size)
{
	uint32_t seed = 1;

	s->count = data + parity;
	s->size = size;
	for (unsigned i = 0; i < s->count; i++) {
		s->now[i] = calloc(1, size + 1);
		s->was[i] = calloc(1, size + 1);
		for (size_t j = 0; i < data && j < size; j++) {
			seed = seed * 1664525 + 1013904223;
			s->now[i][j] = (uint8_t)(seed >> 24);
		}
	}
	rs_encode(rs, (const uint8_t *const *)s->now, s->now + data, size);
	for (unsigned i = 0; i < s->count; i++)
		memcpy(s->was[i], s->now[i], size);
}

static void shards_free(struct shards *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		free(s->now[i]);
		free(s->was[i]);
	}
}

static void lose(struct shards *s, bool *is_missing, unsigned i)
{
	is_missing[i] = true;
	memset(s->now[i], 0xee, s->size);
}

static void assert_whole(const struct shards *s)
{
	for (unsigned i = 0; i < s->count; i++)
		assert_memory_equal(s->now[i], s->was[i], s->size);
}

/* Every set of at most three of eight. */
static void any_loss_up_to_the_parity_count_comes_back(void **state)
{
	struct err e = ERR_NONE;
	struct rs *rs = NULL;
	struct shards s;

	(void)state;
	assert_int_equal(rs_new(5, 3, &rs, &e), 0);
	shards_make(&s, rs, 5, 3, 1003);
	for (unsigned set = 0; set < 256; set++) {
		bool is_missing[8] = { false };

		if (__builtin_popcount(set) > 3)
			continue;
		for (unsigned i = 0; i < 8; i++)
			if (set >> i & 1)
				lose(&s, is_missing, i);
		assert_int_equal(rs_rebuild(rs, s.now, is_missing, s.size, &e), 0);
		assert_whole(&s);
	}
	shards_free(&s);
	rs_free(rs);
}

static void one_loss_more_is_damage_and_touches_nothing(void **state)
{
	bool is_missing[8] = { true, true, false, false, true, false, true, false };
	struct err e = ERR_NONE;
	struct rs *rs = NULL;
	struct shards s;

	(void)state;
	assert_int_equal(rs_new(5, 3, &rs, &e), 0);
	shards_make(&s, rs, 5, 3, 64);
	assert_int_equal(rs_rebuild(rs, s.now, is_missing, s.size, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_whole(&s);
	shards_free(&s);
	rs_free(rs);
}

static void every_size_works_from_one_byte_to_more_than_a_piece(void **state)
{
	static const size_t sizes[] = { 1, 7, 31, 33, 65, 4095, (1 << 20) - 1, (1 << 20) + 5 };
	struct err e = ERR_NONE;
	struct rs *rs = NULL;

	(void)state;
	assert_int_equal(rs_new(3, 2, &rs, &e), 0);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		bool is_missing[5] = { false };
		struct shards s;

		shards_make(&s, rs, 3, 2, sizes[i]);
		lose(&s, is_missing, 1);
		lose(&s, is_missing, 4);
		assert_int_equal(rs_rebuild(rs, s.now, is_missing, s.size, &e), 0);
		assert_whole(&s);
		shards_free(&s);
	}
	rs_free(rs);
}

static void the_widest_code_works(void **state)
{
	bool is_missing[255] = { false };
	struct err e = ERR_NONE;
	struct rs *rs = NULL;
	struct shards s;

	(void)state;
	assert_int_equal(rs_new(223, 32, &rs, &e), 0);
	shards_make(&s, rs, 223, 32, 100);
	for (unsigned i = 0; i < 32; i++)
		lose(&s, is_missing, i * 7);
	assert_int_equal(rs_rebuild(rs, s.now, is_missing, s.size, &e), 0);
	assert_whole(&s);
	shards_free(&s);
	rs_free(rs);
}

static void impossible_strengths_are_refused(void **state)
{
	static const unsigned bad[][2] = { { 0, 1 }, { 1, 0 }, { 254, 2 }, { 256, 1 },
		{ 0xffffffffu, 2 } };
	struct err e = ERR_NONE;
	struct rs *rs;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(rs_new(bad[i][0], bad[i][1], &rs, &e), -1);
		assert_int_equal(e.code, MUNI_LIMIT);
		assert_null(rs);
	}
}

static void shards_added_one_by_one_give_the_same_parity(void **state)
{
	struct err e = ERR_NONE;
	struct shards s;
	struct rs *rs;

	(void)state;
	assert_int_equal(rs_new(5, 3, &rs, &e), 0);
	shards_make(&s, rs, 5, 3, 3 * 1024 * 1024 / 2 + 7);
	for (unsigned j = 5; j < 8; j++)
		memset(s.now[j], 0, s.size);
	for (unsigned i = 5; i-- > 0;)
		rs_update(rs, i, s.now[i], s.now + 5, s.size);
	assert_whole(&s);
	shards_free(&s);
	rs_free(rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shards_added_one_by_one_give_the_same_parity),
		cmocka_unit_test(any_loss_up_to_the_parity_count_comes_back),
		cmocka_unit_test(one_loss_more_is_damage_and_touches_nothing),
		cmocka_unit_test(every_size_works_from_one_byte_to_more_than_a_piece),
		cmocka_unit_test(the_widest_code_works),
		cmocka_unit_test(impossible_strengths_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

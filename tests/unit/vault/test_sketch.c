#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/vault/sketch.h"

#define SIZE (64u * 1024)

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Rows of a dump: they begin alike. */
static void fill_rows(uint8_t *data, size_t size, uint64_t seed)
{
	size_t at = 0;

	while (at < size) {
		char row[160];
		int n = snprintf(row, sizeof row, "INSERT INTO lines VALUES (%llu,'%016llx',%llu);\n",
				 (unsigned long long)(next(&seed) % 1000000),
				 (unsigned long long)next(&seed),
				 (unsigned long long)(next(&seed) % 97));
		size_t part = (size_t)n < size - at ? (size_t)n : size - at;

		memcpy(data + at, row, part);
		at += part;
	}
}

static void fill_noise(uint8_t *data, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i++) {
		data[i] = (uint8_t)next(&seed);
		if (data[i] == '\n')
			data[i] = 'n';
	}
}

struct fixture {
	uint8_t data[SIZE], other[SIZE];
	uint32_t a[SKETCH_FEATURES_MAX], b[SKETCH_FEATURES_MAX];
	struct sketch kept;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static size_t common(const struct sketch *s, const uint32_t *features, size_t count)
{
	size_t hits = 0;

	for (unsigned i = 0; i < s->count; i++)
		for (size_t k = 0; k < count; k++)
			if (features[k] == s->features[i]) {
				hits++;
				break;
			}
	return hits;
}

static size_t keep(struct fixture *f, const uint8_t *data, size_t size)
{
	size_t count = sketch_features(data, size, false, f->a);

	sketch_keep(f->a, count, size, &f->kept);
	return count;
}

static void rows_that_moved_keep_their_features(void **state)
{
	struct fixture *f = *state;

	fill_rows(f->data, SIZE, 7);
	keep(f, f->data, SIZE);
	assert_int_equal(f->kept.count, 32);
	/* Other rows before, so that a part of the old ones is pushed out. */
	fill_rows(f->other, SIZE, 8);
	memcpy(f->other + SIZE / 4 + 3, f->data, SIZE - SIZE / 4 - 3);
	size_t count = sketch_features(f->other, SIZE, true, f->b);
	assert_true(common(&f->kept, f->b, count) >= 16);
}

static void rows_that_only_begin_alike_have_nothing_in_common(void **state)
{
	struct fixture *f = *state;

	fill_rows(f->data, SIZE, 7);
	keep(f, f->data, SIZE);
	fill_rows(f->other, SIZE, 8);
	size_t count = sketch_features(f->other, SIZE, true, f->b);
	assert_true(count > 100);
	assert_int_equal(common(&f->kept, f->b, count), 0);
}

static void bytes_without_lines_have_features_too(void **state)
{
	struct fixture *f = *state;

	fill_noise(f->data, SIZE, 7);
	keep(f, f->data, SIZE);
	assert_int_equal(f->kept.count, 32);
	fill_noise(f->other, SIZE, 8);
	memcpy(f->other + 1001, f->data, SIZE - 1001);
	size_t count = sketch_features(f->other, SIZE, true, f->b);
	assert_true(common(&f->kept, f->b, count) >= 28);
}

static void what_is_kept_is_apart_ascending_and_the_lowest(void **state)
{
	struct fixture *f = *state;

	fill_rows(f->data, SIZE, 9);
	memcpy(f->data + SIZE / 2, f->data, SIZE / 2);	/* each row twice */
	size_t count = keep(f, f->data, SIZE);
	size_t apart;

	assert_true(count > 64);
	apart = sketch_apart(f->a, count);
	assert_true(apart < count);
	assert_int_equal(f->kept.count, 32);
	for (unsigned i = 0; i < f->kept.count; i++)
		assert_int_equal(f->kept.features[i], f->a[i]);
}

static void one_byte_over_and_over_is_one_feature_at_most(void **state)
{
	struct fixture *f = *state;

	for (unsigned byte = 0; byte < 256; byte++) {
		memset(f->data, (int)byte, SIZE);
		keep(f, f->data, SIZE);
		assert_true(f->kept.count <= 1);
	}
}

static void every_size_is_taken(void **state)
{
	struct fixture *f = *state;

	fill_rows(f->data, SIZE, 3);
	for (size_t size = 1; size < 300; size++) {
		/* At the very end of an allocation: a sanitizer sees one byte too far. */
		uint8_t *exact = malloc(size);

		assert_non_null(exact);
		memcpy(exact, f->data, size);
		size_t count = sketch_features(exact, size, size % 2, f->a);
		assert_true(count <= size);
		sketch_keep(f->a, count, size, &f->kept);
		assert_true(f->kept.count <= 4);
		free(exact);
	}
}

/* Sketches are stored: F1. */
static void features_are_what_they_always_were(void **state)
{
	struct fixture *f = *state;
	static const uint32_t lines[4] = { 0x022cab05, 0x0279ad19, 0x0479f46f, 0x05869648 };
	static const uint32_t noise[4] = { 0x07bb7977, 0x0911d6b9, 0x09c8a73f, 0x0a719b38 };

	fill_rows(f->data, SIZE, 1);
	keep(f, f->data, SIZE);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(f->kept.features[i], lines[i]);
	fill_noise(f->data, SIZE, 1);
	keep(f, f->data, SIZE);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(f->kept.features[i], noise[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(rows_that_moved_keep_their_features),
		TEST(rows_that_only_begin_alike_have_nothing_in_common),
		TEST(bytes_without_lines_have_features_too),
		TEST(what_is_kept_is_apart_ascending_and_the_lowest),
		TEST(one_byte_over_and_over_is_one_feature_at_most),
		TEST(every_size_is_taken),
		TEST(features_are_what_they_always_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

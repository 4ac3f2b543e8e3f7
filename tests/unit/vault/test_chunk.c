#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/chunk.h"

#define DATA_SIZE (4u * 1024 * 1024)
#define BLOCK (128u * 1024)

/* xorshift64: the same bytes on every machine. */
static void fill(uint8_t *data, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		data[i] = (uint8_t)seed;
	}
}

static struct chunker chunker_of(uint8_t first)
{
	uint8_t key[32] = { first };
	struct err e = ERR_NONE;
	struct chunker c;

	assert_int_equal(chunker_init(&c, key, BLOCK, &e), 0);
	return c;
}

static size_t cut_all(const struct chunker *c, const uint8_t *data, size_t size, size_t *ends,
		      size_t room)
{
	size_t count = 0, at = 0;

	while (at < size) {
		at += chunker_cut(c, data + at, size - at);
		assert_true(count < room);
		ends[count++] = at;
	}
	return count;
}

static void chunks_keep_to_their_sizes(void **state)
{
	struct chunker c = chunker_of(1);
	uint8_t *data = malloc(DATA_SIZE);
	size_t ends[512], count, before = 0;

	(void)state;
	fill(data, DATA_SIZE, 7);
	count = cut_all(&c, data, DATA_SIZE, ends, 512);
	for (size_t i = 0; i < count; i++) {
		size_t size = ends[i] - before;

		assert_true(size <= c.max);
		if (i + 1 < count)
			assert_true(size > c.min);
		before = ends[i];
	}
	assert_int_equal(ends[count - 1], DATA_SIZE);
	/* Within a third of the average that was asked for. */
	assert_in_range(DATA_SIZE / count, c.average * 2 / 3, c.average * 4 / 3);
	free(data);
}

static void a_run_without_structure_is_cut_at_the_maximum(void **state)
{
	struct chunker c = chunker_of(1);
	uint8_t *data = calloc(1, DATA_SIZE);

	(void)state;
	assert_int_equal(chunker_cut(&c, data, DATA_SIZE), c.max);
	assert_int_equal(chunker_cut(&c, data, c.min), c.min);
	assert_int_equal(chunker_cut(&c, data, 1), 1);
	free(data);
}

static void an_insertion_changes_only_the_chunks_around_it(void **state)
{
	struct chunker c = chunker_of(1);
	uint8_t *data = malloc(DATA_SIZE + 100);
	size_t before[512], after[512], count, same = 0;
	size_t place = DATA_SIZE / 2;

	(void)state;
	fill(data, DATA_SIZE, 7);
	count = cut_all(&c, data, DATA_SIZE, before, 512);
	memmove(data + place + 100, data + place, DATA_SIZE - place);
	memset(data + place, 'x', 100);
	size_t count_after = cut_all(&c, data, DATA_SIZE + 100, after, 512);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count_after; k++)
			same += before[i] + (before[i] > place ? 100 : 0) == after[k];
	assert_true(same + 4 >= count);
	free(data);
}

/* Byte by byte, as the paper has it: archives that exist are cut there. */
static size_t plain_cut(const struct chunker *c, const uint8_t *data, size_t size)
{
	size_t end = size < c->max ? size : c->max;
	uint64_t hash = 0;

	if (size <= c->min)
		return size;
	for (size_t i = 0; i < end;) {
		hash = (hash << 1) + c->gear[data[i]];
		i++;
		if (i > c->min && (hash & (i <= c->average ? c->mask_small : c->mask_large)) == 0)
			return i;
	}
	return end;
}

static void cuts_are_where_the_hash_of_each_byte_says(void **state)
{
	uint8_t *data = malloc(DATA_SIZE);
	struct chunker c = chunker_of(3);
	struct err e = ERR_NONE;

	(void)state;
	assert_non_null(data);
	fill(data, DATA_SIZE, 77);
	/* Small blocks, so that cuts are many; lengths of every remainder by four. */
	for (uint32_t size = 4096; size <= BLOCK; size *= 2) {
		uint8_t key[32] = { (uint8_t)(size >> 12) };

		assert_int_equal(chunker_init(&c, key, size, &e), 0);
		for (size_t at = 0; at < DATA_SIZE;) {
			size_t cut = chunker_cut(&c, data + at, DATA_SIZE - at);

			assert_int_equal(cut, plain_cut(&c, data + at, DATA_SIZE - at));
			for (size_t left = c.min; left < c.min + 9; left++)
				assert_int_equal(chunker_cut(&c, data, left),
						 plain_cut(&c, data, left));
			at += cut;
		}
	}
	free(data);
}

static void another_key_cuts_elsewhere(void **state)
{
	struct chunker a = chunker_of(1), b = chunker_of(2);
	uint8_t *data = malloc(DATA_SIZE);
	size_t ends_a[512], ends_b[512], same = 0;

	(void)state;
	fill(data, DATA_SIZE, 7);
	size_t count_a = cut_all(&a, data, DATA_SIZE, ends_a, 512);
	size_t count_b = cut_all(&b, data, DATA_SIZE, ends_b, 512);

	for (size_t i = 0; i < count_a; i++)
		for (size_t k = 0; k < count_b; k++)
			same += ends_a[i] == ends_b[k];
	assert_true(same < 4);	/* the end itself, and chance */
	free(data);
}

static void a_block_size_out_of_range_is_refused(void **state)
{
	uint8_t key[32] = { 0 };
	struct err e = ERR_NONE;
	struct chunker c;

	(void)state;
	assert_int_equal(chunker_init(&c, key, 2048, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	assert_int_equal(chunker_init(&c, key, 1024 * 1024, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_keep_to_their_sizes),
		cmocka_unit_test(a_run_without_structure_is_cut_at_the_maximum),
		cmocka_unit_test(an_insertion_changes_only_the_chunks_around_it),
		cmocka_unit_test(cuts_are_where_the_hash_of_each_byte_says),
		cmocka_unit_test(another_key_cuts_elsewhere),
		cmocka_unit_test(a_block_size_out_of_range_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

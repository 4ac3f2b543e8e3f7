#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fs/vault/ingest_map.h"
#include "fs/vault/pack_map.h"

static void what_was_put_is_got_until_it_is_removed(void **state)
{
	struct map m = { 0 };

	(void)state;
	assert_int_equal(map_get(&m, 1, 2), 0);
	map_remove(&m, 1, 2);
	for (uint64_t i = 1; i <= 5000; i++)
		assert_true(map_put(&m, i, i % 7, i * 3));
	assert_int_equal(m.count, 5000);
	assert_true(map_put(&m, 9, 2, 1));	/* replaces */
	assert_int_equal(map_get(&m, 9, 2), 1);
	for (uint64_t i = 1; i <= 5000; i += 2)
		map_remove(&m, i, i % 7);
	for (uint64_t i = 1; i <= 5000; i++)
		assert_int_equal(map_get(&m, i, i % 7), i % 2 ? 0 : i * 3);
	assert_int_equal(map_get(&m, 2, 3), 0);	/* both numbers are the key */
	assert_int_equal(m.count, 2500);
	map_free(&m);
}

static void name_of(uint32_t i, uint8_t out[16])
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15u;

	memcpy(out, &x, 8);
	x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
	memcpy(out + 8, &x, 8);
}

static void the_first_to_put_a_chunk_settles_its_place(void **state)
{
	struct pack_map *m = pack_map_new(1000, 1);
	struct chunk_place p = { 7, 10, 20 }, other = { 8, 0, 20 };
	uint8_t name[16];

	(void)state;
	name_of(1, name);
	assert_false(pack_map_find(m, name, &p));
	p = (struct chunk_place){ 7, 10, 20 };
	assert_int_equal(pack_map_put(m, name, &p), PACK_MAP_NEW);
	assert_int_equal(pack_map_put(m, name, &other), PACK_MAP_THERE);
	assert_int_equal(other.block, 7);
	assert_int_equal(other.at, 10);
	assert_true(pack_map_find(m, name, &other));
	pack_map_free(m);
}

static void only_committed_chunks_are_forgotten(void **state)
{
	struct pack_map *m = pack_map_new(1000, 1);
	struct chunk_place p;
	uint8_t name[16];
	size_t kept = 0;

	(void)state;
	/* Even blocks are committed, odd ones stay in flight. */
	for (int64_t block = 2; block <= 1000; block += 2)
		assert_true(pack_map_committed(m, block));
	for (uint32_t i = 0; i < 100000; i++) {
		name_of(i, name);
		p = (struct chunk_place){ 1 + i % 1000, i, 1 };
		assert_int_equal(pack_map_put(m, name, &p), PACK_MAP_NEW);
	}
	for (uint32_t i = 0; i < 100000; i++) {
		name_of(i, name);
		bool is_there = pack_map_find(m, name, &p);

		if ((1 + i % 1000) % 2 == 1) {
			assert_true(is_there);
			assert_int_equal(p.at, i);
		} else {
			kept += is_there;
		}
	}
	assert_true(kept < 50000);	/* some went, or the map would not be bounded */
	pack_map_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_got_until_it_is_removed),
		cmocka_unit_test(the_first_to_put_a_chunk_settles_its_place),
		cmocka_unit_test(only_committed_chunks_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/crypt/unit.h"

#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/keyed_hash.h"

static struct keyed_hash *with_key(uint8_t fill)
{
	uint8_t key[KEYED_HASH_KEY_SIZE];
	struct keyed_hash *h;
	struct err e = ERR_NONE;

	memset(key, fill, sizeof key);
	assert_int_equal(keyed_hash_new(key, &h, &e), 0);
	return h;
}

/* The GCM specification's test case 13: a key of zeros, nothing to seal. */
static void nothing_has_the_published_tag(void **state)
{
	struct keyed_hash *h = with_key(0);
	struct err e = ERR_NONE;
	uint8_t out[KEYED_HASH_SIZE];

	(void)state;
	assert_int_equal(keyed_hash_of(h, NULL, 0, NULL, 0, out, &e), 0);
	assert_hex(out, 16, "530f8afbc74536b9a963b4f1c4cb738b");
	keyed_hash_free(h);
}

static void head_and_data_count_as_one_message_each_time_anew(void **state)
{
	struct keyed_hash *h = with_key(7);
	struct err e = ERR_NONE;
	uint8_t data[1000], whole[KEYED_HASH_SIZE], out[KEYED_HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7);
	assert_int_equal(keyed_hash_of(h, NULL, 0, data, sizeof data, whole, &e), 0);
	for (size_t head = 0; head <= 64; head++) {
		assert_int_equal(keyed_hash_of(h, data, head, data + head, sizeof data - head, out,
					       &e), 0);
		assert_memory_equal(out, whole, sizeof out);
	}
	keyed_hash_free(h);
}

static void another_key_bit_or_size_gives_another_hash(void **state)
{
	struct keyed_hash *h = with_key(7), *other = with_key(8);
	struct err e = ERR_NONE;
	uint8_t data[40] = { 1 }, first[KEYED_HASH_SIZE], out[KEYED_HASH_SIZE];

	(void)state;
	assert_int_equal(keyed_hash_of(h, NULL, 0, data, sizeof data, first, &e), 0);
	assert_int_equal(keyed_hash_of(other, NULL, 0, data, sizeof data, out, &e), 0);
	assert_memory_not_equal(out, first, sizeof out);
	assert_int_equal(keyed_hash_of(h, NULL, 0, data, sizeof data - 1, out, &e), 0);
	assert_memory_not_equal(out, first, sizeof out);
	for (size_t i = 0; i < sizeof data * 8; i++) {
		data[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(keyed_hash_of(h, NULL, 0, data, sizeof data, out, &e), 0);
		assert_memory_not_equal(out, first, sizeof out);
		data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	keyed_hash_free(h);
	keyed_hash_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_the_published_tag),
		cmocka_unit_test(head_and_data_count_as_one_message_each_time_anew),
		cmocka_unit_test(another_key_bit_or_size_gives_another_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

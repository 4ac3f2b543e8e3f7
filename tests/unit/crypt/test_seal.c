#include "tests/unit/crypt/unit.h"

#include "fs/crypt/seal.h"

static struct sealer *keyed(const uint8_t key[32])
{
	struct sealer *s;
	struct err e = ERR_NONE;

	assert_int_equal(sealer_new(&s, &e), 0);
	assert_int_equal(sealer_set_key(s, key, &e), 0);
	return s;
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", cases 13 and 16. */
static void gcm_gives_the_published_ciphertexts(void **state)
{
	uint8_t key[32] = {0}, nonce[12] = {0}, ad[20], plain[60], out[60], tag[16];
	struct err e = ERR_NONE;
	struct sealer *s = keyed(key);

	(void)state;
	assert_int_equal(seal_close(s, nonce, NULL, 0, NULL, 0, NULL, tag, &e), 0);
	assert_hex(tag, 16, "530f8afbc74536b9a963b4f1c4cb738b");

	bytes_of("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key);
	bytes_of("cafebabefacedbaddecaf888", nonce);
	bytes_of("feedfacedeadbeeffeedfacedeadbeefabaddad2", ad);
	bytes_of("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39", plain);
	assert_int_equal(sealer_set_key(s, key, &e), 0);
	assert_int_equal(seal_close(s, nonce, ad, 20, plain, 60, out, tag, &e), 0);
	assert_hex(out, 60, "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		   "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662");
	assert_hex(tag, 16, "76fc6ece0f4e1768cddf8853bb2d551b");
	sealer_free(s);
}

static void any_flipped_bit_fails_and_leaves_only_zeros(void **state)
{
	uint8_t key[32] = {1}, nonce[12] = {2}, ad[5] = "abcde", plain[50], sealed[50];
	uint8_t tag[16], out[50], zeros[50] = {0};
	struct err e = ERR_NONE;
	struct sealer *s = keyed(key);
	struct { uint8_t *data; size_t size; } parts[] = {
		{nonce, 12}, {ad, 5}, {sealed, 50}, {tag, 16},
	};

	(void)state;
	memset(plain, 'p', sizeof plain);
	assert_int_equal(seal_close(s, nonce, ad, 5, plain, 50, sealed, tag, &e), 0);
	for (size_t p = 0; p < 4; p++) {
		for (size_t bit = 0; bit < 8 * parts[p].size; bit++) {
			parts[p].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			memset(out, 0xee, sizeof out);
			assert_int_equal(seal_open(s, nonce, ad, 5, sealed, 50, tag, out, &e),
					 -1);
			assert_int_equal(e.code, MUNI_DAMAGED);
			assert_memory_equal(out, zeros, 50);
			parts[p].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	assert_int_equal(seal_open(s, nonce, ad, 5, sealed, 50, tag, out, &e), 0);
	assert_memory_equal(out, plain, 50);
	sealer_free(s);
}

static void another_key_opens_nothing_and_the_first_still_does(void **state)
{
	uint8_t a[32] = {1}, b[32] = {2}, nonce[12] = {0}, tag[16], sealed[8], out[8];
	struct err e = ERR_NONE;
	struct sealer *s = keyed(a);

	(void)state;
	assert_int_equal(seal_close(s, nonce, NULL, 0, "payroll", 8, sealed, tag, &e), 0);
	assert_int_equal(sealer_set_key(s, b, &e), 0);
	assert_int_equal(seal_open(s, nonce, NULL, 0, sealed, 8, tag, out, &e), -1);
	assert_int_equal(sealer_set_key(s, a, &e), 0);
	assert_int_equal(seal_open(s, nonce, NULL, 0, sealed, 8, tag, out, &e), 0);
	assert_string_equal(out, "payroll");
	sealer_free(s);
}

static void a_sealer_without_a_key_seals_nothing(void **state)
{
	uint8_t nonce[12] = {0}, tag[16], out[4];
	struct err e = ERR_NONE;
	struct sealer *s;

	(void)state;
	assert_int_equal(sealer_new(&s, &e), 0);
	assert_int_equal(seal_close(s, nonce, NULL, 0, "abc", 4, out, tag, &e), -1);
	assert_int_equal(seal_open(s, nonce, NULL, 0, "abc", 4, tag, out, &e), -1);
	sealer_free(s);
	sealer_free(NULL);
}

/* FIPS 197, appendix C.3. */
static void one_block_gives_the_published_ciphertext_and_comes_back(void **state)
{
	uint8_t key[32], in[16], out[16];
	struct aes_block *a;
	struct err e = ERR_NONE;

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		key[i] = i;
	bytes_of("00112233445566778899aabbccddeeff", in);
	assert_int_equal(aes_block_new(key, &a, &e), 0);
	aes_block_encrypt(a, in, out);
	assert_hex(out, 16, "8ea2b7ca516745bfeafc49904b496089");
	aes_block_decrypt(a, out, out);
	assert_memory_equal(in, out, 16);
	aes_block_free(a);
	aes_block_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gcm_gives_the_published_ciphertexts),
		cmocka_unit_test(any_flipped_bit_fails_and_leaves_only_zeros),
		cmocka_unit_test(another_key_opens_nothing_and_the_first_still_does),
		cmocka_unit_test(a_sealer_without_a_key_seals_nothing),
		cmocka_unit_test(one_block_gives_the_published_ciphertext_and_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/crypt/unit.h"

#include "fs/crypt/digest.h"

/* FIPS 180-4 examples. */
static void sha256_gives_the_published_digests(void **state)
{
	struct digest d = digest_of("abc", 3);

	(void)state;
	assert_hex(d.bytes, 32,
		   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	d = digest_of(NULL, 0);
	assert_hex(d.bytes, 32,
		   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	d = digest_of_pair("a", 1, "bc", 2);
	assert_hex(d.bytes, 32,
		   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_hasher_fed_in_pieces_gives_the_digest_of_the_whole(void **state)
{
	uint8_t data[1000];
	struct hasher *h = hasher_new();

	(void)state;
	assert_non_null(h);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7);
	struct digest whole = digest_of(data, sizeof data);

	for (size_t cut = 0; cut <= sizeof data; cut += 37) {
		hasher_reset(h);
		hasher_update(h, data, cut);
		hasher_update(h, data + cut, sizeof data - cut);
		struct digest d = hasher_finish(h);

		assert_true(digest_equal(&d, &whole));
	}
	hasher_free(h);
}

static void digests_that_differ_in_one_bit_are_not_equal(void **state)
{
	struct digest a = digest_of("x", 1), b = a;
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	b.bytes[31] ^= 1;
	assert_true(digest_equal(&a, &a));
	assert_false(digest_equal(&a, &b));
	digest_hex(&a, hex);
	assert_hex(a.bytes, 32, hex);
}

/* RFC 4231, cases 1, 2, 3, 6. */
static void hmac_gives_the_published_codes(void **state)
{
	uint8_t key[131], data[200];
	struct digest d;

	(void)state;
	memset(key, 0x0b, 20);
	d = digest_hmac(key, 20, "Hi There", 8);
	assert_hex(d.bytes, 32,
		   "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	d = digest_hmac("Jefe", 4, "what do ya want for nothing?", 28);
	assert_hex(d.bytes, 32,
		   "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	memset(data, 0xdd, 50);
	d = digest_hmac(key, 20, data, 50);
	assert_hex(d.bytes, 32,
		   "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	d = digest_hmac(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54);
	assert_hex(d.bytes, 32,
		   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 5869, case 1 with its info (bytes above 0x7f) left to case 3: no salt, no
 * info; then a salt against a value computed from HMAC alone. */
static void hkdf_gives_the_published_keys(void **state)
{
	uint8_t secret[22], salt[13], out[42];
	struct err e = ERR_NONE;

	(void)state;
	memset(secret, 0x0b, sizeof secret);
	assert_int_equal(digest_hkdf(secret, 22, NULL, 0, "", out, 42, &e), 0);
	assert_hex(out, 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		   "9d201395faa4b61a96c8");

	for (size_t i = 0; i < sizeof salt; i++)
		salt[i] = (uint8_t)i;
	assert_int_equal(digest_hkdf(secret, 22, salt, 13, "info", out, 32, &e), 0);
	struct digest prk = digest_hmac(salt, 13, secret, 22);
	struct digest okm = digest_hmac(prk.bytes, 32, "info\1", 5);

	assert_memory_equal(out, okm.bytes, 32);
}

static void random_bytes_are_not_the_same_twice(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(random_bytes(a, sizeof a, &e), 0);
	assert_int_equal(random_bytes(b, sizeof b, &e), 0);
	assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_digests),
		cmocka_unit_test(a_hasher_fed_in_pieces_gives_the_digest_of_the_whole),
		cmocka_unit_test(digests_that_differ_in_one_bit_are_not_equal),
		cmocka_unit_test(hmac_gives_the_published_codes),
		cmocka_unit_test(hkdf_gives_the_published_keys),
		cmocka_unit_test(random_bytes_are_not_the_same_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

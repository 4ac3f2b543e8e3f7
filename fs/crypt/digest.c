/*
 * SHA-256 through OpenSSL's low-level calls: they need no heap and cannot fail,
 * so that digest_of() can return its value, and cost no fetch per call where
 * small files are hashed by the hundred thousand.  The assembly beneath is the
 * one that EVP reaches.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "fs/crypt/digest.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "fs/base/err.h"
#include "fs/crypt/library.h"
#include "fs/crypt/secret.h"

#define HMAC_BLOCK 64		/* of SHA-256, FIPS 198-1 */

struct hasher {
	SHA256_CTX sha;
};

struct digest digest_of(const void *data, size_t size)
{
	return digest_of_pair(data, size, NULL, 0);
}

struct digest digest_of_pair(const void *a, size_t a_size, const void *b, size_t b_size)
{
	struct digest d;
	SHA256_CTX sha;

	SHA256_Init(&sha);
	if (a_size > 0)
		SHA256_Update(&sha, a, a_size);
	if (b_size > 0)
		SHA256_Update(&sha, b, b_size);
	SHA256_Final(d.bytes, &sha);
	return d;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

void digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		out[2 * i] = digits[d->bytes[i] >> 4];
		out[2 * i + 1] = digits[d->bytes[i] & 15];
	}
	out[2 * DIGEST_SIZE] = '\0';
}

struct hasher *hasher_new(void)
{
	struct hasher *h = malloc(sizeof *h);

	if (h)
		hasher_reset(h);
	return h;
}

void hasher_reset(struct hasher *h)
{
	SHA256_Init(&h->sha);
}

void hasher_update(struct hasher *h, const void *data, size_t size)
{
	if (size > 0)
		SHA256_Update(&h->sha, data, size);
}

struct digest hasher_finish(struct hasher *h)
{
	struct digest d;

	SHA256_Final(d.bytes, &h->sha);
	return d;
}

void hasher_free(struct hasher *h)
{
	if (!h)
		return;
	OPENSSL_cleanse(h, sizeof *h);
	free(h);
}

/* RFC 2104.  EVP_MAC would allocate and fetch for each of as many small calls. */
struct digest digest_hmac(const void *key, size_t key_size, const void *data, size_t size)
{
	uint8_t inner_pad[HMAC_BLOCK] = {0}, outer_pad[HMAC_BLOCK];
	struct digest hashed_key, inner, mac;

	if (key_size > HMAC_BLOCK) {
		hashed_key = digest_of(key, key_size);
		key = hashed_key.bytes;
		key_size = DIGEST_SIZE;
	}
	if (key_size > 0)
		memcpy(inner_pad, key, key_size);
	for (size_t i = 0; i < HMAC_BLOCK; i++) {
		outer_pad[i] = inner_pad[i] ^ 0x5c;
		inner_pad[i] ^= 0x36;
	}
	inner = digest_of_pair(inner_pad, sizeof inner_pad, data, size);
	mac = digest_of_pair(outer_pad, sizeof outer_pad, inner.bytes, DIGEST_SIZE);
	OPENSSL_cleanse(inner_pad, sizeof inner_pad);
	OPENSSL_cleanse(outer_pad, sizeof outer_pad);
	OPENSSL_cleanse(&hashed_key, sizeof hashed_key);
	return mac;
}

int digest_hkdf(const void *secret, size_t secret_size, const void *salt, size_t salt_size,
		const char *info, void *out, size_t out_size, struct err *e)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[5], *p = params;
	int rc = -1;

	/* OpenSSL's parameters are not const; it only reads these. */
	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA2-256", 0);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret,
						 secret_size);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info,
						 strlen(info));
	if (salt_size > 0)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt,
							 salt_size);
	*p = OSSL_PARAM_construct_end();
	if (ctx && EVP_KDF_derive(ctx, out, out_size, params) > 0)
		rc = 0;
	else
		library_failed(e, "deriving a key");
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	secret_scrub_stack();
	return rc;
}

int random_bytes(void *out, size_t size, struct err *e)
{
	if (size > INT_MAX || RAND_bytes(out, (int)size) != 1)
		return err_set(e, MUNI_IO, "the system's random generator gave no bytes; "
			       "nothing may be sealed without it");
	return 0;
}

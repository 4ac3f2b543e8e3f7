/*
 * SHA-256 (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869), random bytes.
 */
#ifndef FS_CRYPT_DIGEST_H
#define FS_CRYPT_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE 65	/* with the NUL */

struct digest {
	uint8_t bytes[DIGEST_SIZE];
};

struct digest digest_of(const void *data, size_t size);
/* Of a and b joined; NULL with size 0 is fine, here and above. */
struct digest digest_of_pair(const void *a, size_t a_size, const void *b, size_t b_size);
/* In constant time. */
bool digest_equal(const struct digest *a, const struct digest *b);
void digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE]);

/* A running SHA-256; one thread at a time. */
struct hasher;
struct hasher *hasher_new(void);	/* NULL without memory */
void hasher_reset(struct hasher *h);
void hasher_update(struct hasher *h, const void *data, size_t size);
struct digest hasher_finish(struct hasher *h);	/* then hasher_reset() before reuse */
void hasher_free(struct hasher *h);

/* HMAC-SHA-256 of data under a key. */
struct digest digest_hmac(const void *key, size_t key_size, const void *data, size_t size);

/* HKDF-SHA-256; out_size <= 255 * 32. */
int digest_hkdf(const void *secret, size_t secret_size, const void *salt, size_t salt_size,
		const char *info, void *out, size_t out_size, struct err *e);

/* From the operating system's generator through OpenSSL; failure is fatal to
 * the act (MUNI_IO), never ignored. */
int random_bytes(void *out, size_t size, struct err *e);

#endif

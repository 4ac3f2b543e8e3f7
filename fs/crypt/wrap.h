/*
 * A key sealed to the holder of another: X25519 (RFC 7748) with HKDF and AES key
 * wrap (RFC 3394), or CMS EnvelopedData (RFC 5652) to an X.509 certificate, which
 * stock `openssl cms -decrypt` opens.
 */
#ifndef FS_CRYPT_WRAP_H
#define FS_CRYPT_WRAP_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define WRAP_KEY_SIZE 32	/* of the wrapped key, and of each X25519 key */
#define WRAP_SIZE (WRAP_KEY_SIZE + 8)

struct wrap {
	uint8_t ephemeral[WRAP_KEY_SIZE];	/* public */
	uint8_t sealed[WRAP_SIZE];
};

/* private: 32 bytes of secret memory. */
int wrap_pair(uint8_t private[WRAP_KEY_SIZE], uint8_t public[WRAP_KEY_SIZE],
	      struct err *e);
/* context: 16 bytes that both sides know (the archive id). */
int wrap_close(const uint8_t public[WRAP_KEY_SIZE], const uint8_t context[16],
	       const uint8_t key[WRAP_KEY_SIZE], struct wrap *out, struct err *e);
/* MUNI_CANNOT_UNLOCK if it was not sealed to this pair. */
int wrap_open(const uint8_t private[WRAP_KEY_SIZE], const uint8_t public[WRAP_KEY_SIZE],
	      const uint8_t context[16], const struct wrap *w, uint8_t key[WRAP_KEY_SIZE],
	      struct err *e);

/* PEM or DER in, DER out (malloc'ed).  MUNI_USAGE for what is no certificate or
 * whose key is weaker than 112 bits or cannot decrypt. */
int wrap_certificate(const void *data, size_t size, uint8_t **der, size_t *der_size,
		     struct err *e);
/* *message: malloc'ed DER. */
int wrap_message(const uint8_t *cert, size_t cert_size, const uint8_t key[WRAP_KEY_SIZE],
		 uint8_t **message, size_t *message_size, struct err *e);

#endif

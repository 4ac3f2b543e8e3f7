/*
 * Authenticated encryption: AES-256-GCM (NIST SP 800-38D), 96-bit nonce,
 * 128-bit tag.
 *
 *   S1  seal_open() that fails leaves only zeros in `out`.
 *   S2  The caller never uses one (key, nonce) twice: block keys seal once with
 *       a zero nonce, a catalogue copy's key numbers its few pieces, all other
 *       keys take random nonces.
 */
#ifndef FS_CRYPT_SEAL_H
#define FS_CRYPT_SEAL_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define SEAL_KEY_SIZE 32
#define SEAL_NONCE_SIZE 12
#define SEAL_TAG_SIZE 16

/* A cipher context for one thread; setting the same key again is free. */
struct sealer;

int sealer_new(struct sealer **out, struct err *e);
void sealer_free(struct sealer *s);	/* wipes the key schedule */

int sealer_set_key(struct sealer *s, const uint8_t key[SEAL_KEY_SIZE], struct err *e);

/* out may not overlap plain; out has size bytes, the tag goes to tag. */
int seal_close(struct sealer *s, const uint8_t nonce[SEAL_NONCE_SIZE],
	       const void *ad, size_t ad_size, const void *plain, size_t size,
	       void *out, uint8_t tag[SEAL_TAG_SIZE], struct err *e);
/* MUNI_DAMAGED on a bad tag. */
int seal_open(struct sealer *s, const uint8_t nonce[SEAL_NONCE_SIZE],
	      const void *ad, size_t ad_size, const void *sealed, size_t size,
	      const uint8_t tag[SEAL_TAG_SIZE], void *out, struct err *e);

/* One AES-256 block under a raw key (for XEX on WAL frame headers). */
struct aes_block;
int aes_block_new(const uint8_t key[32], struct aes_block **out, struct err *e);
void aes_block_encrypt(struct aes_block *a, const uint8_t in[16], uint8_t out[16]);
void aes_block_decrypt(struct aes_block *a, const uint8_t in[16], uint8_t out[16]);
void aes_block_free(struct aes_block *a);

#endif

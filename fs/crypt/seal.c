#include "fs/crypt/seal.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "fs/base/err.h"
#include "fs/crypt/library.h"
#include "fs/crypt/secret.h"

struct sealer {			/* in secret memory, for key[] */
	EVP_CIPHER *cipher;	/* fetched once: a fetch costs more than a small seal */
	EVP_CIPHER_CTX *ctx;
	bool has_key;
	uint8_t key[SEAL_KEY_SIZE];
};

struct aes_block {
	EVP_CIPHER_CTX *encrypt;
	EVP_CIPHER_CTX *decrypt;
};

int sealer_new(struct sealer **out, struct err *e)
{
	struct sealer *s = secret_new(sizeof *s);

	*out = NULL;
	if (!s)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a cipher");
	s->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	s->ctx = EVP_CIPHER_CTX_new();
	if (!s->cipher || !s->ctx ||
	    EVP_EncryptInit_ex2(s->ctx, s->cipher, NULL, NULL, NULL) != 1) {
		sealer_free(s);
		return library_failed(e, "working with AES-256");
	}
	*out = s;
	return 0;
}

void sealer_free(struct sealer *s)
{
	if (!s)
		return;
	EVP_CIPHER_CTX_free(s->ctx);
	EVP_CIPHER_free(s->cipher);
	secret_free(s);
}

int sealer_set_key(struct sealer *s, const uint8_t key[SEAL_KEY_SIZE], struct err *e)
{
	if (s->has_key && CRYPTO_memcmp(s->key, key, SEAL_KEY_SIZE) == 0)
		return 0;
	s->has_key = false;
	secret_mark_stack();
	if (EVP_EncryptInit_ex2(s->ctx, NULL, key, NULL, NULL) != 1)
		return library_failed(e, "working with AES-256");
	secret_scrub_stack();
	memcpy(s->key, key, SEAL_KEY_SIZE);
	s->has_key = true;
	return 0;
}

/* Nonce and associated data: the common start of both directions. */
static bool begin(struct sealer *s, int encrypt, const uint8_t *nonce, const void *ad,
		  size_t ad_size)
{
	int done;

	return EVP_CipherInit_ex2(s->ctx, NULL, NULL, nonce, encrypt, NULL) == 1 &&
	       (ad_size == 0 ||
		EVP_CipherUpdate(s->ctx, NULL, &done, ad, (int)ad_size) == 1);
}

/* EVP counts in int. */
static int check_sizes(const struct sealer *s, size_t ad_size, size_t size, struct err *e)
{
	if (!s->has_key)
		return err_set(e, MUNI_CANNOT_UNLOCK, "no key is set for this cipher");
	if (ad_size > INT_MAX || size > INT_MAX)
		return err_set(e, MUNI_LIMIT, "%zu bytes are too many for one seal", size);
	return 0;
}

int seal_close(struct sealer *s, const uint8_t nonce[SEAL_NONCE_SIZE],
	       const void *ad, size_t ad_size, const void *plain, size_t size,
	       void *out, uint8_t tag[SEAL_TAG_SIZE], struct err *e)
{
	uint8_t none[SEAL_TAG_SIZE];
	int done;

	if (check_sizes(s, ad_size, size, e) < 0)
		return -1;
	if (!begin(s, 1, nonce, ad, ad_size) ||
	    (size > 0 && EVP_CipherUpdate(s->ctx, out, &done, plain, (int)size) != 1) ||
	    EVP_CipherFinal_ex(s->ctx, none, &done) != 1 ||
	    EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_SIZE, tag) != 1)
		return library_failed(e, "working with AES-256");
	return 0;
}

int seal_open(struct sealer *s, const uint8_t nonce[SEAL_NONCE_SIZE],
	      const void *ad, size_t ad_size, const void *sealed, size_t size,
	      const uint8_t tag[SEAL_TAG_SIZE], void *out, struct err *e)
{
	uint8_t none[SEAL_TAG_SIZE], expected[SEAL_TAG_SIZE];
	int done;

	if (check_sizes(s, ad_size, size, e) < 0)
		goto fail;
	memcpy(expected, tag, SEAL_TAG_SIZE);
	if (!begin(s, 0, nonce, ad, ad_size) ||
	    (size > 0 && EVP_CipherUpdate(s->ctx, out, &done, sealed, (int)size) != 1) ||
	    EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_SIZE,
				expected) != 1) {
		library_failed(e, "opening a seal");
		goto fail;
	}
	if (EVP_CipherFinal_ex(s->ctx, none, &done) != 1) {
		err_set(e, MUNI_DAMAGED, "the seal is broken: these are not the bytes that "
			"were written, or the key is another");
		goto fail;
	}
	return 0;
fail:
	if (size > 0)
		secret_wipe(out, size);	/* S1 */
	return -1;
}

static EVP_CIPHER_CTX *block_context(EVP_CIPHER *cipher, const uint8_t key[32], int encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx && EVP_CipherInit_ex2(ctx, cipher, key, NULL, encrypt, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

int aes_block_new(const uint8_t key[32], struct aes_block **out, struct err *e)
{
	struct aes_block *a = calloc(1, sizeof *a);
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);

	*out = NULL;
	if (a && cipher) {
		a->encrypt = block_context(cipher, key, 1);
		a->decrypt = block_context(cipher, key, 0);
		secret_scrub_stack();
	}
	EVP_CIPHER_free(cipher);	/* the contexts hold it */
	if (!a || !a->encrypt || !a->decrypt) {
		aes_block_free(a);
		return library_failed(e, "working with AES-256");
	}
	*out = a;
	return 0;
}

/* A keyed context takes one whole block without allocating: it cannot fail
 * unless this program is broken, and then nothing may be written. */
static void one_block(EVP_CIPHER_CTX *ctx, const uint8_t in[16], uint8_t out[16])
{
	int done = 0;

	if (EVP_CipherUpdate(ctx, out, &done, in, 16) != 1 || done != 16)
		abort();
}

void aes_block_encrypt(struct aes_block *a, const uint8_t in[16], uint8_t out[16])
{
	one_block(a->encrypt, in, out);
}

void aes_block_decrypt(struct aes_block *a, const uint8_t in[16], uint8_t out[16])
{
	one_block(a->decrypt, in, out);
}

void aes_block_free(struct aes_block *a)
{
	if (!a)
		return;
	EVP_CIPHER_CTX_free(a->encrypt);
	EVP_CIPHER_CTX_free(a->decrypt);
	free(a);
}

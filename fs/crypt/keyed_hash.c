#include "fs/crypt/keyed_hash.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "fs/base/err.h"
#include "fs/crypt/library.h"

struct keyed_hash {
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
};

static const uint8_t nonce[12];

int keyed_hash_new(const uint8_t key[KEYED_HASH_KEY_SIZE], struct keyed_hash **out,
		   struct err *e)
{
	struct keyed_hash *h = calloc(1, sizeof *h);

	*out = NULL;
	if (!h)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a keyed hash");
	h->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	h->ctx = EVP_CIPHER_CTX_new();
	if (!h->cipher || !h->ctx ||
	    EVP_EncryptInit_ex2(h->ctx, h->cipher, key, nonce, NULL) != 1) {
		keyed_hash_free(h);
		return library_failed(e, "working with AES-256");
	}
	*out = h;
	return 0;
}

void keyed_hash_free(struct keyed_hash *h)
{
	if (!h)
		return;
	EVP_CIPHER_CTX_free(h->ctx);
	EVP_CIPHER_free(h->cipher);
	free(h);
}

int keyed_hash_of(struct keyed_hash *h, const void *head, size_t head_size, const void *data,
		  size_t size, uint8_t out[KEYED_HASH_SIZE], struct err *e)
{
	int done;

	/* EVP counts in int. */
	if (size > INT_MAX || head_size > 64)
		return err_set(e, MUNI_LIMIT, "%zu bytes are too many for a keyed hash", size);
	if (EVP_EncryptInit_ex2(h->ctx, NULL, NULL, nonce, NULL) != 1 ||
	    (head_size > 0 &&
	     EVP_EncryptUpdate(h->ctx, NULL, &done, head, (int)head_size) != 1) ||
	    (size > 0 && EVP_EncryptUpdate(h->ctx, NULL, &done, data, (int)size) != 1) ||
	    EVP_EncryptFinal_ex(h->ctx, NULL, &done) != 1 ||
	    EVP_CIPHER_CTX_ctrl(h->ctx, EVP_CTRL_AEAD_GET_TAG, KEYED_HASH_SIZE, out) != 1)
		return library_failed(e, "working with AES-256");
	return 0;
}

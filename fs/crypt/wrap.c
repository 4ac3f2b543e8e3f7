#include "fs/crypt/wrap.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/library.h"
#include "fs/crypt/secret.h"

#define CONTEXT_SIZE 16
#define LEAST_STRENGTH 112	/* bits, SP 800-57: RSA 2048 */

int wrap_pair(uint8_t private[WRAP_KEY_SIZE], uint8_t public[WRAP_KEY_SIZE],
	      struct err *e)
{
	size_t private_size = WRAP_KEY_SIZE, public_size = WRAP_KEY_SIZE;
	EVP_PKEY *pair;
	int rc = 0;

	pair = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	if (!pair || EVP_PKEY_get_raw_private_key(pair, private, &private_size) != 1 ||
	    EVP_PKEY_get_raw_public_key(pair, public, &public_size) != 1)
		rc = library_failed(e, "making a key pair");
	EVP_PKEY_free(pair);
	return rc;
}

/* The key that wraps: HKDF over the shared point, bound to all that is public. */
static int agree(EVP_PKEY *mine, const uint8_t *theirs, const uint8_t *ephemeral,
		 const uint8_t *public, const uint8_t *context, uint8_t *kek,
		 struct err *e)
{
	uint8_t salt[CONTEXT_SIZE + 2 * WRAP_KEY_SIZE];
	size_t size = WRAP_KEY_SIZE;
	uint8_t *shared = secret_new(WRAP_KEY_SIZE);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, theirs,
						     WRAP_KEY_SIZE);
	EVP_PKEY_CTX *ctx = mine ? EVP_PKEY_CTX_new(mine, NULL) : NULL;
	int rc = -1;

	memcpy(salt, context, CONTEXT_SIZE);
	memcpy(salt + CONTEXT_SIZE, ephemeral, WRAP_KEY_SIZE);
	memcpy(salt + CONTEXT_SIZE + WRAP_KEY_SIZE, public, WRAP_KEY_SIZE);
	if (shared && peer && ctx && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, shared, &size) == 1)
		rc = digest_hkdf(shared, size, salt, sizeof salt, "muniment slot wrap 1", kek,
				 WRAP_KEY_SIZE, e);
	else
		library_failed(e, "agreeing on a key");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	secret_free(shared);
	return rc;
}

/* RFC 3394 in both directions. */
static bool key_wrap(const uint8_t *kek, const uint8_t *in, int in_size, uint8_t *out,
		     int out_size, int encrypt)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t none[16];
	int done = 0, rest = 0;
	bool is_done;

	if (ctx)
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	is_done = cipher && ctx &&
		  EVP_CipherInit_ex2(ctx, cipher, kek, NULL, encrypt, NULL) == 1 &&
		  EVP_CipherUpdate(ctx, out, &done, in, in_size) == 1 && done == out_size &&
		  EVP_CipherFinal_ex(ctx, none, &rest) == 1 && rest == 0;
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return is_done;
}

int wrap_close(const uint8_t public[WRAP_KEY_SIZE], const uint8_t context[16],
	       const uint8_t key[WRAP_KEY_SIZE], struct wrap *out, struct err *e)
{
	size_t size = WRAP_KEY_SIZE;
	uint8_t *kek = secret_new(WRAP_KEY_SIZE);
	EVP_PKEY *ephemeral;
	int rc = -1;

	ephemeral = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	if (!kek || !ephemeral ||
	    EVP_PKEY_get_raw_public_key(ephemeral, out->ephemeral, &size) != 1) {
		library_failed(e, "making a key pair");
		goto out;
	}
	if (agree(ephemeral, public, out->ephemeral, public, context, kek, e) < 0)
		goto out;
	if (!key_wrap(kek, key, WRAP_KEY_SIZE, out->sealed, WRAP_SIZE, 1)) {
		library_failed(e, "wrapping a key");
		goto out;
	}
	rc = 0;
out:
	EVP_PKEY_free(ephemeral);
	secret_free(kek);
	return rc;
}

int wrap_open(const uint8_t private[WRAP_KEY_SIZE], const uint8_t public[WRAP_KEY_SIZE],
	      const uint8_t context[16], const struct wrap *w, uint8_t key[WRAP_KEY_SIZE],
	      struct err *e)
{
	uint8_t *kek = secret_new(WRAP_KEY_SIZE);
	EVP_PKEY *mine;
	int rc = -1;

	mine = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private, WRAP_KEY_SIZE);
	if (!kek || !mine) {
		library_failed(e, "reading a key pair");
		goto out;
	}
	if (agree(mine, w->ephemeral, w->ephemeral, public, context, kek, e) < 0)
		goto out;
	if (!key_wrap(kek, w->sealed, WRAP_SIZE, key, WRAP_KEY_SIZE, 0)) {
		library_forget();
		secret_wipe(key, WRAP_KEY_SIZE);
		library_refused(e, MUNI_CANNOT_UNLOCK, "the wrapped key does not belong to this slot");
		goto out;
	}
	rc = 0;
out:
	EVP_PKEY_free(mine);
	secret_free(kek);
	return rc;
}

static X509 *parse_certificate(const void *data, size_t size)
{
	const unsigned char *der = data;
	BIO *bio;
	X509 *x;

	if (size > INT_MAX)
		return NULL;
	bio = BIO_new_mem_buf(data, (int)size);
	x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	if (!x)
		x = d2i_X509(NULL, &der, (long)size);
	library_forget();
	return x;
}

int wrap_certificate(const void *data, size_t size, uint8_t **der, size_t *der_size,
		     struct err *e)
{
	X509 *x = parse_certificate(data, size);
	EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
	int rc = -1, n;
	unsigned char *end;

	*der = NULL;
	*der_size = 0;
	if (!key) {
		library_refused(e, MUNI_USAGE, "this is no X.509 certificate in PEM or DER");
		goto out;
	}
	if (!EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "EC")) {
		library_refused(e, MUNI_USAGE, "the certificate's key is of a kind that CMS cannot "
			"encrypt to: take RSA or EC");
		goto out;
	}
	if (EVP_PKEY_get_security_bits(key) < LEAST_STRENGTH) {
		library_refused(e, MUNI_USAGE, "the certificate's key is weaker than %d bits (RSA "
			"2048): it cannot guard an archive", LEAST_STRENGTH);
		goto out;
	}
	n = i2d_X509(x, NULL);
	*der = n > 0 ? malloc((size_t)n) : NULL;
	if (!*der) {
		library_failed(e, "reading a certificate");
		goto out;
	}
	end = *der;
	if (!library_wrote(i2d_X509(x, &end), n)) {
		free(*der);
		*der = NULL;
		library_failed(e, "reading a certificate");
		goto out;
	}
	*der_size = (size_t)n;
	rc = 0;
out:
	X509_free(x);
	library_forget();
	return rc;
}

int wrap_message(const uint8_t *cert, size_t cert_size, const uint8_t key[WRAP_KEY_SIZE],
		 uint8_t **message, size_t *message_size, struct err *e)
{
	X509 *x = parse_certificate(cert, cert_size);
	STACK_OF(X509) *to = sk_X509_new_null();
	BIO *bio = BIO_new_mem_buf(key, WRAP_KEY_SIZE);
	CMS_ContentInfo *cms = NULL;
	unsigned char *end;
	int size, rc = -1;

	*message = NULL;
	*message_size = 0;
	if (x && to && bio && sk_X509_push(to, x) > 0)
		cms = CMS_encrypt(to, bio, EVP_aes_256_cbc(), CMS_BINARY);
	size = cms ? i2d_CMS_ContentInfo(cms, NULL) : -1;
	*message = size > 0 ? malloc((size_t)size) : NULL;
	if (!*message) {
		library_failed(e, "encrypting to a certificate");
		goto out;
	}
	end = *message;
	if (!library_wrote(i2d_CMS_ContentInfo(cms, &end), size)) {
		free(*message);
		*message = NULL;
		library_failed(e, "encrypting to a certificate");
		goto out;
	}
	*message_size = (size_t)size;
	rc = 0;
out:
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	sk_X509_free(to);
	X509_free(x);
	return rc;
}

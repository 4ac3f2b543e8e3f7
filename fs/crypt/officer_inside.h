/*
 * What the officer_*.c files share.
 */
#ifndef FS_CRYPT_OFFICER_INSIDE_H
#define FS_CRYPT_OFFICER_INSIDE_H

#include <stdbool.h>

#include <openssl/cms.h>

#include "fs/crypt/officer.h"
#include "fs/crypt/sign_inside.h"

struct officer_key {
	struct signer signer;
	void *engine;		/* officer_token.c's; NULL: a key from a file */
};

/* Who is asked for a passphrase or PIN, and what became of it. */
struct officer_ask {
	int (*ask)(void *arg, const char *question, char *out, size_t size);
	void *arg;
	bool was_asked;
};

/* The key that a "pkcs11:" URI names, without its secret. */
int token_key_open(const char *uri, struct officer_ask *ask, EVP_PKEY **key, void **engine,
		   struct err *e);
void token_close(void *engine);		/* NULL is allowed */

/* DER or PEM, with nothing but white space behind it; NULL: it is none. */
X509 *x509_read(const void *data, size_t size);
/* Fills out from x, which stays the caller's. */
int identity_of(X509 *x, struct identity *out, struct err *e);
/* DER, PEM or S/MIME, of type SignedData. */
int cms_read(const uint8_t *data, size_t size, CMS_ContentInfo **out, struct err *e);
/* After CMS_verify(), of what was read from DER: MUNI_DAMAGED where what no signature
 * covers is not as it must be. */
int cms_check_strict(CMS_ContentInfo *cms, const uint8_t *der, size_t size, struct err *e);
/* After that, of a signature by one key beside its content: MUNI_DAMAGED where something is in
 * it beside what sign_detached() puts there. */
int cms_check_made(const uint8_t *der, size_t size, struct err *e);
int cms_write(CMS_ContentInfo *cms, uint8_t **out, size_t *size, struct err *e);
/* The SHA-2 that suits the key. */
const EVP_MD *cms_digest_for(EVP_PKEY *key);
/* Adds a signer with the time that the caller means, not the clock's. */
CMS_SignerInfo *cms_add_signer(CMS_ContentInfo *cms, const struct signer *s, int64_t now,
			       unsigned flags);

#endif

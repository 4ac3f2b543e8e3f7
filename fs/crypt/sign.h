/*
 * Signatures that stock tools verify: ECDSA P-256 with SHA-256, X.509, CMS
 * (RFC 5652) detached, DER.  `openssl cms -verify -binary -inform DER`.
 */
#ifndef FS_CRYPT_SIGN_H
#define FS_CRYPT_SIGN_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct signer;		/* a private key and its certificate */

/* A fresh key and a self-signed certificate: CN "muniment archive ID", valid
 * from now for 100 years, keyUsage digitalSignature. */
int signer_generate(const char *archive_id, int64_t now, struct signer **out,
		    struct err *e);
/* PKCS#8 DER and X.509 DER; *key is secret_new() memory (secret_free()),
 * *cert malloc'ed. */
int signer_export(const struct signer *s, uint8_t **key, size_t *key_size,
		  uint8_t **cert, size_t *cert_size, struct err *e);
/* Its certificate alone; malloc'ed DER. */
int signer_certificate(const struct signer *s, uint8_t **cert, size_t *cert_size,
		       struct err *e);
/* A certificate's DER as PEM: malloc'ed, NUL ended. */
int sign_certificate_pem(const uint8_t *cert, size_t cert_size, char **pem, struct err *e);
/* And back; malloc'ed DER, which nobody has looked into.  MUNI_DAMAGED. */
int sign_certificate_der(const uint8_t *pem, size_t pem_size, uint8_t **cert,
			 size_t *cert_size, struct err *e);
int signer_import(const uint8_t *key, size_t key_size, const uint8_t *cert,
		  size_t cert_size, struct signer **out, struct err *e);
void signer_free(struct signer *s);

/* A detached CMS SignedData over data, certificate included, signingTime =
 * `now`.  *out is malloc'ed DER. */
int sign_detached(const struct signer *s, const void *data, size_t size, int64_t now,
		  uint8_t **out, size_t *out_size, struct err *e);
/* MUNI_DAMAGED unless the CMS in `der` is a valid signature over data by the
 * very certificate `cert` (DER). */
int sign_verify_detached(const uint8_t *der, size_t der_size, const void *data,
			 size_t size, const uint8_t *cert, size_t cert_size,
			 struct err *e);

#endif

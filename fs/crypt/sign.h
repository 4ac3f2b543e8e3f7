/*
 * Signatures that stock tools verify: ECDSA, X.509, CMS (RFC 5652) detached, DER.
 * `openssl cms -verify -binary -inform DER`.  The digest goes with the curve: it is never
 * the weaker of the two.
 */
#ifndef FS_CRYPT_SIGN_H
#define FS_CRYPT_SIGN_H

#include <stddef.h>
#include <stdint.h>

struct digest;
struct err;
struct signer;		/* a private key and its certificate */

enum signer_algorithm {
	SIGNER_P256,	/* with SHA-256: what init makes */
	SIGNER_P384,	/* with SHA-384 */
	SIGNER_P521,	/* with SHA-512 */
};
/* "ecdsa-p256" ...: on the command line and in statements. */
const char *signer_algorithm_name(enum signer_algorithm a);
int signer_algorithm_parse(const char *name, enum signer_algorithm *out, struct err *e);

/* A fresh key and a self-signed certificate: CN "muniment archive ID", valid
 * from now for 100 years, keyUsage digitalSignature. */
int signer_generate(const char *archive_id, enum signer_algorithm algorithm, int64_t now,
		    struct signer **out, struct err *e);
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
/* The same by a certificate that the signature brings along, where the SHA-256 of its DER
 * is one of `known`; *which: that one. */
int sign_verify_known(const uint8_t *der, size_t der_size, const void *data, size_t size,
		      const struct digest *known, size_t known_count, size_t *which,
		      struct err *e);

#endif

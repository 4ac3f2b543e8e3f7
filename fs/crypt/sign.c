#include "fs/crypt/sign.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/library.h"
#include "fs/crypt/secret.h"
#include "fs/crypt/sign_inside.h"

#define CERTIFICATE_DAYS 36525	/* 100 years */
#define SERIAL_SIZE 16

void signer_free(struct signer *s)
{
	if (!s)
		return;
	EVP_PKEY_free(s->key);
	X509_free(s->cert);
	free(s);
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	bool is_added;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	is_added = extension && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return is_added;
}

static bool set_serial(X509 *cert, struct err *e)
{
	uint8_t raw[SERIAL_SIZE];
	BIGNUM *number;
	bool is_set;

	if (random_bytes(raw, sizeof raw, e) < 0)
		return false;
	raw[0] = (uint8_t)((raw[0] & 0x7f) | 0x40);	/* positive, never short */
	number = BN_bin2bn(raw, sizeof raw, NULL);
	is_set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	return is_set;
}

/* ---- algorithms ------------------------------------------------------------------ */

static const struct algorithm {
	const char *name, *curve;
	int bits;
	const EVP_MD *(*digest)(void);
} algorithms[] = {
	[SIGNER_P256] = { "ecdsa-p256", "P-256", 256, EVP_sha256 },
	[SIGNER_P384] = { "ecdsa-p384", "P-384", 384, EVP_sha384 },
	[SIGNER_P521] = { "ecdsa-p521", "P-521", 521, EVP_sha512 },
};

#define ALGORITHMS (sizeof algorithms / sizeof algorithms[0])

const char *signer_algorithm_name(enum signer_algorithm a)
{
	return algorithms[a].name;
}

int signer_algorithm_parse(const char *name, enum signer_algorithm *out, struct err *e)
{
	for (size_t i = 0; i < ALGORITHMS; i++) {
		if (strcmp(algorithms[i].name, name) == 0) {
			*out = (enum signer_algorithm)i;
			return 0;
		}
	}
	return err_set(e, MUNI_USAGE, "there is no algorithm \"%s\"; those that there are: "
		       "ecdsa-p256, ecdsa-p384, ecdsa-p521", text_printable(name));
}

static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (algorithms[i].bits == EVP_PKEY_get_bits(key))
			return algorithms[i].digest();
	return EVP_sha256();
}

/* ---- making ---------------------------------------------------------------------- */

static bool fill_certificate(X509 *cert, EVP_PKEY *key, const char *archive_id, int64_t now,
			     struct err *e)
{
	char name[64];		/* X.520's limit for a common name */
	X509_NAME *subject = X509_get_subject_name(cert);
	time_t start = (time_t)now;

	snprintf(name, sizeof name, "muniment archive %s", archive_id);
	return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert, e) &&
	       X509_time_adj_ex(X509_getm_notBefore(cert), 0, 0, &start) &&
	       X509_time_adj_ex(X509_getm_notAfter(cert), CERTIFICATE_DAYS, 0, &start) &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
					  (const unsigned char *)name, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, subject) == 1 &&
	       X509_set_pubkey(cert, key) == 1 &&
	       add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(cert, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(cert, NID_subject_key_identifier, "hash") &&
	       X509_sign(cert, key, digest_for(key)) > 0;
}

int signer_generate(const char *archive_id, enum signer_algorithm algorithm, int64_t now,
		    struct signer **out, struct err *e)
{
	struct signer *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a signing key");
	s->key = EVP_EC_gen(algorithms[algorithm].curve);
	s->cert = X509_new();
	if (!s->key || !s->cert || !fill_certificate(s->cert, s->key, archive_id, now, e)) {
		signer_free(s);
		return library_failed(e, "making the archive's signing key");
	}
	*out = s;
	return 0;
}

/* PKCS#8 into secret memory. */
static int export_key(const struct signer *s, uint8_t **key, size_t *key_size,
		      struct err *e)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(s->key);
	int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : -1;
	uint8_t *end;
	int rc = -1;

	if (size <= 0 || !(*key = secret_new((size_t)size))) {
		library_failed(e, "writing out a signing key");
		goto out;
	}
	end = *key;
	/* It may want memory again, and leave half of it: so with all that follow. */
	if (!library_wrote(i2d_PKCS8_PRIV_KEY_INFO(info, &end), size)) {
		secret_free(*key);
		*key = NULL;
		library_failed(e, "writing out a signing key");
		goto out;
	}
	*key_size = (size_t)size;
	rc = 0;
out:
	PKCS8_PRIV_KEY_INFO_free(info);	/* wipes */
	return rc;
}

int signer_export(const struct signer *s, uint8_t **key, size_t *key_size,
		  uint8_t **cert, size_t *cert_size, struct err *e)
{
	*key = NULL;
	*cert = NULL;
	if (signer_certificate(s, cert, cert_size, e) < 0)
		return -1;
	if (export_key(s, key, key_size, e) < 0) {
		free(*cert);
		*cert = NULL;
		return -1;
	}
	return 0;
}

int signer_certificate(const struct signer *s, uint8_t **cert, size_t *cert_size,
		       struct err *e)
{
	int size = i2d_X509(s->cert, NULL);
	uint8_t *end;

	*cert = size > 0 ? malloc((size_t)size) : NULL;
	if (!*cert)
		return library_failed(e, "writing out a certificate");
	end = *cert;
	if (!library_wrote(i2d_X509(s->cert, &end), size)) {
		free(*cert);
		*cert = NULL;
		return library_failed(e, "writing out a certificate");
	}
	*cert_size = (size_t)size;
	return 0;
}

int sign_certificate_pem(const uint8_t *cert, size_t cert_size, char **pem, struct err *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long size;

	*pem = NULL;
	if (bio && cert_size <= LONG_MAX &&
	    PEM_write_bio(bio, PEM_STRING_X509, "", cert, (long)cert_size) > 0) {
		size = BIO_get_mem_data(bio, &text);
		*pem = strndup(text, (size_t)size);
	}
	BIO_free(bio);
	return *pem ? 0 : library_failed(e, "writing out a certificate");
}

int sign_certificate_der(const uint8_t *pem, size_t pem_size, uint8_t **cert,
			 size_t *cert_size, struct err *e)
{
	BIO *bio = pem_size <= INT_MAX ? BIO_new_mem_buf(pem, (int)pem_size) : NULL;
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long size = 0;

	*cert = NULL;
	if (bio && PEM_read_bio(bio, &name, &header, &der, &size) == 1 && size > 0 &&
	    strcmp(name, PEM_STRING_X509) == 0 && (*cert = malloc((size_t)size)) != NULL) {
		memcpy(*cert, der, (size_t)size);
		*cert_size = (size_t)size;
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	library_forget();
	return *cert ? 0 : err_set(e, MUNI_DAMAGED, "this is no certificate");
}

/* DER with nothing behind it. */
static X509 *certificate_from(const uint8_t *cert, size_t size)
{
	const uint8_t *end = cert;
	X509 *x = size <= LONG_MAX ? d2i_X509(NULL, &end, (long)size) : NULL;

	if (x && end == cert + size)
		return x;
	X509_free(x);
	library_forget();
	return NULL;
}

static EVP_PKEY *key_from(const uint8_t *key, size_t size)
{
	const uint8_t *end = key;
	PKCS8_PRIV_KEY_INFO *info =
		size <= LONG_MAX ? d2i_PKCS8_PRIV_KEY_INFO(NULL, &end, (long)size) : NULL;
	EVP_PKEY *pkey = info ? EVP_PKCS82PKEY(info) : NULL;

	PKCS8_PRIV_KEY_INFO_free(info);
	return pkey;
}

int signer_import(const uint8_t *key, size_t key_size, const uint8_t *cert,
		  size_t cert_size, struct signer **out, struct err *e)
{
	struct signer *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a signing key");
	s->key = key_from(key, key_size);
	s->cert = certificate_from(cert, cert_size);
	if (!s->key || !s->cert || X509_check_private_key(s->cert, s->key) != 1) {
		signer_free(s);
		library_forget();
		return library_refused(e, MUNI_DAMAGED, "the archive's signing key and its "
			       "certificate do not belong together or cannot be read");
	}
	*out = s;
	return 0;
}

/* The signer's part, with the time that the caller means, not the clock's. */
static bool add_signer(CMS_ContentInfo *cms, const struct signer *s, int64_t now,
		       unsigned flags)
{
	CMS_SignerInfo *info = CMS_add1_signer(cms, s->cert, s->key, digest_for(s->key), flags);
	ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)now);
	bool is_added = info && time &&
			CMS_signed_add1_attr_by_NID(info, NID_pkcs9_signingTime, time->type,
						    time, -1) == 1;

	ASN1_TIME_free(time);
	return is_added;
}

int sign_detached(const struct signer *s, const void *data, size_t size, int64_t now,
		  uint8_t **out, size_t *out_size, struct err *e)
{
	const unsigned flags = CMS_PARTIAL | CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP;
	CMS_ContentInfo *cms = NULL;
	BIO *bio = NULL;
	unsigned char *der = NULL;
	int der_size, rc = -1;

	*out = NULL;
	*out_size = 0;
	if (size > INT_MAX)
		return err_set(e, MUNI_LIMIT, "%zu bytes are too many for one signature",
			       size);
	cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	bio = BIO_new_mem_buf(data, (int)size);
	if (!cms || !bio || !add_signer(cms, s, now, flags) ||
	    CMS_final(cms, bio, NULL, flags) != 1) {
		library_failed(e, "signing");
		goto out;
	}
	der_size = i2d_CMS_ContentInfo(cms, NULL);
	if (der_size <= 0 || !(*out = malloc((size_t)der_size))) {
		library_failed(e, "writing out a signature");
		goto out;
	}
	der = *out;
	if (!library_wrote(i2d_CMS_ContentInfo(cms, &der), der_size)) {
		free(*out);
		*out = NULL;
		library_failed(e, "writing out a signature");
		goto out;
	}
	*out_size = (size_t)der_size;
	rc = 0;
out:
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	return rc;
}

/* DER of a detached CMS with nothing behind it. */
static CMS_ContentInfo *cms_from(const uint8_t *der, size_t size)
{
	const uint8_t *end = der;
	CMS_ContentInfo *cms =
		size <= LONG_MAX ? d2i_CMS_ContentInfo(NULL, &end, (long)size) : NULL;

	if (cms && end == der + size && OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed &&
	    CMS_is_detached(cms) == 1)
		return cms;
	CMS_ContentInfo_free(cms);
	return NULL;
}

/* x NULL: it could not be read. */
static int verify_by(CMS_ContentInfo *cms, X509 *x, const void *data, size_t size,
		     struct err *e)
{
	/* NOINTERN: the signer is looked for in `ours` alone, whatever
	 * certificates the signature brings along. */
	const unsigned flags =
		CMS_BINARY | CMS_DETACHED | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY;
	STACK_OF(X509) *ours = sk_X509_new_null();
	BIO *content = library_content(data, size);
	int rc = -1;

	if (!ours || !content)
		library_failed(e, "checking a signature");
	else if (!cms || !x)
		library_refused(e, MUNI_DAMAGED, "the %s is not readable: its bytes were changed",
			cms ? "certificate" : "signature");
	else if (sk_X509_push(ours, x) <= 0)
		library_failed(e, "checking a signature");
	else if (CMS_verify(cms, ours, NULL, content, NULL, flags) != 1)
		library_refused(e, MUNI_DAMAGED, "the signature does not belong to these bytes and "
			"this archive's key");
	else
		rc = 0;
	library_forget();
	sk_X509_free(ours);
	BIO_free_all(content);
	return rc;
}

int sign_verify_detached(const uint8_t *der, size_t der_size, const void *data,
			 size_t size, const uint8_t *cert, size_t cert_size,
			 struct err *e)
{
	CMS_ContentInfo *cms = cms_from(der, der_size);
	X509 *x = certificate_from(cert, cert_size);
	int rc = verify_by(cms, x, data, size, e);

	X509_free(x);
	CMS_ContentInfo_free(cms);
	return rc;
}

/* Is it one of `known`?  -1: it cannot be told for want of memory. */
static int find_known(const X509 *x, const struct digest *known, size_t count, size_t *which)
{
	struct digest d;
	unsigned size = 0;

	if (X509_digest(x, EVP_sha256(), d.bytes, &size) != 1 || size != DIGEST_SIZE)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (digest_equal(&known[i], &d)) {
			*which = i;
			return 1;
		}
	}
	return 0;
}

int sign_verify_known(const uint8_t *der, size_t der_size, const void *data, size_t size,
		      const struct digest *known, size_t known_count, size_t *which,
		      struct err *e)
{
	CMS_ContentInfo *cms = cms_from(der, der_size);
	STACK_OF(X509) *brought = cms ? CMS_get1_certs(cms) : NULL;
	int is_known = 0, rc = -1;

	for (int i = 0; is_known == 0 && i < sk_X509_num(brought); i++) {
		X509 *x = sk_X509_value(brought, i);

		is_known = find_known(x, known, known_count, which);
		if (is_known == 1)
			rc = verify_by(cms, x, data, size, e);
	}
	if (is_known < 0)
		library_failed(e, "checking a signature");
	else if (is_known == 0)
		library_refused(e, MUNI_DAMAGED, cms ? "the signature does not belong to these bytes "
				"and this archive's key" : "the signature is not readable: its bytes "
				"were changed");
	library_forget();
	sk_X509_pop_free(brought, X509_free);
	CMS_ContentInfo_free(cms);
	return rc;
}

#include "fs/crypt/officer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "fs/base/err.h"
#include "fs/crypt/library.h"
#include "fs/crypt/officer_inside.h"

#define RSA_BITS_LEAST 2048
#define CURVE_BITS_LEAST 224	/* as strong as that (NIST SP 800-57, table 2) */

static X509 *der_read(const uint8_t *data, size_t size)
{
	const uint8_t *end = data;
	X509 *x = size <= LONG_MAX ? d2i_X509(NULL, &end, (long)size) : NULL;

	if (x && end == data + size)
		return x;
	X509_free(x);
	return NULL;
}

X509 *x509_read(const void *data, size_t size)
{
	X509 *x = der_read(data, size);
	BIO *bio;

	if (!x && size <= INT_MAX && (bio = BIO_new_mem_buf(data, (int)size))) {
		x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		BIO_free(bio);
	}
	library_forget();
	return x;
}

/* RFC 2253, but letters outside ASCII as themselves: people read it. */
static char *name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *out = NULL;
	long size;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		size = BIO_get_mem_data(bio, &text);
		out = size > 0 ? strndup(text, (size_t)size) : strdup("");
	}
	BIO_free(bio);
	return out;
}

static char *serial_text(const X509 *x)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = number ? BN_bn2hex(number) : NULL;
	char *out = hex ? strdup(hex) : NULL;

	OPENSSL_free(hex);
	BN_free(number);
	return out;
}

static int64_t time_of(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;
	bool is_known = epoch && ASN1_TIME_diff(&days, &seconds, epoch, t) == 1;

	ASN1_TIME_free(epoch);
	return is_known ? (int64_t)days * 86400 + seconds : 0;
}

static bool key_can_sign(X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	int kind = key ? EVP_PKEY_get_base_id(key) : 0;

	if (kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS)
		return EVP_PKEY_get_bits(key) >= RSA_BITS_LEAST;
	return kind == EVP_PKEY_EC && EVP_PKEY_get_bits(key) >= CURVE_BITS_LEAST;
}

static bool usage_allows(X509 *x)
{
	uint32_t usage = X509_get_key_usage(x);	/* all ones where there is none */

	return (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0;
}

/* What a person signs with (RFC 5280, RFC 9336, and two older names of the latter's purpose);
 * a host's certificate for TLS says nothing of who reads and approves. */
static bool is_purpose_of_documents(const ASN1_OBJECT *purpose)
{
	static const char *const oids[] = {
		"2.5.29.37.0",			/* any */
		"1.3.6.1.5.5.7.3.4",		/* emailProtection */
		"1.3.6.1.5.5.7.3.36",		/* documentSigning */
		"1.3.6.1.4.1.311.10.3.12",	/* documents, as Microsoft has it */
		"1.2.840.113583.1.1.5",		/* documents, as Adobe has it */
	};
	char oid[64];

	if (OBJ_obj2txt(oid, sizeof oid, purpose, 1) <= 0)
		return false;
	for (size_t i = 0; i < sizeof oids / sizeof *oids; i++)
		if (strcmp(oids[i], oid) == 0)
			return true;
	return false;
}

static bool purpose_allows(X509 *x)
{
	int critical = 0;	/* -1 comes back where there is none */
	EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(x, NID_ext_key_usage, &critical, NULL);
	bool allows = !list && critical == -1;

	for (int i = 0; !allows && i < sk_ASN1_OBJECT_num(list); i++)
		allows = is_purpose_of_documents(sk_ASN1_OBJECT_value(list, i));
	EXTENDED_KEY_USAGE_free(list);
	library_forget();
	return allows;
}

static int encode(X509 *x, struct identity *out, struct err *e)
{
	uint8_t *spki = NULL, *end;
	int cert_size = i2d_X509(x, NULL);
	int spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);

	out->cert = cert_size > 0 ? malloc((size_t)cert_size) : NULL;
	if (!out->cert || spki_size <= 0) {
		OPENSSL_free(spki);
		return library_failed(e, "reading a certificate");
	}
	end = out->cert;
	if (!library_wrote(i2d_X509(x, &end), cert_size)) {
		OPENSSL_free(spki);
		return library_failed(e, "reading a certificate");
	}
	out->cert_size = (size_t)cert_size;
	out->fingerprint = digest_of(out->cert, out->cert_size);
	out->key = digest_of(spki, (size_t)spki_size);
	OPENSSL_free(spki);
	return 0;
}

int identity_of(X509 *x, struct identity *out, struct err *e)
{
	*out = (struct identity){ 0 };
	if (encode(x, out, e) < 0) {
		identity_clear(out);
		return -1;
	}
	out->subject = name_text(X509_get_subject_name(x));
	out->issuer = name_text(X509_get_issuer_name(x));
	out->serial = serial_text(x);
	out->not_before = time_of(X509_get0_notBefore(x));
	out->not_after = time_of(X509_get0_notAfter(x));
	out->can_sign = key_can_sign(x) && usage_allows(x);
	out->is_for_documents = purpose_allows(x);
	/* Without memory every certificate looks as if it could not sign. */
	if (out->subject && out->issuer && out->serial && !library_has_lacked_memory())
		return 0;
	identity_clear(out);
	return library_failed(e, "reading the names in a certificate");
}

int identity_parse(const void *data, size_t size, struct identity *out, struct err *e)
{
	X509 *x = x509_read(data, size);
	int rc;

	*out = (struct identity){ 0 };
	if (!x)
		return library_refused(e, MUNI_FORMAT, "there is no X.509 certificate in it, neither PEM "
			       "nor DER; a certificate in PEM begins with "
			       "\"-----BEGIN CERTIFICATE-----\"");
	rc = identity_of(x, out, e);
	X509_free(x);
	return rc;
}

void identity_clear(struct identity *i)
{
	free(i->cert);
	free(i->subject);
	free(i->issuer);
	free(i->serial);
	*i = (struct identity){ 0 };
}

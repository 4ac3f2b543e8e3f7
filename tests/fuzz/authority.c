#include "tests/fuzz/authority.h"

#include <string.h>

#include <openssl/ess.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include "fs/base/err.h"
#include "fs/crypt/sign.h"
#include "tests/fuzz/fuzz.h"

#define SIGNED_AT 1700000000	/* not the clock's */

static void extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	MUST(x && X509_add_ext(cert, x, -1) == 1);
	X509_EXTENSION_free(x);
}

void authority_open(struct authority *a)
{
	X509 *cert = X509_new();
	uint8_t *der = NULL;
	struct err e = ERR_NONE;
	int size;

	a->key = EVP_EC_gen("P-256");
	a->cert = cert;
	MUST(a->key && cert && X509_set_version(cert, X509_VERSION_3) == 1);
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(cert), 7) == 1);
	MUST(ASN1_TIME_set(X509_getm_notBefore(cert), 0) != NULL);
	MUST(ASN1_TIME_set(X509_getm_notAfter(cert), AUTHORITY_LIFE) != NULL);
	MUST(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
					(const unsigned char *)"Authority", -1, -1, 0) == 1);
	MUST(X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1);
	MUST(X509_set_pubkey(cert, a->key) == 1);
	extend(cert, NID_basic_constraints, "critical,CA:TRUE");
	extend(cert, NID_ext_key_usage, "critical,timeStamping");
	MUST(X509_sign(cert, a->key, EVP_sha256()) > 0);
	size = i2d_X509(cert, &der);
	MUST(size > 0 && sign_certificate_pem(der, (size_t)size, &a->pem, &e) == 0);
	OPENSSL_free(der);
}

void authority_close(struct authority *a)
{
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
	free(a->pem);
}

/* ---- what it says ------------------------------------------------------------------------ */

static void set_imprint(TS_TST_INFO *info, const struct digest *of)
{
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	struct digest copy = *of;

	MUST(imprint && algorithm);
	X509_ALGOR_set_md(algorithm, EVP_sha256());
	MUST(TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1);
	MUST(TS_MSG_IMPRINT_set_msg(imprint, copy.bytes, DIGEST_SIZE) == 1);
	MUST(TS_TST_INFO_set_msg_imprint(info, imprint) == 1);
	X509_ALGOR_free(algorithm);
	TS_MSG_IMPRINT_free(imprint);
}

size_t authority_info(const struct digest *of, int64_t when, uint8_t **out)
{
	TS_TST_INFO *info = TS_TST_INFO_new();
	ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4", 1);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_GENERALIZEDTIME *at = ASN1_GENERALIZEDTIME_set(NULL, (time_t)when);
	uint8_t *end;
	int size;

	MUST(info && policy && at && number && ASN1_INTEGER_set(number, 4711) == 1);
	MUST(TS_TST_INFO_set_version(info, 1) == 1 && TS_TST_INFO_set_policy_id(info, policy) == 1);
	set_imprint(info, of);
	MUST(TS_TST_INFO_set_serial(info, number) == 1 && TS_TST_INFO_set_time(info, at) == 1);
	MUST(TS_TST_INFO_set_nonce(info, number) == 1);
	size = i2d_TS_TST_INFO(info, NULL);
	MUST(size > 0);
	*out = end = malloc((size_t)size);
	MUST(end && i2d_TS_TST_INFO(info, &end) == size);
	ASN1_GENERALIZEDTIME_free(at);
	ASN1_INTEGER_free(number);
	ASN1_OBJECT_free(policy);
	TS_TST_INFO_free(info);
	return (size_t)size;
}

/* ---- and signs --------------------------------------------------------------------------- */

/* The signed attribute that names the certificate (RFC 5816). */
static void name_certificate(PKCS7_SIGNER_INFO *info, const X509 *cert)
{
	ESS_SIGNING_CERT_V2 *named = OSSL_ESS_signing_cert_v2_new_init(EVP_sha256(), cert, NULL, 0);
	ASN1_STRING *value = ASN1_STRING_new();
	uint8_t *der = NULL;
	int size = i2d_ESS_SIGNING_CERT_V2(named, &der);

	MUST(size > 0 && value && ASN1_STRING_set(value, der, size) == 1);
	MUST(PKCS7_add_signed_attribute(info, NID_id_smime_aa_signingCertificateV2,
					V_ASN1_SEQUENCE, value) == 1);
	OPENSSL_free(der);
	ESS_SIGNING_CERT_V2_free(named);
}

/* Empty: what goes through dataInit's BIO is put there. */
static PKCS7 *new_content(void)
{
	PKCS7 *p = PKCS7_new();
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();

	MUST(p && octets);
	p->type = OBJ_nid2obj(NID_id_smime_ct_TSTInfo);
	p->d.other = ASN1_TYPE_new();
	MUST(p->d.other);
	ASN1_TYPE_set(p->d.other, V_ASN1_OCTET_STRING, octets);
	return p;
}

/* DER of the signature over it. */
static int sign(const struct authority *a, const uint8_t *data, size_t size,
		uint8_t **out)
{
	PKCS7 *p = PKCS7_new();
	PKCS7_SIGNER_INFO *info;
	BIO *bio;

	MUST(p && PKCS7_set_type(p, NID_pkcs7_signed) == 1);
	MUST(ASN1_INTEGER_set(p->d.sign->version, 3) == 1 && PKCS7_add_certificate(p, a->cert) == 1);
	info = PKCS7_add_signature(p, a->cert, a->key, EVP_sha256());
	MUST(info && PKCS7_add_signed_attribute(info, NID_pkcs9_contentType, V_ASN1_OBJECT,
						OBJ_nid2obj(NID_id_smime_ct_TSTInfo)) == 1);
	MUST(PKCS7_add0_attrib_signing_time(info, ASN1_UTCTIME_set(NULL, SIGNED_AT)) == 1);
	name_certificate(info, a->cert);
	MUST(PKCS7_set_content(p, new_content()) == 1);
	bio = PKCS7_dataInit(p, NULL);
	MUST(bio && (size == 0 || BIO_write(bio, data, (int)size) == (int)size));
	MUST(PKCS7_dataFinal(p, bio) == 1);
	BIO_free_all(bio);
	int n = i2d_PKCS7(p, out);
	PKCS7_free(p);
	MUST(n > 0);
	return n;
}

size_t authority_answer(const struct authority *a, const uint8_t *info, size_t size,
			uint8_t **out)
{
	static const uint8_t granted[] = { 0x30, 3, 2, 1, 0 };
	uint8_t *token = NULL, *at;
	const int token_size = sign(a, info, size, &token);
	const int inside = (int)sizeof granted + token_size;
	const int whole = ASN1_object_size(1, inside, V_ASN1_SEQUENCE);

	*out = at = malloc((size_t)whole);
	MUST(at);
	ASN1_put_object(&at, 1, inside, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	memcpy(at, granted, sizeof granted);
	memcpy(at + sizeof granted, token, (size_t)token_size);
	OPENSSL_free(token);
	return (size_t)whole;
}

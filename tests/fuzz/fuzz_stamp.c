/*
 * What a time-stamping authority says, signed as it should be: the input is what it signs
 * (TSTInfo of RFC 3161, in DER), which this target puts into an answer of an authority of
 * its own.  What is taken is a stamp over this digest, and not off by more than an hour.
 */
#include <string.h>

#include <openssl/ess.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include "fs/base/err.h"
#include "fs/crypt/officer.h"
#include "fs/crypt/sign.h"
#include "tests/fuzz/fuzz.h"

#define HUNDRED_YEARS (36500L * 86400)

static EVP_PKEY *key;
static X509 *cert;
static char *ca;

static void close_all(void)
{
	EVP_PKEY_free(key);
	X509_free(cert);
	free(ca);
}

static void extend(int nid, const char *value)
{
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	MUST(x && X509_add_ext(cert, x, -1) == 1);
	X509_EXTENSION_free(x);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint8_t *der = NULL;
	struct err e = ERR_NONE;
	int size;

	(void)argc;
	(void)argv;
	key = EVP_EC_gen("P-256");
	cert = X509_new();
	MUST(key && cert && X509_set_version(cert, X509_VERSION_3) == 1);
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(cert), 7) == 1);
	MUST(ASN1_TIME_set(X509_getm_notBefore(cert), 0) != NULL);
	MUST(ASN1_TIME_set(X509_getm_notAfter(cert), HUNDRED_YEARS) != NULL);
	MUST(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
					(const unsigned char *)"Authority", -1, -1, 0) == 1);
	MUST(X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1);
	MUST(X509_set_pubkey(cert, key) == 1);
	extend(NID_basic_constraints, "critical,CA:TRUE");
	extend(NID_ext_key_usage, "critical,timeStamping");
	MUST(X509_sign(cert, key, EVP_sha256()) > 0);
	size = i2d_X509(cert, &der);
	MUST(size > 0 && sign_certificate_pem(der, (size_t)size, &ca, &e) == 0);
	OPENSSL_free(der);
	MUST(atexit(close_all) == 0);
	return 0;
}

/* The signed attribute that names the certificate (RFC 5816). */
static void name_certificate(PKCS7_SIGNER_INFO *info)
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
static int sign(const uint8_t *data, size_t size, uint8_t **out)
{
	PKCS7 *p = PKCS7_new();
	PKCS7_SIGNER_INFO *info;
	BIO *bio;

	MUST(p && PKCS7_set_type(p, NID_pkcs7_signed) == 1);
	MUST(ASN1_INTEGER_set(p->d.sign->version, 3) == 1 && PKCS7_add_certificate(p, cert) == 1);
	info = PKCS7_add_signature(p, cert, key, EVP_sha256());
	MUST(info && PKCS7_add_signed_attribute(info, NID_pkcs9_contentType, V_ASN1_OBJECT,
						OBJ_nid2obj(NID_id_smime_ct_TSTInfo)) == 1);
	name_certificate(info);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t granted[] = { 0x30, 3, 2, 1, 0 };
	const struct digest of = digest_of("x", 1);
	uint8_t *token = NULL, *answer, *at;
	int64_t when = 0;
	struct err e = ERR_NONE;
	int token_size, answer_size;

	if (size > 4096)
		return 0;
	token_size = sign(data, size, &token);
	answer_size = ASN1_object_size(1, (int)sizeof granted + token_size, V_ASN1_SEQUENCE);
	answer = at = malloc((size_t)answer_size);
	MUST(answer);
	ASN1_put_object(&at, 1, (int)sizeof granted + token_size, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	memcpy(at, granted, sizeof granted);
	memcpy(at + sizeof granted, token, (size_t)token_size);
	if (timestamp_verify(answer, (size_t)answer_size, &of, ca, strlen(ca), &when, &e) == 0)
		MUST(memmem(data, size, of.bytes, DIGEST_SIZE) && when >= 0 &&
		     when <= HUNDRED_YEARS);	/* as its certificate has it */
	else
		MUST((e.code == MUNI_DAMAGED || e.code == MUNI_REFUSED) && *e.text);
	free(answer);
	OPENSSL_free(token);
	return 0;
}

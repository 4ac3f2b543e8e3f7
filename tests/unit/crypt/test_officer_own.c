/*
 * The archive's own signature: what was made here is taken, and nothing with more in it.
 */
#include "tests/unit/crypt/unit.h"

#include <openssl/cms.h>
#include <openssl/objects.h>

#include "fs/crypt/officer.h"
#include "fs/crypt/sign.h"

#define NOW 1700000000

static const char text[] = "{\"count\":3}";
#define TEXT text, sizeof text - 1

static struct signer *signer_of(enum signer_algorithm algorithm)
{
	struct signer *s = NULL;
	struct err e = ERR_NONE;

	assert_int_equal(signer_generate("00", algorithm, NOW, &s, &e), 0);
	return s;
}

static CMS_ContentInfo *sign(const struct signer *s)
{
	const uint8_t *at;
	uint8_t *der;
	size_t size;
	struct err e = ERR_NONE;
	CMS_ContentInfo *cms;

	assert_int_equal(sign_detached(s, TEXT, NOW, &der, &size, &e), 0);
	at = der;
	cms = d2i_CMS_ContentInfo(NULL, &at, (long)size);
	assert_non_null(cms);
	free(der);
	return cms;
}

/* As what is in cms now is judged: 0, or the error's code.  Takes cms over. */
static int verdict(CMS_ContentInfo *cms)
{
	struct cms_signer *signers = NULL, *others = NULL;
	struct err e = ERR_NONE, f = ERR_NONE;
	uint8_t *der = NULL;
	size_t count = 0, others_count = 0;
	const int size = i2d_CMS_ContentInfo(cms, &der);

	CMS_ContentInfo_free(cms);
	assert_true(size > 0);
	/* Each of these signatures holds: what is asked is what stands beside it. */
	assert_int_equal(cms_verify_detached(der, (size_t)size, TEXT, &others, &others_count, &f), 0);
	cms_signers_free(others, others_count);
	if (cms_verify_own(der, (size_t)size, TEXT, &signers, &count, &e) == 0) {
		assert_int_equal(count, 1);
	} else {
		assert_null(signers);
		assert_int_equal(count, 0);
	}
	cms_signers_free(signers, count);
	OPENSSL_free(der);
	return e.code;
}

static CMS_SignerInfo *first(CMS_ContentInfo *cms)
{
	return sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
}

static void what_was_made_is_taken_by_every_algorithm(void **state)
{
	(void)state;
	for (enum signer_algorithm a = SIGNER_P256; a <= SIGNER_P521; a++) {
		struct signer *s = signer_of(a);

		assert_int_equal(verdict(sign(s)), 0);
		signer_free(s);
	}
}

static void what_was_added_to_it_is_damage(void **state)
{
	struct signer *s = signer_of(SIGNER_P256), *other = signer_of(SIGNER_P256);
	CMS_ContentInfo *cms = sign(s);
	struct err e = ERR_NONE;
	X509_ALGOR *digest = NULL;
	uint8_t *cert;
	const uint8_t *at;
	size_t size;
	X509 *x;

	(void)state;
	assert_int_equal(CMS_unsigned_add1_attr_by_NID(first(cms), NID_pkcs9_unstructuredName,
						       V_ASN1_IA5STRING, "read me", 7), 1);
	assert_int_equal(verdict(cms), MUNI_DAMAGED);

	assert_int_equal(signer_certificate(other, &cert, &size, &e), 0);
	at = cert;
	x = d2i_X509(NULL, &at, (long)size);
	cms = sign(s);
	assert_int_equal(CMS_add1_cert(cms, x), 1);
	assert_int_equal(verdict(cms), MUNI_DAMAGED);
	X509_free(x);
	free(cert);

	cms = sign(s);
	CMS_SignerInfo_get0_algs(first(cms), NULL, NULL, &digest, NULL);
	assert_int_equal(X509_ALGOR_set0(digest, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL), 1);
	assert_int_equal(verdict(cms), MUNI_DAMAGED);
	signer_free(s);
	signer_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_made_is_taken_by_every_algorithm),
		cmocka_unit_test(what_was_added_to_it_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/crypt/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/crypt/secret.h"
#include "fs/crypt/sign.h"
#include "fs/crypt/signatories.h"

#define NOW 1700000000

struct fixture {
	struct signer *signer;
	uint8_t *key, *cert;
	size_t key_size, cert_size;
	uint8_t *der;
	size_t der_size;
};

static const char text[] = "{\"count\":3}";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	assert_int_equal(signer_generate("0123456789abcdef0123456789abcdef", SIGNER_P256, NOW, &f->signer,
					 &e), 0);
	assert_int_equal(signer_export(f->signer, &f->key, &f->key_size, &f->cert,
				       &f->cert_size, &e), 0);
	assert_int_equal(sign_detached(f->signer, text, sizeof text - 1, NOW, &f->der,
				       &f->der_size, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	signer_free(f->signer);
	secret_free(f->key);
	free(f->cert);
	free(f->der);
	free(f);
	return 0;
}

static int verify(const struct fixture *f, const void *data, size_t size, struct err *e)
{
	return sign_verify_detached(f->der, f->der_size, data, size, f->cert, f->cert_size, e);
}

static void a_signature_holds_for_its_bytes_only(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	assert_int_equal(verify(f, text, sizeof text - 1, &e), 0);
	assert_int_equal(verify(f, text, sizeof text - 2, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(verify(f, "{\"count\":4}", sizeof text - 1, &e), -1);
	assert_int_equal(verify(f, "", 0, &e), -1);
}

static void another_archives_signature_is_refused_though_it_brings_its_certificate(
	void **state)
{
	struct fixture *f = *state;
	struct signer *other;
	uint8_t *der;
	size_t der_size;
	struct err e = ERR_NONE;

	assert_int_equal(signer_generate("0123456789abcdef0123456789abcdef", SIGNER_P256, NOW, &other, &e),
			 0);
	assert_int_equal(sign_detached(other, text, sizeof text - 1, NOW, &der, &der_size, &e),
			 0);
	assert_int_equal(sign_verify_detached(der, der_size, text, sizeof text - 1, f->cert,
					      f->cert_size, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	free(der);
	signer_free(other);
}

/* A flipped bit in unsigned parts (an unused certificate's bytes) may pass:
 * what is signed stays signed.  But no flip may crash or leak, and one in the
 * last bytes, the signature value itself, must fail. */
static void a_damaged_signature_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	for (size_t i = 0; i < f->der_size; i++) {
		f->der[i] ^= 0x10;
		int rc = verify(f, text, sizeof text - 1, &e);

		if (i > f->der_size - 16)
			assert_int_equal(rc, -1);
		f->der[i] ^= 0x10;
	}
	for (size_t cut = 0; cut < f->der_size; cut += 7)
		assert_int_equal(sign_verify_detached(f->der, cut, text, sizeof text - 1,
						      f->cert, f->cert_size, &e), -1);
}

static void a_certificate_goes_to_pem_and_back(void **state)
{
	struct fixture *f = *state;
	uint8_t *der;
	size_t size;
	char *pem;
	struct err e = ERR_NONE;

	assert_int_equal(sign_certificate_pem(f->cert, f->cert_size, &pem, &e), 0);
	assert_int_equal(sign_certificate_der((const uint8_t *)pem, strlen(pem), &der, &size, &e),
			 0);
	assert_int_equal(size, f->cert_size);
	assert_memory_equal(der, f->cert, size);
	free(der);
	for (size_t cut = 0; cut < strlen(pem) - 2; cut += 7) {
		assert_int_equal(sign_certificate_der((const uint8_t *)pem, cut, &der, &size, &e),
				 -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		assert_null(der);
	}
	free(pem);
}

static void an_imported_key_signs_like_the_first(void **state)
{
	struct fixture *f = *state;
	struct signer *again;
	uint8_t *der;
	size_t der_size;
	struct err e = ERR_NONE;

	assert_int_equal(signer_import(f->key, f->key_size, f->cert, f->cert_size, &again, &e),
			 0);
	assert_int_equal(sign_detached(again, "x", 1, NOW, &der, &der_size, &e), 0);
	assert_int_equal(sign_verify_detached(der, der_size, "x", 1, f->cert, f->cert_size,
					      &e), 0);
	free(der);
	signer_free(again);
}

static void a_key_without_its_own_certificate_is_refused(void **state)
{
	struct fixture *f = *state;
	struct signer *other, *mixed;
	uint8_t *cert;
	size_t cert_size;
	struct err e = ERR_NONE;

	assert_int_equal(signer_generate("ff", SIGNER_P256, NOW, &other, &e), 0);
	assert_int_equal(signer_certificate(other, &cert, &cert_size, &e), 0);
	assert_int_equal(signer_import(f->key, f->key_size, cert, cert_size, &mixed, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_null(mixed);
	assert_int_equal(signer_import(f->key, 10, cert, cert_size, &mixed, &e), -1);
	assert_int_equal(signer_import(f->key, f->key_size, cert, 10, &mixed, &e), -1);
	free(cert);
	signer_free(other);
}

static void put(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void stock_openssl_verifies_it(void **state)
{
	struct fixture *f = *state;
	char folder[] = "/tmp/muniment-sign.XXXXXX", command[600];

	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	put("data", text, sizeof text - 1);
	put("data.cms", f->der, f->der_size);
	put("cert.der", f->cert, f->cert_size);
	snprintf(command, sizeof command,
		 "openssl x509 -inform DER -in cert.der -out cert.pem && "
		 "openssl cms -verify -binary -inform DER -in data.cms -content data "
		 "-CAfile cert.pem -out out 2>log && cmp data out && "
		 "openssl x509 -in cert.pem -noout -ext keyUsage | grep -q 'Digital Signature' "
		 "&& openssl cms -cmsout -print -inform DER -in data.cms | "
		 "grep -q 'Nov 14 22:13:20 2023 GMT'");
	assert_int_equal(system(command), 0);
	put("data", "{\"count\":4}", sizeof text - 1);
	assert_int_not_equal(system("openssl cms -verify -binary -inform DER -in data.cms "
				    "-content data -CAfile cert.pem -out out 2>log"), 0);
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void every_algorithm_signs_what_stock_openssl_verifies(void **state)
{
	static const char *const names[] = { "ecdsa-p256", "ecdsa-p384", "ecdsa-p521" };
	static const char *const digests[] = { "sha256", "sha384", "sha512" };
	char folder[] = "/tmp/muniment-sign.XXXXXX", command[600];
	struct err e = ERR_NONE;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	for (size_t i = 0; i < 3; i++) {
		enum signer_algorithm a;
		struct signer *s;
		uint8_t *cert, *der;
		size_t cert_size, der_size;

		assert_int_equal(signer_algorithm_parse(names[i], &a, &e), 0);
		assert_string_equal(signer_algorithm_name(a), names[i]);
		assert_int_equal(signer_generate("0123", a, NOW, &s, &e), 0);
		assert_int_equal(signer_certificate(s, &cert, &cert_size, &e), 0);
		assert_int_equal(sign_detached(s, text, sizeof text - 1, NOW, &der, &der_size, &e), 0);
		put("data", text, sizeof text - 1);
		put("data.cms", der, der_size);
		put("cert.der", cert, cert_size);
		snprintf(command, sizeof command,
			 "openssl x509 -inform DER -in cert.der -out cert.pem && "
			 "openssl cms -verify -binary -inform DER -in data.cms -content data "
			 "-CAfile cert.pem -purpose any -out out 2>log && cmp data out && "
			 "openssl cms -cmsout -print -inform DER -in data.cms | grep -q %s",
			 digests[i]);
		assert_int_equal(system(command), 0);
		free(cert);
		free(der);
		signer_free(s);
	}
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
	enum signer_algorithm none;
	assert_int_equal(signer_algorithm_parse("rot13", &none, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
}

/* The certificate that comes along counts only where it is one of those that are known. */
static void a_known_certificate_is_found_in_the_signature_itself(void **state)
{
	struct fixture *f = *state;
	const struct digest mine = digest_of(f->cert, f->cert_size);
	struct digest known[2] = { { { 1 } }, mine }, signer;
	struct signatories who = { .count = 0 };
	struct err e = ERR_NONE;
	size_t which = 9;

	assert_int_equal(sign_verify_known(f->der, f->der_size, text, sizeof text - 1, known, 2,
					   &which, &e), 0);
	assert_int_equal(which, 1);
	assert_int_equal(sign_verify_known(f->der, f->der_size, text, sizeof text - 1, known, 1,
					   &which, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(sign_verify_known(f->der, f->der_size, text, sizeof text - 2, known, 2,
					   &which, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(signatories_add(&who, &mine, 5), 0);
	assert_int_equal(signatories_verify(&who, 5, f->der, f->der_size, text, sizeof text - 1,
					    &signer, &e), 0);
	assert_memory_equal(&signer, &mine, sizeof mine);
	assert_int_equal(signatories_verify(&who, 6, f->der, f->der_size, text, sizeof text - 1,
					    &signer, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_holds_for_its_bytes_only),
		cmocka_unit_test(
			another_archives_signature_is_refused_though_it_brings_its_certificate),
		cmocka_unit_test(a_damaged_signature_is_refused),
		cmocka_unit_test(a_certificate_goes_to_pem_and_back),
		cmocka_unit_test(an_imported_key_signs_like_the_first),
		cmocka_unit_test(a_key_without_its_own_certificate_is_refused),
		cmocka_unit_test(stock_openssl_verifies_it),
		cmocka_unit_test(every_algorithm_signs_what_stock_openssl_verifies),
		cmocka_unit_test(a_known_certificate_is_found_in_the_signature_itself),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

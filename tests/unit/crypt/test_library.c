#include "tests/unit/crypt/unit.h"

#include "fs/crypt/library.h"
#include "fs/crypt/secret.h"
#include "fs/crypt/sign.h"

#define NOW 1700000000

/* The order matters: what was short once stays so. */
static void a_refusal_is_a_refusal_until_memory_was_short_and_a_want_of_memory_ever_after(void **state)
{
	static const char text[] = "{\"count\":3}";
	struct err e = ERR_NONE;
	struct signer *signer;
	uint8_t *cert, *der;
	size_t cert_size, der_size;

	(void)state;
	assert_int_equal(signer_generate("0123456789abcdef0123456789abcdef", SIGNER_P256, NOW, &signer, &e), 0);
	assert_int_equal(signer_certificate(signer, &cert, &cert_size, &e), 0);
	assert_int_equal(sign_detached(signer, text, sizeof text - 1, NOW, &der, &der_size, &e), 0);
	assert_int_equal(sign_verify_detached(der, der_size, "other", 5, cert, cert_size, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_false(library_has_lacked_memory());
	library_lacks_memory();
	assert_true(library_has_lacked_memory());
	assert_int_equal(sign_verify_detached(der, der_size, "other", 5, cert, cert_size, &e), -1);
	assert_int_equal(e.code, MUNI_NO_MEMORY);
	/* What holds holds. */
	assert_int_equal(sign_verify_detached(der, der_size, text, sizeof text - 1, cert, cert_size,
					      &e), 0);
	free(der);
	/* Sets that were not sorted for want of memory are left out of what is written. */
	assert_int_equal(sign_detached(signer, text, sizeof text - 1, NOW, &der, &der_size, &e), -1);
	assert_int_equal(e.code, MUNI_NO_MEMORY);
	assert_non_null(strstr(e.text, "no memory"));
	assert_null(der);
	signer_free(signer);
	free(cert);
}

static void the_library_starts(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(secret_begin(&e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_library_starts),
		cmocka_unit_test(a_refusal_is_a_refusal_until_memory_was_short_and_a_want_of_memory_ever_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

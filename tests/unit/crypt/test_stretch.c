#include "tests/unit/crypt/unit.h"

#include "fs/crypt/secret.h"
#include "fs/crypt/stretch.h"

static const char passphrase[] = "a passphrase of no worth";

static void assert_stretched(uint8_t log_n, uint32_t r, uint32_t p, const char *hex)
{
	struct stretch how = { .log_n = log_n, .r = r, .p = p };
	uint8_t *key = secret_new(32);
	struct err e = ERR_NONE;

	assert_non_null(key);
	for (uint8_t i = 0; i < sizeof how.salt; i++)
		how.salt[i] = i;
	if (stretch(&how, passphrase, strlen(passphrase), key, &e) < 0)
		fail_msg("%s", e.text);
	assert_hex(key, 32, hex);
	secret_free(key);
}

/* As hashlib.scrypt() of Python says.  What asks for less than it says is cheaper to guess at,
 * and opens what it sealed itself. */
static void the_work_that_is_asked_for_is_done(void **state)
{
	(void)state;
	assert_stretched(4, 8, 1, "d3439329e0c7806e81a2c62552c1ff070e73d3f521d977e9c20e6abc61b5e027");
	assert_stretched(14, 8, 1, "50d329dc8f91b32549197072b85a2675be4b99b2c85d7e589ef5ffbcc5c59a15");
	assert_stretched(4, 4, 3, "4650cf58b5294f6678299e923f447a06163847f3d91925fec776b8e4d89618fd");
}

static void who_asks_for_more_than_a_gibibyte_is_refused(void **state)
{
	struct stretch how = { .log_n = 21, .r = 8, .p = 1 };
	struct err e = ERR_NONE;
	uint8_t key[32];

	(void)state;
	assert_int_equal(stretch(&how, passphrase, strlen(passphrase), key, &e), -1);
	assert_int_equal(e.code, MUNI_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_work_that_is_asked_for_is_done),
		cmocka_unit_test(who_asks_for_more_than_a_gibibyte_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

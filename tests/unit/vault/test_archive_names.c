#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/vault/vault.h"

static bool is_taken(const char *name, bool is_label)
{
	struct err e = ERR_NONE;

	if (vault_check_name(name, is_label, &e) == 0)
		return true;
	assert_int_equal(e.code, MUNI_USAGE);
	return false;
}

static void names_of_1_to_128_bytes_of_utf8_are_taken(void **state)
{
	char name[140];

	(void)state;
	memset(name, 'a', sizeof name);
	name[128] = '\0';
	assert_true(is_taken(name, false));
	memset(name, 'a', sizeof name);
	name[129] = '\0';
	assert_false(is_taken(name, false));
	assert_false(is_taken("", false));
	assert_true(is_taken("财务 系统", false));
	assert_true(is_taken("a.b-c_d e", true));
	assert_true(is_taken("1", true));
	assert_true(is_taken("v2021-06-30", true));
	assert_true(is_taken("2021", true));
}

static void names_that_would_play_tricks_are_refused(void **state)
{
	static const char *const bad[] = {
		"a/b", "/", "a@b", "@", ".", "..", ".hidden", "a\nb", "\t", "\x7f", "a\x01",
		"\xc2\x85", "\xc2\x9b", "caf\xe9", "\xed\xa0\x80", "\xc0\xaf",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(is_taken(bad[i], false));
		assert_false(is_taken(bad[i], true));
	}
}

static void a_label_that_looks_like_a_date_is_refused_and_a_system_is_not(void **state)
{
	(void)state;
	assert_false(is_taken("2021-06-30", true));
	assert_false(is_taken("2021-06-30T12:00:00Z", true));
	assert_true(is_taken("2021-06-30", false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_1_to_128_bytes_of_utf8_are_taken),
		cmocka_unit_test(names_that_would_play_tricks_are_refused),
		cmocka_unit_test(
			a_label_that_looks_like_a_date_is_refused_and_a_system_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

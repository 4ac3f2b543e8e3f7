#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy/detect/checksum.h"

typedef bool check(const char *text, size_t count);

/* A right number, and that every other check digit, and (where the scheme promises
 * it) every swap of unequal neighbours, makes it wrong. */
static void assert_right(check *is_right, const char *number, const char *alphabet)
{
	char text[64];
	size_t count = strlen(number);

	memcpy(text, number, count + 1);
	assert_true(is_right(text, count));
	for (const char *c = alphabet; *c != '\0'; c++) {
		text[count - 1] = *c;
		assert_true(is_right(text, count) == (*c == number[count - 1]));
	}
}

static void assert_swaps_are_seen(check *is_right, const char *number)
{
	char text[64];
	size_t count = strlen(number);

	for (size_t i = 1; i < count; i++) {
		memcpy(text, number, count + 1);
		text[i] = number[i - 1];
		text[i - 1] = number[i];
		assert_true(is_right(text, count) == (text[i] == text[i - 1]));
	}
}

static void luhn_knows_the_published_numbers(void **state)
{
	(void)state;
	assert_right(checksum_luhn, "79927398713", "0123456789");
	assert_right(checksum_luhn, "4111111111111111", "0123456789");
	assert_right(checksum_luhn, "378282246310005", "0123456789");
	assert_right(checksum_luhn, "6011111111111117", "0123456789");
	assert_false(checksum_luhn("0", 1));
	assert_false(checksum_luhn("4111-1111", 9));
}

static void mod97_knows_the_examples_of_the_iban_registry(void **state)
{
	static const char *const right[] = { "GB29NWBK60161331926819",
		"DE89370400440532013000", "FR1420041010050500013M02606",
		"NO9386011117947", "MT84MALT011000012345MTLCAST001S" };
	static const char *const wrong[] = { "GB29NWBK60161331926818",
		"GB92NWBK60161331926819", "DE89370400440532031000", "de89370400440532013000",
		"DE89", "" };

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		assert_true(checksum_mod97(right[i], strlen(right[i])));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(checksum_mod97(wrong[i], strlen(wrong[i])));
}

static void verhoeff_sees_every_wrong_digit_and_swap(void **state)
{
	(void)state;
	assert_right(checksum_verhoeff, "2363", "0123456789");
	assert_right(checksum_verhoeff, "1428570", "0123456789");
	assert_right(checksum_verhoeff, "123456789010", "0123456789");
	assert_swaps_are_seen(checksum_verhoeff, "1428570");
	assert_swaps_are_seen(checksum_verhoeff, "123456789010");
}

static void mod11_2_knows_the_examples_of_gb_11643_and_orcid(void **state)
{
	(void)state;
	assert_right(checksum_mod11_2, "11010519491231002X", "0123456789X");
	assert_right(checksum_mod11_2, "440524188001010014", "0123456789X");
	assert_right(checksum_mod11_2, "0000000218250097", "0123456789X");
	assert_swaps_are_seen(checksum_mod11_2, "440524188001010014");
	assert_true(checksum_mod11_2("11010519491231002x", 18));
	assert_false(checksum_mod11_2("X1010519491231002X", 18));
}

static void mod11_10_knows_the_published_tax_ids(void **state)
{
	(void)state;
	assert_right(checksum_mod11_10, "86095742719", "0123456789");
	assert_right(checksum_mod11_10, "47036892816", "0123456789");
	assert_right(checksum_mod11_10, "02476291358", "0123456789");
	assert_false(checksum_mod11_10("8609574271X", 11));
}

static void digits_are_taken_out_of_what_separates_them(void **state)
{
	char out[20];

	(void)state;
	assert_int_equal(checksum_digits("4111 1111-11", 12, " -", out, sizeof out), 10);
	assert_string_equal(out, "4111111111");
	assert_int_equal(checksum_digits("", 0, "", out, sizeof out), 0);
	assert_string_equal(out, "");
	assert_int_equal(checksum_digits("41.1", 4, " -", out, sizeof out), -1);
	assert_int_equal(checksum_digits("41\0" "1", 4, " -", out, sizeof out), -1);
	assert_int_equal(checksum_digits("12345", 5, "", out, 6), 5);
	assert_int_equal(checksum_digits("123456", 6, "", out, 6), -1);
	assert_int_equal(checksum_digits("", 0, "", out, 0), -1);
	assert_int_equal(checksum_alnum("gb29 NWBK", 9, " ", out, sizeof out), 8);
	assert_string_equal(out, "GB29NWBK");
	assert_int_equal(checksum_alnum("gb29_NWBK", 9, " ", out, sizeof out), -1);
	assert_int_equal(checksum_alnum("gb2\xc3\xa9", 5, " ", out, sizeof out), -1);
}

static void only_days_of_the_calendar_are_dates(void **state)
{
	(void)state;
	assert_true(checksum_is_date(2000, 2, 29));
	assert_true(checksum_is_date(2024, 2, 29));
	assert_false(checksum_is_date(1900, 2, 29));
	assert_false(checksum_is_date(2023, 2, 29));
	assert_true(checksum_is_date(1850, 1, 1));
	assert_true(checksum_is_date(2100, 12, 31));
	assert_false(checksum_is_date(1849, 12, 31));
	assert_false(checksum_is_date(2101, 1, 1));
	assert_false(checksum_is_date(2000, 4, 31));
	assert_false(checksum_is_date(2000, 13, 1));
	assert_false(checksum_is_date(2000, 0, 1));
	assert_false(checksum_is_date(2000, 1, 0));
	assert_false(checksum_is_date(2000, -1, -1));
}

static void numbers_that_somebody_made_up_are_trivial(void **state)
{
	static const char *const trivial[] = { "0000000000", "1111", "12345678", "7890123",
		"87654321", "3210987" };
	static const char *const not[] = { "0000000001", "12345679", "1212", "4111111111111111" };

	(void)state;
	for (size_t i = 0; i < sizeof trivial / sizeof trivial[0]; i++)
		assert_true(checksum_is_trivial(trivial[i], strlen(trivial[i])));
	for (size_t i = 0; i < sizeof not / sizeof not[0]; i++)
		assert_false(checksum_is_trivial(not[i], strlen(not[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(luhn_knows_the_published_numbers),
		cmocka_unit_test(mod97_knows_the_examples_of_the_iban_registry),
		cmocka_unit_test(verhoeff_sees_every_wrong_digit_and_swap),
		cmocka_unit_test(mod11_2_knows_the_examples_of_gb_11643_and_orcid),
		cmocka_unit_test(mod11_10_knows_the_published_tax_ids),
		cmocka_unit_test(digits_are_taken_out_of_what_separates_them),
		cmocka_unit_test(only_days_of_the_calendar_are_dates),
		cmocka_unit_test(numbers_that_somebody_made_up_are_trivial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

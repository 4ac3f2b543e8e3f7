#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy/detect/beside.h"

/* The candidate that stands between "[" and "]"; the brackets go. */
static struct candidate marked(const char *text, char out[256])
{
	size_t start = (size_t)(strchr(text, '[') - text);
	size_t end = (size_t)(strchr(text, ']') - text), size = strlen(text);

	assert_true(size < 256);
	memcpy(out, text, start);
	memcpy(out + start, text + start + 1, end - start - 1);
	memcpy(out + end - 1, text + end + 1, size - end - 1);
	return (struct candidate){ .before = out, .text = out + start, .size = end - start - 1,
				   .after = out + size - 2 };
}

typedef bool claim(const struct candidate *c);

static void assert_all(claim *is_so, bool expected, const char *const *texts)
{
	char out[256];

	for (; *texts != NULL; texts++) {
		struct candidate c = marked(*texts, out);

		if (is_so(&c) != expected)
			fail_msg("%s", *texts);
	}
}

static void a_number_is_clear_where_nothing_of_it_stands_outside(void **state)
{
	static const char *const clear[] = { "[12345678]", "no [12345678].", "([12345678])",
		"id:[12345678],", "a_[12345678]_b.jpg", "No.[12345678]", "PESEL-[12345678]",
		"\\n[12345678]", "身份证[12345678]号", "[12345678]/87654321",
		"[12345678].txt", "[1234 5678] 90", NULL };
	static const char *const pieces[] = { "9[12345678]", "[12345678]9", "x[12345678]",
		"[12345678]x", "0.[12345678]", "[12345678].5", "+[12345678]", "[12345678]@a.b",
		"a1-[12345678]", "[12345678]-1", "1_[12345678]", "2023/[12345678]",
		"[12345678]/2023", "[12345678]%", "[1234 5678] 9012", "0000 [1234 5678]",
		"4F0B [1234 5678]", "+49 30 [123 5678]", "９[12345678]", NULL };

	(void)state;
	assert_all(beside_is_clear, true, clear);
	assert_all(beside_is_clear, false, pieces);
}

static void addresses_and_paths_are_told(void **state)
{
	static const char *const in[] = { "https://a.example/x?id=[12345678]", "/orders/[12345678]",
		"www.a.example:80/q=[12345678]", "see http://a.example/p/1-[12345678]", NULL };
	static const char *const out[] = { "id=[12345678]", "https://a.example/ and [12345678]",
		"\"http://a\":[12345678]", "1/[12345678]", NULL };

	(void)state;
	assert_all(beside_is_in_url, true, in);
	assert_all(beside_is_in_url, false, out);
}

static void amounts_have_a_currency_or_a_unit(void **state)
{
	static const char *const amounts[] = { "$[12345678]", "EUR [12345678]", "[12345678] EUR",
		"[12345678]元", "¥ [12345678]", "[12345678] bytes", "[12345678] kr.", NULL };
	static const char *const none[] = { "[12345678]", "[12345678] may", "[12345678] krona2",
		"[12345678] members", "a [12345678]", NULL };

	(void)state;
	assert_all(beside_is_amount, true, amounts);
	assert_all(beside_is_amount, false, none);
}

static void the_nearest_name_before_a_number_names_it(void **state)
{
	static const struct {
		const char *text, *label;
		enum naming naming;
	} cases[] = {
		{ "the [123]", NULL, NAMING_NONE },
		{ "SSN [123]", NULL, NAMING_SELF },
		{ "employeeSSN: [123]", NULL, NAMING_SELF },
		{ "social_security=[123]", NULL, NAMING_SELF },
		{ "lessn [123]", NULL, NAMING_NONE },
		{ "order [123]", NULL, NAMING_OTHER },
		{ "orderNo=[123]", NULL, NAMING_OTHER },
		{ "borders [123]", NULL, NAMING_NONE },
		{ "SSN, then order [123]", NULL, NAMING_OTHER },
		{ "order 4: SSN [123]", NULL, NAMING_SELF },
		{ "order\n[123]", NULL, NAMING_NONE },	/* another line */
		{ "订单号：[123]", NULL, NAMING_OTHER },
		{ "加拿大社会保险号 [123]", NULL, NAMING_OTHER },
		{ "美国社会保险号 [123]", NULL, NAMING_SELF },
		{ "order [123]", "ssn", NAMING_SELF },	/* the column knows better */
		{ "SSN [123]", "invoice_no", NAMING_OTHER },
		{ "SSN [123]", "value", NAMING_SELF },
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct candidate c = marked(cases[i].text, out);

		c.label = cases[i].label;
		if (beside_naming(&c, "us-ssn") != cases[i].naming)
			fail_msg("%s (%s)", cases[i].text, cases[i].label ? cases[i].label : "");
	}
}

static void another_name_takes_a_level_off(void **state)
{
	char out[256];
	struct candidate order = marked("order [123]", out), plain;
	char more[256];

	(void)state;
	assert_int_equal(beside_judge(&order, "us-ssn", VERDICT_VALID), VERDICT_WEAK);
	assert_int_equal(beside_judge(&order, "us-ssn", VERDICT_WEAK), VERDICT_NO);
	assert_int_equal(beside_judge(&order, "us-ssn", VERDICT_NO), VERDICT_NO);
	plain = marked("the [123]", more);
	assert_int_equal(beside_judge(&plain, "us-ssn", VERDICT_VALID), VERDICT_VALID);
	plain = marked("http://a.example/[123]", more);
	assert_int_equal(beside_judge(&plain, "us-ssn", VERDICT_VALID), VERDICT_WEAK);
	plain = marked("http://a.example/?ssn=[123]", more);
	assert_int_equal(beside_judge(&plain, "us-ssn", VERDICT_VALID), VERDICT_VALID);
}

static void names_stand_in_the_order_in_which_they_are_looked_for(void **state)
{
	(void)state;
	for (size_t i = 1; i < beside_name_count; i++)
		assert_true((unsigned char)beside_names[i - 1].word[0] <=
			    (unsigned char)beside_names[i].word[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_clear_where_nothing_of_it_stands_outside),
		cmocka_unit_test(addresses_and_paths_are_told),
		cmocka_unit_test(amounts_have_a_currency_or_a_unit),
		cmocka_unit_test(the_nearest_name_before_a_number_names_it),
		cmocka_unit_test(another_name_takes_a_level_off),
		cmocka_unit_test(names_stand_in_the_order_in_which_they_are_looked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

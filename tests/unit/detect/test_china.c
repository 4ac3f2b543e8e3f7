#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rules.h"

/* ---- resident identity ------------------------------------------------------------------ */

static void the_examples_of_gb_11643_are_resident_ids(void **state)
{
	static const char *const valid[] = { "11010519491231002X", "11010519491231002x",
		"440524188001010014", "110105 19491231 002X", "110105-19491231-002X",
		"110105 1949 1231 002X", NULL };

	(void)state;
	assert_verdicts("cn-resident-id", valid, VERDICT_VALID);
}

static void made_resident_ids_count_and_every_wrong_digit_is_seen(void **state)
{
	(void)state;
	assert_made_are("cn-resident-id", VERDICT_VALID);
	assert_misses_pass("cn-resident-id", false, 0);
	assert_misses_pass("cn-resident-id", true, 0);
}

/* Seventeen digits and the check character that makes them right. */
static const char *with_check(const char *seventeen)
{
	static const int weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	static char out[19];

	snprintf(out, sizeof out, "%s%c", seventeen, "10X98765432"[made_sum(seventeen, weights) % 11]);
	return out;
}

static void a_resident_id_needs_a_real_place_and_birth(void **state)
{
	static const char *const never[] = {
		"99010519491231002", "00010519491231002", "10010519491231002",	/* province */
		"11010519490231002", "11010519491331002", "11010519491200002",	/* date */
		"11010519000229002",	/* 1900 was no leap year */
		"11010520360101002", "11010518491231002",	/* not born yet; too long ago */
	};

	(void)state;
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		assert_verdict("cn-resident-id", with_check(never[i]), VERDICT_NO);
	assert_verdict("cn-resident-id", with_check("11010520000229002"), VERDICT_VALID);
	assert_verdict("cn-resident-id", with_check("65430119900101002"), VERDICT_VALID);
	/* residents from Hong Kong and Taiwan, and (since 2023) from abroad */
	assert_verdict("cn-resident-id", with_check("81000019900101002"), VERDICT_VALID);
	assert_verdict("cn-resident-id", with_check("83000019900101002"), VERDICT_VALID);
	assert_verdict("cn-resident-id", with_check("91184019900101002"), VERDICT_VALID);
	/* Tianjin has no prefecture 77: only where something says it is an id */
	assert_verdict("cn-resident-id", with_check("12770119900101002"), VERDICT_WEAK);
}

static void old_resident_ids_of_fifteen_digits_need_context(void **state)
{
	(void)state;
	assert_verdict("cn-resident-id", "110105491231002", VERDICT_WEAK);
	assert_verdict("cn-resident-id", "110105491331002", VERDICT_NO);
	assert_verdict("cn-resident-id", "990105491231002", VERDICT_NO);
	assert_verdict_in("cn-resident-id", "订单号：", "110105491231002", "", VERDICT_NO);
}

static void a_piece_of_something_longer_is_no_resident_id(void **state)
{
	static const char id[] = "11010519491231002X";

	(void)state;
	assert_verdict_in("cn-resident-id", "身份证", id, "号", VERDICT_VALID);
	assert_verdict_in("cn-resident-id", "张三_", id, "_正面.jpg", VERDICT_VALID);
	assert_verdict_in("cn-resident-id", "{\"id\":\"", id, "\"}", VERDICT_VALID);
	assert_verdict_in("cn-resident-id", "1", id, "", VERDICT_NO);
	assert_verdict_in("cn-resident-id", "", id, "1", VERDICT_NO);
	assert_verdict_in("cn-resident-id", "", id, "Y", VERDICT_NO);
	assert_verdict_in("cn-resident-id", "0.", id, "", VERDICT_NO);
	assert_verdict_in("cn-resident-id", "550e8400-e29b-", id, "", VERDICT_NO);
	assert_verdict_in("cn-resident-id", "", id, "@example.com", VERDICT_NO);
	assert_verdict_in("cn-resident-id", "１", id, "", VERDICT_NO);
	assert_verdict_in("cn-resident-id", "", id, "１", VERDICT_NO);
}

/* ---- social credit code ----------------------------------------------------------------- */

static void credit_codes_are_known_by_their_rule(void **state)
{
	static const char *const never[] = { "91350100M000100Y34", "91350100M000100Y44",
		"92350100M000100Y43", "99350100M000100Y43", "91990100M000100Y43",
		"91350100I000100Y43", "91350100M00O100Y43", "913501A0M000100Y43", NULL };
	struct dice d = { SEED };
	char value[MADE_MAX];

	(void)state;
	assert_verdict("cn-uscc", "91350100M000100Y43", VERDICT_VALID);
	assert_verdicts("cn-uscc", never, VERDICT_NO);
	assert_verdict("cn-uscc", "91350100m000100y43", VERDICT_WEAK);
	assert_made_are("cn-uscc", VERDICT_VALID);
	assert_misses_pass("cn-uscc", false, 0);
	assert_misses_pass("cn-uscc", true, 0);
	/* one letter wrong */
	for (unsigned n = 0; n < 500; n++) {
		made_cn_uscc(&d, value);
		value[10] = value[10] == 'A' ? 'B' : 'A';
		assert_verdict("cn-uscc", value, VERDICT_NO);
	}
}

/* ---- mobile telephones ------------------------------------------------------------------ */

static void mobile_numbers_are_written_in_many_ways(void **state)
{
	static const char *const valid[] = { "13800138000", "138 0013 8000", "138-0013-8000",
		"+8613800138000", "+86 13800138000", "+86-138-0013-8000", "+86 138 0013 8000",
		"008613800138000", "0086 13800138000", "0086-13800138000", "8613800138000",
		"86 13800138000", "86-13800138000", "(+86)13800138000", "(+86) 138 0013 8000",
		"19912345678", "16612345678", "14712345678", "17012345678", NULL };
	static const char *const never[] = { "12800138000", "11800138000", "14312345678",
		"15412345678", "16012345678", "17912345678", "19412345678", "13333333333",
		"1380013800", "138001380000", "+85213800138000", "23800138000", NULL };

	(void)state;
	assert_verdicts("cn-mobile", valid, VERDICT_VALID);
	/* 133 3333 3333 is a number, but more often somebody leaned on a key. */
	assert_verdicts("cn-mobile", never, VERDICT_NO);
	assert_made_are("cn-mobile", VERDICT_VALID);
}

static void eleven_digits_of_something_else_are_no_mobile_number_by_themselves(void **state)
{
	static const char number[] = "13912345678";

	(void)state;
	assert_verdict_in("cn-mobile", "手机：", number, "", VERDICT_VALID);
	assert_verdict_in("cn-mobile", "请致电 ", number, "，谢谢", VERDICT_VALID);
	assert_verdict_in("cn-mobile", "备用 ", number, "/13800138000", VERDICT_VALID);
	assert_verdict_in("cn-mobile", "订单号 ", number, "", VERDICT_WEAK);
	assert_verdict_in("cn-mobile", "Order number: ", number, "", VERDICT_WEAK);
	assert_verdict_in("cn-mobile", "orderNo=", number, "", VERDICT_WEAK);
	assert_verdict_in("cn-mobile", "¥", number, "", VERDICT_WEAK);
	assert_verdict_in("cn-mobile", "", number, " 元", VERDICT_WEAK);
	assert_verdict_in("cn-mobile", "http://example.com/t/", number, "", VERDICT_WEAK);
	assert_int_equal(verdict_in("cn-mobile", "", number, "", "invoice_no"), VERDICT_WEAK);
	assert_int_equal(verdict_in("cn-mobile", "", number, "", "mobile"), VERDICT_VALID);
	assert_verdict_in("cn-mobile", "+", number, "", VERDICT_NO);
	assert_verdict_in("cn-mobile", "", number, "@139.com", VERDICT_NO);
	assert_verdict_in("cn-mobile", "", number, ".5", VERDICT_NO);
}

/* ---- plates ------------------------------------------------------------------------------ */

static void plates_of_all_kinds_are_known(void **state)
{
	static const char *const valid[] = { "京A12345", "粤B8K23M", "沪A·12345", "川A·D1234",
		"京AD12345", "粤BFA2345", "沪A12345D", "京A1234警", "粤Z1234港", "鲁B1234学",
		"苏E05EV8", "冀A1234挂", NULL };
	static const char *const never[] = { "京I12345", "京O12345", "京A1234I", "京A123O5",
		"京A1234", "京A1234567", "京AABCD1", "京ABCDEF", "国A12345", "京A123456", "粤BF2A345",
		"京a12345", NULL };

	(void)state;
	assert_verdicts("cn-plate", valid, VERDICT_VALID);
	assert_verdicts("cn-plate", never, VERDICT_NO);
	assert_made_are("cn-plate", VERDICT_VALID);
	assert_verdict_in("cn-plate", "车牌", "京A12345", "违停", VERDICT_VALID);
	assert_verdict_in("cn-plate", "最", "新A12345", "型", VERDICT_NO);
	assert_verdict_in("cn-plate", "乌鲁木齐", "新A12345", "", VERDICT_VALID);
	assert_verdict_in("cn-plate", "", "京A12345", "6", VERDICT_NO);
}

static void the_value_of_a_plate_holds_its_characters(void **state)
{
	static const char text[] = "车牌京A1234警，";
	struct candidate c = { .before = text, .text = text + 9, .size = 5,
			       .after = text + strlen(text) };
	const char *start;
	size_t size;

	(void)state;
	assert_int_equal(row_of("cn-plate")->check(&c), VERDICT_VALID);
	row_of("cn-plate")->value(&c, &start, &size);
	assert_int_equal(size, strlen("京A1234警"));
	assert_memory_equal(start, "京A1234警", size);
}

/* ---- Hong Kong, Taiwan --------------------------------------------------------------------- */

static void hong_kong_ids_count_with_brackets_and_need_context_without(void **state)
{
	static const char *const valid[] = { "A123456(3)", "G123456(A)", "A123456 (3)",
		"a123456(3)", "AB987654(3)", "C123456(9)", "A123456（3）", NULL };
	static const char *const never[] = { "A123456(4)", "A123457(3)", "B123456(3)",
		"A123456(B)", "A1234563A", NULL };

	(void)state;
	assert_verdicts("hk-id", valid, VERDICT_VALID);
	assert_verdicts("hk-id", never, VERDICT_NO);
	assert_verdict("hk-id", "A1234563", VERDICT_WEAK);
	assert_made_are("hk-id", VERDICT_VALID);
	assert_misses_pass("hk-id", false, 0);
	assert_misses_pass("hk-id", true, 0);
	assert_verdict_in("hk-id", "X", "A123456(3)", "", VERDICT_NO);
	assert_verdict_in("hk-id", "", "A123456(3)", "4", VERDICT_NO);
}

static void taiwan_ids_are_known_by_letter_sex_and_sum(void **state)
{
	static const char *const valid[] = { "A123456789", "A800000014", "F131104093", NULL };
	static const char *const never[] = { "A123456788", "A323456789", "A023456789",
		NULL };

	(void)state;
	assert_verdicts("tw-id", valid, VERDICT_VALID);
	assert_verdicts("tw-id", never, VERDICT_NO);
	assert_made_are("tw-id", VERDICT_VALID);
	/* weights 8, 6, 5, 4, 2: a digit that is 5 more is not seen */
	assert_misses_pass("tw-id", false, 100);
	/* a resident certificate of before 2021, checksum over the letters */
	assert_verdict("tw-id", "AC01234567", VERDICT_WEAK);
	assert_verdict("tw-id", "AC01234568", VERDICT_NO);
	assert_verdict_in("tw-id", "SKU ", "A123456789", "", VERDICT_WEAK);
	assert_verdict_in("tw-id", "", "A123456789", "-1", VERDICT_NO);
}

/* ---- what is none of these --------------------------------------------------------------------- */

static void ordinary_numbers_seldom_count(void **state)
{
	static const struct chance chances[] = {
		{ "cn-resident-id", "999999999999999999", 10 },
		{ "cn-resident-id", "999999999999999", 0 },
		{ "cn-uscc", "999999999999999999", 150 },
		{ "cn-uscc", "XXXXXXXXXXXXXXXXXX", 2 },
		/* It has no check digit: that it begins with 13 to 19 is its rule. */
		{ "cn-mobile", "99999999999", 6000 },
		{ "cn-mobile", "9999999999999", 100 },
		{ "hk-id", "A9999999", 0 }, { "hk-id", "A999999(9)", 10000 },
		{ "tw-id", "A999999999", 4500 },
	};

	(void)state;
	assert_chances(chances, sizeof chances / sizeof chances[0]);
}

static void time_stamps_and_amounts_are_none(void **state)
{
	char text[32];

	(void)state;
	for (unsigned n = 0; n < ORDINARY; n++) {
		snprintf(text, sizeof text, "%llu", 1400000000000ull + n * 4000037ull);
		assert_verdict("cn-mobile", text, VERDICT_NO);
		snprintf(text, sizeof text, "%llu", 20000101000000000ull + n * 2600000037ull);
		assert_verdict("cn-resident-id", text, VERDICT_NO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_gb_11643_are_resident_ids),
		cmocka_unit_test(made_resident_ids_count_and_every_wrong_digit_is_seen),
		cmocka_unit_test(a_resident_id_needs_a_real_place_and_birth),
		cmocka_unit_test(old_resident_ids_of_fifteen_digits_need_context),
		cmocka_unit_test(a_piece_of_something_longer_is_no_resident_id),
		cmocka_unit_test(credit_codes_are_known_by_their_rule),
		cmocka_unit_test(mobile_numbers_are_written_in_many_ways),
		cmocka_unit_test(eleven_digits_of_something_else_are_no_mobile_number_by_themselves),
		cmocka_unit_test(plates_of_all_kinds_are_known),
		cmocka_unit_test(the_value_of_a_plate_holds_its_characters),
		cmocka_unit_test(hong_kong_ids_count_with_brackets_and_need_context_without),
		cmocka_unit_test(taiwan_ids_are_known_by_letter_sex_and_sum),
		cmocka_unit_test(ordinary_numbers_seldom_count),
		cmocka_unit_test(time_stamps_and_amounts_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

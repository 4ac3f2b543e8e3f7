#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rules.h"

/* ---- the Americas ---------------------------------------------------------------------------- */

static void social_security_numbers_have_real_areas_groups_and_serials(void **state)
{
	static const char *const valid[] = { "536-90-4399", "536 90 4399", "001-01-0001",
		"899-99-9998", NULL };
	static const char *const never[] = { "000-12-3456", "666-12-3456", "900-12-3456",
		"999-12-3456", "536-00-4399", "536-90-0000", "078-05-1120", "219-09-9999",
		"457-55-5462", "123-45-6789", "111-11-1111", "536-90 4399", NULL };

	(void)state;
	assert_verdicts("us-ssn", valid, VERDICT_VALID);
	assert_verdicts("us-ssn", never, VERDICT_NO);
	assert_verdict("us-ssn", "536904399", VERDICT_WEAK);
	assert_verdict("us-ssn", "536.90.4399", VERDICT_WEAK);
	assert_verdict("us-ssn", "078051120", VERDICT_NO);
	assert_made_are("us-ssn", VERDICT_VALID);
	assert_verdict_in("us-ssn", "SSN: ", "536904399", "", VERDICT_WEAK);
	assert_verdict_in("us-ssn", "order id ", "536904399", "", VERDICT_NO);
	assert_verdict_in("us-ssn", "4111-", "536-90-4399", "", VERDICT_NO);
	assert_verdict_in("us-ssn", "", "536-90-4399", "-12", VERDICT_NO);
}

static void itins_lie_in_their_ranges(void **state)
{
	static const char *const valid[] = { "912-50-1234", "912-65-1234", "912-70-1234",
		"912-88-1234", "912-90-1234", "912-92-1234", "912-94-1234", "912-99-1234",
		"912 70 1234", NULL };
	static const char *const never[] = { "912-49-1234", "912-66-1234", "912-69-1234",
		"912-89-1234", "912-93-1234", "812-70-1234", NULL };

	(void)state;
	assert_verdicts("us-itin", valid, VERDICT_VALID);
	assert_verdicts("us-itin", never, VERDICT_NO);
	assert_verdict("us-itin", "912701234", VERDICT_WEAK);
	assert_made_are("us-itin", VERDICT_VALID);
}

static void social_insurance_numbers_are_groups_of_three(void **state)
{
	static const char *const valid[] = { "130-692-544", "130 692 544", NULL };
	static const char *const never[] = { "130-692-545", "046-454-286" /* 0 begins none */,
		"830-692-540", "130-692 544", NULL };

	(void)state;
	assert_verdicts("ca-sin", valid, VERDICT_VALID);
	assert_verdicts("ca-sin", never, VERDICT_NO);
	assert_verdict("ca-sin", "130692544", VERDICT_WEAK);
	assert_made_are("ca-sin", VERDICT_VALID);
	assert_misses_pass("ca-sin", false, 0);
	assert_verdict_in("ca-sin", "SIN ", "130 692 544", "", VERDICT_VALID);
	assert_verdict_in("ca-sin", "TFN ", "130 692 544", "", VERDICT_WEAK);
	assert_verdict_in("ca-sin", "tel. ", "130 692 544", "", VERDICT_WEAK);
	assert_verdict_in("ca-sin", "", "130 692 544", " €", VERDICT_WEAK);
	assert_verdict_in("ca-sin", "", "130 692 544", " 123", VERDICT_NO);
	assert_verdict_in("ca-sin", "+33 ", "130 692 544", "", VERDICT_NO);
}

static void brazilian_numbers_hold_both_check_digits(void **state)
{
	static const char *const cpf[] = { "111.444.777-35", "529.982.247-25", "111444777-35",
		NULL };
	static const char *const no_cpf[] = { "111.444.777-34", "111.444.777-05",
		"111.111.111-11", "111444777-36", "000.000.000-00", NULL };
	static const char *const cnpj[] = { "11.222.333/0001-81", "11222333/0001-81",
		"11222333000181", "12.ABC.345/01DE-35", NULL };
	static const char *const no_cnpj[] = { "11.222.333/0001-82", "11222333000180",
		"00.000.000/0000-00", "12.ABC.345/01DE-36", "12.abc.345/01de-35", NULL };

	(void)state;
	assert_verdicts("br-cpf", cpf, VERDICT_VALID);
	assert_verdicts("br-cpf", no_cpf, VERDICT_NO);
	assert_verdict("br-cpf", "11144477735", VERDICT_WEAK);
	assert_verdicts("br-cnpj", cnpj, VERDICT_VALID);
	assert_verdicts("br-cnpj", no_cnpj, VERDICT_NO);
	assert_verdict("br-cnpj", "12ABC34501DE35", VERDICT_WEAK);
	assert_made_are("br-cpf", VERDICT_VALID);
	assert_made_are("br-cnpj", VERDICT_VALID);
	/* 10 counts 0, so one digit is right for two rests */
	assert_misses_pass("br-cpf", false, 5);
	assert_misses_pass("br-cnpj", false, 5);
}

/* ---- Asia and the Pacific ---------------------------------------------------------------------- */

static void tax_file_numbers_sum_to_a_multiple_of_eleven(void **state)
{
	static const char *const never[] = { "123 456 781", "123456781", "111 111 111",
		"20240115" /* a date */, NULL };

	(void)state;
	assert_verdict("au-tfn", "123 456 782", VERDICT_VALID);
	assert_verdict("au-tfn", "123456782", VERDICT_WEAK);
	assert_verdict("au-tfn", "123-456-782", VERDICT_WEAK);
	assert_verdict("au-tfn", "37 118 629", VERDICT_WEAK);
	assert_verdict("au-tfn", "37118629", VERDICT_WEAK);
	assert_verdict("au-tfn", "37118628", VERDICT_NO);
	assert_verdicts("au-tfn", never, VERDICT_NO);
	assert_made_are("au-tfn", VERDICT_VALID);
	assert_misses_pass("au-tfn", false, 0);
	assert_misses_pass("au-tfn", true, 0);
}

static void aadhaar_numbers_hold_verhoeff_and_begin_with_two_or_more(void **state)
{
	static const char *const never[] = { "2341 2341 2345", "1341 2341 2346",
		"0341 2341 2346", "2341-2341 2346", "234123412345", NULL };
	struct dice d = { SEED };
	unsigned palindromes = 0;

	(void)state;
	assert_verdict("in-aadhaar", "2341 2341 2346", VERDICT_VALID);
	assert_verdict("in-aadhaar", "2341-2341-2346", VERDICT_VALID);
	assert_verdict("in-aadhaar", "234123412346", VERDICT_WEAK);
	assert_verdicts("in-aadhaar", never, VERDICT_NO);
	assert_made_are("in-aadhaar", VERDICT_VALID);
	assert_misses_pass("in-aadhaar", false, 0);
	assert_misses_pass("in-aadhaar", true, 0);
	for (unsigned n = 0; n < 1000; n++) {
		char value[16];

		value[0] = dice_one_of(&d, "23456789");
		dice_digits(&d, value + 1, 5);
		for (int i = 0; i < 6; i++)
			value[11 - i] = value[i];
		value[12] = '\0';
		assert_verdict("in-aadhaar", value, VERDICT_NO);
		value[11] = '\0';
		palindromes += made_verhoeff(value) == value[0];
	}
	assert_true(palindromes > 0);	/* some would have been right */
	assert_verdict_in("in-aadhaar", "", "2341 2341 2346", " 1234", VERDICT_NO);
	assert_verdict_in("in-aadhaar", "550e8400-e29b-41d4-a716-", "234123412346", "",
			  VERDICT_NO);
}

static void permanent_account_numbers_name_a_kind_of_holder(void **state)
{
	static const char *const never[] = { "ABCDE1234F", "ABCPE0000F", "ABCP11234F",
		"ABCPe1234F", NULL };

	(void)state;
	assert_verdict("in-pan", "ABCPE1234F", VERDICT_VALID);
	assert_verdict("in-pan", "AAAZT2727Q", VERDICT_NO);
	assert_verdict("in-pan", "AAACT2727Q", VERDICT_VALID);
	assert_verdict("in-pan", "abcpe1234f", VERDICT_WEAK);
	assert_verdicts("in-pan", never, VERDICT_NO);
	assert_made_are("in-pan", VERDICT_VALID);
}

static void my_numbers_hold_their_check_digit(void **state)
{
	static const char *const never[] = { "1234-5678-9019", "123456789019",
		"0000-0000-0000", NULL };

	(void)state;
	assert_verdict("jp-my-number", "1234-5678-9018", VERDICT_VALID);
	assert_verdict("jp-my-number", "1234 5678 9018", VERDICT_VALID);
	assert_verdict("jp-my-number", "123456789018", VERDICT_WEAK);
	assert_verdicts("jp-my-number", never, VERDICT_NO);
	assert_made_are("jp-my-number", VERDICT_VALID);
	/* 10 and 0 share the digit 0 */
	assert_misses_pass("jp-my-number", false, 20);
	assert_verdict_in("jp-my-number", "Aadhaar: ", "1234 5678 9018", "", VERDICT_WEAK);
	assert_verdict_in("jp-my-number", "Aadhaar: ", "123456789018", "", VERDICT_NO);
}

static void resident_registration_numbers_are_births_sexes_and_sums(void **state)
{
	static const char *const never[] = { "971320-1234565", "971332-1234567",
		"970930-1234560", "361231-3234567", "201332-3123456", NULL };
	char value[MADE_MAX];
	struct dice d = { SEED };

	(void)state;
	assert_made_are("kr-rrn", VERDICT_VALID);
	assert_misses_pass("kr-rrn", false, 25);
	assert_verdicts("kr-rrn", never, VERDICT_NO);
	made_kr_rrn(&d, value);
	memmove(value + 6, value + 7, 8);
	assert_verdict("kr-rrn", value, VERDICT_WEAK);	/* thirteen bare digits */
	/* Born in November 2020: six digits drawn by lot. */
	for (unsigned n = 0; n < 10; n++) {
		snprintf(value, sizeof value, "201115-312345%u", n);
		assert_int_not_equal(verdict_on("kr-rrn", value), VERDICT_NO);
		/* a year before there was a check digit */
		snprintf(value, sizeof value, "191115-312345%u", n);
		if (n != 2)
			assert_int_not_equal(verdict_on("kr-rrn", value), VERDICT_WEAK);
	}
}

/* ---- travel documents ---------------------------------------------------------------------------- */

#define TD3_FIRST "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
#define TD3_SECOND "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
#define TD2_FIRST "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<"
#define TD2_SECOND "D231458907UTO7408122F1204159<<<<<<<6"
#define TD1_FIRST "I<UTOD231458907<<<<<<<<<<<<<<<"
#define TD1_SECOND "7408122F1204159UTO<<<<<<<<<<<6"
#define TD1_THIRD "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"

static void the_specimens_of_doc_9303_are_machine_readable_zones(void **state)
{
	static const char *const valid[] = {
		TD3_FIRST "\n" TD3_SECOND, TD3_FIRST "\r\n" TD3_SECOND, TD3_FIRST TD3_SECOND,
		TD3_FIRST "\\n" TD3_SECOND, TD3_FIRST "\n    " TD3_SECOND, TD3_SECOND,
		TD2_FIRST "\n" TD2_SECOND, TD2_SECOND,
		TD1_FIRST "\n" TD1_SECOND "\n" TD1_THIRD, TD1_FIRST "\n" TD1_SECOND, NULL };

	(void)state;
	assert_verdicts("passport-mrz", valid, VERDICT_VALID);
	assert_made_are("passport-mrz", VERDICT_VALID);
	assert_misses_pass("passport-mrz", false, 0);
}

/* The last character of each check: number, birth, expiry, optional, composite. */
static void every_check_digit_of_a_zone_is_held(void **state)
{
	static const int places[] = { 9, 19, 27, 42, 43 };

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		char value[] = TD3_FIRST "\n" TD3_SECOND;
		char *at = value + 45 + places[i];

		*at = *at == '9' ? '0' : (char)(*at + 1);
		assert_verdict("passport-mrz", value, VERDICT_NO);
	}
	assert_verdict("passport-mrz", "X" TD3_FIRST "\nX" TD3_SECOND, VERDICT_NO);
	assert_verdict("passport-mrz", "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", VERDICT_NO);
}

static void the_value_of_a_zone_is_all_its_lines(void **state)
{
	static const char text[] = "scan:\n" TD3_FIRST "\n" TD3_SECOND "\nend";
	struct candidate c = { .before = text, .text = strstr(text, "<<<\n"), .size = 5,
			       .after = text + strlen(text) };
	const char *start;
	size_t size;

	(void)state;
	assert_int_equal(row_of("passport-mrz")->check(&c), VERDICT_VALID);
	row_of("passport-mrz")->value(&c, &start, &size);
	assert_int_equal(size, 89);
	assert_ptr_equal(start, text + 6);
}

/* ---- what is none of these ----------------------------------------------------------------------------- */

static void ordinary_numbers_seldom_count(void **state)
{
	static const struct chance chances[] = {
		{ "us-ssn", "999999999", 0 }, { "us-itin", "999999999", 0 },
		{ "ca-sin", "999999999", 0 }, { "ca-sin", "999 999 999", 8500 },
		{ "au-tfn", "999999999", 0 }, { "au-tfn", "99999999", 0 },
		{ "au-tfn", "999 999 999", 9800 },
		{ "in-aadhaar", "999999999999", 0 }, { "in-aadhaar", "9999 9999 9999", 8600 },
		{ "jp-my-number", "999999999999", 0 }, { "jp-my-number", "9999-9999-9999", 10500 },
		{ "br-cpf", "99999999999", 0 }, { "br-cpf", "999.999.999-99", 1150 },
		{ "br-cnpj", "99999999999999", 30 }, { "br-cnpj", "XXXXXXXXXXXX99", 10 },
		{ "kr-rrn", "9999999999999", 0 }, { "kr-rrn", "999999-9999999", 300 },
		{ "in-pan", "XXXXXXXXXX", 60 },
	};

	(void)state;
	assert_chances(chances, sizeof chances / sizeof chances[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(social_security_numbers_have_real_areas_groups_and_serials),
		cmocka_unit_test(itins_lie_in_their_ranges),
		cmocka_unit_test(social_insurance_numbers_are_groups_of_three),
		cmocka_unit_test(brazilian_numbers_hold_both_check_digits),
		cmocka_unit_test(tax_file_numbers_sum_to_a_multiple_of_eleven),
		cmocka_unit_test(aadhaar_numbers_hold_verhoeff_and_begin_with_two_or_more),
		cmocka_unit_test(permanent_account_numbers_name_a_kind_of_holder),
		cmocka_unit_test(my_numbers_hold_their_check_digit),
		cmocka_unit_test(resident_registration_numbers_are_births_sexes_and_sums),
		cmocka_unit_test(the_specimens_of_doc_9303_are_machine_readable_zones),
		cmocka_unit_test(every_check_digit_of_a_zone_is_held),
		cmocka_unit_test(the_value_of_a_zone_is_all_its_lines),
		cmocka_unit_test(ordinary_numbers_seldom_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

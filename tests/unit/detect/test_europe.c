#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rules.h"

/* ---- United Kingdom ------------------------------------------------------------------------ */

static void national_insurance_numbers_have_real_prefixes_and_suffixes(void **state)
{
	static const char *const valid[] = { "AB123456C", "AB 12 34 56 C", "AB-12-34-56-C",
		"JG103759A", "ZY999999D", "AB 123456 C", NULL };
	static const char *const never[] = { "QQ123456C", "DA123456A", "AF123456A", "AO123456A",
		"BG123456A", "GB123456A", "KN123456A", "NK123456A", "NT123456A", "TN123456A",
		"ZZ123456A", "AB123456E", "AB123456X", "Ab123456c", "AB12 34-56 C", "IA123456A",
		"UA123456A", "AV123456A", NULL };

	(void)state;
	assert_verdicts("uk-nino", valid, VERDICT_VALID);
	assert_verdicts("uk-nino", never, VERDICT_NO);
	assert_verdict("uk-nino", "ab123456c", VERDICT_WEAK);
	assert_made_are("uk-nino", VERDICT_VALID);
	assert_verdict_in("uk-nino", "NINO: ", "AB123456C", ".", VERDICT_VALID);
	assert_verdict_in("uk-nino", "part no ", "AB123456C", "", VERDICT_WEAK);
	assert_verdict_in("uk-nino", "X-7-", "AB123456C", "", VERDICT_NO);
}

static void nhs_numbers_count_by_themselves_only_as_they_are_printed(void **state)
{
	static const char *const weak[] = { "9434765919", "4505577104", "943-476-5919", NULL };
	static const char *const never[] = { "9434765918", "943 476 5918", "9434765199",
		"0000000000", "943 476-5919", NULL };

	(void)state;
	assert_verdict("uk-nhs", "943 476 5919", VERDICT_VALID);
	assert_verdict("uk-nhs", "450 557 7104", VERDICT_VALID);
	assert_verdicts("uk-nhs", weak, VERDICT_WEAK);
	assert_verdicts("uk-nhs", never, VERDICT_NO);
	assert_made_are("uk-nhs", VERDICT_WEAK);
	assert_misses_pass("uk-nhs", false, 0);
	assert_misses_pass("uk-nhs", true, 0);
	/* telephone numbers have the same groups */
	assert_verdict_in("uk-nhs", "tel. ", "943 476 5919", "", VERDICT_WEAK);
	assert_verdict_in("uk-nhs", "phone: ", "9434765919", "", VERDICT_NO);
	assert_verdict_in("uk-nhs", "+1 ", "943 476 5919", "", VERDICT_NO);
}

/* ---- Germany, France ------------------------------------------------------------------------ */

static void german_tax_ids_repeat_one_digit(void **state)
{
	static const char *const valid[] = { "86095742719", "47036892816", "65929970489",
		"57549285017", "25768131411", "86 095 742 719", NULL };
	static const char *const never[] = { "86095742718", "06095742719",
		"12345678903",	/* none stands twice */
		"11122334455", NULL };

	(void)state;
	assert_verdicts("de-tax-id", valid, VERDICT_VALID);
	assert_verdicts("de-tax-id", never, VERDICT_NO);
	assert_made_are("de-tax-id", VERDICT_VALID);
	assert_misses_pass("de-tax-id", false, 0);
	assert_misses_pass("de-tax-id", true, 40);
	assert_verdict_in("de-tax-id", "Rechnungsnummer ", "86095742719", "", VERDICT_WEAK);
	assert_verdict_in("de-tax-id", "Steuer-ID: ", "86095742719", "", VERDICT_VALID);
}

static void french_numbers_hold_their_key_in_corsica_too(void **state)
{
	static const char *const valid[] = { "255081416802538", "2 55 08 14 168 025 38",
		"185057800608491", "1 85 05 78 006 084 91", "1850578006084 91",
		"1 85 05 78 006 084 - 91", "1.85.05.78.006.084.91", NULL };
	static const char *const never[] = { "255081416802539", "555081416802538",
		"255001416802538", "255131416802538", "2550814168025A8", NULL };
	struct dice d = { SEED };
	unsigned corsican = 0;
	char value[MADE_MAX];

	(void)state;
	assert_verdicts("fr-nir", valid, VERDICT_VALID);
	assert_verdicts("fr-nir", never, VERDICT_NO);
	assert_made_are("fr-nir", VERDICT_VALID);
	assert_misses_pass("fr-nir", false, 0);
	assert_misses_pass("fr-nir", true, 0);
	for (unsigned n = 0; n < MADE; n++) {
		made_fr_nir(&d, value);
		corsican += value[6] == 'A';
		if (value[6] == 'A') {	/* 2B has another key */
			value[6] = 'B';
			assert_verdict("fr-nir", value, VERDICT_NO);
		}
	}
	assert_true(corsican > 100);
}

/* ---- Italy, Spain -------------------------------------------------------------------------------- */

static void fiscal_codes_are_read_with_letters_in_place_of_digits(void **state)
{
	static const char *const valid[] = { "RSSMRA85T10A562S", "MRTMTT91D08F205J",
		"RCCMNL83S18D969H", NULL };
	static const char *const never[] = { "RSSMRA85T10A562T", "RSSMRA85T10A563S",
		"RSSMRA85T10A562s", NULL };
	static const char *const no_birth[] = { "RSSMRA85F10A562", "RSSMRA85T32A562",
		"RSSMRA85T72A562", "RSSMRA85T00A562", "RSSMRA85B30A562" };
	struct dice d = { SEED };
	char value[MADE_MAX];

	(void)state;
	assert_verdicts("it-codice-fiscale", valid, VERDICT_VALID);
	assert_verdicts("it-codice-fiscale", never, VERDICT_NO);
	for (size_t i = 0; i < sizeof no_birth / sizeof no_birth[0]; i++) {
		snprintf(value, sizeof value, "%s%c", no_birth[i], made_fiscale_check(no_birth[i]));
		assert_verdict("it-codice-fiscale", value, VERDICT_NO);
	}
	assert_made_are("it-codice-fiscale", VERDICT_VALID);
	assert_misses_pass("it-codice-fiscale", false, 0);
	for (unsigned n = 0; n < MADE; n++) {	/* omocodia: from the right */
		static const int places[] = { 14, 13, 12 };

		made_it_codice_fiscale(&d, value);
		for (unsigned k = 0; k <= dice_below(&d, 3); k++)
			if (value[places[k]] <= '9')
				value[places[k]] = "LMNPQRSTUV"[value[places[k]] - '0'];
		if (value[15] != made_fiscale_check(value))
			assert_verdict("it-codice-fiscale", value, VERDICT_NO);
		value[15] = made_fiscale_check(value);
		assert_verdict("it-codice-fiscale", value, VERDICT_VALID);
	}
}

static void spanish_numbers_carry_their_letter(void **state)
{
	static const char *const dni[] = { "12345678Z", "12345678-Z", "12.345.678-Z",
		"54362315K", NULL };
	static const char *const no_dni[] = { "12345678A", "12345679Z", "12345678-A",
		"00000000T", "12345678I", NULL };
	static const char *const nie[] = { "X1234567L", "Y1234567X", "Z1234567R", "X-1234567-L",
		"X9464186P", NULL };
	static const char *const no_nie[] = { "X1234567M", "W1234567L", "Y1234567L", "x1234567L",
		NULL };

	(void)state;
	assert_verdicts("es-dni", dni, VERDICT_VALID);
	assert_verdicts("es-dni", no_dni, VERDICT_NO);
	assert_verdict("es-dni", "12345678 Z", VERDICT_WEAK);
	assert_verdict("es-dni", "12345678z", VERDICT_WEAK);
	assert_verdicts("es-nie", nie, VERDICT_VALID);
	assert_verdicts("es-nie", no_nie, VERDICT_NO);
	assert_made_are("es-dni", VERDICT_VALID);
	assert_made_are("es-nie", VERDICT_VALID);
	assert_misses_pass("es-dni", false, 0);
	assert_misses_pass("es-dni", true, 0);
	assert_misses_pass("es-nie", false, 0);
	assert_misses_pass("es-nie", true, 0);
}

/* ---- Poland, Sweden ------------------------------------------------------------------------------ */

static void pesel_numbers_tell_the_century_in_the_month(void **state)
{
	static const char *const valid[] = { "44051401359", "02070803628", "02270803624", NULL };
	static const char *const never[] = { "44051401358",
		/* right sums: month 13, day 32, 30 February, born in 2044 and 2190 */
		"44131401350", "44053201353", "44023001356", "44251401355", "90451401358", NULL };

	(void)state;
	assert_verdicts("pl-pesel", valid, VERDICT_VALID);
	assert_verdicts("pl-pesel", never, VERDICT_NO);
	assert_made_are("pl-pesel", VERDICT_VALID);
	assert_misses_pass("pl-pesel", false, 0);
	assert_verdict("pl-pesel", "90841401359", VERDICT_WEAK);	/* born in 1890 */
	assert_verdict_in("pl-pesel", "faktura nr ", "44051401359", "", VERDICT_WEAK);
	assert_verdict_in("pl-pesel", "tel. ", "44051401359", "", VERDICT_WEAK);
}

static void swedish_numbers_have_ten_or_twelve_digits(void **state)
{
	static const char *const valid[] = { "811228-9874", "670919-9530", "19670919-9530",
		"196709199530", "19811228-9874", "811288-9848", NULL };
	static const char *const weak[] = { "8112289874", "6709199530", "811228 9874", NULL };
	static const char *const never[] = { "811228-9873",
		"811328-9873", "811232-9878",	/* month 13, day 32 */
		"8112289873", "556016-0680" /* a firm: the third digit is no month */,
		"20670919-9530" /* in 2067 */, NULL };

	(void)state;
	assert_verdicts("se-personnummer", valid, VERDICT_VALID);
	assert_verdicts("se-personnummer", weak, VERDICT_WEAK);
	assert_verdicts("se-personnummer", never, VERDICT_NO);
	assert_made_are("se-personnummer", VERDICT_VALID);
	assert_misses_pass("se-personnummer", false, 0);
	assert_misses_pass("se-personnummer", true, 25);
}

/* ---- what is none of these --------------------------------------------------------------------- */

static void ordinary_numbers_seldom_count(void **state)
{
	static const struct chance chances[] = {
		{ "uk-nhs", "9999999999", 0 }, { "uk-nhs", "999-999-9999", 0 },
		{ "uk-nhs", "999 999 9999", 5000 },
		{ "de-tax-id", "99999999999", 450 },
		{ "fr-nir", "999999999999999", 60 },
		{ "it-codice-fiscale", "AAAAAA99A99A999A", 1200 },
		{ "es-dni", "99999999A", 4200 }, { "es-dni", "99999999 A", 0 },
		{ "es-nie", "A9999999A", 550 },
		{ "pl-pesel", "99999999999", 600 },
		{ "se-personnummer", "9999999999", 0 },
		{ "se-personnummer", "999999999999", 30 },
		{ "se-personnummer", "999999-9999", 850 },
	};

	(void)state;
	assert_chances(chances, sizeof chances / sizeof chances[0]);
}

static void time_stamps_do_not_count(void **state)
{
	char text[32];

	(void)state;
	for (unsigned n = 0; n < ORDINARY; n++) {
		snprintf(text, sizeof text, "%llu", 1400000000ull + n * 4003ull);
		assert_int_not_equal(verdict_on("se-personnummer", text), VERDICT_VALID);
		assert_int_not_equal(verdict_on("uk-nhs", text), VERDICT_VALID);
		assert_verdict_in("uk-nhs", "timestamp=", text, "", VERDICT_NO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(national_insurance_numbers_have_real_prefixes_and_suffixes),
		cmocka_unit_test(nhs_numbers_count_by_themselves_only_as_they_are_printed),
		cmocka_unit_test(german_tax_ids_repeat_one_digit),
		cmocka_unit_test(french_numbers_hold_their_key_in_corsica_too),
		cmocka_unit_test(fiscal_codes_are_read_with_letters_in_place_of_digits),
		cmocka_unit_test(spanish_numbers_carry_their_letter),
		cmocka_unit_test(pesel_numbers_tell_the_century_in_the_month),
		cmocka_unit_test(swedish_numbers_have_ten_or_twelve_digits),
		cmocka_unit_test(ordinary_numbers_seldom_count),
		cmocka_unit_test(time_stamps_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

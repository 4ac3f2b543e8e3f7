/*
 * Right numbers of every kind, made by rules put differently from those in
 * policy/detect/check_*.c: tables where that computes, sums the other way round,
 * check characters found by what the standard prints.  No one's numbers: drawn.
 */
#ifndef TESTS_UNIT_DETECT_MADE_NUMBERS_H
#define TESTS_UNIT_DETECT_MADE_NUMBERS_H

#include "candidates.h"

#define MADE_MAX 160

static inline int made_days(int year, int month)
{
	if (month == 2)
		return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* A day of first..last. */
static inline void made_day(struct dice *d, int first, int last, int *year, int *month, int *day)
{
	*year = first + (int)dice_below(d, (unsigned)(last - first + 1));
	*month = 1 + (int)dice_below(d, 12);
	*day = 1 + (int)dice_below(d, (unsigned)made_days(*year, *month));
}

/* Sum of digits times weights, written as a row of numbers. */
static inline int made_sum(const char *digits, const int *weights)
{
	int sum = 0;

	for (size_t i = 0; digits[i] != '\0'; i++)
		sum += (digits[i] - '0') * weights[i];
	return sum;
}

static inline char made_luhn(const char *digits)	/* of what stands before it */
{
	static const int doubled[] = { 0, 2, 4, 6, 8, 1, 3, 5, 7, 9 };
	int sum = 0;
	size_t count = strlen(digits);

	for (size_t i = 0; i < count; i++) {
		int n = digits[i] - '0';

		sum += (count - i) % 2 == 1 ? doubled[n] : n;
	}
	return (char)('0' + (10 - sum % 10) % 10);
}

/* ---- China ---------------------------------------------------------------------------- */

static inline void made_cn_resident_id(struct dice *d, char *out)
{
	static const char *const regions[] = { "110101", "310115", "440305", "510104", "422801",
		"532901", "653101", "810000", "330106", "370202", "130102", "500112" };
	static const int weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	int year, month, day;

	made_day(d, 1930, 2024, &year, &month, &day);
	snprintf(out, MADE_MAX, "%s%04d%02d%02d%03u", regions[dice_below(d, 12)], year, month, day,
		 dice_below(d, 1000));
	out[17] = "10X98765432"[made_sum(out, weights) % 11];
	out[18] = '\0';
}

static inline void made_cn_uscc(struct dice *d, char *out)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	static const char *const heads[] = { "91110108", "91310000", "92440300", "93510100",
		"12330000", "52110000", "31320500", "91100000", "51370200" };
	static const int weights[] = { 1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30,
		28 };
	int sum = 0;

	strcpy(out, heads[dice_below(d, 9)]);
	for (size_t i = 8; i < 17; i++)
		out[i] = dice_one_of(d, i < 10 ? alphabet : "0123456789");
	for (size_t i = 0; i < 17; i++)
		sum += (int)(strchr(alphabet, out[i]) - alphabet) * weights[i];
	out[17] = alphabet[(31 - sum % 31) % 31];
	out[18] = '\0';
}

static inline void made_cn_mobile(struct dice *d, char *out)
{
	static const char *const segments[] = { "130", "135", "138", "139", "147", "150", "155",
		"158", "166", "170", "177", "178", "180", "186", "189", "191", "198", "199" };

	strcpy(out, segments[dice_below(d, 18)]);
	dice_digits(d, out + 3, 8);
}

static inline void made_cn_plate(struct dice *d, char *out)
{
	static const char *const provinces[] = { "京", "沪", "粤", "苏", "浙", "川", "鲁", "渝" };
	size_t used = (size_t)sprintf(out, "%s%c", provinces[dice_below(d, 8)],
				      dice_one_of(d, "ABCDEFGHJK"));

	switch (dice_below(d, 3)) {
	case 0:
		dice_digits(d, out + used, 5);
		break;
	case 1:
		out[used++] = dice_one_of(d, "ABCDEFGHJKLMNPQRSTUVWXYZ");
		dice_digits(d, out + used, 4);
		break;
	default:
		out[used++] = dice_one_of(d, "DF");
		dice_digits(d, out + used, 5);
	}
}

static inline void made_hk_id(struct dice *d, char *out)
{
	int sum, rest;

	out[0] = dice_one_of(d, "ABCDEFGHKMPRSVYZ");
	dice_digits(d, out + 1, 6);
	/* The empty first place as 58: the same as 36 modulo 11. */
	sum = 58 * 9 + (out[0] - 'A' + 10) * 8;
	for (int i = 1; i < 7; i++)
		sum += (out[i] - '0') * (8 - i);
	rest = sum % 11;
	sprintf(out + 7, "(%c)", rest == 0 ? '0' : rest == 1 ? 'A' : '0' + 11 - rest);
}

static inline void made_tw_id(struct dice *d, char *out)
{
	static const int of[26] = { 10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23,
		24, 25, 26, 27, 28, 29, 32, 30, 31, 33 };
	static const int weights[] = { 8, 7, 6, 5, 4, 3, 2, 1 };
	int letter;

	out[0] = (char)('A' + dice_below(d, 26));
	letter = of[out[0] - 'A'];
	out[1] = dice_one_of(d, "1289");
	dice_digits(d, out + 2, 7);
	out[9] = (char)('0' + (10 - (letter / 10 + letter % 10 * 9 + made_sum(out + 1, weights)) % 10)
			% 10);
	out[10] = '\0';
}

/* ---- Europe ---------------------------------------------------------------------------- */

static inline void made_uk_nino(struct dice *d, char *out)
{
	static const char *const prefixes[] = { "AA", "AB", "CE", "GH", "JK", "NZ", "PW", "SX",
		"TY", "WM", "YR", "ZA" };

	strcpy(out, prefixes[dice_below(d, 12)]);
	dice_digits(d, out + 2, 6);
	out[8] = dice_one_of(d, "ABCD");
	out[9] = '\0';
}

static inline void made_uk_nhs(struct dice *d, char *out)
{
	static const int weights[] = { 10, 9, 8, 7, 6, 5, 4, 3, 2 };
	int check;

	do {
		out[0] = dice_one_of(d, "4679");
		dice_digits(d, out + 1, 8);
		check = 11 - made_sum(out, weights) % 11;
	} while (check == 10);
	out[9] = (char)('0' + check % 11);
	out[10] = '\0';
}

static inline int made_three_in_a_row(const char *digits)
{
	for (int i = 2; i < 10; i++)
		if (digits[i] == digits[i - 1] && digits[i] == digits[i - 2])
			return 1;
	return 0;
}

/* Some digits once, one of them twice or three times, in any order. */
static inline void made_de_tax_id(struct dice *d, char *out)
{
	int product = 10;

	do {
		char digits[] = "0123456789";

		for (int pass = 0; pass < 2; pass++) {	/* which ones; in which order */
			for (unsigned i = 9; i > 0; i--) {
				unsigned k = dice_below(d, i + 1);
				char t = digits[i];

				digits[i] = digits[k];
				digits[k] = t;
			}
			if (pass == 0) {
				digits[9] = digits[0];
				if (dice_below(d, 2) == 0)
					digits[8] = digits[0];
			}
		}
		memcpy(out, digits, 10);
	} while (out[0] == '0' || made_three_in_a_row(out));
	for (int i = 0; i < 10; i++) {
		int sum = (out[i] - '0' + product) % 10;

		product = 2 * (sum == 0 ? 10 : sum) % 11;
	}
	out[10] = (char)('0' + (11 - product) % 10);
	out[11] = '\0';
}

static inline void made_fr_nir(struct dice *d, char *out)
{
	unsigned rest = 0;
	int corsica = dice_below(d, 8) == 0;

	sprintf(out, "%c%02u%02u%02u%03u%03u", dice_one_of(d, "12"), dice_below(d, 100),
		1 + dice_below(d, 12), corsica ? 19 : 1 + dice_below(d, 95), 1 + dice_below(d, 900),
		1 + dice_below(d, 900));
	for (int i = 0; out[i] != '\0'; i++)
		rest = (rest * 10 + (unsigned)(out[i] - '0')) % 97;
	sprintf(out + 13, "%02u", 97 - rest);
	if (corsica)
		memcpy(out + 5, "2A", 2);
}

static inline char made_fiscale_check(const char *code)
{
	/* The odd places' values as letters, and the even ones', in the order 0-9 A-Z. */
	static const char odd[] = "BAFHJNPRTVBAFHJNPRTVCESULDGIMOQKWZYX";
	static const char even[] = "ABCDEFGHIJABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char all[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	int sum = 0;

	for (int i = 0; i < 15; i++)
		sum += (i % 2 == 0 ? odd : even)[strchr(all, code[i]) - all] - 'A';
	return (char)('A' + sum % 26);
}

static inline void made_it_codice_fiscale(struct dice *d, char *out)
{
	int year, month, day;

	made_day(d, 1930, 2020, &year, &month, &day);
	for (int i = 0; i < 6; i++)
		out[i] = dice_one_of(d, "BCDFGLMNPRSTVZ");
	sprintf(out + 6, "%02d%c%02d%c%03u", year % 100, "ABCDEHLMPRST"[month - 1],
		day + (dice_below(d, 2) ? 40 : 0), dice_one_of(d, "ABCDEFGHILMZ"),
		1 + dice_below(d, 999));
	out[15] = made_fiscale_check(out);
	out[16] = '\0';
}

static inline char made_spanish_letter(unsigned long number)
{
	static const char *const rows[] = { "TRWAGMYF", "PDXBNJZS", "QVHLCKE" };
	unsigned rest = (unsigned)(number - number / 23 * 23);

	return rows[rest / 8][rest % 8];
}

static inline void made_es_dni(struct dice *d, char *out)
{
	unsigned long number = 10000000 + dice_below(d, 89999999);

	sprintf(out, "%08lu%c", number, made_spanish_letter(number));
}

static inline void made_es_nie(struct dice *d, char *out)
{
	unsigned kind = dice_below(d, 3), number = dice_below(d, 10000000);

	sprintf(out, "%c%07u%c", "XYZ"[kind], number,
		made_spanish_letter(kind * 10000000ul + number));
}

static inline void made_pl_pesel(struct dice *d, char *out)
{
	static const int weights[] = { 9, 7, 3, 1, 9, 7, 3, 1, 9, 7 };
	int year, month, day;

	made_day(d, 1920, 2024, &year, &month, &day);
	sprintf(out, "%02d%02d%02d%04u", year % 100, month + (year >= 2000 ? 20 : 0), day,
		dice_below(d, 10000));
	/* The other formulation: with 9, 7, 3, 1 the sum itself ends in the check digit. */
	out[10] = (char)('0' + made_sum(out, weights) % 10);
	out[11] = '\0';
}

/* YYMMDD-NNNC */
static inline void made_se_personnummer(struct dice *d, char *out)
{
	int year, month, day;
	char digits[16];

	made_day(d, 1927, 2024, &year, &month, &day);
	snprintf(digits, sizeof digits, "%02d%02d%02d%03u", year % 100, month,
		 day + (dice_below(d, 10) == 0 ? 60 : 0), 1 + dice_below(d, 999));
	snprintf(out, MADE_MAX, "%.6s-%s%c", digits, digits + 6, made_luhn(digits));
}

/* ---- the world --------------------------------------------------------------------------- */

static inline void made_us_ssn(struct dice *d, char *out)
{
	unsigned area = 1 + dice_below(d, 899);

	sprintf(out, "%03u-%02u-%04u", area == 666 ? 665 : area, 1 + dice_below(d, 99),
		1 + dice_below(d, 9999));
}

static inline void made_us_itin(struct dice *d, char *out)
{
	static const unsigned groups[] = { 50, 57, 65, 70, 77, 88, 90, 91, 92, 94, 96, 99 };

	sprintf(out, "9%02u-%02u-%04u", dice_below(d, 100), groups[dice_below(d, 12)],
		dice_below(d, 10000));
}

static inline void made_ca_sin(struct dice *d, char *out)
{
	char digits[16];

	digits[0] = dice_one_of(d, "1234567");
	dice_digits(d, digits + 1, 7);
	snprintf(out, MADE_MAX, "%.3s-%.3s-%s%c", digits, digits + 3, digits + 6, made_luhn(digits));
}

static inline void made_au_tfn(struct dice *d, char *out)
{
	static const int weights[] = { 1, 4, 3, 7, 5, 8, 6, 9 };
	char digits[16];
	int check;

	do {	/* 10 is -1 modulo 11: the last digit is the rest of the others */
		digits[0] = dice_one_of(d, "12345678");
		dice_digits(d, digits + 1, 7);
		check = made_sum(digits, weights) % 11;
	} while (check == 10);
	snprintf(out, MADE_MAX, "%.3s %.3s %s%d", digits, digits + 3, digits + 6, check);
}

/* Verhoeff by what it is: turns and mirrorings of a pentagon, and a permutation used
 * again and again. */
static inline int made_pentagon(int a, int b)
{
	if (a < 5)
		return b < 5 ? (a + b) % 5 : 5 + (a + b - 5) % 5;
	return b < 5 ? 5 + (a - b) % 5 : (a - b + 5) % 5;
}

static inline char made_verhoeff(const char *digits)
{
	static const int turn[] = { 1, 5, 7, 6, 2, 8, 3, 0, 9, 4 };
	int sum = 0;
	size_t count = strlen(digits);

	for (size_t i = 0; i < count; i++) {
		int n = digits[count - 1 - i] - '0';

		for (size_t t = 0; t <= i; t++)
			n = turn[n];
		sum = made_pentagon(sum, n);
	}
	for (int check = 0; check < 10; check++)
		if (made_pentagon(sum, check) == 0)
			return (char)('0' + check);
	abort();
}

static inline void made_in_aadhaar(struct dice *d, char *out)
{
	char digits[16];

	digits[0] = dice_one_of(d, "23456789");
	dice_digits(d, digits + 1, 10);
	snprintf(out, MADE_MAX, "%.4s %.4s %s%c", digits, digits + 4, digits + 8,
		 made_verhoeff(digits));
}

static inline void made_in_pan(struct dice *d, char *out)
{
	for (int i = 0; i < 5; i++)
		out[i] = (char)('A' + dice_below(d, 26));
	out[3] = dice_one_of(d, "PCHFATBLJG");
	sprintf(out + 5, "%04u%c", 1 + dice_below(d, 9999), 'A' + (int)dice_below(d, 26));
}

/* Both check digits as the rests of the sums with ascending weights. */
static inline void made_br_cpf(struct dice *d, char *out)
{
	static const int weights[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	static const int second[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	char digits[16];

	dice_digits(d, digits, 9);
	digits[9] = (char)('0' + made_sum(digits, weights) % 11 % 10);
	digits[10] = '\0';
	digits[10] = (char)('0' + made_sum(digits, second) % 11 % 10);
	snprintf(out, MADE_MAX, "%.3s.%.3s.%.3s-%.2s", digits, digits + 3, digits + 6, digits + 9);
}

static inline void made_br_cnpj(struct dice *d, char *out)
{
	static const int weights[] = { 6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9 };
	static const int second[] = { 5, 6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9 };
	char digits[32];

	dice_digits(d, digits, 8);
	sprintf(digits + 8, "000%u", 1 + dice_below(d, 9));
	digits[12] = (char)('0' + made_sum(digits, weights) % 11 % 10);
	digits[13] = '\0';
	digits[13] = (char)('0' + made_sum(digits, second) % 11 % 10);
	snprintf(out, MADE_MAX, "%.2s.%.3s.%.3s/%.4s-%.2s", digits, digits + 2, digits + 5,
		 digits + 8, digits + 12);
}

static inline void made_jp_my_number(struct dice *d, char *out)
{
	char digits[16];
	int sum = 0;

	dice_digits(d, digits, 11);
	for (int n = 1; n <= 11; n++)	/* Pn: the nth digit from the right */
		sum += (digits[11 - n] - '0') * (n <= 6 ? n + 1 : n - 5);
	sprintf(digits + 11, "%d", sum % 11 <= 1 ? 0 : 11 - sum % 11);
	snprintf(out, MADE_MAX, "%.4s-%.4s-%.4s", digits, digits + 4, digits + 8);
}

static inline void made_kr_rrn(struct dice *d, char *out)
{
	static const int weights[] = { 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5 };
	int year, month, day;
	char digits[16];

	made_day(d, 1930, 2019, &year, &month, &day);
	snprintf(digits, sizeof digits, "%02d%02d%02d%c%05u", year % 100, month, day,
		 year < 2000 ? dice_one_of(d, "12") : dice_one_of(d, "34"), dice_below(d, 100000));
	snprintf(out, MADE_MAX, "%.6s-%s%d", digits, digits + 6,
		 (11 - made_sum(digits, weights) % 11) % 10);
}

static inline char made_mrz_check(const char *text, size_t count)
{
	static const char all[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	int sum = 0;

	for (size_t i = 0; i < count; i++)
		if (text[i] != '<')
			sum += (int)(strchr(all, text[i]) - all) * (i % 3 == 0 ? 7 : i % 3 == 1 ? 3 : 1);
	return (char)('0' + sum % 10);
}

/* TD3: 44, a newline, 44. */
static inline void made_passport_mrz(struct dice *d, char *out)
{
	static const char *const names[] = { "NOVAK<<ANNA<MARIA", "ZHANG<<WEI", "ERIKSSON<<LARS",
		"DA<SILVA<<JOAO", "OBRIEN<<SEAN<PATRICK" };
	static const char *const states[] = { "UTO", "CHN", "SWE", "BRA", "IRL", "D<<" };
	const char *state = states[dice_below(d, 6)], *name = names[dice_below(d, 5)];
	char second[48], all[64];
	int year, month, day;

	memset(out, '<', 44);
	memcpy(out, "P<", 2);
	memcpy(out + 2, state, 3);
	memcpy(out + 5, name, strlen(name));
	memset(second, '<', 44);
	for (int i = 0; i < 9; i++)
		second[i] = i == 0 ? dice_one_of(d, "EGLPX") : (char)('0' + dice_below(d, 10));
	second[9] = made_mrz_check(second, 9);
	memcpy(second + 10, state, 3);
	made_day(d, 1940, 1999, &year, &month, &day);
	sprintf(second + 13, "%02d%02d%02d", year % 100, month, day);
	second[19] = made_mrz_check(second + 13, 6);
	second[20] = dice_one_of(d, "MF<");
	made_day(d, 2025, 2034, &year, &month, &day);
	sprintf(second + 21, "%02d%02d%02d", year % 100, month, day);
	second[27] = made_mrz_check(second + 21, 6);
	memset(second + 28, '<', 14);
	if (dice_below(d, 2) == 0)
		for (int i = 28; i < 36; i++)
			second[i] = (char)('0' + dice_below(d, 10));
	second[42] = made_mrz_check(second + 28, 14);
	memcpy(all, second, 10);
	memcpy(all + 10, second + 13, 7);
	memcpy(all + 17, second + 21, 22);
	second[43] = made_mrz_check(all, 39);
	out[44] = '\n';
	memcpy(out + 45, second, 44);
	out[89] = '\0';
}

/* ---- all of them --------------------------------------------------------------------------- */

struct maker {
	const char *id;
	void (*make)(struct dice *d, char *out);	/* out: MADE_MAX */
};

static const struct maker makers[] = {
	{ "cn-resident-id", made_cn_resident_id }, { "cn-uscc", made_cn_uscc },
	{ "cn-mobile", made_cn_mobile }, { "cn-plate", made_cn_plate },
	{ "hk-id", made_hk_id }, { "tw-id", made_tw_id },
	{ "uk-nino", made_uk_nino }, { "uk-nhs", made_uk_nhs },
	{ "de-tax-id", made_de_tax_id }, { "fr-nir", made_fr_nir },
	{ "it-codice-fiscale", made_it_codice_fiscale }, { "es-dni", made_es_dni },
	{ "es-nie", made_es_nie }, { "pl-pesel", made_pl_pesel },
	{ "se-personnummer", made_se_personnummer },
	{ "us-ssn", made_us_ssn }, { "us-itin", made_us_itin }, { "ca-sin", made_ca_sin },
	{ "au-tfn", made_au_tfn }, { "in-aadhaar", made_in_aadhaar }, { "in-pan", made_in_pan },
	{ "br-cpf", made_br_cpf }, { "br-cnpj", made_br_cnpj },
	{ "jp-my-number", made_jp_my_number }, { "kr-rrn", made_kr_rrn },
	{ "passport-mrz", made_passport_mrz },
};
#define MAKERS (sizeof makers / sizeof makers[0])

#endif

#include "policy/detect/check.h"

#include <string.h>

#include "policy/detect/beside.h"
#include "policy/detect/checksum.h"
#include "policy/detect/written.h"

/* ---- resident identity: GB 11643-1999, and the 15 digits of 1989 ------------------- */

/* Permanent residents from abroad since 2023: 9, province, country (ISO 3166-1). */
static bool is_resident_region(const char *digits)
{
	if (digits[0] == '9')
		return check_is_cn_province(digits + 1) && written_number(digits + 3, 3) > 0;
	return check_is_cn_province(digits);
}

static bool is_birth(const char *digits, size_t year_digits)
{
	int year = written_number(digits, year_digits);

	if (year_digits == 2)
		year += 1900;
	return year <= CHECK_LAST_YEAR &&
	       checksum_is_date(year, written_number(digits + year_digits, 2),
				written_number(digits + year_digits + 2, 2));
}

enum verdict check_cn_resident_id(const struct candidate *c)
{
	struct written w;

	if (!written_read(c, " -", &w) || w.letters == WRITTEN_BOTH_CASES || !beside_is_clear(c))
		return VERDICT_NO;
	for (size_t i = 0; i < 17 && i < w.count; i++) {
		if (!written_is_digit(w.chars[i]))
			return VERDICT_NO;
	}
	if (w.count == 15) {
		bool is_real = check_is_cn_prefecture(w.chars) && is_birth(w.chars + 6, 2) &&
			       w.by == '\0';

		return is_real ? beside_judge(c, "cn-resident-id", VERDICT_WEAK) : VERDICT_NO;
	}
	if (w.count != 18 || w.by == WRITTEN_MIXED || !is_resident_region(w.chars) ||
	    !is_birth(w.chars + 6, 4) || !checksum_mod11_2(w.chars, 18))
		return VERDICT_NO;
	/* A prefecture that never was: made up, or one we do not know. */
	if (w.chars[0] != '9' && !check_is_cn_prefecture(w.chars))
		return VERDICT_WEAK;
	return VERDICT_VALID;
}

/* ---- unified social credit code: GB 32100-2015 ------------------------------------- */

/* Registration authority, and the kinds of organisation it registers. */
static bool is_uscc_authority(char authority, char kind)
{
	static const struct {
		char authority;
		const char *kinds;
	} known[] = {
		{ '1', "1239" },	/* staffing commissions: state organs, institutions */
		{ '2', "19" },		/* foreign affairs */
		{ '3', "123459" },	/* justice: law firms, notaries */
		{ '4', "19" },		/* culture */
		{ '5', "123459" },	/* civil affairs: associations, foundations, villages */
		{ '6', "129" },		/* tourism */
		{ '7', "129" },		/* religion */
		{ '8', "19" },		/* trade unions */
		{ '9', "123" },		/* market supervision: firms, traders, co-operatives */
		{ 'A', "19" },		/* military */
		{ 'N', "1239" },	/* agriculture: rural collectives */
		{ 'Y', "1" },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (known[i].authority == authority)
			return strchr(known[i].kinds, kind) != NULL;
	}
	return false;
}

/* Weights are the powers of 3 modulo 31. */
static bool uscc_sums_up(const char *chars)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	unsigned sum = 0, weight = 1;

	for (size_t i = 0; i < 18; i++) {
		const char *at = strchr(alphabet, chars[i]);

		if (at == NULL)
			return false;
		sum += (unsigned)(at - alphabet) * (i < 17 ? weight : 1);
		weight = weight * 3 % 31;
	}
	return sum % 31 == 0;
}

enum verdict check_cn_uscc(const struct candidate *c)
{
	struct written w;

	if (!written_read(c, "", &w) || w.count != 18 ||
	    !is_uscc_authority(w.chars[0], w.chars[1]) || !beside_is_clear(c))
		return VERDICT_NO;
	for (size_t i = 2; i < 8; i++) {
		if (!written_is_digit(w.chars[i]))
			return VERDICT_NO;
	}
	/* 100000: registered with the state's own office. */
	if ((!check_is_cn_prefecture(w.chars + 2) && memcmp(w.chars + 2, "100000", 6) != 0) ||
	    !uscc_sums_up(w.chars))
		return VERDICT_NO;
	return w.letters == WRITTEN_LOWER || w.letters == WRITTEN_BOTH_CASES ? VERDICT_WEAK
									      : VERDICT_VALID;
}

/* ---- mobile numbers: the plan of numbers of the MIIT -------------------------------- */

static bool is_mobile_segment(const char *digits)
{
	/* By the second digit: the third ones that are given out. */
	static const char *const given[10] = {
		[3] = "0123456789", [4] = "56789", [5] = "012356789", [6] = "2567",
		[7] = "012345678", [8] = "0123456789", [9] = "012356789",
	};
	const char *third = given[digits[1] - '0'];

	return digits[0] == '1' && third != NULL && strchr(third, digits[2]) != NULL;
}

enum verdict check_cn_mobile(const struct candidate *c)
{
	struct written w;
	const char *number;

	if (!written_read(c, " -()+", &w) || w.count < 11 || w.letters != WRITTEN_NO_LETTERS ||
	    !beside_is_clear(c))
		return VERDICT_NO;
	number = w.chars + w.count - 11;
	if (!is_mobile_segment(number) || written_all_same(number + 3, 8))
		return VERDICT_NO;
	if ((w.count == 13 && memcmp(w.chars, "86", 2) == 0) ||
	    (w.count == 15 && memcmp(w.chars, "0086", 4) == 0))
		return VERDICT_VALID;
	return w.count == 11 ? beside_judge(c, "phone", VERDICT_VALID) : VERDICT_NO;
}

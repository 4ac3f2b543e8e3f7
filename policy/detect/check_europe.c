#include "policy/detect/check.h"

#include <string.h>

#include "policy/detect/beside.h"
#include "policy/detect/checksum.h"
#include "policy/detect/written.h"

/* ---- United Kingdom ------------------------------------------------------------------ */

/* HMRC manual NIM39110: letters and prefixes that are not given out. */
static bool is_nino_prefix(const char *prefix)
{
	static const char never[][3] = { "BG", "GB", "KN", "NK", "NT", "TN", "ZZ" };

	if (strchr("DFIQUV", prefix[0]) != NULL || strchr("DFIOQUV", prefix[1]) != NULL)
		return false;
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
		if (memcmp(prefix, never[i], 2) == 0)
			return false;
	}
	return true;
}

enum verdict check_uk_nino(const struct candidate *c)
{
	struct written w;

	if (!written_read(c, " -", &w) || w.count != 9 || w.letters == WRITTEN_BOTH_CASES ||
	    w.by == WRITTEN_MIXED || !beside_is_clear(c))
		return VERDICT_NO;
	for (size_t i = 2; i < 8; i++) {
		if (!written_is_digit(w.chars[i]))
			return VERDICT_NO;
	}
	if (!written_is_letter(w.chars[0]) || !written_is_letter(w.chars[1]) ||
	    w.chars[8] < 'A' || w.chars[8] > 'D' || !is_nino_prefix(w.chars))
		return VERDICT_NO;
	return beside_judge(c, "uk-nino",
			    w.letters == WRITTEN_LOWER ? VERDICT_WEAK : VERDICT_VALID);
}

/*
 * NHS Data Dictionary: weights 10..2, modulo 11.  "943 476 5919" is the form on the
 * card; with hyphens it is more often a telephone number.  0, 1, 2, 5 and 8 begin
 * none that was given out, nor any for tests.
 */
enum verdict check_uk_nhs(const struct candidate *c)
{
	static const unsigned char weights[] = { 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 };
	struct written w;
	enum verdict form = VERDICT_WEAK;

	if (!written_digits(c, " -", 10, &w) || w.by == WRITTEN_MIXED ||
	    written_all_same(w.chars, 10) || written_weighed(w.chars, weights, 10) % 11 != 0 ||
	    !beside_is_clear(c))
		return VERDICT_NO;
	if (w.by == ' ' && strchr("34679", w.chars[0]) != NULL)
		form = VERDICT_VALID;
	return beside_judge(c, "uk-nhs", form);
}

/* ---- Germany -------------------------------------------------------------------------- */

/*
 * Identifikationsnummer, § 139b AO: of the first ten digits one stands twice or (since
 * 2016) three times, but never three times in a row, all others once at most.  That
 * and ISO 7064 MOD 11,10 leave one in 300 of all numbers of eleven digits.
 */
static bool repeats_once(const char *digits)
{
	unsigned times[10] = { 0 };
	unsigned repeated = 0;

	for (size_t i = 0; i < 10; i++)
		times[digits[i] - '0']++;
	for (size_t i = 0; i < 10; i++) {
		if (times[i] > 3)
			return false;
		repeated += times[i] > 1;
	}
	for (size_t i = 2; i < 10; i++) {
		if (digits[i] == digits[i - 1] && digits[i] == digits[i - 2])
			return false;
	}
	return repeated == 1;
}

enum verdict check_de_tax_id(const struct candidate *c)
{
	struct written w;

	if (!written_digits(c, " ", 11, &w) || w.chars[0] == '0' || !repeats_once(w.chars) ||
	    !checksum_mod11_10(w.chars, 11) || !beside_is_clear(c))
		return VERDICT_NO;
	return beside_judge(c, "de-tax-id", VERDICT_VALID);
}

/* ---- France --------------------------------------------------------------------------- */

/* Months 20 and up: the register does not know the true one. */
static bool is_nir_month(int month)
{
	return (month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50;
}

/*
 * Numéro d'inscription au répertoire (INSEE): 13 places and 97 less their rest.  3, 4, 7
 * and 8 are provisional numbers; with them, or without a true month, fifteen bare
 * digits are not enough.
 */
enum verdict check_fr_nir(const struct candidate *c)
{
	struct written w;
	long long number = 0;
	char corsica;
	int month;

	if (!written_read(c, " .-/", &w) || w.count != 15 || !beside_is_clear(c))
		return VERDICT_NO;
	corsica = w.chars[6];	/* 2A counts as 19, 2B as 18 */
	if (written_is_letter(corsica)) {
		if (w.chars[5] != '2' || corsica > 'B')
			return VERDICT_NO;
		w.chars[5] = '1';
		w.chars[6] = corsica == 'A' ? '9' : '8';
	}
	for (size_t i = 0; i < 15; i++) {
		if (!written_is_digit(w.chars[i]))
			return VERDICT_NO;
		if (i < 13)
			number = number * 10 + (w.chars[i] - '0');
	}
	month = written_number(w.chars + 3, 2);
	if (strchr("123478", w.chars[0]) == NULL || !is_nir_month(month) ||
	    written_number(w.chars + 5, 2) == 0 || written_number(w.chars + 10, 3) == 0 ||
	    97 - number % 97 != written_number(w.chars + 13, 2))
		return VERDICT_NO;
	if (w.by == '\0' && (w.chars[0] > '2' || month > 12))
		return beside_judge(c, "fr-nir", VERDICT_WEAK);
	return VERDICT_VALID;
}

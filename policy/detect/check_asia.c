/* Asia and the Pacific. */
#include "policy/detect/check.h"

#include <string.h>

#include "policy/detect/beside.h"
#include "policy/detect/checksum.h"
#include "policy/detect/written.h"

/* ---- Australia ---------------------------------------------------------------------------- */

/* Tax file number: nine digits, eight of the first ones given out. */
enum verdict check_au_tfn(const struct candidate *c)
{
	static const unsigned char nine[] = { 1, 4, 3, 7, 5, 8, 6, 9, 10 };
	static const unsigned char eight[] = { 10, 7, 8, 4, 6, 3, 5, 1 };
	struct written w;
	enum verdict form = VERDICT_WEAK;

	if (!written_read(c, " -", &w) || w.by == WRITTEN_MIXED ||
	    w.letters != WRITTEN_NO_LETTERS || written_all_same(w.chars, w.count) ||
	    !beside_is_clear(c))
		return VERDICT_NO;
	if (w.count == 9) {
		if (written_weighed(w.chars, nine, 9) % 11 != 0)
			return VERDICT_NO;
		if (w.by == ' ')
			form = VERDICT_VALID;
	} else if (w.count == 8) {
		int year = written_number(w.chars, 4);
		bool is_date = year >= 1900 && year <= 2099 &&
			       checksum_is_date(year, written_number(w.chars + 4, 2),
						written_number(w.chars + 6, 2));

		if (is_date || written_weighed(w.chars, eight, 8) % 11 != 0)
			return VERDICT_NO;
	} else {
		return VERDICT_NO;
	}
	return beside_judge(c, "au-tfn", form);
}

/* ---- India -------------------------------------------------------------------------------- */

static bool is_palindrome(const char *text, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		if (text[i] != text[count - 1 - i])
			return false;
	}
	return true;
}

/* UIDAI: Verhoeff; 0 and 1 begin none, and no palindrome is given out. */
enum verdict check_in_aadhaar(const struct candidate *c)
{
	struct written w;

	if (!written_digits(c, " -", 12, &w) || w.by == WRITTEN_MIXED || w.chars[0] < '2' ||
	    is_palindrome(w.chars, 12) || !checksum_verhoeff(w.chars, 12) || !beside_is_clear(c))
		return VERDICT_NO;
	return beside_judge(c, "in-aadhaar", w.by == '\0' ? VERDICT_WEAK : VERDICT_VALID);
}

/* Income-tax Department: the fourth letter is the kind of holder.  The last one is a
 * check letter whose rule is not published. */
enum verdict check_in_pan(const struct candidate *c)
{
	struct written w;

	if (!written_read(c, "", &w) || w.count != 10 || w.letters == WRITTEN_BOTH_CASES ||
	    strchr("ABCFGHJLPT", w.chars[3]) == NULL || !beside_is_clear(c))
		return VERDICT_NO;
	for (size_t i = 0; i < 10; i++) {
		if (written_is_digit(w.chars[i]) != (i >= 5 && i < 9))
			return VERDICT_NO;
	}
	if (memcmp(w.chars + 5, "0000", 4) == 0)
		return VERDICT_NO;
	return beside_judge(c, "in-pan",
			    w.letters == WRITTEN_LOWER ? VERDICT_WEAK : VERDICT_VALID);
}

/* ---- Japan ------------------------------------------------------------------------------------ */

/* Individual number (ordinance 85 of 2014, article 5): weights 6..2, 7..2. */
enum verdict check_jp_my_number(const struct candidate *c)
{
	static const unsigned char weights[] = { 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2 };
	struct written w;
	unsigned rest;

	if (!written_digits(c, " -", 12, &w) || w.by == WRITTEN_MIXED ||
	    written_all_same(w.chars, 12) || !beside_is_clear(c))
		return VERDICT_NO;
	rest = written_weighed(w.chars, weights, 11) % 11;
	if ((rest <= 1 ? 0 : 11 - rest) != (unsigned)(w.chars[11] - '0'))
		return VERDICT_NO;
	/* "0043 0302 0341" are code points before they are a number. */
	if (w.by == '\0' || (w.by == ' ' && memcmp(w.chars, "00", 2) == 0))
		return beside_judge(c, "jp-my-number", VERDICT_WEAK);
	return beside_judge(c, "jp-my-number", VERDICT_VALID);
}

/* ---- Korea ------------------------------------------------------------------------------------ */

/* The seventh digit is century, sex, and whether of Korea (1-4, 9, 0) or not (5-8). */
static int rrn_century(char seventh)
{
	static const int of[] = { 1800, 1900, 1900, 2000, 2000, 1900, 1900, 2000, 2000, 1800 };

	return of[seventh - '0'];
}

enum verdict check_kr_rrn(const struct candidate *c)
{
	static const unsigned char weights[] = { 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5 };
	struct written w;
	unsigned rest, base;
	int year, birth;

	if (!written_digits(c, " -", 13, &w) || !beside_is_clear(c))
		return VERDICT_NO;
	year = rrn_century(w.chars[6]) + written_number(w.chars, 2);
	if (year > CHECK_LAST_YEAR ||
	    !checksum_is_date(year, written_number(w.chars + 2, 2),
			      written_number(w.chars + 4, 2)))
		return VERDICT_NO;
	birth = year * 10000 + written_number(w.chars + 2, 4);
	rest = written_weighed(w.chars, weights, 12) % 11;
	base = w.chars[6] >= '5' && w.chars[6] <= '8' ? 13 : 11;
	/* Since October 2020 the last six digits are drawn by lot: of those born since
	 * nothing more can be asked. */
	if ((base - rest) % 10 != (unsigned)(w.chars[12] - '0'))
		return birth >= 20201001 && w.by == '-' ? beside_judge(c, "kr-rrn", VERDICT_WEAK)
							: VERDICT_NO;
	return beside_judge(c, "kr-rrn", w.by == '-' ? VERDICT_VALID : VERDICT_WEAK);
}

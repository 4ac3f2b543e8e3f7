#include "policy/detect/check.h"

#include <string.h>

#include "policy/detect/beside.h"
#include "policy/detect/checksum.h"
#include "policy/detect/written.h"

/* ---- Italy: decree of 23 December 1976 ------------------------------------------------ */

/* Omocodia: where two people would have the same code, digits become letters. */
static bool undo_omocodia(char *code)
{
	static const unsigned char places[] = { 6, 7, 9, 10, 12, 13, 14 };
	static const char letters[] = "LMNPQRSTUV";
	size_t replaced = 0;

	for (size_t i = 0; i < sizeof places; i++) {
		char *at = &code[places[i]];
		const char *digit;

		if (written_is_digit(*at))
			continue;
		digit = strchr(letters, *at);
		if (digit == NULL)
			return false;
		*at = (char)('0' + (digit - letters));
		replaced++;
	}
	/* More than four would be a word of letters, not a code. */
	return replaced <= 4;
}

static char fiscale_letter(const char *code)
{
	/* Values of the characters in the odd places, 0-9 as A-J. */
	static const unsigned char odd[] = { 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20,
		11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23 };
	unsigned sum = 0;

	for (size_t i = 0; i < 15; i++) {
		unsigned value = (unsigned)(written_is_digit(code[i]) ? code[i] - '0'
								       : code[i] - 'A');

		sum += i % 2 == 0 ? odd[value] : value;
	}
	return (char)('A' + sum % 26);
}

/* Women's days are 40 more.  The century is not told: 29 February of any fourth year. */
static bool is_fiscale_birth(const char *code)
{
	static const char months[] = "ABCDEHLMPRST";
	const char *month = strchr(months, code[8]);
	int day = written_number(code + 9, 2);

	return month != NULL && code[8] != '\0' &&
	       checksum_is_date(2000 + written_number(code + 6, 2), (int)(month - months) + 1,
				day > 40 ? day - 40 : day);
}

enum verdict check_it_codice_fiscale(const struct candidate *c)
{
	struct written w;
	char check;

	if (!beside_is_clear(c) || !written_read(c, " ", &w) || w.count != 16 ||
	    w.letters == WRITTEN_BOTH_CASES)
		return VERDICT_NO;
	for (size_t i = 0; i < 6; i++) {
		if (!written_is_letter(w.chars[i]))
			return VERDICT_NO;
	}
	check = fiscale_letter(w.chars);	/* over the letters as they stand */
	if (!written_is_letter(w.chars[11]) || w.chars[15] != check || !undo_omocodia(w.chars) ||
	    !is_fiscale_birth(w.chars))
		return VERDICT_NO;
	return VERDICT_VALID;
}

/* ---- Spain: Orden INT/2058/2008 -------------------------------------------------------- */

static bool is_spanish_letter(const char *digits, char letter)
{
	return "TRWAGMYFPDXBNJZSQVHLCKE"[written_number(digits, 8) % 23] == letter;
}

enum verdict check_es_dni(const struct candidate *c)
{
	struct written w;
	enum verdict form = VERDICT_VALID;

	if (!beside_is_clear(c) || !written_read(c, " -.", &w) || w.count != 9)
		return VERDICT_NO;
	for (size_t i = 0; i < 8; i++) {
		if (!written_is_digit(w.chars[i]))
			return VERDICT_NO;
	}
	if (!is_spanish_letter(w.chars, w.chars[8]) || written_all_same(w.chars, 8))
		return VERDICT_NO;
	/* "20210101 a" may be a date and an article. */
	if (w.letters == WRITTEN_LOWER || w.by == ' ')
		form = VERDICT_WEAK;
	return beside_judge(c, "es-dni", form);
}

enum verdict check_es_nie(const struct candidate *c)
{
	struct written w;
	char digits[8];

	if (!beside_is_clear(c) || !written_read(c, " -.", &w) || w.count != 9 ||
	    w.letters == WRITTEN_BOTH_CASES || w.chars[0] < 'X' || w.chars[0] > 'Z')
		return VERDICT_NO;
	digits[0] = (char)('0' + (w.chars[0] - 'X'));
	for (size_t i = 1; i < 8; i++) {
		if (!written_is_digit(w.chars[i]))
			return VERDICT_NO;
		digits[i] = w.chars[i];
	}
	if (!is_spanish_letter(digits, w.chars[8]))
		return VERDICT_NO;
	return beside_judge(c, "es-nie",
			    w.letters == WRITTEN_LOWER ? VERDICT_WEAK : VERDICT_VALID);
}

/* Hong Kong and Taiwan: letters stand for numbers in the sum. */
#include "policy/detect/check.h"

#include <string.h>

#include "policy/detect/beside.h"
#include "policy/detect/written.h"

/* Weights 9..1; a missing first letter counts 36, A is 10, a check "A" is 10. */
static bool hk_sums_up(const char *chars, size_t letters)
{
	unsigned sum = letters == 1 ? 36 * 9 : 0;
	unsigned weight = letters == 1 ? 8 : 9;

	for (size_t i = 0; i < letters + 7; i++) {
		char ch = chars[i];

		sum += (unsigned)(written_is_digit(ch) ? ch - '0' : ch - 'A' + 10) * weight--;
	}
	return sum % 11 == 0;
}

/* "（3）" behind the digits: seven bytes. */
static bool is_wide_bracketed(const char *at, const char *after)
{
	return after - at >= 7 && memcmp(at, "（", 3) == 0 && memcmp(at + 4, "）", 3) == 0;
}

void check_hk_id_value(const struct candidate *c, const char **start, size_t *size)
{
	*start = c->text;
	*size = c->size;
	if (is_wide_bracketed(c->text + c->size, c->after))
		*size += 7;
}

enum verdict check_hk_id(const struct candidate *c)
{
	struct candidate whole = *c, digits = *c;
	char copy[16];
	struct written w;
	size_t letters = 0, used = 0;
	bool is_wide = is_wide_bracketed(c->text + c->size, c->after);
	bool is_bracketed = is_wide || (c->size > 0 && c->text[c->size - 1] == ')');

	if (c->size + 1 > sizeof copy)
		return VERDICT_NO;
	check_hk_id_value(c, &whole.text, &whole.size);
	if (!beside_is_clear(&whole))
		return VERDICT_NO;
	for (size_t i = 0; i < c->size; i++) {
		if (c->text[i] != '(' && c->text[i] != ')')
			copy[used++] = c->text[i];
	}
	if (is_wide)
		copy[used++] = c->text[c->size + 3];
	digits.text = copy;
	digits.size = used;
	if (!written_read(&digits, " -", &w))
		return VERDICT_NO;
	while (letters < 2 && written_is_letter(w.chars[letters]))
		letters++;
	if (letters == 0 || w.count != letters + 7 || w.chars[w.count - 1] > 'A' ||
	    !hk_sums_up(w.chars, letters))
		return VERDICT_NO;
	return is_bracketed ? VERDICT_VALID : beside_judge(c, "hk-id", VERDICT_WEAK);
}

/* The two digits that a letter stands for, 10..35. */
static int tw_letter(char letter)
{
	static const char order[] = "ABCDEFGHJKLMNPQRSTUVXYWZIO";
	const char *at = letter == '\0' ? NULL : strchr(order, letter);

	return at == NULL ? -1 : (int)(at - order) + 10;
}

enum verdict check_tw_id(const struct candidate *c)
{
	static const unsigned char weights[] = { 7, 6, 5, 4, 3, 2, 1, 1 };
	struct written w;
	unsigned sum;
	int first, second;

	if (!beside_is_clear(c) || !written_read(c, "", &w) || w.count != 10)
		return VERDICT_NO;
	first = tw_letter(w.chars[0]);
	if (first < 0)
		return VERDICT_NO;
	/* Resident certificates before 2021 had a second letter: its last digit counts. */
	second = written_is_digit(w.chars[1]) ? w.chars[1] - '0' : tw_letter(w.chars[1]) % 10;
	sum = (unsigned)(first / 10 + first % 10 * 9 + second * 8) +
	      written_weighed(w.chars + 2, weights, 8);
	if (sum % 10 != 0)
		return VERDICT_NO;
	if (strchr("1289", w.chars[1]) != NULL)
		return beside_judge(c, "tw-id", VERDICT_VALID);
	return strchr("ABCD", w.chars[1]) != NULL ? beside_judge(c, "tw-id", VERDICT_WEAK)
						  : VERDICT_NO;
}

/*
 * Machine-readable zones, ICAO Doc 9303 parts 3 to 6: TD3 (passports, two lines of
 * 44), TD2 (two of 36), TD1 (cards, three of 30), and the second line alone of TD3 and
 * TD2, which holds all check digits.
 */
#include "policy/detect/check.h"

#include <string.h>

#include "policy/detect/checksum.h"
#include "policy/detect/written.h"

#define MRZ_MAX 90	/* 3 * 30 */

static bool is_mrz(char c)
{
	return written_is_digit(c) || (c >= 'A' && c <= 'Z') || c == '<';
}

static unsigned value_of(char c)
{
	if (written_is_digit(c))
		return (unsigned)(c - '0');
	return c == '<' ? 0 : (unsigned)(c - 'A') + 10;
}

struct field {
	unsigned char from, count;
};

/* Whether `check` is the check digit over these fields: weights 7, 3, 1. */
static bool sums_up(const char *line, const struct field *fields, size_t count, char check)
{
	static const unsigned weights[] = { 7, 3, 1 };
	unsigned sum = 0, place = 0;

	for (size_t f = 0; f < count; f++) {
		for (unsigned i = 0; i < fields[f].count; i++)
			sum += value_of(line[fields[f].from + i]) * weights[place++ % 3];
	}
	return written_is_digit(check) && (unsigned)(check - '0') == sum % 10;
}

static bool one_sums_up(const char *line, unsigned char from, unsigned char count)
{
	return sums_up(line, &(struct field){ from, count }, 1, line[from + count]);
}

/* Six digits; month and day of a birth may be unknown ("<<"). */
static bool is_mrz_date(const char *date)
{
	int month, day;

	for (size_t i = 0; i < 6; i++) {
		if (!written_is_digit(date[i]) && date[i] != '<')
			return false;
	}
	month = date[2] == '<' ? 1 : written_number(date + 2, 2);
	day = date[4] == '<' ? 1 : written_number(date + 4, 2);
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* A state: one to three letters, filled up. */
static bool is_state(const char *state)
{
	return written_is_letter(state[0]) && (state[1] != '<' || state[2] == '<');
}

static bool is_sex(char c)
{
	return c == 'M' || c == 'F' || c == 'X' || c == '<';
}

/* The second line of TD3 (44) and TD2 (36): they differ in the optional field. */
static bool is_second_line(const char *line, size_t size)
{
	struct field composite[] = { { 0, 10 }, { 13, 7 }, { 21, (unsigned char)(size - 22) } };

	if (!one_sums_up(line, 0, 9) || !is_state(line + 10) || !is_mrz_date(line + 13) ||
	    !one_sums_up(line, 13, 6) || !is_sex(line[20]) || !is_mrz_date(line + 21) ||
	    !one_sums_up(line, 21, 6))
		return false;
	/* An empty optional field may leave its check digit empty too. */
	if (size == 44 && !one_sums_up(line, 28, 14) &&
	    (line[42] != '<' || strspn(line + 28, "<") < 14))
		return false;
	return sums_up(line, composite, 3, line[size - 1]);
}

static bool is_td1(const char *lines)
{
	static const struct field composite[] = { { 5, 25 }, { 30, 7 }, { 38, 7 }, { 48, 11 } };
	const char *second = lines + 30;

	/* A long number goes on in the optional field, its check digit behind it. */
	if (!is_state(lines + 2) || (lines[14] != '<' && !one_sums_up(lines, 5, 9)))
		return false;
	return is_mrz_date(second) && one_sums_up(second, 0, 6) && is_sex(second[7]) &&
	       is_mrz_date(second + 8) && one_sums_up(second, 8, 6) && is_state(second + 15) &&
	       sums_up(lines, composite, 4, second[29]);
}

/* The lines without what parts them; 0 where something else stands between. */
static size_t gather(const struct candidate *c, char out[MRZ_MAX + 1])
{
	size_t count = 0;

	for (size_t i = 0; i < c->size; i++) {
		char ch = c->text[i];

		if (ch == '\\' && i + 1 < c->size) {	/* "\n" in source */
			i++;
			continue;
		}
		if (strchr(" \t\r\n", ch) != NULL)
			continue;
		if (!is_mrz(ch) || count == MRZ_MAX)
			return 0;
		out[count++] = ch;
	}
	out[count] = '\0';
	return count;
}

static bool is_clear(const struct candidate *c)
{
	const char *end = c->text + c->size;

	return (c->text == c->before || !is_mrz(c->text[-1])) &&
	       (end == c->after || !is_mrz(*end));
}

enum verdict check_passport_mrz(const struct candidate *c)
{
	char lines[MRZ_MAX + 1];
	size_t count = gather(c, lines);
	bool is_real = false;

	if (count == 0 || !is_clear(c))
		return VERDICT_NO;
	if (count == 44 || count == 36)
		is_real = is_second_line(lines, count);
	else if (count == 88 || count == 72)
		is_real = is_state(lines + 2) && is_second_line(lines + count / 2, count / 2);
	else if (count == 60 || count == 90)
		is_real = is_td1(lines);
	return is_real ? VERDICT_VALID : VERDICT_NO;
}

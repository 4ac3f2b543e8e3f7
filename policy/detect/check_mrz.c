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

static bool is_zone(const char *chars, size_t count)
{
	switch (count) {
	case 44:
	case 36:
		return is_second_line(chars, count);
	case 88:
	case 72:
		return strchr("ACIP", chars[0]) != NULL && is_state(chars + 2) &&
		       is_second_line(chars + count / 2, count / 2);
	case 60:
	case 90:
		return strchr("ACI", chars[0]) != NULL && is_td1(chars);
	default:
		return false;
	}
}

/* ---- lines ------------------------------------------------------------------------- */

struct line {
	const char *at;		/* NULL: there is none */
	size_t size;
};

static struct line line_around(const struct candidate *c, const char *at)
{
	const char *end = at;

	while (at > c->before && is_mrz(at[-1]))
		at--;
	while (end < c->after && is_mrz(*end))
		end++;
	/* The "<" of a closing tag is none of it: "...<<08</mrz>". */
	if (end < c->after && *end == '/' && end > at && end[-1] == '<')
		end--;
	return (struct line){ at, (size_t)(end - at) };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

#define APART 12		/* characters between lines, at most */

/* Lines are parted by white space, or by the "\n" of a string in source or JSON. */
static struct line line_before(const struct candidate *c, struct line line)
{
	const char *at = line.at;

	if (at == NULL)
		return line;
	while (at > c->before && line.at - at < APART) {
		if (is_blank(at[-1]))
			at--;
		else if (at - c->before >= 2 && at[-2] == '\\' && strchr("nr", at[-1]) != NULL)
			at -= 2;
		else
			break;
	}
	if (at == line.at || at == c->before || !is_mrz(at[-1]))
		return (struct line){ .at = NULL };
	return line_around(c, at - 1);
}

static struct line line_after(const struct candidate *c, struct line line)
{
	const char *end = line.at == NULL ? NULL : line.at + line.size, *at = end;

	if (at == NULL)
		return line;
	while (at < c->after && at - end < APART) {
		if (is_blank(*at))
			at++;
		else if (c->after - at >= 2 && *at == '\\' && strchr("nr", at[1]) != NULL)
			at += 2;
		else
			break;
	}
	if (at == end || at >= c->after || !is_mrz(*at))
		return (struct line){ .at = NULL };
	return line_around(c, at);
}

/* The zone that the match is a piece of; lines may also follow each other unparted. */
static bool find_zone(const struct candidate *c, const char **start, size_t *size)
{
	static const struct {
		unsigned lines, size;
	} layouts[] = { { 3, 30 }, { 2, 44 }, { 2, 36 }, { 2, 30 }, { 1, 90 }, { 1, 88 },
			{ 1, 72 }, { 1, 60 }, { 1, 44 }, { 1, 36 } };
	struct line own = line_around(c, c->text), before = line_before(c, own);
	struct line after = line_after(c, own);
	const struct line lines[] = { line_before(c, before), before, own, after,
				      line_after(c, after) };
	const unsigned count = sizeof lines / sizeof lines[0], middle = 2;
	char chars[MRZ_MAX];

	for (unsigned k = 0; k < sizeof layouts / sizeof layouts[0]; k++) {
		for (unsigned first = 0; first <= middle && first + layouts[k].lines <= count;
		     first++) {
			const struct line *last = &lines[first + layouts[k].lines - 1];
			unsigned used = 0;

			for (const struct line *l = &lines[first]; l <= last; l++) {
				if (l->size != layouts[k].size)
					break;
				memcpy(chars + used, l->at, l->size);
				used += (unsigned)l->size;
			}
			if (first + layouts[k].lines <= middle ||
			    used != layouts[k].lines * layouts[k].size || !is_zone(chars, used))
				continue;
			*start = lines[first].at;
			*size = (size_t)(last->at + last->size - *start);
			return true;
		}
	}
	return false;
}

enum verdict check_passport_mrz(const struct candidate *c)
{
	const char *start;
	size_t size;

	return c->size > 0 && find_zone(c, &start, &size) ? VERDICT_VALID : VERDICT_NO;
}

void check_passport_mrz_value(const struct candidate *c, const char **start, size_t *size)
{
	if (!find_zone(c, start, size)) {
		*start = c->text;
		*size = c->size;
	}
}

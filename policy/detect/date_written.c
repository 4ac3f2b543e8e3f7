#include "policy/detect/date_written.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/checksum.h"

struct reader {
	const char *p, *end;
};

struct month_name {
	const char *name;	/* lower case */
	int month;
};

static const struct month_name month_names[] = {
	{ "january", 1 }, { "jan", 1 }, { "februar", 2 }, { "february", 2 }, { "feb", 2 },
	{ "march", 3 }, { "mar", 3 }, { "april", 4 }, { "apr", 4 }, { "may", 5 },
	{ "june", 6 }, { "jun", 6 }, { "july", 7 }, { "jul", 7 }, { "august", 8 },
	{ "aug", 8 }, { "september", 9 }, { "sept", 9 }, { "sep", 9 }, { "october", 10 },
	{ "oct", 10 }, { "november", 11 }, { "nov", 11 }, { "december", 12 }, { "dec", 12 },
	/* German */
	{ "januar", 1 }, { "jänner", 1 }, { "märz", 3 }, { "maerz", 3 }, { "mrz", 3 },
	{ "mai", 5 }, { "juni", 6 }, { "juli", 7 }, { "oktober", 10 }, { "okt", 10 },
	{ "dezember", 12 }, { "dez", 12 },
	/* French */
	{ "janvier", 1 }, { "février", 2 }, { "fevrier", 2 }, { "mars", 3 }, { "avril", 4 },
	{ "juin", 6 }, { "juillet", 7 }, { "août", 8 }, { "aout", 8 }, { "septembre", 9 },
	{ "octobre", 10 }, { "novembre", 11 }, { "décembre", 12 }, { "decembre", 12 },
	/* Spanish, Italian, Portuguese */
	{ "enero", 1 }, { "febrero", 2 }, { "marzo", 3 }, { "abril", 4 }, { "mayo", 5 },
	{ "junio", 6 }, { "julio", 7 }, { "agosto", 8 }, { "septiembre", 9 },
	{ "setiembre", 9 }, { "octubre", 10 }, { "noviembre", 11 }, { "diciembre", 12 },
	{ "gennaio", 1 }, { "febbraio", 2 }, { "aprile", 4 }, { "maggio", 5 },
	{ "giugno", 6 }, { "luglio", 7 }, { "settembre", 9 }, { "ottobre", 10 },
	{ "dicembre", 12 }, { "janeiro", 1 }, { "fevereiro", 2 }, { "março", 3 },
	{ "maio", 5 }, { "junho", 6 }, { "julho", 7 }, { "setembro", 9 }, { "outubro", 10 },
	{ "novembro", 11 }, { "dezembro", 12 },
	/* Dutch, Swedish, Polish */
	{ "januari", 1 }, { "februari", 2 }, { "maart", 3 }, { "mei", 5 }, { "augustus", 8 },
	{ "maj", 5 }, { "augusti", 8 }, { "stycznia", 1 }, { "lutego", 2 }, { "marca", 3 },
	{ "kwietnia", 4 }, { "maja", 5 }, { "czerwca", 6 }, { "lipca", 7 },
	{ "sierpnia", 8 }, { "września", 9 }, { "października", 10 }, { "listopada", 11 },
	{ "grudnia", 12 },
};

/* ---- pieces ---------------------------------------------------------------------------- */

static bool take(struct reader *r, const char *text)
{
	size_t size = strlen(text);

	if ((size_t)(r->end - r->p) < size || memcmp(r->p, text, size) != 0)
		return false;
	r->p += size;
	return true;
}

static void skip_spaces(struct reader *r)
{
	while (take(r, " ") || take(r, "\xc2\xa0"))
		;
}

/* A run of least..most digits, no more; -1: none stands there. */
static int number(struct reader *r, size_t least, size_t most, size_t *size)
{
	int value = 0;
	size_t count = 0;

	while (r->p + count < r->end && around_is_digit(r->p[count])) {
		if (count == most)
			return -1;
		value = value * 10 + (r->p[count] - '0');
		count++;
	}
	if (count < least)
		return -1;
	r->p += count;
	if (size != NULL)
		*size = count;
	return value;
}

static bool ignoring_case(struct reader *r, const char *lower)
{
	struct span s = { r->p, r->end };

	if (!around_begins(s, lower))
		return false;
	r->p += strlen(lower);
	return true;
}

/* The longest name that stands there; 0: none. */
static int month_name(struct reader *r)
{
	size_t longest = 0;
	int month = 0;

	if (r->p == r->end || !around_is_letter(*r->p))
		return 0;
	for (size_t i = 0; i < sizeof month_names / sizeof month_names[0]; i++) {
		struct span s = { r->p, r->end };
		size_t size;

		if (month_names[i].name[0] != around_lower(*r->p))
			continue;
		size = strlen(month_names[i].name);

		if (size > longest && around_begins(s, month_names[i].name)) {
			longest = size;
			month = month_names[i].month;
		}
	}
	r->p += longest;
	if (month != 0 && r->p < r->end &&
	    (around_is_letter(*r->p) || (unsigned char)*r->p >= 0x80))
		return 0;
	return month;
}

/* A year of four digits, or of two in this century or the last. */
static int year(struct reader *r)
{
	size_t size = 0;
	int value = number(r, 2, 4, &size);

	if (value < 0 || size == 3)
		return -1;
	return size == 4 ? value : 1900 + value;
}

static bool is_year_month_day(int y, int m, int d)
{
	/* 29 February of two digits: of 1900 or 2000, which was a leap year. */
	return checksum_is_date(y, m, d) || (y == 1900 && checksum_is_date(2000, m, d));
}

/* ---- writings --------------------------------------------------------------------------- */

/* "-", "/", "." with or without a space, or a space. */
static char joint(struct reader *r)
{
	char kind;

	if (r->p == r->end || strchr("-/. ", *r->p) == NULL || *r->p == '\0')
		return '\0';
	kind = *r->p++;
	if (kind == '.')
		take(r, " ");
	return kind;
}

static const char *all_digits(struct reader r)
{
	size_t size = 0;
	int first = number(&r, 1, 4, &size), second, third;
	char a = joint(&r), b;

	if (first < 0 || size == 3 || a == '\0' || a == ' ')
		return NULL;
	second = number(&r, 1, 2, NULL);
	b = joint(&r);
	if (second < 0 || a != b)
		return NULL;
	if (size == 4) {
		third = number(&r, 1, 2, NULL);
		return third >= 0 && checksum_is_date(first, second, third) ? r.p : NULL;
	}
	third = year(&r);
	return third >= 0 && (is_year_month_day(third, second, first) ||
			      is_year_month_day(third, first, second)) ? r.p : NULL;
}

static const char *compact(struct reader r)
{
	int value = number(&r, 8, 8, NULL);

	return value >= 0 && checksum_is_date(value / 10000, value / 100 % 100, value % 100) ?
	       r.p : NULL;
}

static void ordinal(struct reader *r)
{
	if (!ignoring_case(r, "st") && !ignoring_case(r, "nd") && !ignoring_case(r, "rd") &&
	    !ignoring_case(r, "th") && !take(r, "."))
		take(r, "\xc2\xba");	/* º */
}

static void preposition(struct reader *r)
{
	if (!ignoring_case(r, "of ") && !ignoring_case(r, "de ") && !ignoring_case(r, "del "))
		ignoring_case(r, "do ");
}

static void between(struct reader *r)
{
	if (!take(r, "-") && !take(r, "/"))
		take(r, ".");
	take(r, ",");
	skip_spaces(r);
}

static const char *day_month_year(struct reader r)
{
	int day = number(&r, 1, 2, NULL), month, y;

	if (day < 0)
		return NULL;
	ordinal(&r);
	between(&r);
	preposition(&r);
	month = month_name(&r);
	if (month == 0)
		return NULL;
	between(&r);
	preposition(&r);
	y = year(&r);
	return y >= 0 && is_year_month_day(y, month, day) ? r.p : NULL;
}

static const char *month_day_year(struct reader r)
{
	int month = month_name(&r), day, y;

	if (month == 0)
		return NULL;
	between(&r);
	day = number(&r, 1, 2, NULL);
	if (day < 0)
		return NULL;
	ordinal(&r);
	between(&r);
	y = number(&r, 4, 4, NULL);
	return y >= 0 && checksum_is_date(y, month, day) ? r.p : NULL;
}

static const char *year_month_day(struct reader r)
{
	int y = number(&r, 4, 4, NULL), month, day;

	if (y < 0)
		return NULL;
	between(&r);
	month = month_name(&r);
	if (month == 0)
		return NULL;
	between(&r);
	day = number(&r, 1, 2, NULL);
	return day >= 0 && checksum_is_date(y, month, day) ? r.p : NULL;
}

/* ---- Chinese, Japanese, Korean -------------------------------------------------------- */

static const char *const numerals[] = {
	"〇", "一", "二", "三", "四", "五", "六", "七", "八", "九",
};

static int numeral(struct reader *r)
{
	if (take(r, "零") || take(r, "○"))
		return 0;
	for (int i = 0; i < 10; i++) {
		if (take(r, numerals[i]))
			return i;
	}
	return -1;
}

/* 一 to 九十九 as said, digit for digit where there is no 十; or in digits. */
static int east_number(struct reader *r, size_t most)
{
	int value = number(r, 1, most, NULL), digit;

	if (value >= 0)
		return value;
	if (take(r, "元"))	/* the first year of an era */
		return 1;
	digit = numeral(r);
	if (take(r, "十")) {
		value = (digit < 0 ? 1 : digit) * 10;
		digit = numeral(r);
		return value + (digit < 0 ? 0 : digit);
	}
	for (value = digit; digit >= 0 && value < 1000;) {
		digit = numeral(r);
		if (digit >= 0)
			value = value * 10 + digit;
	}
	return value;
}

/* The year before the first of an era. */
static int era(struct reader *r)
{
	return take(r, "明治") ? 1867 : take(r, "大正") ? 1911 : take(r, "昭和") ? 1925 :
	       take(r, "平成") ? 1988 : take(r, "令和") ? 2018 : take(r, "民國") ||
	       take(r, "民国") ? 1911 : 0;
}

static const char *of_the_east(struct reader r)
{
	int before = era(&r), y, month, day;

	skip_spaces(&r);
	y = east_number(&r, 4);
	skip_spaces(&r);
	if (y < 0 || (!take(&r, "年") && !take(&r, "년")))
		return NULL;
	skip_spaces(&r);
	month = east_number(&r, 2);
	skip_spaces(&r);
	if (month < 0 || (!take(&r, "月") && !take(&r, "월")))
		return NULL;
	skip_spaces(&r);
	day = east_number(&r, 2);
	skip_spaces(&r);
	if (day < 0 || (!take(&r, "日") && !take(&r, "号") && !take(&r, "號") &&
			!take(&r, "일")))
		return NULL;
	if (before == 0 && y < 100)
		y += 1900;
	return is_year_month_day(before + y, month, day) ? r.p : NULL;
}

bool date_is_compact(const char *p, const char *end)
{
	return compact((struct reader){ p, end }) != NULL;
}

const char *date_written(const char *p, const char *end)
{
	static const char *(*const writings[])(struct reader) = {
		all_digits, compact, day_month_year, month_day_year, year_month_day,
		of_the_east,
	};
	const char *longest = NULL;

	if (p == end || !(around_is_alnum(*p) || (unsigned char)*p >= 0xe3))
		return NULL;	/* most places that are asked for */

	for (size_t i = 0; i < sizeof writings / sizeof writings[0]; i++) {
		const char *stop = writings[i]((struct reader){ p, end });

		if (stop != NULL && (longest == NULL || stop > longest))
			longest = stop;
	}
	return longest;
}

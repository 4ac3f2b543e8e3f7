#include "policy/period.h"

#include <stdio.h>
#include <string.h>

#include "fs/base/calendar.h"
#include "fs/base/err.h"
#include "fs/base/text.h"

#define PERIOD_NUMBER_MAX 100000	/* longer is a slip of the pen: "forever" says it */
#define YEAR_MAX 1000000		/* what civil time counts to, either way */

/* ---- periods --------------------------------------------------------------------- */

static int refuse(const char *text, struct err *e)
{
	return err_set(e, MUNI_USAGE, "\"%s\" is no period; expected years, months, weeks, "
		       "days in that order, each a whole number of at most %d, as in P30Y, "
		       "P6M, P2W, P1Y6M, P10D, or \"forever\"", text_printable(text),
		       PERIOD_NUMBER_MAX);
}

/* Adds what one letter stands for; -1 unless it comes later in "YMWD" than the one
 * before (*place). */
static int take_part(struct period *p, char letter, uint32_t number, int *place)
{
	static const char letters[] = "YMWD";
	const char *at = letter == '\0' ? NULL : strchr(letters, letter);

	if (at == NULL || at - letters < *place)
		return -1;
	*place = (int)(at - letters) + 1;
	switch (letter) {
	case 'Y':
		p->years = number;
		break;
	case 'M':
		p->months = number;
		break;
	case 'W':
		p->days = 7 * number;
		break;
	default:
		p->days += number;
	}
	return 0;
}

int period_parse(const char *text, struct period *out, struct err *e)
{
	struct period p = { 0 };
	const char *at = text + 1;
	int place = 0;

	*out = p;
	if (strcmp(text, "forever") == 0) {
		out->is_forever = true;
		return 0;
	}
	if (text[0] != 'P' || text[1] == '\0')
		return refuse(text, e);
	while (*at != '\0') {
		uint32_t number = 0;
		const char *first = at;

		for (; *at >= '0' && *at <= '9'; at++) {
			number = 10 * number + (uint32_t)(*at - '0');
			if (number > PERIOD_NUMBER_MAX)
				return refuse(text, e);
		}
		if (at == first || take_part(&p, *at++, number, &place) < 0)
			return refuse(text, e);
	}
	*out = p;
	return 0;
}

/* Appends "30Y" to a text of 32 bytes, which is enough for three such parts. */
static size_t append_part(char out[32], size_t used, uint32_t number, char letter)
{
	int n = snprintf(out + used, 32 - used, "%u%c", number, letter);

	return n > 0 && (size_t)n < 32 - used ? used + (size_t)n : used;
}

void period_text(const struct period *p, char out[32])
{
	uint32_t days = p->days, weeks = 0;
	size_t used = 1;

	if (p->is_forever) {
		snprintf(out, 32, "forever");
		return;
	}
	snprintf(out, 32, "P");
	if (p->years > 0)
		used = append_part(out, used, p->years, 'Y');
	if (p->months > 0)
		used = append_part(out, used, p->months, 'M');
	if (days > PERIOD_NUMBER_MAX) {		/* of weeks, and read back as such alone */
		weeks = days / 7 < PERIOD_NUMBER_MAX ? days / 7 : PERIOD_NUMBER_MAX;
		days -= 7 * weeks;
		used = append_part(out, used, weeks, 'W');
	}
	if (days > 0 || used == 1)
		append_part(out, used, days, 'D');
}

int period_compare(const struct period *a, const struct period *b)
{
	/* Millionths of a day: a mean month has 30.436875 of them. */
	const uint64_t month = 30436875, day = 1000000;
	uint64_t x = (12ull * a->years + a->months) * month + a->days * day;
	uint64_t y = (12ull * b->years + b->months) * month + b->days * day;

	if (a->is_forever || b->is_forever)
		return (int)a->is_forever - (int)b->is_forever;
	return x < y ? -1 : x > y;
}

/* ---- civil dates ------------------------------------------------------------------- */

int64_t civil_day(struct civil c)
{
	return calendar_day(c.year, c.month, c.day);
}

struct civil civil_of_day(int64_t day)
{
	int64_t year;
	unsigned month, date;

	calendar_date(day, &year, &month, &date);
	return (struct civil){ (int32_t)year, (uint8_t)month, (uint8_t)date };
}

/* The date that is `months` later, brought back into its month, then `days` later;
 * never beyond what civil time counts to. */
static struct civil shifted(struct civil from, int64_t months, int64_t days)
{
	int64_t month = 12 * (int64_t)from.year + from.month - 1 + months;
	int64_t year = calendar_floor_divide(month, 12);
	struct civil c;
	unsigned last;

	if (year > YEAR_MAX)
		return (struct civil){ YEAR_MAX, 12, 31 };
	if (year < -YEAR_MAX)
		return (struct civil){ -YEAR_MAX, 1, 1 };
	c.year = (int32_t)year;
	c.month = (uint8_t)(month - 12 * year + 1);
	last = calendar_month_days(c.year, c.month);
	c.day = (uint8_t)(from.day > last ? last : from.day);
	return days == 0 ? c : civil_of_day(civil_day(c) + days);
}

struct civil civil_add(struct civil from, const struct period *p)
{
	if (p->is_forever)
		return (struct civil){ YEAR_MAX, 12, 31 };
	return shifted(from, 12 * (int64_t)p->years + p->months, p->days);
}

struct civil civil_subtract(struct civil from, const struct period *p)
{
	if (p->is_forever)
		return (struct civil){ -YEAR_MAX, 1, 1 };
	return shifted(from, -(12 * (int64_t)p->years + p->months), -(int64_t)p->days);
}

int civil_compare(struct civil a, struct civil b)
{
	if (a.year != b.year)
		return a.year < b.year ? -1 : 1;
	if (a.month != b.month)
		return a.month < b.month ? -1 : 1;
	return a.day < b.day ? -1 : a.day > b.day;
}

void civil_text(struct civil c, char out[16])
{
	snprintf(out, 16, "%04d-%02u-%02u", c.year, c.month, c.day);
}

int civil_parse(const char *text, struct civil *out)
{
	static const char shape[] = "dddd-dd-dd";
	struct civil c;

	for (size_t i = 0; i < sizeof shape; i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return -1;
	c.year = 1000 * (text[0] - '0') + 100 * (text[1] - '0') + 10 * (text[2] - '0') +
		 (text[3] - '0');
	c.month = (uint8_t)(10 * (text[5] - '0') + (text[6] - '0'));
	c.day = (uint8_t)(10 * (text[8] - '0') + (text[9] - '0'));
	if (c.month < 1 || c.month > 12 || c.day < 1 ||
	    c.day > calendar_month_days(c.year, c.month))
		return -1;
	*out = c;
	return 0;
}

struct civil civil_cutoff(struct civil from, unsigned month, unsigned day)
{
	struct civil c = from;

	if (month == 0)
		return from;
	for (c.year = from.year;; c.year++) {
		unsigned last = calendar_month_days(c.year, month);

		c.month = (uint8_t)month;
		c.day = (uint8_t)(day > last ? last : day);	/* 02-29 is 02-28 */
		if (civil_compare(c, from) >= 0)
			return c;
	}
}

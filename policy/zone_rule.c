#include "policy/zone_rule.h"

#include <stddef.h>

#include "fs/base/calendar.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int take_number(const char **text, unsigned min, unsigned max, unsigned *out)
{
	unsigned v = 0;

	if (!is_digit(**text))
		return -1;
	for (; is_digit(**text); (*text)++) {
		v = 10 * v + (unsigned)(**text - '0');
		if (v > max)
			return -1;
	}
	*out = v;
	return v < min ? -1 : 0;
}

/* "CST", "<+08>" */
static int take_name(const char **text)
{
	const char *p = *text;
	size_t size = 0;

	if (*p == '<') {
		for (p++; *p != '>'; p++)
			if (*p == '\0')
				return -1;
		*text = p + 1;
		return 0;
	}
	for (; (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'); p++)
		size++;
	*text = p;
	return size >= 3 ? 0 : -1;
}

/* [+-]h[h][:mm[:ss]] in seconds. */
static int take_time(const char **text, unsigned max_hours, int32_t *out)
{
	int32_t sign = **text == '-' ? -1 : 1;
	unsigned hours, minutes = 0, seconds = 0;

	if (**text == '-' || **text == '+')
		(*text)++;
	if (take_number(text, 0, max_hours, &hours) < 0)
		return -1;
	if (**text == ':') {
		(*text)++;
		if (take_number(text, 0, 59, &minutes) < 0)
			return -1;
		if (**text == ':') {
			(*text)++;
			if (take_number(text, 0, 59, &seconds) < 0)
				return -1;
		}
	}
	*out = sign * (int32_t)(hours * 3600 + minutes * 60 + seconds);
	return 0;
}

static int take_char(const char **text, char wanted)
{
	if (**text != wanted)
		return -1;
	(*text)++;
	return 0;
}

static int take_day(const char **text, struct zone_day *d)
{
	*d = (struct zone_day){ .form = ZONE_ORDINAL, .time = 2 * 3600 };
	if (**text == 'J') {
		(*text)++;
		d->form = ZONE_JULIAN;
		if (take_number(text, 1, 365, &d->day) < 0)
			return -1;
	} else if (**text == 'M') {
		(*text)++;
		d->form = ZONE_WEEKDAY;
		if (take_number(text, 1, 12, &d->month) < 0 || take_char(text, '.') < 0 ||
		    take_number(text, 1, 5, &d->week) < 0 || take_char(text, '.') < 0 ||
		    take_number(text, 0, 6, &d->weekday) < 0)
			return -1;
	} else if (take_number(text, 0, 365, &d->day) < 0) {
		return -1;
	}
	if (**text != '/')
		return 0;
	(*text)++;
	return take_time(text, 167, &d->time);
}

int zone_rule_parse(const char *text, struct zone_rule *out)
{
	struct zone_rule r = { 0 };
	int32_t west;

	if (take_name(&text) < 0 || take_time(&text, 24, &west) < 0)
		return -1;
	r.standard = -west;	/* POSIX counts westward */
	r.summer = r.standard + 3600;
	if (*text != '\0') {
		r.has_summer = true;
		if (take_name(&text) < 0)
			return -1;
		if (*text != ',') {
			if (take_time(&text, 24, &west) < 0)
				return -1;
			r.summer = -west;
		}
		if (take_char(&text, ',') < 0 || take_day(&text, &r.begin) < 0 ||
		    take_char(&text, ',') < 0 || take_day(&text, &r.end) < 0 || *text != '\0')
			return -1;
	}
	*out = r;
	return 0;
}

static int64_t day_of_weekday(const struct zone_day *d, int64_t year)
{
	int64_t first = calendar_day(year, d->month, 1);
	unsigned last = calendar_month_days(year, d->month);
	/* 1970-01-01 was a Thursday. */
	int64_t weekday = first + 4 - 7 * calendar_floor_divide(first + 4, 7);
	unsigned date = 1 + (unsigned)((d->weekday + 7 - weekday) % 7) + 7 * (d->week - 1);

	while (date > last)
		date -= 7;
	return first + date - 1;
}

int64_t zone_rule_second(const struct zone_day *d, int64_t year)
{
	int64_t day;

	if (d->form == ZONE_WEEKDAY) {
		day = day_of_weekday(d, year);
	} else {
		day = calendar_day(year, 1, 1) + d->day;
		if (d->form == ZONE_JULIAN)
			day += (d->day >= 60 && calendar_month_days(year, 2) == 29) - 1;
	}
	return day * CALENDAR_DAY + d->time;
}

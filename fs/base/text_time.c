/*
 * Times in text, in UTC and for every 64-bit second: gmtime() stops where the
 * year leaves an int.
 */
#include "fs/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/calendar.h"

const char *text_time(int64_t seconds, uint32_t ns, char out[TEXT_TIME_MAX])
{
	int64_t day = calendar_floor_divide(seconds, CALENDAR_DAY), year;
	unsigned in_day = (unsigned)(seconds - day * CALENDAR_DAY), month, date;
	char fraction[11] = "", years[16];

	calendar_date(day, &year, &month, &date);
	if (ns != 0)
		snprintf(fraction, sizeof fraction, ".%09" PRIu32, ns % 1000000000);
	snprintf(years, sizeof years, year >= 0 && year <= 9999 ? "%04" PRId64
							    : "%+05" PRId64, year);
	snprintf(out, TEXT_TIME_MAX, "%s-%02u-%02uT%02u:%02u:%02u%sZ", years, month, date,
		 in_day / 3600, in_day / 60 % 60, in_day % 60, fraction);
	return out;
}

/* Exactly `digits` digits at *text, which moves past them; -1 if not there. */
static int take_number(const char **text, unsigned digits, unsigned *out)
{
	*out = 0;
	for (; digits > 0; digits--, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		*out = *out * 10 + (unsigned)(**text - '0');
	}
	return 0;
}

static int take_char(const char **text, char wanted)
{
	if (**text != wanted)
		return -1;
	(*text)++;
	return 0;
}

static int take_date(const char **text, int64_t *day)
{
	unsigned year, month, date;

	if (take_number(text, 4, &year) < 0 || take_char(text, '-') < 0 ||
	    take_number(text, 2, &month) < 0 || take_char(text, '-') < 0 ||
	    take_number(text, 2, &date) < 0 || month < 1 || month > 12)
		return -1;
	if (date < 1 || date > calendar_month_days(year, month))
		return -1;
	*day = calendar_day(year, month, date);
	return 0;
}

static int take_clock(const char **text, int64_t *seconds)
{
	unsigned hour, minute, second;

	if (take_number(text, 2, &hour) < 0 || take_char(text, ':') < 0 ||
	    take_number(text, 2, &minute) < 0 || take_char(text, ':') < 0 ||
	    take_number(text, 2, &second) < 0 || hour > 23 || minute > 59 || second > 59)
		return -1;
	*seconds = hour * 3600 + minute * 60 + second;
	if (**text != '.')
		return 0;
	(*text)++;
	if (**text < '0' || **text > '9')
		return -1;
	*text += strspn(*text, "0123456789");
	return 0;
}

/* "", "Z", "+08:00", "-03:30": what is to be taken from the clock. */
static int take_zone(const char **text, int64_t *seconds)
{
	unsigned hour, minute;
	int sign;

	*seconds = 0;
	if (**text == 'Z') {
		(*text)++;
		return 0;
	}
	if (**text != '+' && **text != '-')
		return 0;
	sign = **text == '+' ? 1 : -1;
	(*text)++;
	if (take_number(text, 2, &hour) < 0 || take_char(text, ':') < 0 ||
	    take_number(text, 2, &minute) < 0 || hour > 23 || minute > 59)
		return -1;
	*seconds = sign * (int64_t)(hour * 3600 + minute * 60);
	return 0;
}

static int parse_raw_seconds(const char *text, int64_t *seconds)
{
	const char *digits = *text == '-' ? text + 1 : text;
	intmax_t v;
	char *end;

	if (*digits < '0' || *digits > '9')
		return -1;
	v = strtoimax(text, &end, 10);
	/* strtoimax() answers an overflow with its limits: those two are refused. */
	if (*end != '\0' || v == INTMAX_MAX || v == INTMAX_MIN)
		return -1;
	*seconds = v;
	return 0;
}

int text_parse_time(const char *text, bool is_end_of_day, int64_t *seconds)
{
	int64_t day, clock, zone;

	if (*text == '@')
		return parse_raw_seconds(text + 1, seconds);
	if (take_date(&text, &day) < 0)
		return -1;
	if (*text == '\0') {
		*seconds = day * CALENDAR_DAY + (is_end_of_day ? CALENDAR_DAY - 1 : 0);
		return 0;
	}
	if (take_char(&text, 'T') < 0 || take_clock(&text, &clock) < 0 ||
	    take_zone(&text, &zone) < 0 || *text != '\0')
		return -1;
	*seconds = day * CALENDAR_DAY + clock - zone;
	return 0;
}

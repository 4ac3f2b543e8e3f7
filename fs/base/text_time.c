/*
 * Times in text, in UTC and for every 64-bit second: gmtime() stops where the
 * year leaves an int.  Days and dates after Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms": years begin in March, so that the leap day is
 * their last.
 */
#include "fs/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400
#define DAYS_OF_ERA 146097	/* 400 years */
#define EPOCH_DAY 719468	/* 0000-03-01 to 1970-01-01 */

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static void date_of_day(int64_t day, int64_t *year, unsigned *month, unsigned *date)
{
	int64_t shifted = day + EPOCH_DAY;
	int64_t era = floor_divide(shifted, DAYS_OF_ERA);
	unsigned in_era = (unsigned)(shifted - era * DAYS_OF_ERA);
	unsigned year_of_era =
		(in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year =
		in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned from_march = (5 * in_year + 2) / 153;

	*date = in_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = (int64_t)year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

static int64_t day_of_date(int64_t year, unsigned month, unsigned date)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = floor_divide(y, 400);
	unsigned year_of_era = (unsigned)(y - era * 400);
	unsigned from_march = month > 2 ? month - 3 : month + 9;
	unsigned in_year = (153 * from_march + 2) / 5 + date - 1;
	unsigned in_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + in_year;

	return era * DAYS_OF_ERA + in_era - EPOCH_DAY;
}

const char *text_time(int64_t seconds, uint32_t ns, char out[TEXT_TIME_MAX])
{
	int64_t day = floor_divide(seconds, DAY), year;
	unsigned in_day = (unsigned)(seconds - day * DAY), month, date;
	char fraction[11] = "", years[16];

	date_of_day(day, &year, &month, &date);
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
	static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year, month, date, length;

	if (take_number(text, 4, &year) < 0 || take_char(text, '-') < 0 ||
	    take_number(text, 2, &month) < 0 || take_char(text, '-') < 0 ||
	    take_number(text, 2, &date) < 0 || month < 1 || month > 12)
		return -1;
	length = lengths[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		length++;
	if (date < 1 || date > length)
		return -1;
	*day = day_of_date(year, month, date);
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
		*seconds = day * DAY + (is_end_of_day ? DAY - 1 : 0);
		return 0;
	}
	if (take_char(&text, 'T') < 0 || take_clock(&text, &clock) < 0 ||
	    take_zone(&text, &zone) < 0 || *text != '\0')
		return -1;
	*seconds = day * DAY + clock - zone;
	return 0;
}

/*
 * Days and dates after Hinnant, "chrono-Compatible Low-Level Date Algorithms":
 * years begin in March, so that the leap day is their last.
 */
#include "fs/base/calendar.h"

#define DAYS_OF_ERA 146097	/* 400 years */
#define EPOCH_DAY 719468	/* 0000-03-01 to 1970-01-01 */

int64_t calendar_floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

void calendar_date(int64_t day, int64_t *year, unsigned *month, unsigned *date)
{
	int64_t shifted = day + EPOCH_DAY;
	int64_t era = calendar_floor_divide(shifted, DAYS_OF_ERA);
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

int64_t calendar_day(int64_t year, unsigned month, unsigned date)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = calendar_floor_divide(y, 400);
	unsigned year_of_era = (unsigned)(y - era * 400);
	unsigned from_march = month > 2 ? month - 3 : month + 9;
	unsigned in_year = (153 * from_march + 2) / 5 + date - 1;
	unsigned in_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + in_year;

	return era * DAYS_OF_ERA + in_era - EPOCH_DAY;
}

unsigned calendar_month_days(int64_t year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

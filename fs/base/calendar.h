/*
 * The proleptic Gregorian calendar for every 64-bit second: days are counted from
 * 1970-01-01.
 */
#ifndef FS_BASE_CALENDAR_H
#define FS_BASE_CALENDAR_H

#include <stdint.h>

#define CALENDAR_DAY 86400	/* seconds */

int64_t calendar_day(int64_t year, unsigned month, unsigned date);
void calendar_date(int64_t day, int64_t *year, unsigned *month, unsigned *date);
unsigned calendar_month_days(int64_t year, unsigned month);	/* month: 1..12 */
/* Towards minus infinity; b > 0. */
int64_t calendar_floor_divide(int64_t a, int64_t b);

#endif

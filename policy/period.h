/*
 * Civil time: periods of ISO 8601 ("P30Y", "P6M", "P2W", "P1Y6M", "P10D"; no time of
 * day), cutoffs ("12-31"), and dates in the policy's own time zone.
 *
 * Adding: years and months first, then the day is brought back into its month (29
 * February plus a year is 28 February), then weeks and days.
 */
#ifndef POLICY_PERIOD_H
#define POLICY_PERIOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct period {
	uint32_t years, months, days;	/* weeks are seven days */
	bool is_forever;	/* "forever" */
};

struct civil {
	int32_t year;
	uint8_t month, day;
};

/* MUNI_USAGE, with what was expected. */
int period_parse(const char *text, struct period *out, struct err *e);
void period_text(const struct period *p, char out[32]);
/* By days of a mean calendar (365.2425, 30.436875): to compare minimums. -1, 0, 1 */
int period_compare(const struct period *a, const struct period *b);
struct civil civil_add(struct civil from, const struct period *p);
struct civil civil_subtract(struct civil from, const struct period *p);
int civil_compare(struct civil a, struct civil b);
/* Days since 1970-01-01, and back. */
int64_t civil_day(struct civil c);
struct civil civil_of_day(int64_t day);
/* "2031-12-31"; -1 if it is none that exists. */
void civil_text(struct civil c, char out[16]);
int civil_parse(const char *text, struct civil *out);
/* The next month-day (month 0: none) at or after `from`. */
struct civil civil_cutoff(struct civil from, unsigned month, unsigned day);

/*
 * Time zones by name out of the system's tz database, without touching the
 * process's own.  MUNI_USAGE: no such zone, or no database on this system.
 * Seconds beyond the year 200000 either way count as that year's.
 */
struct zone;
int zone_open(const char *name, struct zone **out, struct err *e);	/* "UTC" needs no file */
void zone_close(struct zone *z);	/* NULL is allowed */
/* From the bytes of a TZif file (RFC 9636), hostile until checked: MUNI_DAMAGED. */
int zone_parse(const void *tzif, size_t size, const char *name, struct zone **out,
	       struct err *e);
/* What is to be added to UTC, in seconds. */
int32_t zone_offset(const struct zone *z, int64_t seconds);
struct civil zone_date(const struct zone *z, int64_t seconds);
/* The first second at which it is that day or, where the zone left it out, later. */
int64_t zone_start_of_day(const struct zone *z, struct civil day);

#endif

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
/* The next month-day (month 0: none) at or after `from`. */
struct civil civil_cutoff(struct civil from, unsigned month, unsigned day);

/*
 * Time zones by name out of the system's tz database, without touching the
 * process's own.  MUNI_USAGE: no such zone.
 */
struct zone;
int zone_open(const char *name, struct zone **out, struct err *e);	/* "UTC" needs no file */
void zone_close(struct zone *z);
struct civil zone_date(const struct zone *z, int64_t seconds);
int64_t zone_start_of_day(const struct zone *z, struct civil day);

#endif

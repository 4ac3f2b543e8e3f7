/*
 * The rule in a TZif footer (RFC 9636, section 3.3.2; POSIX.1, "TZ"): standard and
 * summer time, and when one follows the other.
 */
#ifndef POLICY_ZONE_RULE_H
#define POLICY_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

struct zone_day {
	enum { ZONE_JULIAN, ZONE_ORDINAL, ZONE_WEEKDAY } form;	/* "J60", "59", "M3.2.0" */
	unsigned day;		/* J: 1..365, never 29 February; ordinal: 0..365 */
	unsigned month, week, weekday;	/* week 5: the last; weekday 0: Sunday */
	int32_t time;		/* seconds after midnight, -167 h to 167 h */
};

struct zone_rule {
	int32_t standard, summer;	/* seconds to be added to UTC */
	bool has_summer;
	struct zone_day begin, end;	/* of summer time */
};

/* -1: it is none. */
int zone_rule_parse(const char *text, struct zone_rule *out);
/* The local second of a year, counted as if the zone were UTC. */
int64_t zone_rule_second(const struct zone_day *d, int64_t year);

#endif

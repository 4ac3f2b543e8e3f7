/*
 * A time zone as its files see it: one sorted array of offsets.
 */
#ifndef POLICY_ZONE_INSIDE_H
#define POLICY_ZONE_INSIDE_H

#include "policy/period.h"

#define ZONE_CYCLE (146097ll * 86400)	/* seconds of 400 years */
#define ZONE_SECONDS_MAX 6249223872000ll	/* about the year 200000 */
#define ZONE_OFFSET_MAX (26 * 3600)	/* RFC 9636 advises -25 h to +26 h */

struct transition {
	int64_t at;
	int32_t offset;		/* from then on */
};

struct zone {
	int32_t before;		/* offset before the first transition */
	bool is_cyclic;		/* the footer has a rule with summer time */
	int64_t cycle;		/* begin of the years that repeat */
	size_t count, capacity;
	struct transition *transitions;	/* owned, rising */
};

/* Fills an empty zone from a TZif file, hostile until checked.  On -1 what is there is
 * zone_close()'s to free. */
int zone_read(struct zone *z, const void *tzif, size_t size, struct err *e);

#endif

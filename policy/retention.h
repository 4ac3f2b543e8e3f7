/*
 * How long a record of a class is kept: from its trigger, over the cutoff, by the
 * period, in civil time.  Pure.
 */
#ifndef POLICY_RETENTION_H
#define POLICY_RETENTION_H

#include "policy/policy.h"

enum retention_state {
	RETENTION_DATED,	/* until a date */
	RETENTION_FOREVER,
	RETENTION_MISSING,	/* no date to count from: it is kept, and reported */
};

struct retention {
	enum retention_state state;
	const char *moment;	/* what it counts from: the trigger or the fallback */
	struct civil from;	/* the day of it */
	struct civil cutoff;	/* the day from which the period runs */
	struct civil until;	/* the last day on which it must be kept */
};

/*
 * moment() tells the second of "modified", "created", "ingested", "retired" or
 * "event:NAME" for the record; false where it is not known.  The record is due when
 * the day `until` has passed.
 */
void retention_of(const struct policy_class *c, const struct zone *z,
		  bool (*moment)(void *arg, const char *word, int64_t *seconds), void *arg,
		  struct retention *out);
bool retention_is_due(const struct retention *r, struct civil today);

#endif

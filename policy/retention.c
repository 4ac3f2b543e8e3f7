#include "policy/retention.h"

void retention_of(const struct policy_class *c, const struct zone *z,
		  bool (*moment)(void *arg, const char *word, int64_t *seconds), void *arg,
		  struct retention *out)
{
	const char *words[] = { c->trigger, c->fallback };
	int64_t seconds;

	*out = (struct retention){ .state = RETENTION_MISSING };
	if (c->period.is_forever || c->then == THEN_KEEP) {
		out->state = RETENTION_FOREVER;
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		if (words[i] == NULL || !moment(arg, words[i], &seconds))
			continue;
		out->state = RETENTION_DATED;
		out->moment = words[i];
		out->from = zone_date(z, seconds);
		out->cutoff = civil_cutoff(out->from, c->cutoff_month, c->cutoff_day);
		out->until = civil_add(out->cutoff, &c->period);
		return;
	}
}

bool retention_is_due(const struct retention *r, struct civil today)
{
	return r->state == RETENTION_DATED && civil_compare(r->until, today) < 0;
}

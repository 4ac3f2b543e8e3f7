#include "fs/vault/retain_live.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/list.h"
#include "fs/vault/retain_inside.h"

struct live_judge {
	struct catalogue *c;
	int64_t system, now;
	struct retain_classes classes;
	struct retain_moments moments;
	struct memory memory;	/* globs */
	struct path_scope only;
	struct retain_hold *holds;	/* owned */
	size_t hold_count, hold_room;
	struct item_facts facts;
	struct err *e;		/* of opening */
};

/* ---- opening ------------------------------------------------------------------------- */

static int on_hold(void *arg, const struct hold_row *h)
{
	struct live_judge *j = arg;

	if (!list_room(&j->holds, j->hold_count, &j->hold_room, sizeof *j->holds))
		return err_set(j->e, MUNI_NO_MEMORY, "no memory for the holds");
	struct retain_hold *at = &j->holds[j->hold_count];
	*at = (struct retain_hold){ .id = h->id };
	if (scope_open(&at->scope, &j->memory, &h->scope, "a hold", j->e) < 0)
		return -1;
	j->hold_count++;
	return 0;
}

int live_judge_open(struct catalogue *c, int64_t system, int64_t now, struct live_judge **out,
		    struct err *e)
{
	struct live_judge *j = calloc(1, sizeof *j);

	*out = NULL;
	if (!j)
		return err_set(e, MUNI_NO_MEMORY, "no memory to judge items");
	j->c = c;
	j->system = system;
	j->now = now;
	j->e = e;
	if (retain_classes_open(&j->classes, c, now, e) < 0 ||
	    retain_moments_open(&j->moments, c, e) < 0 ||
	    catalogue_holds(c, false, on_hold, j, e) < 0) {
		live_judge_close(j);
		return -1;
	}
	*out = j;
	return 0;
}

void live_judge_close(struct live_judge *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->hold_count; i++)
		scope_close(&j->holds[i].scope);
	free(j->holds);
	memory_clear(&j->memory);
	retain_moments_close(&j->moments);
	retain_classes_close(&j->classes);
	item_facts_free(&j->facts);
	free(j);
}

int live_judge_only(struct live_judge *j, const char *path, struct err *e)
{
	return path_scope_open(&j->only, &j->memory, path, e);
}

bool live_judge_wants(const struct live_judge *j, const void *path, size_t size)
{
	return path_scope_covers(&j->only, path, size);
}

/* ---- holds --------------------------------------------------------------------------------- */

static bool covers(struct live_judge *j, const struct scope *s, const struct decided_row *r,
		   const char *class_code)
{
	bool is_sure;

	if ((s->system != 0 && s->system != j->system) ||
	    !path_scope_covers(&s->path, r->item->path, r->item->path_size) ||
	    (s->class_code && (!class_code || strcmp(s->class_code, class_code) != 0)))
		return false;
	return !s->query || when_holds(s->query, &j->facts.facts, j->now, &is_sure) || !is_sure;
}

static int find_hold(struct live_judge *j, const struct decided_row *r, const char *class_code,
		     int64_t *hold, struct err *e)
{
	*hold = 0;
	if (j->hold_count == 0)
		return 0;
	if (item_facts_fill(&j->facts, r->item, r->duplicate_path, r->duplicate_size, e) < 0)
		return -1;
	for (size_t i = 0; i < j->hold_count && *hold == 0; i++)
		if (covers(j, &j->holds[i].scope, r, class_code))
			*hold = j->holds[i].id;
	return 0;
}

/* ---- dates -------------------------------------------------------------------------- */

/* It was never ingested, and a system that is still scanned retires by an event alone. */
static bool moment(void *arg, const char *word, int64_t *seconds)
{
	if (strcmp(word, "ingested") == 0)
		return false;
	return retain_moment(arg, strcmp(word, "retired") == 0 ? "event:" RETIRED_EVENT : word,
			     seconds);
}

static int stricter(enum then a, enum then b)
{
	static const int order[] = { [THEN_DESTROY] = 0, [THEN_REVIEW] = 1, [THEN_TRANSFER] = 2,
				     [THEN_KEEP] = 3 };

	return order[a] > order[b];
}

struct dates {
	bool is_missing, is_forever, is_past, is_eligible;
};

static void add_definition(struct live_judge *j, const struct retain_definition *d,
			   const struct item_row *item, struct live_state *out,
			   struct dates *dates)
{
	struct retain_moment m = {
		.all = &j->moments, .zone = policy_zone(d->policy->policy), .system = j->system,
		.modified = item->mtime.seconds, .created = item->btime.seconds,
		.has_created = item->has_btime,
	};
	struct retention r;
	struct civil eligible;

	retention_of(d->class, m.zone, moment, &m, &r);
	if (!out->ruling || stricter(d->class->then, out->then))
		out->then = d->class->then;
	dates->is_missing |= r.state == RETENTION_MISSING;
	dates->is_forever |= r.state == RETENTION_FOREVER;
	if (r.state == RETENTION_DATED) {
		eligible = civil_of_day(civil_day(civil_add(r.until, &d->class->grace)) + 1);
		dates->is_past &= civil_compare(d->policy->today, r.until) > 0;
		dates->is_eligible &= civil_compare(d->policy->today, eligible) >= 0;
		if (!out->has_due || civil_compare(eligible, out->eligible) > 0)
			out->eligible = eligible;
	}
	if (!out->ruling || r.state != RETENTION_DATED || (out->has_due &&
	    civil_compare(r.until, out->until) > 0)) {
		out->ruling = d->class;
		out->policy = policy_info(d->policy->policy)->digest;
		out->has_due = r.state == RETENTION_DATED;
		out->from = r.from;
		out->until = r.until;
	}
}

static int judge_class(struct live_judge *j, const struct item_row *item, const char *code,
		       struct live_state *out, struct err *e)
{
	struct retain_class *k = retain_class_named(&j->classes, code);
	struct dates dates = { .is_past = true, .is_eligible = true };

	if (!k || retain_class_load(&j->classes, k, e) < 0)
		return k ? -1 : (out->standing = STANDING_UNCLASSIFIED, 0);
	if (k->count > sizeof out->definitions / sizeof *out->definitions)
		return err_set(e, MUNI_LIMIT, "more than %zu policies define the class %s",
			       sizeof out->definitions / sizeof *out->definitions, code);
	for (size_t i = 0; i < k->count; i++) {
		add_definition(j, &k->definitions[i], item, out, &dates);
		out->definitions[out->definition_count++] = k->definitions[i].class;
	}
	if (k->count == 0)
		out->standing = STANDING_UNCLASSIFIED;
	else if (dates.is_missing)
		out->standing = STANDING_MISSING;
	else if (dates.is_forever || !dates.is_past)
		out->standing = STANDING_KEPT;
	else if (!dates.is_eligible)
		out->standing = STANDING_GRACE;
	else
		out->standing = out->then == THEN_DESTROY ? STANDING_DUE : STANDING_REVIEW;
	return 0;
}

int live_judge_item(struct live_judge *j, const struct decided_row *r, struct live_state *out,
		    struct err *e)
{
	const char *code = decided_class(r);

	*out = (struct live_state){ .standing = STANDING_DUE };
	if ((code && judge_class(j, r->item, code, out, e) < 0) ||
	    find_hold(j, r, code, &out->hold, e) < 0)
		return -1;
	if (out->hold != 0)
		out->standing = STANDING_HELD;
	return 0;
}

#include "fs/vault/retain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/list.h"
#include "fs/vault/retain_inside.h"

static const char *const standings[] = {
	[STANDING_KEPT] = "kept",
	[STANDING_MISSING] = "missing",
	[STANDING_UNCLASSIFIED] = "unclassified",
	[STANDING_HELD] = "held",
	[STANDING_GRACE] = "grace",
	[STANDING_REVIEW] = "review",
	[STANDING_DUE] = "due",
};

const char *standing_name(enum record_standing s)
{
	return standings[s];
}

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for what keeps a record");
}

/* ---- opening ------------------------------------------------------------------------ */

struct opening {
	struct retainer *r;
	size_t hold_room, extension_room;
	struct err *e;
};

static int on_hold(void *arg, const struct hold_row *h)
{
	struct opening *o = arg;
	struct retainer *r = o->r;
	char what[48];

	if (!list_room(&r->holds, r->hold_count, &o->hold_room, sizeof *r->holds))
		return no_memory(o->e);
	struct retain_hold *to = &r->holds[r->hold_count++];
	*to = (struct retain_hold){ .id = h->id };
	snprintf(what, sizeof what, "the hold H%" PRId64, h->id);
	return scope_open(&to->scope, &r->memory, &h->scope, what, o->e);
}

static int on_extension(void *arg, const struct extension_row *x)
{
	struct opening *o = arg;
	struct retainer *r = o->r;
	char what[48];

	if (!list_room(&r->extensions, r->extension_count, &o->extension_room,
			 sizeof *r->extensions))
		return no_memory(o->e);
	struct retain_extension *to = &r->extensions[r->extension_count++];
	*to = (struct retain_extension){ .until = x->until };
	snprintf(what, sizeof what, "the extension X%" PRId64, x->id);
	return scope_open(&to->scope, &r->memory, &x->scope, what, o->e);
}

static int open_all(struct retainer *r, struct err *e)
{
	struct opening o = { .r = r, .e = e };
	struct catalogue *c = r->c;

	if (retain_classes_open(&r->classes, c, r->now, e) < 0 ||
	    retain_moments_open(&r->moments, c, e) < 0 ||
	    catalogue_node_class_any(c, &r->has_node_classes, e) < 0 ||
	    catalogue_holds(c, false, on_hold, &o, e) < 0 ||
	    catalogue_extensions(c, on_extension, &o, e) < 0)
		return -1;
	r->covering = calloc(r->hold_count + 1, sizeof *r->covering);
	return r->covering ? 0 : no_memory(e);
}

int retainer_open(struct catalogue *c, int64_t now, struct retainer **out, struct err *e)
{
	struct retainer *r = calloc(1, sizeof *r);

	*out = NULL;
	if (!r)
		return no_memory(e);
	r->c = r->facts.c = c;
	r->now = r->facts.now = now;
	r->by_policy = (struct retain_paths){ .c = c, .by = BY_POLICY, .classes = &r->classes };
	r->by_officer = (struct retain_paths){ .c = c, .by = BY_OFFICER, .classes = &r->classes };
	if (open_all(r, e) < 0) {
		retainer_close(r);
		return -1;
	}
	*out = r;
	return 0;
}

void retainer_set_day(struct retainer *r, struct civil day)
{
	r->classes.has_day = true;
	r->classes.day = day;
	for (size_t i = 0; i < r->classes.policy_count; i++)
		r->classes.policies[i]->today = day;
}

void retainer_close(struct retainer *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->hold_count; i++)
		scope_close(&r->holds[i].scope);
	for (size_t i = 0; i < r->extension_count; i++)
		scope_close(&r->extensions[i].scope);
	free(r->holds);
	free(r->extensions);
	memory_clear(&r->memory);
	scope_facts_close(&r->facts);
	retain_paths_close(&r->by_policy);
	retain_paths_close(&r->by_officer);
	retain_moments_close(&r->moments);
	retain_classes_close(&r->classes);
	free(r->found);
	free(r->codes);
	free(r->terms);
	free(r->term_policies);
	free(r->covering);
	free(r);
}

/* ---- judging ------------------------------------------------------------------------ */

/* From the least to the most that has to be done before anything may go. */
static unsigned strictness(enum then t)
{
	static const unsigned ranks[] = { [THEN_DESTROY] = 0, [THEN_REVIEW] = 1,
					  [THEN_TRANSFER] = 2, [THEN_KEEP] = 3 };

	return ranks[t];
}

/* Does b keep longer than a, or as long and more strictly? */
static bool outlasts(const struct record_term *b, const struct record_term *a)
{
	/* by enum retention_state: a date, for ever, no date to count from */
	static const int ranks[] = { [RETENTION_DATED] = 0, [RETENTION_MISSING] = 1,
				     [RETENTION_FOREVER] = 2 };
	int order = ranks[b->retention.state] - ranks[a->retention.state];

	if (order == 0 && b->retention.state == RETENTION_DATED)
		order = civil_compare(b->retention.until, a->retention.until);
	if (order == 0)
		order = (int)strictness(b->definition->then) -
			(int)strictness(a->definition->then);
	if (order == 0)
		order = period_compare(&b->definition->grace, &a->definition->grace);
	return order >= 0;	/* of equal ones the newest policy's */
}

static int find_extension(struct retainer *r, const struct record *record, bool *is_there,
			  int64_t *until, struct err *e)
{
	*is_there = false;
	*until = 0;
	for (size_t i = 0; i < r->extension_count; i++) {
		const struct retain_extension *x = &r->extensions[i];
		bool covers;

		if (*is_there && x->until <= *until)
			continue;
		if (scope_covers(&x->scope, record, r->codes, r->found_count, &r->facts, false,
				 &covers, e) < 0)
			return -1;
		if (!covers)
			continue;
		*is_there = true;
		*until = x->until;
	}
	return 0;
}

static int find_holds(struct retainer *r, const struct record *record,
		      struct record_state *out, struct err *e)
{
	size_t count = 0;

	for (size_t i = 0; i < r->hold_count; i++) {
		bool covers;

		if (scope_covers(&r->holds[i].scope, record, r->codes, r->found_count,
				 &r->facts, false, &covers, e) < 0)
			return -1;
		if (covers)
			r->covering[count++] = r->holds[i].id;
	}
	out->holds = r->covering;
	out->hold_count = count;
	return 0;
}

/* The last day and the first after the grace, over all terms; *is_past, *is_eligible:
 * each by the day that it is where its policy counts. */
static void count_days(const struct retainer *r, bool is_extended, int64_t extended,
		       struct record_state *out, bool *is_past, bool *is_eligible)
{
	int64_t until = 0, eligible = 0;

	*is_past = *is_eligible = true;
	for (size_t i = 0; i < r->term_count; i++) {
		const struct record_term *t = &r->terms[i];
		int64_t today = civil_day(r->term_policies[i]->today);
		int64_t last = civil_day(t->retention.until);

		if (is_extended && extended > last)
			last = extended;
		int64_t first = civil_day(civil_add(civil_of_day(last),
						    &t->definition->grace)) + 1;
		if (i == 0 || last > until)
			until = last;
		if (i == 0 || first > eligible)
			eligible = first;
		*is_past = *is_past && today > last;
		*is_eligible = *is_eligible && today >= first;
	}
	for (size_t i = 0; is_extended && i < r->term_count; i++)
		is_extended = civil_day(r->terms[i].retention.until) < extended;
	out->is_extended = is_extended;
	out->until = civil_of_day(until);
	out->eligible = civil_of_day(eligible);
}

static enum record_standing standing_of(const struct retainer *r, bool lacks_definition,
					bool is_past, bool is_eligible,
					const struct record_state *s)
{
	if (s->hold_count > 0)
		return STANDING_HELD;
	if (r->term_count == 0 || lacks_definition)
		return STANDING_UNCLASSIFIED;
	if (!s->has_due)
		return s->ruling_term->retention.state == RETENTION_MISSING ? STANDING_MISSING :
			STANDING_KEPT;
	if (!is_past)
		return STANDING_KEPT;
	if (!is_eligible)
		return STANDING_GRACE;
	return s->then == THEN_DESTROY ? STANDING_DUE : STANDING_REVIEW;
}

static uint64_t count_versions(const struct retainer *r, const struct retain_system *s,
			       const struct record *record)
{
	const struct retain_version *first = retain_version_of(&r->moments, record->key.first);
	const struct retain_version *last = retain_version_of(&r->moments, record->last);
	uint64_t end = last ? last->number : s->versions;

	return first && end >= first->number ? end - first->number + 1 : 1;
}

static void rule(struct retainer *r, struct record_state *out)
{
	const struct record_term *ruling = NULL;

	for (size_t i = 0; i < r->term_count; i++) {
		const struct record_term *t = &r->terms[i];

		if (!ruling || outlasts(t, ruling))
			ruling = t;
		if (strictness(t->definition->then) > strictness(out->then))
			out->then = t->definition->then;
		out->lacks_trigger = out->lacks_trigger ||
			t->retention.state == RETENTION_MISSING;
	}
	out->ruling_term = ruling;
	if (!ruling)
		return;
	out->ruling = ruling->definition;
	out->from = ruling->retention.from;
	out->has_due = ruling->retention.state == RETENTION_DATED;
}

int retainer_judge(struct retainer *r, const struct record *record, struct record_state *out,
		   struct err *e)
{
	bool lacks_definition, is_extended, is_past = false, is_eligible = false;
	const struct retain_system *s;
	int64_t extended;

	*out = (struct record_state){ .record = record, .then = THEN_DESTROY };
	scope_facts_begin(&r->facts, record);
	if (retainer_classes(r, record, e) < 0 ||
	    retainer_terms(r, record, &lacks_definition, e) < 0 ||
	    find_extension(r, record, &is_extended, &extended, e) < 0 ||
	    find_holds(r, record, out, e) < 0)
		return -1;
	s = retain_system_of(&r->moments, record->system);
	out->system_name = s->row.name;
	out->versions = count_versions(r, s, record);
	out->is_restricted = r->is_restricted;
	out->classes = r->codes;
	out->class_count = r->found_count;
	out->terms = r->terms;
	out->term_count = r->term_count;
	rule(r, out);
	if (lacks_definition)
		out->has_due = false;
	if (out->has_due)
		count_days(r, is_extended, extended, out, &is_past, &is_eligible);
	out->standing = standing_of(r, lacks_definition, is_past, is_eligible, out);
	return 0;
}

/*
 * What becomes of one item.  P1: nothing here asks the disk, the clock or the
 * locale.
 */
#include <string.h>

#include "policy/condition.h"
#include "policy/policy_inside.h"

bool rule_is_same_outcome(const struct policy_rule *a, const struct policy_rule *b)
{
	if (a->decide != b->decide || (a->class_id == NULL) != (b->class_id == NULL))
		return false;
	return a->class_id == NULL || strcmp(a->class_id, b->class_id) == 0;
}

/* Rules before that could decide otherwise, were everything known of the item. */
struct doubt {
	const struct policy_rule *rules[4];	/* one of each outcome */
	size_t count;
	bool is_full;
};

static void doubt_add(struct doubt *d, const struct policy_rule *r)
{
	for (size_t i = 0; i < d->count; i++)
		if (rule_is_same_outcome(d->rules[i], r))
			return;
	if (d->count == sizeof d->rules / sizeof *d->rules)
		d->is_full = true;
	else
		d->rules[d->count++] = r;
}

static bool is_doubtful(const struct doubt *d, const struct policy_rule *decided)
{
	for (size_t i = 0; i < d->count; i++)
		if (!rule_is_same_outcome(d->rules[i], decided))
			return true;
	return d->is_full;
}

/* P3 */
static bool is_held_back(const struct policy_rule *r, const struct facts *f,
			 bool is_sure, const struct doubt *d)
{
	if (r->decide == DECISION_REVIEW || r->accepts_opaque)
		return false;
	if (f->opaque != NULL && r->decide != DECISION_ARCHIVE)
		return true;
	return !is_sure || is_doubtful(d, r);
}

static void settle(const struct policy *p, const struct facts *f, struct judgement *out)
{
	enum sensitivity found = facts_sensitivity(f);

	if (out->rule != NULL && out->rule->class_id != NULL)
		out->class = policy_class_find(p, out->rule->class_id);
	out->importance = out->class != NULL ? out->class->importance : IMPORTANCE_NORMAL;
	out->sensitivity = out->class != NULL && out->class->sensitivity > found
				   ? out->class->sensitivity : found;
}

void policy_decide(const struct policy *p, const struct facts *f, int64_t now,
		   struct judgement *out)
{
	struct judgement j = { .decision = p->info.unmatched, .confidence = 100,
			       .matched = out->matched };
	struct doubt doubt = { .count = 0 };
	struct evaluation v;

	if (j.matched != NULL)
		memset(j.matched, 0, (p->info.rule_count + 7) / 8);
	evaluation_begin(&v, f, p->zone, now);
	for (size_t i = 0; i < p->info.rule_count; i++) {
		const struct policy_rule *r = &p->info.rules[i];
		struct truth t = condition_evaluate(r->when, &v);

		if (t.holds && j.matched != NULL)
			j.matched[i / 8] = (uint8_t)(j.matched[i / 8] | 1u << i % 8);
		if (t.holds && j.rule == NULL) {
			j.rule = r;
			j.confidence = t.confidence;
			j.is_held_back = is_held_back(r, f, t.is_sure, &doubt);
			j.decision = j.is_held_back ? DECISION_REVIEW : r->decide;
			if (j.matched == NULL)
				break;
		}
		if (!t.is_sure && !r->accepts_opaque && j.rule == NULL)
			doubt_add(&doubt, r);
	}
	evaluation_end(&v);
	settle(p, f, &j);
	*out = j;
}

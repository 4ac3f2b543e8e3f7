/*
 * Why: every rule and every condition below it, against one item.
 */
#include <stdio.h>

#include "fs/base/text.h"
#include "policy/condition.h"
#include "policy/policy_inside.h"

#define STEP_TEXT_MAX (2 * CONDITION_TEXT_MAX + 64)

struct explaining {
	struct evaluation v;
	const struct policy_rule *rule;
	int (*step)(void *arg, const struct explain_step *s);
	void *arg;
};

static int say(struct explaining *x, struct explain_step *s)
{
	s->rule = x->rule->id;
	return x->step(x->arg, s);
}

/* What "not known" means for a condition: it would hold, or not, if it were. */
static const char *doubt_of(const struct truth *t)
{
	return t->is_sure ? "" : " (not known for sure)";
}

static int explain_condition(struct explaining *x, const struct condition *c, unsigned depth)
{
	bool is_tree = c->kind == CONDITION_ALL || c->kind == CONDITION_ANY ||
		       c->kind == CONDITION_NOT;
	struct truth t = condition_evaluate(c, &x->v);
	char wanted[CONDITION_TEXT_MAX], has[CONDITION_TEXT_MAX], text[STEP_TEXT_MAX];
	struct explain_step s = { .depth = depth, .text = text, .holds = t.holds };
	int rc;

	condition_describe(c, wanted);
	condition_observe(c, &x->v, has);
	snprintf(text, sizeof text, "%s%s%s%s", wanted, has[0] != '\0' ? ": " : "", has,
		 doubt_of(&t));
	rc = say(x, &s);
	for (size_t i = 0; is_tree && rc == 0 && i < c->count; i++)
		rc = explain_condition(x, &c->children[i], depth + 1);
	return rc;
}

static int explain_rule(struct explaining *x, const struct policy_rule *r,
			const struct judgement *j)
{
	struct truth t = condition_evaluate(r->when, &x->v);
	char text[STEP_TEXT_MAX];
	struct explain_step s = { .text = text, .holds = t.holds, .is_deciding = j->rule == r };
	int rc;

	x->rule = r;
	snprintf(text, sizeof text, "%s%s%s%s%s%s", decision_name(r->decide),
		 r->class_id != NULL ? " as " : "", r->class_id != NULL ? r->class_id : "",
		 r->because != NULL ? ": " : "",
		 r->because != NULL ? text_printable(r->because) : "", doubt_of(&t));
	rc = say(x, &s);
	return rc != 0 ? rc : explain_condition(x, r->when, 1);
}

int policy_explain(const struct policy *p, const struct facts *f, int64_t now,
		   int (*step)(void *arg, const struct explain_step *s), void *arg,
		   struct err *e)
{
	struct explaining x = { .step = step, .arg = arg };
	struct judgement j = { .matched = NULL };
	int rc = 0;

	(void)e;
	policy_decide(p, f, now, &j);
	evaluation_begin(&x.v, f, p->zone, now);
	for (size_t i = 0; rc == 0 && i < p->info.rule_count; i++)
		rc = explain_rule(&x, &p->info.rules[i], &j);
	evaluation_end(&x.v);
	return rc < 0 ? -1 : 0;
}

/*
 * Rules: those that can never decide, those that hide others, and globs that do not
 * mean what they look like.
 */
#include <string.h>

#include "fs/base/text.h"
#include "policy/glob.h"
#include "policy/lint_inside.h"

/* Enough for thousands of ordinary rules; a policy made to be slow ends there. */
#define STEPS_MAX 10000000u

struct checking {
	struct lints *lints;
	const struct policy_rule *rules;
	size_t index;		/* of the rule at hand */
	struct condition *before;	/* of the rules before it, side by side */
	unsigned *steps;
};

#define RULE(k) (&(k)->rules[(k)->index])
#define ADD(k, level, line, ...) \
	lints_add((k)->lints, level, line, "rules", (k)->index, RULE(k)->id, __VA_ARGS__)

/* ---- reach ----------------------------------------------------------------------------------- */

static void check_never(const struct checking *k, const struct condition *c)
{
	ADD(k, LINT_ERROR, c->line, "its condition can never hold: two of its parts exclude each "
	    "other; correct it, or take the rule out");
}

/* Branches of "any" that never hold, in a condition that can. */
static void check_branches(const struct checking *k, const struct condition *c)
{
	if (!condition_is_tree(c))
		return;
	for (size_t i = 0; i < c->count; i++) {
		const struct condition *child = &c->children[i];

		if (c->kind == CONDITION_ANY && condition_is_never(child, k->steps))
			ADD(k, LINT_WARNING, child->line, "this branch of \"any\" can never hold: "
			    "two of its parts exclude each other; correct it, or take it out");
		else
			check_branches(k, child);
	}
}

static void say_unreachable(const struct checking *k, const struct policy_rule *by)
{
	bool is_same = rule_is_same_outcome(RULE(k), by);

	ADD(k, is_same ? LINT_WARNING : LINT_ERROR, RULE(k)->line,
	    "it can never decide: whatever meets it meets the rule %s (line %u) before it, which "
	    "decides %s%s; move it up, narrow that one, or take it out", by->id, by->line,
	    is_same ? "the same, " : "", decision_name(by->decide));
}

/* By one rule before it, or by all of them together. */
static void check_reach(const struct checking *k)
{
	const struct policy_rule *r = RULE(k);
	const struct condition together = { .kind = CONDITION_ANY, .count = k->index,
					    .children = k->before };

	for (size_t i = 0; i < k->index; i++)
		if (condition_implies(r->when, k->rules[i].when, k->steps)) {
			say_unreachable(k, &k->rules[i]);
			return;
		}
	if (k->index > 1 && condition_implies(r->when, &together, k->steps))
		ADD(k, LINT_ERROR, r->line, "it can never decide: whatever meets it meets one of the "
		    "rules before it; move it up, narrow them, or take it out");
}

/* ---- hiding ------------------------------------------------------------------------------------- */

static bool looks_inside(const struct condition *c)
{
	if (c->kind == CONDITION_DETECT || c->kind == CONDITION_SENSITIVITY ||
	    c->kind == CONDITION_OPAQUE)
		return true;
	if (c->kind != CONDITION_ALL && c->kind != CONDITION_ANY)
		return false;
	for (size_t i = 0; i < c->count; i++)
		if (looks_inside(&c->children[i]))
			return true;
	return false;
}

/* A review that never sees what a rule before it destroys. */
static void check_hidden(const struct checking *k)
{
	const struct policy_rule *r = RULE(k);

	if (r->decide != DECISION_REVIEW || condition_is_always(r->when, k->steps))
		return;
	for (size_t i = 0; i < k->index; i++) {
		const struct policy_rule *before = &k->rules[i];

		if (before->decide != DECISION_DESTROY ||
		    condition_excludes(r->when, before->when, k->steps))
			continue;
		ADD(k, looks_inside(r->when) ? LINT_WARNING : LINT_NOTE, r->line,
		    "it reviews, but what meets the rule %s (line %u) before it as well is "
		    "destroyed without a look; move this one before it", before->id, before->line);
		return;
	}
}

/* ---- outcome --------------------------------------------------------------------------------------- */

static void check_outcome(const struct checking *k)
{
	const struct policy_rule *r = RULE(k);
	const struct policy_class *c =
		r->class_id == NULL ? NULL : policy_class_find(k->lints->policy, r->class_id);

	if (r->decide == DECISION_ARCHIVE && c == NULL)
		ADD(k, LINT_WARNING, r->line, "it archives without a class: nothing says for how long "
		    "and why; write \"class:\"");
	if (r->decide == DECISION_DESTROY && c == NULL)
		ADD(k, LINT_WARNING, r->line, "it destroys without a class: nothing says who approves, "
		    "and when; write \"class:\"");
	if (r->decide == DECISION_DESTROY && c != NULL && c->then != THEN_DESTROY)
		ADD(k, LINT_WARNING, r->line, "it destroys, but its class %s says \"then: %s\"; write "
		    "\"decide: review\", or give it another class", c->id, then_name(c->then));
	if (r->accepts_opaque && r->decide == DECISION_REVIEW)
		ADD(k, LINT_NOTE, r->line, "\"opaque: accept\" changes nothing where the decision is "
		    "review");
	if (r->accepts_opaque && r->decide == DECISION_DESTROY)
		ADD(k, LINT_NOTE, r->line, "it destroys what could not be looked into as well "
		    "(\"opaque: accept\")");
}

/* ---- globs that look like something else -------------------------------------------------------------- */

static void check_glob(const struct checking *k, const struct condition *c,
		       const struct glob *g)
{
	const char *text = glob_text(g);
	const char *open = strchr(text, '{');

	if (open != NULL && strchr(open, ',') != NULL && strchr(open, '}') != NULL)
		ADD(k, LINT_WARNING, c->line, "the glob \"%s\" has {a,b} in it, which stands for "
		    "itself here; write a list of globs", text_printable(text));
	if (c->kind == CONDITION_PATH && text[0] == '*' && text[1] != '*' &&
	    strchr(text, '/') == NULL)
		ADD(k, LINT_NOTE, c->line, "the path \"%s\" is only met in the top folder; write "
		    "\"name:\", or \"**/%s\", to mean any folder", text_printable(text),
		    text_printable(text));
}

static void check_globs(const struct checking *k, const struct condition *c)
{
	if (condition_is_tree(c)) {
		for (size_t i = 0; i < c->count; i++)
			check_globs(k, &c->children[i]);
		return;
	}
	if (c->kind == CONDITION_PATH || c->kind == CONDITION_NAME ||
	    c->kind == CONDITION_DUPLICATE_OF)
		for (size_t i = 0; i < c->count; i++)
			check_glob(k, c, c->globs[i]);
}

void lint_rules(struct lints *l)
{
	const struct policy_info *info = &l->policy->info;
	struct condition *before =
		memory_new(&l->memory, info->rule_count, sizeof *before);
	unsigned steps = STEPS_MAX;

	if (before == NULL) {
		l->has_failed = true;
		return;
	}
	for (size_t i = 0; i < info->rule_count; i++) {
		struct checking k = { l, info->rules, i, before, &steps };

		before[i] = *RULE(&k)->when;
		check_outcome(&k);
		check_globs(&k, RULE(&k)->when);
		if (condition_is_never(RULE(&k)->when, &steps)) {
			check_never(&k, RULE(&k)->when);
			continue;
		}
		check_branches(&k, RULE(&k)->when);
		check_reach(&k);
		check_hidden(&k);
	}
}

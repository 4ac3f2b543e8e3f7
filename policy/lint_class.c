/*
 * Classes: unused ones, periods against mandates, what follows and who approves.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/lint_inside.h"
#include "policy/mandates.h"

struct checked {		/* the class at hand */
	struct lints *lints;
	const struct policy_class *c;
	size_t index;
};

#define ADD(k, level, ...) \
	lints_add((k)->lints, level, (k)->c->line, "classes", (k)->index, (k)->c->id, __VA_ARGS__)

static void check_use(const struct checked *k)
{
	const struct policy_info *info = &k->lints->policy->info;

	for (size_t i = 0; i < info->rule_count; i++)
		if (info->rules[i].class_id != NULL &&
		    strcmp(info->rules[i].class_id, k->c->id) == 0)
			return;
	ADD(k, LINT_WARNING, "no rule decides for this class: write one, or take the class out");
}

static void check_minimum(const struct checked *k, const struct period *minimum,
			  const char *source)
{
	char has[32], wanted[32];

	if (k->c->then == THEN_KEEP || period_compare(&k->c->period, minimum) >= 0)
		return;
	period_text(&k->c->period, has);
	period_text(minimum, wanted);
	ADD(k, k->c->then == THEN_TRANSFER ? LINT_WARNING : LINT_ERROR,
	    "its period %s is shorter than the %s that its mandate asks for at least (%s): "
	    "lengthen retain.period, or correct the mandate", has, wanted,
	    text_printable(source));
}

static void check_limit(const struct checked *k, const struct known_mandate *known)
{
	if (k->c->period.is_forever || k->c->then == THEN_KEEP)
		ADD(k, LINT_WARNING, "it is kept for ever, though its mandate asks that nothing be "
		    "kept longer than needed (%s): set a period, or name the mandate that asks "
		    "for keeping", known->source);
}

static void check_mandates(const struct checked *k)
{
	for (size_t i = 0; i < k->c->mandate_count; i++) {
		const struct mandate *m = &k->c->mandates[i];
		const struct known_mandate *known = mandate_known(m);
		struct err e = ERR_NONE;
		struct period minimum;

		if (m->has_minimum)
			check_minimum(k, &m->minimum, "the policy's own minimum");
		if (known == NULL)
			continue;
		if (known->limits)
			check_limit(k, known);
		if (known->minimum != NULL && period_parse(known->minimum, &minimum, &e) == 0)
			check_minimum(k, &minimum, known->source);
	}
}

static void check_retention(const struct checked *k)
{
	const struct policy_class *c = k->c;

	if (c->period.is_forever && c->then != THEN_KEEP)
		ADD(k, LINT_WARNING, "\"then: %s\" never comes, for its period is \"forever\": "
		    "write \"then: keep\", or set a period", then_name(c->then));
	if (c->fallback != NULL && strcmp(c->trigger, c->fallback) == 0)
		ADD(k, LINT_WARNING, "its fallback is its trigger (%s): take the fallback out, or "
		    "name another date", c->trigger);
	if (strncmp(c->trigger, "event:", 6) == 0 && c->fallback == NULL &&
	    !c->period.is_forever)
		ADD(k, LINT_NOTE, "its trigger is an event, and it has no fallback: what never "
		    "gets the event is kept, and reported");
}

/* As officers have them (`muni officer add`). */
static bool is_role(const char *name)
{
	static const char *const roles[] = { "records", "owner", "legal", "it", "witness",
					     "auditor" };

	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(roles[i], name) == 0)
			return true;
	return false;
}

static void check_roles(const struct checked *k, char *const *roles, const char *field)
{
	for (size_t i = 0; roles[i] != NULL; i++)
		if (!is_role(roles[i]))
			ADD(k, LINT_WARNING, "\"%s\": no officer can have the role \"%s\": the "
			    "roles are records, owner, legal, it, witness and auditor", field,
			    roles[i]);
}

static void check_approval(const struct checked *k)
{
	const struct policy_class *c = k->c;

	check_roles(k, c->roles, "approve.roles");
	check_roles(k, c->witnesses, "witness");
	if (c->then != THEN_DESTROY)
		return;
	if (c->quorum == 0)
		ADD(k, LINT_WARNING, "it is destroyed with nobody's approval: write \"approve: "
		    "{quorum: 1, roles: [...]}\", or \"then: review\"");
	else if (c->roles[0] == NULL)
		ADD(k, LINT_NOTE, "it is destroyed with the approval of any officer: name the "
		    "roles in \"approve.roles\" if it should be certain ones");
}

static void check_residual(const struct checked *k)
{
	const struct policy_class *c = k->c;

	if (strcmp(c->residual, "none") == 0 && strcmp(c->names, "keep") == 0)
		ADD(k, LINT_WARNING, "\"names: keep\" with \"residual: none\": with no stub left "
		    "there is nothing for the name to stand on; write \"residual: stub\", or "
		    "\"names: commit\"");
	if (strcmp(c->residual, "stub") == 0 && strcmp(c->names, "drop") == 0)
		ADD(k, LINT_WARNING, "\"names: drop\" with \"residual: stub\": a stub without a "
		    "name can be shown nowhere; write \"residual: none\", or \"names: commit\"");
	if (c->grace.is_forever && c->then == THEN_DESTROY)
		ADD(k, LINT_WARNING, "\"grace: forever\": it can never be destroyed; set a period, "
		    "or \"then: keep\"");
}

void lint_classes(struct lints *l)
{
	const struct policy_info *info = &l->policy->info;

	for (size_t i = 0; i < info->class_count; i++) {
		struct checked k = { l, &info->classes[i], i };

		check_use(&k);
		check_mandates(&k);
		check_retention(&k);
		check_approval(&k);
		check_residual(&k);
	}
}

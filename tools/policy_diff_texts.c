/*
 * What two policies say differently: recognisers, classes and rules, by their ids.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/jsonl.h"
#include "tools/policy_acts.h"

struct telling {
	struct cli *cli;
	uint64_t count;		/* differences told */
	struct err *e;
};

/* field NULL: the whole part came or went. */
static int tell(struct telling *t, const char *part, const char *id, const char *field,
		const char *before, const char *after)
{
	json_t *o;

	t->count++;
	if (t->cli->json) {
		o = jsonl_new("difference");
		jsonl_text(o, "part", part);
		jsonl_text(o, "id", id);
		jsonl_text(o, "field", field);
		jsonl_text(o, "from", before);
		jsonl_text(o, "to", after);
		return jsonl_end(o, t->e);
	}
	printf("%s", part);
	if (id != NULL)
		printf(" %s", text_printable(id));
	if (field == NULL)
		printf(": %s\n", before == NULL ? "new" : "gone");
	else
		printf(": %s: %s -> %s\n", field, text_printable(before), text_printable(after));
	return 0;
}

static int compare_words(struct telling *t, const char *part, const char *id, const char *field,
			 const char *before, const char *after)
{
	const char *one = before != NULL ? before : "-", *other = after != NULL ? after : "-";

	return strcmp(one, other) == 0 ? 0 : tell(t, part, id, field, one, other);
}

/* ---- classes ----------------------------------------------------------------------------------- */

#define WORDS_MAX 2000

static void join(char *const *texts, char out[WORDS_MAX])
{
	size_t used = 0;

	snprintf(out, WORDS_MAX, "-");
	for (; *texts != NULL && used < WORDS_MAX; texts++)
		used += (size_t)snprintf(out + used, WORDS_MAX - used, "%s%s",
					 used > 0 ? ", " : "", *texts);
}

static void join_mandates(const struct policy_class *c, char out[WORDS_MAX])
{
	size_t used = 0;

	snprintf(out, WORDS_MAX, "-");
	for (size_t i = 0; i < c->mandate_count && used < WORDS_MAX; i++) {
		const struct mandate *m = &c->mandates[i];
		char minimum[32] = "";

		if (m->has_minimum)
			period_text(&m->minimum, minimum);
		used += (size_t)snprintf(out + used, WORDS_MAX - used, "%s%s%s%s%s%s%s%s",
					 used > 0 ? "; " : "", m->instrument,
					 m->clause != NULL ? " " : "",
					 m->clause != NULL ? m->clause : "",
					 m->jurisdiction != NULL ? " " : "",
					 m->jurisdiction != NULL ? m->jurisdiction : "",
					 m->has_minimum ? " at least " : "", minimum);
	}
}

static void write_retention(const struct policy_class *c, char out[WORDS_MAX])
{
	char period[32], cutoff[24] = "";

	period_text(&c->period, period);
	if (c->cutoff_month > 0)
		snprintf(cutoff, sizeof cutoff, ", cutoff %02u-%02u", c->cutoff_month,
			 c->cutoff_day);
	snprintf(out, WORDS_MAX, "%s from %s%s%s%s", period, c->trigger,
		 c->fallback != NULL ? ", else " : "", c->fallback != NULL ? c->fallback : "",
		 cutoff);
}

static void write_destruction(const struct policy_class *c, char out[WORDS_MAX])
{
	char roles[WORDS_MAX], witnesses[WORDS_MAX], grace[32];

	join(c->roles, roles);
	join(c->witnesses, witnesses);
	period_text(&c->grace, grace);
	snprintf(out, WORDS_MAX, "%s; approved by %u of %.600s, witness %.600s; grace %s, residual %s, "
		 "names %s", then_name(c->then), c->quorum, roles, witnesses, grace, c->residual,
		 c->names);
}

static int compare_classes(struct telling *t, const struct policy_class *a,
			   const struct policy_class *b)
{
	char one[WORDS_MAX], other[WORDS_MAX];

	if (compare_words(t, "class", a->id, "title (en)", a->title_en, b->title_en) < 0 ||
	    compare_words(t, "class", a->id, "title (zh)", a->title_zh, b->title_zh) < 0 ||
	    compare_words(t, "class", a->id, "sensitivity", sensitivity_name(a->sensitivity),
			  sensitivity_name(b->sensitivity)) < 0 ||
	    compare_words(t, "class", a->id, "importance", importance_name(a->importance),
			  importance_name(b->importance)) < 0)
		return -1;
	join_mandates(a, one);
	join_mandates(b, other);
	if (compare_words(t, "class", a->id, "mandate", one, other) < 0)
		return -1;
	write_retention(a, one);
	write_retention(b, other);
	if (compare_words(t, "class", a->id, "retain", one, other) < 0)
		return -1;
	write_destruction(a, one);
	write_destruction(b, other);
	if (compare_words(t, "class", a->id, "then", one, other) < 0)
		return -1;
	join(a->groups, one);
	join(b->groups, other);
	return compare_words(t, "class", a->id, "access", one, other);
}

static int compare_all_classes(struct telling *t, const struct policy *before,
			       const struct policy *after)
{
	const struct policy_info *a = policy_info(before), *b = policy_info(after);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->class_count; i++) {
		const struct policy_class *c = &a->classes[i];
		const struct policy_class *other = policy_class_find(after, c->id);

		rc = other == NULL ? tell(t, "class", c->id, NULL, c->id, NULL)
				   : compare_classes(t, c, other);
	}
	for (size_t i = 0; rc == 0 && i < b->class_count; i++)
		if (policy_class_find(before, b->classes[i].id) == NULL)
			rc = tell(t, "class", b->classes[i].id, NULL, NULL, b->classes[i].id);
	return rc;
}

/* ---- recognisers ------------------------------------------------------------------------------- */

static const struct custom_recogniser *find_recogniser(const struct policy_info *p,
						       const char *id)
{
	for (size_t i = 0; i < p->custom_count; i++)
		if (strcmp(p->custom[i].id, id) == 0)
			return &p->custom[i];
	return NULL;
}

static void write_recogniser(const struct custom_recogniser *r, char out[WORDS_MAX])
{
	static char *const nothing[] = { NULL };
	char context[WORDS_MAX];

	join(r->context != NULL ? r->context : nothing, context);
	snprintf(out, WORDS_MAX, "%.600s%s; check %s; near %.600s; %u %% alone, %u %% near them; %s",
		 r->pattern, r->ignores_case ? " (either case)" : "",
		 r->check != NULL ? r->check : "-", context, r->alone, r->in_context,
		 sensitivity_name(r->sensitivity));
}

static int compare_recognisers(struct telling *t, const struct policy_info *a,
			       const struct policy_info *b)
{
	char one[WORDS_MAX], other[WORDS_MAX];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->custom_count; i++) {
		const struct custom_recogniser *r = &a->custom[i];
		const struct custom_recogniser *same = find_recogniser(b, r->id);

		if (same == NULL) {
			rc = tell(t, "recogniser", r->id, NULL, r->id, NULL);
			continue;
		}
		write_recogniser(r, one);
		write_recogniser(same, other);
		rc = compare_words(t, "recogniser", r->id, "pattern", one, other);
	}
	for (size_t i = 0; rc == 0 && i < b->custom_count; i++)
		if (find_recogniser(a, b->custom[i].id) == NULL)
			rc = tell(t, "recogniser", b->custom[i].id, NULL, NULL, b->custom[i].id);
	return rc;
}

/* ---- rules ------------------------------------------------------------------------------------- */

static const struct policy_rule *find_rule(const struct policy_info *p, const char *id)
{
	for (size_t i = 0; i < p->rule_count; i++)
		if (strcmp(p->rules[i].id, id) == 0)
			return &p->rules[i];
	return NULL;
}

static int compare_conditions(struct telling *t, const struct policy_rule *a,
			      const struct policy_rule *b)
{
	char *one = policy_rule_words(a), *other = policy_rule_words(b);
	int rc = one == NULL || other == NULL
			 ? err_set(t->e, MUNI_NO_MEMORY, "no memory to compare rules")
			 : compare_words(t, "rule", a->id, "when", one, other);

	free(one);
	free(other);
	return rc;
}

static int compare_rules(struct telling *t, const struct policy_rule *a,
			 const struct policy_rule *b)
{
	if (compare_conditions(t, a, b) < 0 ||
	    compare_words(t, "rule", a->id, "decide", decision_name(a->decide),
			  decision_name(b->decide)) < 0 ||
	    compare_words(t, "rule", a->id, "class", a->class_id, b->class_id) < 0 ||
	    compare_words(t, "rule", a->id, "because", a->because, b->because) < 0)
		return -1;
	return compare_words(t, "rule", a->id, "opaque", a->accepts_opaque ? "accept" : "review",
			     b->accepts_opaque ? "accept" : "review");
}

/* The rule that stands before it, of those that both policies have. */
static const char *neighbour(const struct policy_info *p, const struct policy_rule *r,
			     const struct policy_info *other)
{
	const char *id = "(first)";

	for (const struct policy_rule *at = p->rules; at < r; at++)
		if (find_rule(other, at->id) != NULL)
			id = at->id;
	return id;
}

static int compare_all_rules(struct telling *t, const struct policy_info *a,
			     const struct policy_info *b)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->rule_count; i++) {
		const struct policy_rule *r = &a->rules[i], *other = find_rule(b, r->id);

		if (other == NULL) {
			rc = tell(t, "rule", r->id, NULL, r->id, NULL);
			continue;
		}
		rc = compare_rules(t, r, other);
		if (rc == 0)
			rc = compare_words(t, "rule", r->id, "stands after", neighbour(a, r, b),
					   neighbour(b, other, a));
	}
	for (size_t i = 0; rc == 0 && i < b->rule_count; i++)
		if (find_rule(a, b->rules[i].id) == NULL)
			rc = tell(t, "rule", b->rules[i].id, NULL, NULL, b->rules[i].id);
	return rc;
}

/* ---- all ----------------------------------------------------------------------------------------- */

int policy_diff_texts(struct cli *cli, const struct policy *before,
		      const struct policy *after, struct err *e)
{
	const struct policy_info *a = policy_info(before), *b = policy_info(after);
	struct telling t = { .cli = cli, .e = e };
	char one[16], other[16];

	snprintf(one, sizeof one, "%u", a->version);
	snprintf(other, sizeof other, "%u", b->version);
	if (compare_words(&t, "policy", NULL, "policy", a->name, b->name) < 0 ||
	    compare_words(&t, "policy", NULL, "version", one, other) < 0 ||
	    compare_words(&t, "policy", NULL, "calendar", a->calendar, b->calendar) < 0 ||
	    compare_recognisers(&t, a, b) < 0 ||
	    compare_all_classes(&t, before, after) < 0 || compare_all_rules(&t, a, b) < 0)
		return -1;
	if (t.count == 0 && !cli->json && !cli->quiet)
		printf("no difference in policy, classes or rules\n");
	return 0;
}

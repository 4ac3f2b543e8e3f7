/*
 * What a policy would decide, and what would be due by a date.  Officers' overrides
 * count, since they outlive classification.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/vault/retain.h"
#include "policy/retention.h"
#include "tools/decided.h"
#include "tools/jsonl.h"
#include "tools/policy_acts.h"
#include "tools/table.h"

struct due_sum {		/* of one class */
	struct decision_sum due, later, missing, forever;
	struct decision_sum grace;	/* of the due ones: they may not go yet */
	bool has_next;
	struct civil next;	/* the first day on which more becomes due */
};

struct simulation {
	struct cli *cli;
	const struct policy *policy;
	const struct policy_info *info;
	int64_t now;		/* that rules and dates are judged at */
	struct retain_dates *dates;	/* owned */
	struct civil today;
	struct item_facts facts;
	struct decided_sums sums;
	struct due_sum *due;	/* owned, one a class */
	uint64_t held_back;
	struct err *e;
};

/* ---- counting ------------------------------------------------------------------------------- */

static void add(struct decision_sum *s, uint64_t bytes)
{
	s->items++;
	total_add(&s->bytes, bytes);
}

/* A record is due on the day after its last. */
static void count_due(struct simulation *s, const struct policy_class *c, uint64_t bytes)
{
	struct due_sum *d = &s->due[c - s->info->classes];
	const struct period day = { .days = 1 };
	struct retention r;

	retain_dates_zone(s->dates, policy_zone(s->policy));
	retention_of(c, policy_zone(s->policy), retain_dates_moment, s->dates, &r);
	if (r.state == RETENTION_FOREVER) {
		add(&d->forever, bytes);
	} else if (r.state == RETENTION_MISSING) {
		add(&d->missing, bytes);
	} else if (retention_is_due(&r, s->today)) {
		add(&d->due, bytes);
		if (civil_compare(s->today, civil_add(r.until, &c->grace)) <= 0)
			add(&d->grace, bytes);
	} else {
		struct civil next = civil_add(r.until, &day);

		add(&d->later, bytes);
		if (!d->has_next || civil_compare(next, d->next) < 0)
			d->next = next;
		d->has_next = true;
	}
}

/* The row as it would be after classifying. */
static void judged_row(const struct decided_row *r, const struct judgement *j,
		       struct decided_row *out)
{
	*out = *r;
	out->has_decision = true;
	out->policy = (struct decision_row){
		.decision = (uint8_t)j->decision, .sensitivity = (uint8_t)j->sensitivity,
		.importance = (uint8_t)j->importance, .confidence = j->confidence,
		.class_code = j->class != NULL ? j->class->id : NULL,
		.rule = j->rule != NULL ? j->rule->id : NULL,
	};
}

static int on_item(void *arg, const struct decided_row *r)
{
	struct simulation *s = arg;
	struct judgement j = { .matched = NULL };
	uint64_t bytes = r->item->kind == NODE_FILE ? r->item->size : 0;
	const struct policy_class *c = NULL;
	struct decided_row row;
	enum decision d;

	if (cli_is_over())
		return 1;
	if (item_facts_fill(&s->facts, r->item, r->duplicate_path, r->duplicate_size, s->e) < 0)
		return -1;
	policy_decide(s->policy, &s->facts.facts, s->now, &j);
	judged_row(r, &j, &row);
	s->held_back += j.is_held_back && !r->has_override;
	d = decided_decision(&row);
	if (decided_class(&row) != NULL)
		c = policy_class_find(s->policy, decided_class(&row));
	if (c != NULL && (d == DECISION_ARCHIVE || d == DECISION_DESTROY)) {
		if (retain_dates_of(s->dates, r->item, s->e) < 0)
			return -1;
		count_due(s, c, bytes);
	}
	return decided_add(&s->sums, &row, rot_of(&s->facts.facts, s->now), s->e);
}

/* ---- showing --------------------------------------------------------------------------------- */

static bool is_empty(const struct due_sum *d)
{
	return d->due.items + d->later.items + d->missing.items + d->forever.items == 0;
}

static void sum_cell(struct table *t, const struct decision_sum *s)
{
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX];

	if (s->items == 0)
		table_cell(t, "-");
	else
		table_cell(t, "%s (%s)", text_count(s->items, count), text_size(s->bytes, size));
}

static void print_grace(const struct simulation *s)
{
	char count[TEXT_COUNT_MAX];

	for (size_t i = 0; i < s->info->class_count; i++) {
		const struct policy_class *c = &s->info->classes[i];

		if (s->due[i].grace.items > 0)
			printf("%s of those of %s that are due may not go yet: its grace is not over\n",
			       text_count(s->due[i].grace.items, count), c->id);
	}
}

static int print_due(const struct simulation *s, struct err *e)
{
	static const char *const heads[] = { "CLASS", "KEPT", "THEN", "DUE", "LATER", "NEXT ON",
					     "NO DATE", "FOR EVER" };
	struct table *t = table_new(stdout, "lllrrlrr", heads);
	char today[16], next[16] = "-", period[32], cutoff[24] = "";

	civil_text(s->today, today);
	printf("\nWhat would be due on %s (%s), of what is archived or waits for destruction:\n\n",
	       today, text_printable(s->info->calendar));
	for (size_t i = 0; i < s->info->class_count; i++) {
		const struct policy_class *c = &s->info->classes[i];
		const struct due_sum *d = &s->due[i];

		if (is_empty(d))
			continue;
		period_text(&c->period, period);
		if (c->cutoff_month > 0)
			snprintf(cutoff, sizeof cutoff, ", %02u-%02u", c->cutoff_month,
				 c->cutoff_day);
		table_cell(t, "%s", c->id);
		table_cell(t, "%s from %s%s", period, c->trigger,
			   c->cutoff_month > 0 ? cutoff : "");
		table_cell(t, "%s", then_name(c->then));
		sum_cell(t, &d->due);
		sum_cell(t, &d->later);
		if (d->has_next)
			civil_text(d->next, next);
		table_cell(t, "%s", d->has_next ? next : "-");
		sum_cell(t, &d->missing);
		sum_cell(t, &d->forever);
	}
	if (table_end(t) < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	print_grace(s);
	return 0;
}

static void sum_json(json_t *o, const char *what, const struct decision_sum *s)
{
	char key[32];

	snprintf(key, sizeof key, "%s_items", what);
	jsonl_number(o, key, s->items);
	snprintf(key, sizeof key, "%s_bytes", what);
	jsonl_number(o, key, s->bytes);
}

static int due_json(const struct simulation *s, struct err *e)
{
	char text[32];

	for (size_t i = 0; i < s->info->class_count; i++) {
		const struct policy_class *c = &s->info->classes[i];
		const struct due_sum *d = &s->due[i];
		json_t *o;

		if (is_empty(d))
			continue;
		o = jsonl_new("due");
		jsonl_text(o, "class", c->id);
		civil_text(s->today, text);
		jsonl_text(o, "asof", text);
		period_text(&c->period, text);
		jsonl_text(o, "period", text);
		jsonl_text(o, "trigger", c->trigger);
		jsonl_text(o, "then", then_name(c->then));
		sum_json(o, "due", &d->due);
		sum_json(o, "grace", &d->grace);
		sum_json(o, "later", &d->later);
		sum_json(o, "missing", &d->missing);
		sum_json(o, "forever", &d->forever);
		civil_text(d->next, text);
		jsonl_text(o, "next", d->has_next ? text : NULL);
		if (jsonl_end(o, e) < 0)
			return -1;
	}
	return 0;
}

static int report(struct simulation *s, struct err *e)
{
	char count[TEXT_COUNT_MAX];
	json_t *o;

	if (s->cli->json) {
		o = decided_sums_json(&s->sums);
		jsonl_number(o, "held_back", s->held_back);
		return jsonl_end(o, e) < 0 ? -1 : due_json(s, e);
	}
	if (decided_print_sums(stdout, &s->sums, e) < 0)
		return -1;
	if (s->held_back > 0)
		printf("\n%s of those for review would be decided by a rule, but could not be looked "
		       "into\n", text_count(s->held_back, count));
	return print_due(s, e);
}

int policy_simulate(struct cli *cli, const struct policy_words *w, int count,
		    char **operands, struct err *e)
{
	struct simulation s = { .cli = cli, .e = e };
	struct policy_source source = { .vault = NULL };
	struct policy *p = NULL;
	int rc = -1;

	(void)count;
	if (vault_policy_read(w->policy, &p, NULL, NULL, e) < 0 ||
	    policy_source_open(cli, operands[0], w->system, &source, e) < 0 ||
	    policy_moment(&source, p, w->asof, &s.now, e) < 0)
		goto out;
	s.policy = p;
	s.info = policy_info(p);
	s.today = zone_date(policy_zone(p), s.now);
	s.due = calloc(s.info->class_count + 1, sizeof *s.due);
	if (s.due == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the sums");
		goto out;
	}
	if (retain_dates_open(source.catalogue, source.system.id, vault_now(source.vault), &s.dates,
			      e) < 0)
		goto out;
	if (catalogue_decided(source.catalogue, source.system.id, NULL, 0, on_item, &s, e) < 0 ||
	    cli_check_signal(e) < 0)
		goto out;
	rc = report(&s, e);
out:
	retain_dates_close(s.dates);
	decided_sums_free(&s.sums);
	item_facts_free(&s.facts);
	free(s.due);
	policy_free(p);
	policy_source_close(&source);
	return rc;
}

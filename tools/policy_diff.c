/*
 * What a new policy decides otherwise than an old one, over an inventory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/base/total.h"
#include "tools/jsonl.h"
#include "tools/policy_acts.h"
#include "tools/table.h"

struct outcome {
	enum decision decision;
	const char *class_id;	/* of a policy, or an override's of the row; NULL: none */
	const char *rule;
};

struct change_sum {
	struct outcome before, after;
	struct decision_sum sum;
};

struct comparison {
	struct cli *cli;
	bool only_sums;
	const struct policy *before, *after;
	int64_t now[2];		/* for the old and the new one */
	struct item_facts facts;
	struct change_sum *changes;	/* owned */
	size_t count;
	struct decision_sum same;
	struct table *table;
	struct err *e;
};

/* ---- outcomes -------------------------------------------------------------------------------- */

/* An officer's word outlives both policies. */
static struct outcome outcome_of(const struct comparison *k, const struct policy *p, int64_t now,
				 const struct decided_row *r)
{
	struct judgement j = { .matched = NULL };
	struct outcome o;

	policy_decide(p, &k->facts.facts, now, &j);
	o.decision = r->has_override ? (enum decision)r->override.decision : j.decision;
	o.class_id = j.class != NULL ? j.class->id : NULL;
	o.rule = j.rule != NULL ? j.rule->id : NULL;
	if (r->has_override && r->override.class_code != NULL)
		o.class_id = r->override.class_code;
	return o;
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
	if (a->decision != b->decision || (a->class_id == NULL) != (b->class_id == NULL))
		return false;
	return a->class_id == NULL || strcmp(a->class_id, b->class_id) == 0;
}

static const char *words_of(const struct outcome *o, char out[100])
{
	snprintf(out, 100, "%s%s%s", decision_name(o->decision), o->class_id != NULL ? " " : "",
		 o->class_id != NULL ? text_printable(o->class_id) : "");
	return out;
}

/* ---- counting ----------------------------------------------------------------------------------- */

/* The class of an override dies with its row; one of a policy's own does not, and an
 * item whose class an officer set does not change it. */
static int count_change(struct comparison *k, const struct outcome *before,
			const struct outcome *after, uint64_t bytes)
{
	struct change_sum *list;
	size_t i = 0;

	while (i < k->count && (!is_same(&k->changes[i].before, before) ||
				!is_same(&k->changes[i].after, after)))
		i++;
	if (i == k->count) {
		list = realloc(k->changes, (k->count + 1) * sizeof *list);
		if (list == NULL)
			return err_set(k->e, MUNI_NO_MEMORY, "no memory for the sums");
		k->changes = list;
		list[k->count++] = (struct change_sum){ .before = *before, .after = *after };
	}
	k->changes[i].sum.items++;
	total_add(&k->changes[i].sum.bytes, bytes);
	return 0;
}

static int show_item(struct comparison *k, const struct item_row *item,
		     const struct outcome *before, const struct outcome *after)
{
	char from[100], to[100], size[TEXT_SIZE_MAX];
	json_t *o;

	if (!k->cli->json) {
		table_cell(k->table, "%s", words_of(before, from));
		table_cell(k->table, "%s", words_of(after, to));
		table_cell(k->table, "%s", text_size(item->size, size));
		table_cell(k->table, "%s", text_printable_n(item->path, item->path_size));
		return 0;
	}
	o = jsonl_new("change");
	jsonl_bytes(o, "path", item->path, item->path_size);
	jsonl_number(o, "size", item->size);
	jsonl_text(o, "from", decision_name(before->decision));
	jsonl_text(o, "from_class", before->class_id);
	jsonl_text(o, "from_rule", before->rule);
	jsonl_text(o, "to", decision_name(after->decision));
	jsonl_text(o, "to_class", after->class_id);
	jsonl_text(o, "to_rule", after->rule);
	return jsonl_end(o, k->e);
}

static int on_item(void *arg, const struct decided_row *r)
{
	struct comparison *k = arg;
	uint64_t bytes = r->item->kind == NODE_FILE ? r->item->size : 0;
	struct outcome before, after;

	if (cli_is_over())
		return 1;
	if (item_facts_fill(&k->facts, r->item, r->duplicate_path, r->duplicate_size, k->e) < 0)
		return -1;
	before = outcome_of(k, k->before, k->now[0], r);
	after = outcome_of(k, k->after, k->now[1], r);
	if (is_same(&before, &after)) {
		k->same.items++;
		total_add(&k->same.bytes, bytes);
		return 0;
	}
	if (count_change(k, &before, &after, bytes) < 0)
		return -1;
	return k->only_sums ? 0 : show_item(k, r->item, &before, &after);
}

/* ---- sums ------------------------------------------------------------------------------------------- */

static int compare_sums(const void *a, const void *b)
{
	const struct change_sum *x = a, *y = b;
	char one[210], other[210], from[100], to[100];

	snprintf(one, sizeof one, "%s\x01%s", words_of(&x->before, from), words_of(&x->after, to));
	snprintf(other, sizeof other, "%s\x01%s", words_of(&y->before, from),
		 words_of(&y->after, to));
	return strcmp(one, other);
}

static int sum_json(const struct change_sum *c, struct err *e)
{
	json_t *o = jsonl_new("change_sum");

	jsonl_text(o, "from", decision_name(c->before.decision));
	jsonl_text(o, "from_class", c->before.class_id);
	jsonl_text(o, "to", decision_name(c->after.decision));
	jsonl_text(o, "to_class", c->after.class_id);
	jsonl_number(o, "items", c->sum.items);
	jsonl_number(o, "bytes", c->sum.bytes);
	return jsonl_end(o, e);
}

static int same_json(const struct comparison *k)
{
	json_t *o = jsonl_new("unchanged");

	jsonl_number(o, "items", k->same.items);
	jsonl_number(o, "bytes", k->same.bytes);
	return jsonl_end(o, k->e);
}

static int print_sums(struct comparison *k)
{
	static const char *const heads[] = { "FROM", "TO", "ITEMS", "SIZE" };
	struct table *t = k->cli->json ? NULL : table_new(stdout, "llrr", heads);
	char from[100], to[100], count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX];
	int rc = 0;

	if (k->count > 0)
		qsort(k->changes, k->count, sizeof *k->changes, compare_sums);
	for (size_t i = 0; rc == 0 && i < k->count; i++) {
		const struct change_sum *c = &k->changes[i];

		if (k->cli->json) {
			rc = sum_json(c, k->e);
			continue;
		}
		table_cell(t, "%s", words_of(&c->before, from));
		table_cell(t, "%s", words_of(&c->after, to));
		table_cell(t, "%s", text_count(c->sum.items, count));
		table_cell(t, "%s", text_size(c->sum.bytes, size));
	}
	if (k->cli->json)
		return rc < 0 ? -1 : same_json(k);
	table_cell(t, "unchanged");
	table_cell(t, "%s", "");
	table_cell(t, "%s", text_count(k->same.items, count));
	table_cell(t, "%s", text_size(k->same.bytes, size));
	if (table_end(t) < 0)
		return err_set(k->e, MUNI_NO_MEMORY, "no memory for a table");
	return 0;
}

static int compare(struct comparison *k, const struct policy_source *s, struct err *e)
{
	static const char *const heads[] = { "FROM", "TO", "SIZE", "PATH" };
	bool is_listing = !k->cli->json && !k->only_sums;
	int rc;

	k->table = is_listing ? table_new(stdout, "llrl", heads) : NULL;
	rc = catalogue_decided(s->catalogue, s->system.id, NULL, 0, on_item, k, e);
	if (is_listing && table_end(k->table) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	if (rc < 0 || cli_check_signal(e) < 0)
		return -1;
	if (is_listing && k->count > 0)
		putchar('\n');
	return print_sums(k);
}

int policy_diff(struct cli *cli, const struct policy_words *w, int count, char **operands,
		struct err *e)
{
	struct comparison k = { .cli = cli, .only_sums = w->only_sums, .e = e };
	struct policy_source source = { .vault = NULL };
	struct policy *before = NULL, *after = NULL;
	int rc = -1;

	if (vault_policy_read(operands[count - 2], &before, NULL, NULL, e) < 0 ||
	    vault_policy_read(operands[count - 1], &after, NULL, NULL, e) < 0)
		goto out;
	if (count == 2) {
		rc = policy_diff_texts(cli, before, after, e);
		goto out;
	}
	k.before = before;
	k.after = after;
	if (policy_source_open(cli, operands[0], w->system, &source, e) == 0 &&
	    policy_moment(&source, before, w->asof, &k.now[0], e) == 0 &&
	    policy_moment(&source, after, w->asof, &k.now[1], e) == 0)
		rc = compare(&k, &source, e);
out:
	free(k.changes);
	item_facts_free(&k.facts);
	policy_free(before);
	policy_free(after);
	policy_source_close(&source);
	return rc;
}

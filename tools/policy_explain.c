#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/jsonl.h"
#include "tools/policy_acts.h"
#include "tools/print.h"

struct explaining {
	struct cli *cli;
	const char *path;
	size_t path_size;
	const struct policy *policy;
	int64_t now;
	bool is_found;
	struct item_facts facts;
	struct err *e;
};

/* ---- for people -------------------------------------------------------------------------- */

static void print_item(const struct explaining *x)
{
	const struct facts *f = &x->facts.facts;
	char size[TEXT_SIZE_MAX], when[48];

	printf("%s\n", text_printable(f->path));
	if (f->kind == FACTS_FILE)
		printf("  %s, ", text_size(f->size, size));
	else
		printf("  ");
	printf("%s, modified %s\n", f->format != NULL ? text_printable(f->format) : "no format known",
	       print_time(f->modified, when));
	for (size_t i = 0; i < f->finding_count; i++)
		printf("  %llu of %s, %u %% sure, %s\n", (unsigned long long)f->findings[i].count,
		       text_printable(f->findings[i].id), f->findings[i].confidence,
		       sensitivity_name(f->findings[i].sensitivity));
	if (f->duplicate_of != NULL)
		printf("  a copy of %s\n", text_printable(f->duplicate_of));
	if (f->opaque != NULL)
		printf("  not looked into wholly: %s\n", text_printable(f->opaque));
	putchar('\n');
}

static int print_step(void *arg, const struct explain_step *s)
{
	struct explaining *x = arg;
	json_t *o;

	if (cli_is_over())
		return 1;
	if (x->cli->json) {
		o = jsonl_new("step");
		jsonl_number(o, "depth", s->depth);
		jsonl_text(o, "rule", s->rule);
		jsonl_bool(o, "holds", s->holds);
		jsonl_bool(o, "decides", s->is_deciding);
		jsonl_text(o, "text", s->text);
		return jsonl_end(o, x->e);
	}
	if (s->depth == 0)
		printf("%-3s  rule %s%s: %s\n", s->holds ? "yes" : "no", s->rule,
		       s->is_deciding ? " (decides)" : "", s->text);
	else
		printf("%-3s  %*s%s\n", s->holds ? "yes" : "no", 2 * (int)s->depth, "", s->text);
	return 0;
}

static void print_verdict(const struct judgement *j)
{
	printf("\n%s", decision_name(j->decision));
	if (j->class != NULL)
		printf(", class %s", j->class->id);
	printf(", %s, importance %s", sensitivity_name(j->sensitivity),
	       importance_name(j->importance));
	if (j->rule == NULL)
		printf(": no rule holds, so people look at it\n");
	else if (j->is_held_back)
		printf(": rule %s says %s, but not all of the item could be looked into, and that "
		       "could make a difference\n", j->rule->id, decision_name(j->rule->decide));
	else
		printf(": rule %s is the first that holds (%u %% sure)\n", j->rule->id,
		       j->confidence);
}

static void print_override(const struct decided_row *r)
{
	char when[48];

	printf("An officer decided otherwise: %s", decision_name(decided_decision(r)));
	if (decided_class(r) != NULL)
		printf(", class %s", text_printable(decided_class(r)));
	printf(" (%s, %s): %s\n", text_printable(r->override.officer),
	       print_time(r->override.made, when), text_printable(r->override.reason));
}

/* ---- for scripts -------------------------------------------------------------------------- */

static int print_json(struct explaining *x, const struct judgement *j,
		      const struct decided_row *r)
{
	json_t *o = jsonl_new("verdict");

	jsonl_bytes(o, "path", x->path, x->path_size);
	jsonl_text(o, "decision", decision_name(j->decision));
	jsonl_text(o, "class", j->class != NULL ? j->class->id : NULL);
	jsonl_text(o, "rule", j->rule != NULL ? j->rule->id : NULL);
	jsonl_text(o, "sensitivity", sensitivity_name(j->sensitivity));
	jsonl_text(o, "importance", importance_name(j->importance));
	json_object_set_new(o, "confidence", json_real(j->confidence / 100.0));
	jsonl_bool(o, "held_back", j->is_held_back);
	jsonl_text(o, "override", r->has_override ? decision_name(decided_decision(r)) : NULL);
	return jsonl_end(o, x->e);
}

/* ---- the item ------------------------------------------------------------------------------- */

static int explain(struct explaining *x, const struct decided_row *r)
{
	struct judgement j = { .matched = NULL };
	const struct facts *f = &x->facts.facts;

	if (item_facts_fill(&x->facts, r->item, r->duplicate_path, r->duplicate_size, x->e) < 0)
		return -1;
	policy_decide(x->policy, f, x->now, &j);
	if (!x->cli->json)
		print_item(x);
	if (policy_explain(x->policy, f, x->now, print_step, x, x->e) < 0)
		return -1;
	if (x->cli->json)
		return print_json(x, &j, r);
	print_verdict(&j);
	if (r->has_override)
		print_override(r);
	return 0;
}

static int on_item(void *arg, const struct decided_row *r)
{
	struct explaining *x = arg;
	size_t least = r->item->path_size < x->path_size ? r->item->path_size : x->path_size;
	int order = memcmp(r->item->path, x->path, least);

	if (order < 0 || (order == 0 && r->item->path_size < x->path_size))
		return 0;
	if (order > 0 || r->item->path_size > x->path_size)
		return 1;
	x->is_found = true;
	return explain(x, r) < 0 ? -1 : 1;
}

static int find_and_explain(struct explaining *x, const struct policy_source *s, struct err *e)
{
	/* Items come by path: the search begins at the path without its last byte. */
	size_t before = x->path_size > 0 ? x->path_size - 1 : 0;

	if (catalogue_decided(s->catalogue, s->system.id, before > 0 ? x->path : NULL, before,
			      on_item, x, e) < 0)
		return -1;
	if (!x->is_found)
		return err_set(e, MUNI_NOT_FOUND, "%s is not in the inventory of %s; `muni "
			       "inventory` lists what does (folders are no items, but for empty "
			       "ones)", text_printable_n(x->path, x->path_size),
			       text_printable(s->system.name));
	return 0;
}

int policy_explain_item(struct cli *cli, const struct policy_words *w, int count,
			char **operands, struct err *e)
{
	struct policy_row row = { .id = 0 };
	struct policy_source source;
	struct policy *p = NULL;
	struct explaining x = { .cli = cli, .e = e };
	int rc = -1;

	(void)count;
	if (cli_path(operands[1], e) < 0)
		return -1;
	x.path = operands[1];
	x.path_size = strlen(x.path);
	if (policy_source_open(cli, operands[0], w->system, &source, e) < 0)
		goto out;
	rc = w->policy != NULL
		     ? vault_policy_read(w->policy, &p, NULL, NULL, e)
		     : vault_policy_of(source.catalogue, source.system.id, &p, &row, e);
	if (rc == 0)
		rc = policy_moment(&source, p, w->asof, &x.now, e);
	x.policy = p;
	if (rc == 0)
		rc = find_and_explain(&x, &source, e);
out:
	item_facts_free(&x.facts);
	policy_free(p);
	policy_row_clear(&row);
	policy_source_close(&source);
	return rc;
}

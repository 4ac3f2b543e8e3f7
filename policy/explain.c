/*
 * Why: every rule and every condition below it, against one item.
 */
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/condition.h"
#include "policy/policy_inside.h"

struct explaining {
	struct evaluation v;
	const struct policy_rule *rule;
	struct buffer text;	/* of the step at hand */
	int (*step)(void *arg, const struct explain_step *s);
	void *arg;
	struct err *e;
};

static void write_text(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

static int say(struct explaining *x, struct explain_step *s)
{
	buffer_u8(&x->text, 0);
	if (x->text.failed)
		return err_set(x->e, MUNI_NO_MEMORY, "no memory for an explanation");
	s->rule = x->rule->id;
	s->text = (const char *)x->text.data;
	return x->step(x->arg, s);
}

/* What "not known" means for a condition: it would hold, or not, if it were. */
static const char *doubt_of(const struct truth *t)
{
	return t->is_sure ? "" : " (not known for sure)";
}

static int explain_condition(struct explaining *x, const struct condition *c, unsigned depth)
{
	struct truth t = condition_evaluate(c, &x->v);
	struct explain_step s = { .depth = depth, .holds = t.holds };
	int rc;

	buffer_reset(&x->text);
	condition_describe(c, &x->text);
	write_text(&x->text, condition_is_tree(c) ? ":" : ": ");
	condition_observe(c, &x->v, &x->text);
	write_text(&x->text, doubt_of(&t));
	rc = say(x, &s);
	for (size_t i = 0; condition_is_tree(c) && rc == 0 && i < c->count; i++)
		rc = explain_condition(x, &c->children[i], depth + 1);
	return rc;
}

static int explain_rule(struct explaining *x, const struct policy_rule *r,
			const struct judgement *j)
{
	struct truth t = condition_evaluate(r->when, &x->v);
	struct explain_step s = { .holds = t.holds, .is_deciding = j->rule == r };
	int rc;

	x->rule = r;
	buffer_reset(&x->text);
	write_text(&x->text, decision_name(r->decide));
	if (r->class_id != NULL) {
		write_text(&x->text, " as ");
		write_text(&x->text, r->class_id);
	}
	if (r->because != NULL) {
		write_text(&x->text, ": ");
		write_text(&x->text, text_printable(r->because));
	}
	write_text(&x->text, doubt_of(&t));
	rc = say(x, &s);
	return rc != 0 ? rc : explain_condition(x, r->when, 1);
}

int policy_explain(const struct policy *p, const struct facts *f, int64_t now,
		   int (*step)(void *arg, const struct explain_step *s), void *arg,
		   struct err *e)
{
	struct explaining x = { .step = step, .arg = arg, .e = e };
	struct judgement j = { .matched = NULL };
	int rc = 0;

	policy_decide(p, f, now, &j);
	evaluation_begin(&x.v, f, p->zone, now);
	for (size_t i = 0; rc == 0 && i < p->info.rule_count; i++)
		rc = explain_rule(&x, &p->info.rules[i], &j);
	evaluation_end(&x.v);
	buffer_free(&x.text);
	return rc < 0 ? -1 : 0;
}

static void write_words(const struct condition *c, struct buffer *out)
{
	condition_describe(c, out);
	if (!condition_is_tree(c))
		return;
	write_text(out, " (");
	for (size_t i = 0; i < c->count; i++) {
		if (i > 0)
			write_text(out, "; ");
		write_words(&c->children[i], out);
	}
	write_text(out, ")");
}

char *policy_rule_words(const struct policy_rule *r)
{
	struct buffer out = { .size = 0 };

	write_words(r->when, &out);
	buffer_u8(&out, 0);
	if (!out.failed)
		return (char *)out.data;
	buffer_free(&out);
	return NULL;
}

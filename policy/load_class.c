/*
 * Classes: the rows of the records schedule.
 */
#include <stdio.h>
#include <string.h>

#include "fs/base/calendar.h"
#include "fs/base/text.h"
#include "policy/load.h"
#include "policy/memory.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MANDATES_MAX 50
#define QUORUM_MAX 20

/* ---- title and mandate -------------------------------------------------------------------- */

static int take_title_en(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;

	return load_text(l, w, t, LOAD_TEXT_MAX, "the title in English", &c->title_en);
}

static int take_title_zh(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;

	return load_text(l, w, t, LOAD_TEXT_MAX, "the title in Chinese", &c->title_zh);
}

static int take_title(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const struct field fields[] = {
		{ "en", false, take_title_en },
		{ "zh", false, take_title_zh },
	};
	struct policy_class *c = out;

	if (load_map(l, w, t, fields, COUNT(fields), "a title", out) < 0)
		return -1;
	if (c->title_en == NULL && c->title_zh == NULL)
		return load_refuse(l, w, t, "\"en: ...\", \"zh: ...\" or both", "it is empty");
	return 0;
}

static int take_instrument(struct load *l, const struct where *w, const struct tree *t,
			   void *out)
{
	struct mandate *m = out;

	return load_text(l, w, t, LOAD_TEXT_MAX, "the name of a law or rule", &m->instrument);
}

static int take_clause(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct mandate *m = out;

	return load_text(l, w, t, LOAD_TEXT_MAX, "the clause, as in \"14\"", &m->clause);
}

static int take_jurisdiction(struct load *l, const struct where *w, const struct tree *t,
			     void *out)
{
	static const char expected[] = "a code as in CN, DE, EU, US, US-CA";
	struct mandate *m = out;

	if (load_text(l, w, t, 16, expected, &m->jurisdiction) < 0)
		return -1;
	for (const char *p = m->jurisdiction; *p != '\0'; p++)
		if (!((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-'))
			return load_refuse(l, w, t, expected, "\"%s\" stands here",
					   text_printable(m->jurisdiction));
	return 0;
}

static int take_minimum(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct mandate *m = out;

	m->has_minimum = true;
	return load_period(l, w, t, &m->minimum);
}

static int take_one_mandate(struct load *l, const struct where *w, const struct tree *t,
			    struct mandate *out)
{
	static const struct field fields[] = {
		{ "instrument", true, take_instrument },
		{ "clause", false, take_clause },
		{ "jurisdiction", false, take_jurisdiction },
		{ "minimum", false, take_minimum },
	};

	return load_map(l, w, t, fields, COUNT(fields), "a mandate", out);
}

static int take_mandate(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;
	const struct tree *item = t->first;

	c->mandate_count = t->kind == TREE_LIST ? t->count : 1;
	if (t->kind == TREE_LIST &&
	    load_check_list(l, w, t, MANDATES_MAX, "a mandate as a map, or a list of them") < 0)
		return -1;
	c->mandates = memory_new(l->memory, c->mandate_count, sizeof *c->mandates);
	if (c->mandates == NULL)
		return load_no_memory(l);
	if (t->kind != TREE_LIST)
		return take_one_mandate(l, w, t, c->mandates);
	for (size_t i = 0; i < c->mandate_count; i++, item = item->next)
		if (take_one_mandate(l, &(struct where){ w, NULL, i + 1 }, item,
				     &c->mandates[i]) < 0)
			return -1;
	return 0;
}

/* ---- retention ------------------------------------------------------------------------------ */

/* "modified", "created", "ingested", "retired", "event:NAME" */
static int take_moment(struct load *l, const struct where *w, const struct tree *t, char **out)
{
	static const char expected[] = "modified, created, ingested, retired, or event:NAME (as "
				       "in event:case-closed)";
	static const char *const words[] = { "modified", "created", "ingested", "retired" };
	struct tree name = *t;
	char *text;

	if (load_text(l, w, t, POLICY_ID_MAX + 6, expected, &text) < 0)
		return -1;
	*out = text;
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(text, words[i]) == 0)
			return 0;
	if (strncmp(text, "event:", 6) != 0)
		return load_refuse(l, w, t, expected, "\"%s\" stands here", text_printable(text));
	name.text = text + 6;
	return load_id(l, w, &name, &text);
}

static int take_trigger(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;

	return take_moment(l, w, t, &c->trigger);
}

static int take_fallback(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;

	return take_moment(l, w, t, &c->fallback);
}

static int take_cutoff(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char expected[] = "a month and a day, as in 12-31";
	struct policy_class *c = out;
	char *text;

	if (load_text(l, w, t, 16, expected, &text) < 0)
		return -1;
	for (size_t i = 0; i < 6; i++)
		if (i == 2 ? text[i] != '-' : i == 5 ? text[i] != '\0'
						     : text[i] < '0' || text[i] > '9')
			return load_refuse(l, w, t, expected, "\"%s\" stands here",
					   text_printable(text));
	c->cutoff_month = 10 * (unsigned)(text[0] - '0') + (unsigned)(text[1] - '0');
	c->cutoff_day = 10 * (unsigned)(text[3] - '0') + (unsigned)(text[4] - '0');
	if (c->cutoff_month < 1 || c->cutoff_month > 12 || c->cutoff_day < 1 ||
	    c->cutoff_day > calendar_month_days(2000, c->cutoff_month))
		return load_refuse(l, w, t, expected, "no year has the day %s",
				   text_printable(text));
	return 0;
}

static int take_period(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;

	return load_period(l, w, t, &c->period);
}

static int take_retain(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const struct field fields[] = {
		{ "trigger", true, take_trigger },
		{ "fallback", false, take_fallback },
		{ "cutoff", false, take_cutoff },
		{ "period", true, take_period },
	};

	return load_map(l, w, t, fields, COUNT(fields), "a retention", out);
}

/* ---- what follows --------------------------------------------------------------------------- */

static int take_then(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char *const words[] = { "destroy", "review", "transfer", "keep" };
	struct policy_class *c = out;
	unsigned i = 0;

	if (load_word(l, w, t, words, COUNT(words), &i) < 0)
		return -1;
	return then_parse(words[i], &c->then);
}

static int take_quorum(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;
	uint64_t n = 0;

	if (load_number(l, w, t, 0, QUORUM_MAX, &n) < 0)
		return -1;
	c->quorum = (unsigned)n;
	return 0;
}

static int take_roles(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;
	size_t count;

	return load_texts(l, w, t, "the name of a role, or a list of them", &c->roles, &count);
}

static int take_approve(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const struct field fields[] = {
		{ "quorum", true, take_quorum },
		{ "roles", false, take_roles },
	};

	return load_map(l, w, t, fields, COUNT(fields), "an approval", out);
}

static int take_witness(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;
	size_t count;

	return load_texts(l, w, t, "the name of a role, or a list of them", &c->witnesses,
			  &count);
}

static int take_grace(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;

	return load_period(l, w, t, &c->grace);
}

static int take_residual(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char *const words[] = { "stub", "none" };
	struct policy_class *c = out;
	unsigned i = 0;

	if (load_word(l, w, t, words, COUNT(words), &i) < 0)
		return -1;
	c->residual = t->text;
	return 0;
}

static int take_names(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char *const words[] = { "keep", "commit", "drop" };
	struct policy_class *c = out;
	unsigned i = 0;

	if (load_word(l, w, t, words, COUNT(words), &i) < 0)
		return -1;
	c->names = t->text;
	return 0;
}

static int take_destroy(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const struct field fields[] = {
		{ "grace", false, take_grace },
		{ "residual", false, take_residual },
		{ "names", false, take_names },
	};

	return load_map(l, w, t, fields, COUNT(fields), "a destruction", out);
}

static int take_groups(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;
	size_t count;

	return load_texts(l, w, t, "the name of a group, or a list of them", &c->groups, &count);
}

static int take_access(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const struct field fields[] = {
		{ "groups", true, take_groups },
	};

	return load_map(l, w, t, fields, COUNT(fields), "an access", out);
}

/* ---- the class --------------------------------------------------------------------------------- */

static int take_id(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_class *c = out;

	return load_id(l, w, t, &c->id);
}

static int take_sensitivity(struct load *l, const struct where *w, const struct tree *t,
			    void *out)
{
	static const char *const words[] = { "public", "internal", "confidential", "restricted" };
	struct policy_class *c = out;
	unsigned i = 0;

	if (load_word(l, w, t, words, COUNT(words), &i) < 0)
		return -1;
	return sensitivity_parse(words[i], &c->sensitivity);
}

static int take_importance(struct load *l, const struct where *w, const struct tree *t,
			   void *out)
{
	static const char *const words[] = { "low", "normal", "high", "vital" };
	struct policy_class *c = out;
	unsigned i = 0;

	if (load_word(l, w, t, words, COUNT(words), &i) < 0)
		return -1;
	return importance_parse(words[i], &c->importance);
}

int load_class(struct load *l, const struct where *w, const struct tree *t,
	       struct policy_class *out)
{
	static const struct field fields[] = {
		{ "id", true, take_id },
		{ "title", true, take_title },
		{ "mandate", false, take_mandate },
		{ "sensitivity", false, take_sensitivity },
		{ "importance", false, take_importance },
		{ "retain", true, take_retain },
		{ "then", true, take_then },
		{ "approve", false, take_approve },
		{ "witness", false, take_witness },
		{ "destroy", false, take_destroy },
		{ "access", false, take_access },
	};
	static char stub[] = "stub", commit[] = "commit";
	char **nobody = memory_new(l->memory, 1, sizeof *nobody);

	if (nobody == NULL)
		return load_no_memory(l);
	*out = (struct policy_class){
		.line = t->line,
		.sensitivity = SENSITIVITY_INTERNAL,
		.importance = IMPORTANCE_NORMAL,
		.residual = stub,
		.names = commit,
		.roles = nobody,
		.witnesses = nobody,
		.groups = nobody,
	};
	return load_map(l, w, t, fields, COUNT(fields), "a class", out);
}

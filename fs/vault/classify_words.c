/*
 * What is kept of a decision beside its numbers: why, by which rules, and what the
 * class says of itself.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/classify_inside.h"

#define FINDINGS_TOLD 8

/* ---- why ------------------------------------------------------------------------- */

static void tell_findings(FILE *to, const struct facts *f)
{
	char count[TEXT_COUNT_MAX];
	size_t told = f->finding_count < FINDINGS_TOLD ? f->finding_count : FINDINGS_TOLD;

	for (size_t i = 0; i < told; i++)
		fprintf(to, "%s%s %s (%u %%)", i > 0 ? ", " : "; found: ",
			text_count(f->findings[i].count, count), f->findings[i].id,
			f->findings[i].confidence);
	if (told < f->finding_count)
		fprintf(to, " and %zu kinds more", f->finding_count - told);
}

char *classify_evidence(const struct judgement *j, const struct facts *f)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = text_stream(&text, &size);

	if (!to)
		return NULL;
	if (j->rule == NULL)
		fputs("no rule matches", to);
	else if (j->rule->because)
		fprintf(to, "rule %s: %s", j->rule->id, text_printable(j->rule->because));
	else
		fprintf(to, "rule %s", j->rule->id);
	if (j->is_held_back)
		fprintf(to, "; it decides %s, but the item could not be looked into",
			decision_name(j->rule->decide));
	if (f->opaque)
		fprintf(to, "; not looked into: %s", text_printable(f->opaque));
	if (f->duplicate_of)
		fprintf(to, "; a copy of %s", text_printable(f->duplicate_of));
	if (f->claimed)
		fprintf(to, "; its name claims %s", text_printable(f->claimed));
	tell_findings(to, f);
	return text_stream_end(to, &text) == 0 ? text : NULL;
}

char *classify_matched(const struct policy_info *p, const uint8_t *matched, bool *is_short)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = text_stream(&text, &size);

	*is_short = !to;
	if (!to)
		return NULL;
	bool is_first = true;
	for (size_t i = 0; i < p->rule_count; i++) {
		if (!(matched[i / 8] >> i % 8 & 1))
			continue;
		fprintf(to, "%s%s", is_first ? "" : ",", p->rules[i].id);
		is_first = false;
	}
	*is_short = text_stream_end(to, &text) < 0;
	if (*is_short || is_first) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- classes ----------------------------------------------------------------------- */

static void put(json_t *o, const char *key, const char *text)
{
	if (text)
		json_object_set_new(o, key, json_string(text));
}

static json_t *texts(char *const *list)
{
	json_t *a = json_array();

	for (; list && *list; list++)
		json_array_append_new(a, json_string(*list));
	return a;
}

static json_t *period(const struct period *p)
{
	char text[32];

	period_text(p, text);
	return json_string(text);
}

static json_t *mandates(const struct policy_class *k)
{
	json_t *list = json_array();

	for (size_t i = 0; i < k->mandate_count; i++) {
		const struct mandate *m = &k->mandates[i];
		json_t *o = json_object();

		put(o, "instrument", m->instrument);
		put(o, "clause", m->clause);
		put(o, "jurisdiction", m->jurisdiction);
		if (m->has_minimum)
			json_object_set_new(o, "minimum", period(&m->minimum));
		json_array_append_new(list, o);
	}
	return list;
}

char *classify_definition(const struct policy_class *k)
{
	json_t *o = json_object(), *title = json_object();
	char cutoff[8];

	put(o, "id", k->id);
	put(title, "en", k->title_en);
	put(title, "zh", k->title_zh);
	json_object_set_new(o, "title", title);
	json_object_set_new(o, "mandates", mandates(k));
	put(o, "sensitivity", sensitivity_name(k->sensitivity));
	put(o, "importance", importance_name(k->importance));
	put(o, "trigger", k->trigger);
	put(o, "fallback", k->fallback);
	if (k->cutoff_month) {
		snprintf(cutoff, sizeof cutoff, "%02u-%02u", k->cutoff_month % 100,
			 k->cutoff_day % 100);
		put(o, "cutoff", cutoff);
	}
	json_object_set_new(o, "period", period(&k->period));
	put(o, "then", then_name(k->then));
	json_object_set_new(o, "quorum", json_integer(k->quorum));
	json_object_set_new(o, "roles", texts(k->roles));
	json_object_set_new(o, "witnesses", texts(k->witnesses));
	json_object_set_new(o, "grace", period(&k->grace));
	put(o, "residual", k->residual);
	put(o, "names", k->names);
	json_object_set_new(o, "groups", texts(k->groups));
	char *text = o ? json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

/*
 * Rules, and the recognisers that a policy brings along.
 */
#include <string.h>

#include "fs/base/text.h"
#include "policy/load.h"
#include "policy/memory.h"
#include "policy/words.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- rules ------------------------------------------------------------------------------ */

static int take_id(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_rule *r = out;

	return load_id(l, w, t, &r->id);
}

static int take_when(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_rule *r = out;

	r->when = memory_new(l->memory, 1, sizeof *r->when);
	if (r->when == NULL)
		return load_no_memory(l);
	return load_condition(l, w, t, r->when);
}

static int take_decide(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char *const words[] = { "migrate", "archive", "destroy", "review" };
	struct policy_rule *r = out;
	unsigned i = 0;

	if (load_word(l, w, t, words, COUNT(words), &i) < 0)
		return -1;
	return decision_parse(words[i], &r->decide);
}

static int refuse_class(struct load *l, const struct where *w, const struct tree *t,
			const char *id)
{
	static const char expected[] = "the id of one of the policy's classes";
	const char **ids = memory_new(l->memory, l->info->class_count + 1, sizeof *ids), *near;

	if (ids == NULL)
		return load_no_memory(l);
	for (size_t i = 0; i < l->info->class_count; i++)
		ids[i] = l->info->classes[i].id;
	near = words_nearest(ids, l->info->class_count, id);
	return load_refuse(l, w, t, expected, "there is no class \"%s\"%s%s%s",
			   text_printable(id), near != NULL ? "; did you mean \"" : "",
			   near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static int take_class(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_rule *r = out;

	if (load_id(l, w, t, &r->class_id) < 0)
		return -1;
	for (size_t i = 0; i < l->info->class_count; i++)
		if (strcmp(l->info->classes[i].id, r->class_id) == 0)
			return 0;
	return refuse_class(l, w, t, r->class_id);
}

static int take_because(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct policy_rule *r = out;

	return load_text(l, w, t, LOAD_TEXT_MAX, "the reason, in a sentence", &r->because);
}

static int take_opaque(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char *const words[] = { "accept", "review" };
	struct policy_rule *r = out;
	unsigned i = 0;

	if (load_word(l, w, t, words, COUNT(words), &i) < 0)
		return -1;
	r->accepts_opaque = i == 0;
	return 0;
}

int load_rule(struct load *l, const struct where *w, const struct tree *t,
	      struct policy_rule *out)
{
	static const struct field fields[] = {
		{ "id", true, take_id },
		{ "when", true, take_when },
		{ "decide", true, take_decide },
		{ "class", false, take_class },
		{ "because", false, take_because },
		{ "opaque", false, take_opaque },
	};

	*out = (struct policy_rule){ .line = t->line };
	return load_map(l, w, t, fields, COUNT(fields), "a rule", out);
}

/* ---- recognisers -------------------------------------------------------------------------- */

static int take_recogniser_id(struct load *l, const struct where *w, const struct tree *t,
			      void *out)
{
	struct custom_recogniser *r = out;

	if (load_id(l, w, t, &r->id) < 0)
		return -1;
	if (strcmp(r->id, "any") == 0 || recogniser_find(r->id) != NULL)
		return load_refuse(l, w, t, "an id of its own", "\"%s\" is one of muniment's own",
				   r->id);
	if (strlen(r->id) >= FINDING_ID_MAX)
		return load_refuse(l, w, t, "at most 47 bytes", "it is too long");
	return 0;
}

static int take_recogniser_title(struct load *l, const struct where *w, const struct tree *t,
				 void *out)
{
	struct custom_recogniser *r = out;

	return load_text(l, w, t, LOAD_TEXT_MAX, "what it recognises, in words", &r->title);
}

static int take_pattern(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct custom_recogniser *r = out;

	return load_text(l, w, t, LOAD_TEXT_MAX, "a regular expression, as in "
			 "'\\bE[0-9]{6}\\b'", &r->pattern);
}

static int take_check(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char *const words[] = { "luhn", "mod97", "verhoeff", "mod11-2",
					     "mod11-10" };
	struct custom_recogniser *r = out;
	unsigned i = 0;

	if (load_word(l, w, t, words, COUNT(words), &i) < 0)
		return -1;
	r->check = t->text;
	return 0;
}

static int take_context(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct custom_recogniser *r = out;
	size_t count;

	return load_texts(l, w, t, "a word that stands near it, or a list of them", &r->context,
			  &count);
}

static int take_percent(struct load *l, const struct where *w, const struct tree *t,
			uint64_t least, uint8_t *out)
{
	uint64_t v = 0;

	if (load_number(l, w, t, least, 100, &v) < 0)
		return -1;
	*out = (uint8_t)v;
	return 0;
}

static int take_alone(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct custom_recogniser *r = out;

	return take_percent(l, w, t, 0, &r->alone);
}

static int take_in_context(struct load *l, const struct where *w, const struct tree *t,
			   void *out)
{
	struct custom_recogniser *r = out;

	return take_percent(l, w, t, 1, &r->in_context);
}

static int take_confidence(struct load *l, const struct where *w, const struct tree *t,
			   void *out)
{
	static const struct field fields[] = {
		{ "alone", false, take_alone },
		{ "in-context", false, take_in_context },
	};

	return load_map(l, w, t, fields, COUNT(fields), "a confidence", out);
}

static int take_sensitivity(struct load *l, const struct where *w, const struct tree *t,
			    void *out)
{
	static const char *const words[] = { "public", "internal", "confidential", "restricted" };
	struct custom_recogniser *r = out;
	unsigned i = 0;

	if (load_word(l, w, t, words, COUNT(words), &i) < 0)
		return -1;
	return sensitivity_parse(words[i], &r->sensitivity);
}

static int take_ignore_case(struct load *l, const struct where *w, const struct tree *t,
			    void *out)
{
	struct custom_recogniser *r = out;

	return load_bool(l, w, t, &r->ignores_case);
}

int load_recogniser(struct load *l, const struct where *w, const struct tree *t,
		    struct custom_recogniser *out)
{
	static const struct field fields[] = {
		{ "id", true, take_recogniser_id },
		{ "title", false, take_recogniser_title },
		{ "pattern", true, take_pattern },
		{ "check", false, take_check },
		{ "context", false, take_context },
		{ "confidence", false, take_confidence },
		{ "sensitivity", false, take_sensitivity },
		{ "ignore-case", false, take_ignore_case },
	};

	*out = (struct custom_recogniser){ .alone = 60, .in_context = 90,
					   .sensitivity = SENSITIVITY_CONFIDENTIAL };
	if (load_map(l, w, t, fields, COUNT(fields), "a recogniser", out) < 0)
		return -1;
	if (out->alone == 0 && out->context == NULL)
		return load_refuse(l, w, t, "\"context:\", or \"alone:\" above 0",
				   "it counts only near words, and names none");
	return 0;
}

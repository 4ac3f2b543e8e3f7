/*
 * Conditions: a map in which every key is one, and all of them are meant.
 */
#include <string.h>

#include "fs/base/text.h"
#include "policy/detect/detect.h"
#include "policy/load_condition.h"
#include "policy/memory.h"
#include "policy/words.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define CHILDREN_MAX 1000

struct condition *filling_next(struct filling *f, enum condition_kind kind,
			       const struct tree *t)
{
	struct condition *c = &f->conditions[f->count++];

	c->kind = kind;
	c->line = t->line;
	return c;
}

/* ---- all, any, not --------------------------------------------------------------------------- */

static int take_children(struct load *l, const struct where *w, const struct tree *t,
			 struct condition *c)
{
	static const char expected[] = "a list of conditions, each a map (\"- path: ...\")";
	const struct tree *item;

	if (load_check_list(l, w, t, CHILDREN_MAX, expected) < 0)
		return -1;
	c->count = t->count;
	c->children = memory_new(l->memory, c->count, sizeof *c->children);
	if (c->children == NULL)
		return load_no_memory(l);
	item = t->first;
	for (size_t i = 0; i < c->count; i++, item = item->next)
		if (load_condition(l, &(struct where){ w, NULL, i + 1 }, item,
				   &c->children[i]) < 0)
			return -1;
	return 0;
}

static int take_all(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_children(l, w, t, filling_next(out, CONDITION_ALL, t));
}

static int take_any(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_children(l, w, t, filling_next(out, CONDITION_ANY, t));
}

static int take_not(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct condition *c = filling_next(out, CONDITION_NOT, t);

	if (t->kind == TREE_LIST)
		return load_refuse(l, w, t, "one map of conditions, as in \"not: {any: [...]}\" or "
				   "\"not: {all: [...]}\"", "a list stands here");
	c->count = 1;
	c->children = memory_new(l->memory, 1, sizeof *c->children);
	if (c->children == NULL)
		return load_no_memory(l);
	return load_condition(l, w, t, c->children);
}

/* ---- what is true or false, and words ------------------------------------------------------------------- */

static int take_flag(struct load *l, const struct where *w, const struct tree *t, void *out,
		     enum condition_kind kind)
{
	struct condition *c = filling_next(out, kind, t);

	return load_bool(l, w, t, &c->is_wanted);
}

static int take_lies(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_flag(l, w, t, out, CONDITION_EXTENSION_LIES);
}

static int take_empty(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_flag(l, w, t, out, CONDITION_EMPTY);
}

static int take_duplicate(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_flag(l, w, t, out, CONDITION_DUPLICATE);
}

static int take_opaque(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_flag(l, w, t, out, CONDITION_OPAQUE);
}

static int take_kind(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char *const words[] = { "file", "directory", "symlink", "other" };
	static const enum facts_kind kinds[] = { FACTS_FILE, FACTS_DIRECTORY, FACTS_SYMLINK,
						 FACTS_OTHER };
	struct condition *c = filling_next(out, CONDITION_KIND, t);
	const struct tree *item = t->kind == TREE_LIST ? t->first : t;
	size_t n = t->kind == TREE_LIST ? t->count : 1;

	if (t->kind == TREE_LIST &&
	    load_check_list(l, w, t, COUNT(words), "file, directory, symlink or other") < 0)
		return -1;
	for (size_t i = 0; i < n; i++, item = item->next) {
		unsigned word = 0;

		if (load_word(l, w, item, words, COUNT(words), &word) < 0)
			return -1;
		c->bits |= 1u << kinds[word];
	}
	return 0;
}

/* ---- what stands inside ----------------------------------------------------------------------------------- */

static int take_sensitivity(struct load *l, const struct where *w, const struct tree *t,
			    void *out)
{
	static const char *const words[] = { "public", "internal", "confidential", "restricted" };
	struct condition *c = filling_next(out, CONDITION_SENSITIVITY, t);
	unsigned i = 0;

	if (load_word(l, w, t, words, COUNT(words), &i) < 0)
		return -1;
	return sensitivity_parse(words[i], &c->sensitivity);
}

#define IDS_MAX 400

static int check_recogniser(struct load *l, const struct where *w, const struct tree *t,
			    const char *id)
{
	const char *ids[IDS_MAX], *near;
	size_t count = 0;
	const struct recogniser *r;

	for (size_t i = 0; i < l->info->custom_count && count < IDS_MAX; i++)
		ids[count++] = l->info->custom[i].id;
	for (size_t i = 0; (r = recogniser_builtin(i)) != NULL && count < IDS_MAX; i++)
		ids[count++] = r->id;
	if (words_find(ids, count, id) >= 0)
		return 0;
	near = words_nearest(ids, count, id);
	return load_refuse(l, w, t, "the id of a recogniser (muni-policy(5) lists them; one of "
			   "your own stands under \"recognisers:\"), or any",
			   "there is no recogniser \"%s\"%s%s%s", text_printable(id),
			   near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
			   near != NULL ? "\"?" : "");
}

static int take_detect(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char expected[] = "the id of a recogniser, a list of them, or any";
	struct condition *c = filling_next(out, CONDITION_DETECT, t);

	c->min = 1;
	if (t->kind == TREE_SCALAR && strcmp(t->text, "any") == 0)
		return 0;
	if (load_texts(l, w, t, expected, &c->texts, &c->count) < 0)
		return -1;
	for (size_t i = 0; i < c->count; i++)
		if (check_recogniser(l, w, t, c->texts[i]) < 0)
			return -1;
	return 0;
}

static int take_min(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct filling *f = out;

	f->min = t;
	return load_number(l, w, t, 1, 1000000000, &f->least);
}

static int take_confidence(struct load *l, const struct where *w, const struct tree *t,
			   void *out)
{
	struct filling *f = out;

	f->min_confidence = t;
	return load_number(l, w, t, 1, 100, &f->percent);
}

/* ---- the map -------------------------------------------------------------------------------------------------- */

static const struct field conditions[] = {
	{ "all", false, take_all },
	{ "any", false, take_any },
	{ "not", false, take_not },
	{ "path", false, load_path_condition },
	{ "name", false, load_name_condition },
	{ "name-regex", false, load_name_regex_condition },
	{ "extension", false, load_extension_condition },
	{ "format", false, load_format_condition },
	{ "claimed", false, load_claimed_condition },
	{ "extension-lies", false, take_lies },
	{ "size", false, load_size_condition },
	{ "empty", false, take_empty },
	{ "depth", false, load_depth_condition },
	{ "older-than", false, load_older_condition },
	{ "newer-than", false, load_newer_condition },
	{ "modified", false, load_modified_condition },
	{ "created", false, load_created_condition },
	{ "changed", false, load_changed_condition },
	{ "accessed", false, load_accessed_condition },
	{ "owner", false, load_owner_condition },
	{ "group", false, load_group_condition },
	{ "mode", false, load_mode_condition },
	{ "duplicate", false, take_duplicate },
	{ "duplicate-of", false, load_duplicate_of_condition },
	{ "detect", false, take_detect },
	{ "min", false, take_min },
	{ "confidence", false, take_confidence },
	{ "sensitivity", false, take_sensitivity },
	{ "encoding", false, load_encoding_condition },
	{ "script", false, load_script_condition },
	{ "opaque", false, take_opaque },
	{ "kind", false, take_kind },
};

static int apply_detect(struct load *l, const struct where *w, struct filling *f)
{
	static const char expected[] = "\"detect:\" beside it";
	struct condition *detect = NULL;

	for (size_t i = 0; i < f->count; i++)
		if (f->conditions[i].kind == CONDITION_DETECT)
			detect = &f->conditions[i];
	if (detect == NULL) {
		if (f->min != NULL)
			return load_refuse(l, &(struct where){ w, "min", 0 }, f->min, expected,
					   "it counts nothing");
		if (f->min_confidence != NULL)
			return load_refuse(l, &(struct where){ w, "confidence", 0 },
					   f->min_confidence, expected, "it measures nothing");
		return 0;
	}
	if (f->min != NULL)
		detect->min = f->least;
	detect->confidence = (uint8_t)f->percent;
	return 0;
}

int load_condition(struct load *l, const struct where *w, const struct tree *t,
		   struct condition *out)
{
	static const char expected[] = "conditions, as in {path: \"payroll/**\"}; {path: \"**\"} is "
				       "met by everything";
	struct filling f = { 0 };

	if (t->kind != TREE_MAP)
		return load_refuse(l, w, t, expected, "%s stands here", tree_kind_name(t));
	if (t->count == 0)
		return load_refuse(l, w, t, expected, "there is no condition");
	/* A time stamp's map gives two conditions. */
	f.conditions = memory_new(l->memory, 2 * t->count, sizeof *f.conditions);
	if (f.conditions == NULL)
		return load_no_memory(l);
	if (load_map(l, w, t, conditions, COUNT(conditions), "a condition", &f) < 0 ||
	    apply_detect(l, w, &f) < 0)
		return -1;
	if (f.count == 1)
		*out = f.conditions[0];
	else
		*out = (struct condition){ .kind = CONDITION_ALL, .line = t->line,
					   .count = f.count, .children = f.conditions };
	return 0;
}

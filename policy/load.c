/*
 * The policy as a whole.  Its parts are loaded in the order in which they speak of
 * each other (recognisers, classes, rules), wherever they stand in the file.
 */
#include "policy/load.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/policy_inside.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define CLASSES_MAX 10000
#define RULES_MAX 10000
#define RECOGNISERS_MAX 200

struct top {
	struct policy *policy;
	const struct tree *classes, *rules, *recognisers;
};

/* ---- fields of the top ------------------------------------------------------------------ */

static int take_policy(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct top *top = out;
	char *id;

	if (load_id(l, w, t, &id) < 0)
		return -1;
	top->policy->info.name = id;
	return 0;
}

static int take_version(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct top *top = out;
	uint64_t v = 0;

	if (load_number(l, w, t, 1, 1000000000, &v) < 0)
		return -1;
	top->policy->info.version = (unsigned)v;
	return 0;
}

static int take_calendar(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char expected[] = "a name of the tz database (package tzdata), as in "
				       "Asia/Shanghai, Europe/Berlin, or UTC";
	struct top *top = out;
	struct err e = ERR_NONE;
	char *name;

	if (load_text(l, w, t, 64, expected, &name) < 0)
		return -1;
	if (zone_open(name, &top->policy->zone, &e) < 0) {
		if (e.code == MUNI_NO_MEMORY)
			return load_no_memory(l);
		return load_refuse(l, w, t, expected, "\"%s\" is no time zone of this system",
				   text_printable(name));
	}
	top->policy->info.calendar = name;
	return 0;
}

static int take_unmatched(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char expected[] = "review";
	char *text;

	(void)out;
	if (load_text(l, w, t, 32, expected, &text) < 0)
		return -1;
	if (strcmp(text, "review") == 0)
		return 0;
	if (strcmp(text, "destroy") == 0)
		return load_refuse(l, w, t, expected, "nothing is destroyed by default: that takes "
				   "a rule");
	return load_refuse(l, w, t, expected, "\"%s\" stands here; what no rule speaks of is looked "
			   "at by people, a last rule with when: {path: \"**\"} says otherwise",
			   text_printable(text));
}

static int keep_classes(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct top *top = out;

	top->classes = t;
	return load_check_list(l, w, t, CLASSES_MAX, "a list of classes, each with its id");
}

static int keep_rules(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct top *top = out;

	top->rules = t;
	return load_check_list(l, w, t, RULES_MAX, "a list of rules, each with its id");
}

static int keep_recognisers(struct load *l, const struct where *w, const struct tree *t,
			    void *out)
{
	struct top *top = out;

	top->recognisers = t;
	return load_check_list(l, w, t, RECOGNISERS_MAX,
			       "a list of recognisers, each with its id and pattern");
}

/* ---- lists of parts ------------------------------------------------------------------------ */

/* Lines of the ids seen so far: at most 10,000, so sorting would not pay. */
static int check_unique(struct load *l, const char *list, size_t index, const struct tree *t,
			const char *id, const char *const *ids, const unsigned *lines)
{
	const struct where in_list = { NULL, list, 0 };
	const struct where item = { &in_list, NULL, index + 1 };
	const struct where field = { &item, "id", 0 };

	for (size_t i = 0; i < index; i++)
		if (strcmp(ids[i], id) == 0)
			return load_refuse(l, &field, t, "an id of its own",
					   "\"%s\" is the id of line %u already",
					   text_printable(id), lines[i]);
	return 0;
}

/* What the three kinds of parts have in common. */
struct part {
	const char *list;	/* "classes" */
	size_t size;		/* of one */
	int (*load)(struct load *l, const struct where *w, const struct tree *t, void *out);
	const char *(*id)(const void *part);
};

/* *all_lines: one a part, in the policy's memory. */
static int load_parts(struct load *l, const struct part *p, const struct tree *t, void **out,
		      const unsigned **all_lines, size_t *count)
{
	const struct where list = { NULL, p->list, 0 };
	const struct tree *item;
	const char **ids;
	unsigned *lines;
	char *at;

	if (t == NULL)
		return 0;
	at = memory_new(l->memory, t->count, p->size);
	ids = memory_new(l->memory, t->count, sizeof *ids);
	lines = memory_new(l->memory, t->count, sizeof *lines);
	if (at == NULL || ids == NULL || lines == NULL)
		return load_no_memory(l);
	*out = at;
	*all_lines = lines;
	item = t->first;
	for (size_t i = 0; i < t->count; i++, item = item->next, at += p->size) {
		if (p->load(l, &(struct where){ &list, NULL, i + 1 }, item, at) < 0)
			return -1;
		ids[i] = p->id(at);
		lines[i] = item->line;
		if (check_unique(l, p->list, i, item, ids[i], ids, lines) < 0)
			return -1;
	}
	*count = t->count;
	return 0;
}

static int load_any_class(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return load_class(l, w, t, out);
}

static int load_any_rule(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return load_rule(l, w, t, out);
}

static int load_any_recogniser(struct load *l, const struct where *w, const struct tree *t,
			       void *out)
{
	return load_recogniser(l, w, t, out);
}

static const char *id_of_class(const void *part)
{
	return ((const struct policy_class *)part)->id;
}

static const char *id_of_rule(const void *part)
{
	return ((const struct policy_rule *)part)->id;
}

static const char *id_of_recogniser(const void *part)
{
	return ((const struct custom_recogniser *)part)->id;
}

static int load_all_parts(struct load *l, const struct top *top)
{
	struct policy_info *info = l->info;
	const unsigned *lines;
	static const struct part recognisers = { "recognisers", sizeof(struct custom_recogniser),
						 load_any_recogniser, id_of_recogniser };
	static const struct part classes = { "classes", sizeof(struct policy_class),
					     load_any_class, id_of_class };
	static const struct part rules = { "rules", sizeof(struct policy_rule), load_any_rule,
					   id_of_rule };
	void *parts = NULL;

	if (load_parts(l, &recognisers, top->recognisers, &parts, &top->policy->custom_lines,
		       &info->custom_count) < 0)
		return -1;
	info->custom = parts;
	parts = NULL;
	if (load_parts(l, &classes, top->classes, &parts, &lines, &info->class_count) < 0)
		return -1;
	info->classes = parts;
	parts = NULL;
	if (load_parts(l, &rules, top->rules, &parts, &lines, &info->rule_count) < 0)
		return -1;
	info->rules = parts;
	return 0;
}

/* ---- the policy ---------------------------------------------------------------------------------- */

static int load_top(struct load *l, struct policy *p, const struct tree *t)
{
	static const struct field fields[] = {
		{ "policy", true, take_policy },
		{ "version", true, take_version },
		{ "calendar", true, take_calendar },
		{ "unmatched", false, take_unmatched },
		{ "recognisers", false, keep_recognisers },
		{ "classes", false, keep_classes },
		{ "rules", true, keep_rules },
	};
	struct top top = { .policy = p };

	if (load_map(l, NULL, t, fields, COUNT(fields), "a policy", &top) < 0)
		return -1;
	return load_all_parts(l, &top);
}

int policy_load(const void *text, size_t size, const char *name, struct policy **out,
		struct err *e)
{
	struct policy *p = calloc(1, sizeof *p);
	struct load l = { .name = name, .e = e };
	struct tree *tree;

	*out = NULL;
	if (p == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the policy");
	l.memory = &p->memory;
	l.info = &p->info;
	p->info.digest = p->digest;
	p->info.unmatched = DECISION_REVIEW;
	if (tree_read(&p->memory, text, size, name, &tree, e) < 0 || load_top(&l, p, tree) < 0) {
		policy_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	zone_close(p->zone);
	memory_clear(&p->memory);
	free(p);
}

void policy_set_digest(struct policy *p, const uint8_t digest[32])
{
	memcpy(p->digest, digest, sizeof p->digest);
}

const struct policy_info *policy_info(const struct policy *p)
{
	return &p->info;
}

const struct zone *policy_zone(const struct policy *p)
{
	return p->zone;
}

const struct policy_class *policy_class_find(const struct policy *p, const char *id)
{
	for (size_t i = 0; i < p->info.class_count; i++)
		if (strcmp(p->info.classes[i].id, id) == 0)
			return &p->info.classes[i];
	return NULL;
}

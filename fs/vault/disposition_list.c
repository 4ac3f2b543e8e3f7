/*
 * A list while it is made: items, sums by class, what the classes ask for.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/total.h"
#include "fs/crypt/merkle.h"
#include "fs/vault/disposition_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the list");
}

/* ---- sums ----------------------------------------------------------------------------- */

static void put_words(json_t *o, const char *key, char *const *words)
{
	json_t *list = json_array();

	for (; words && *words; words++)
		json_array_append_new(list, json_string(*words));
	json_object_set_new(o, key, list);
}

static void put_period(json_t *o, const char *key, const struct period *p)
{
	char text[32];

	period_text(p, text);
	json_object_set_new(o, key, json_string(text));
}

/* "Instrument, clause (jurisdiction)" */
static json_t *mandate_json(const struct mandate *m)
{
	return json_sprintf("%s%s%s%s%s%s", m->instrument ? m->instrument : "",
			    m->clause ? ", " : "", m->clause ? m->clause : "",
			    m->jurisdiction ? " (" : "", m->jurisdiction ? m->jurisdiction : "",
			    m->jurisdiction ? ")" : "");
}

static json_t *about_class(const struct policy_class *k)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "trigger", k->trigger, "then",
			      then_name(k->then), "names", k->names, "residual", k->residual,
			      "sensitivity", sensitivity_name(k->sensitivity), "quorum",
			      (int)k->quorum);
	json_t *list = json_array();

	for (size_t i = 0; i < k->mandate_count; i++)
		json_array_append_new(list, mandate_json(&k->mandates[i]));
	json_object_set_new(o, "mandates", list);
	json_object_set_new(o, "title", json_pack("{s:s*, s:s*}", "en", k->title_en, "zh",
						  k->title_zh));
	put_period(o, "period", &k->period);
	put_period(o, "grace", &k->grace);
	put_words(o, "roles", k->roles);
	put_words(o, "witnesses", k->witnesses);
	return o;
}

static struct class_sum *sum_of(struct item_list *l, const struct policy_class *k)
{
	const char *code = k ? k->id : "";
	struct class_sum *s;

	for (size_t i = 0; i < l->sum_count; i++)
		if (strcmp(l->sums[i].code, code) == 0)
			return &l->sums[i];
	s = reallocarray(l->sums, l->sum_count + 1, sizeof *s);
	if (!s)
		return NULL;
	l->sums = s;
	s = &l->sums[l->sum_count];
	*s = (struct class_sum){ .code = strdup(code), .policies = json_object(),
				 .formats = json_object(), .rules = json_object(),
				 .about = k ? about_class(k) : json_object() };
	l->sum_count++;
	return s->code ? s : NULL;
}

static void widen(struct civil day, bool *has, struct civil *first, struct civil *last)
{
	if (!*has || civil_compare(day, *first) < 0)
		*first = day;
	if (!*has || civil_compare(day, *last) > 0)
		*last = day;
	*has = true;
}

static void add_to_sum(struct class_sum *s, const struct item_facts_sum *f)
{
	const char *format = f->format ? f->format : "unknown";
	char hex[DIGEST_HEX_SIZE];
	struct digest policy;

	s->items++;
	s->files += f->is_file;
	total_add(&s->bytes, f->is_file ? f->bytes : 0);
	if (f->is_file)
		json_object_set_new(s->formats, format, json_integer(
			json_integer_value(json_object_get(s->formats, format)) + 1));
	if (f->policy) {
		memcpy(policy.bytes, f->policy, DIGEST_SIZE);
		digest_hex(&policy, hex);
		json_object_set_new(s->policies, hex, json_true());
	}
	if (f->rule)
		json_object_set_new(s->rules, f->rule, json_true());
	if (f->from)
		widen(*f->from, &s->has_span, &s->from_first, &s->from_last);
	if (f->until)
		widen(*f->until, &s->has_until, &s->until_first, &s->until_last);
}

/* ---- items ------------------------------------------------------------------------------ */

static void name_it(struct item_list *l, const struct item_facts_sum *f)
{
	json_t *o;

	if (!l->named)
		l->named = json_array();
	if (json_array_size(l->named) >= NAMED_MAX)
		return;
	o = json_object();
	item_put_path(o, f->path, f->path_size);
	json_array_append_new(l->named, o);
}

int item_list_add(struct item_list *l, const struct listed *item,
		  const struct item_facts_sum *facts, struct err *e)
{
	struct class_sum *s = sum_of(l, facts->class);
	struct listed *at;

	if (!s)
		goto none;
	if (l->count == l->capacity) {
		size_t more = l->capacity ? 2 * l->capacity : 256;

		at = reallocarray(l->list, more, sizeof *at);
		if (!at)
			goto none;
		l->list = at;
		l->capacity = more;
	}
	at = &l->list[l->count];
	*at = *item;
	at->class_code = s->code;
	at->name = malloc(item->name_size + 1);
	if (!at->name)
		goto none;
	memcpy(at->name, item->name, item->name_size);
	at->name[item->name_size] = '\0';
	l->count++;
	add_to_sum(s, facts);
	if (!l->systems)
		l->systems = json_object();
	if (facts->system)
		json_object_set_new(l->systems, facts->system, json_true());
	if (item->names == ITEM_NAMES_KEEP)
		name_it(l, facts);
	return 0;
none:
	free(item->text);
	return no_memory(e);
}

void item_list_clear(struct item_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->list[i].name);
		free(l->list[i].text);
	}
	for (size_t i = 0; i < l->sum_count; i++) {
		free(l->sums[i].code);
		json_decref(l->sums[i].about);
		json_decref(l->sums[i].policies);
		json_decref(l->sums[i].rules);
		json_decref(l->sums[i].formats);
	}
	free(l->list);
	free(l->sums);
	demands_clear(&l->demands);
	json_decref(l->named);
	json_decref(l->systems);
	*l = (struct item_list){ .count = 0 };
}

static int by_leaf(const void *a, const void *b)
{
	return memcmp(((const struct listed *)a)->leaf.bytes,
		      ((const struct listed *)b)->leaf.bytes, DIGEST_SIZE);
}

struct digest item_list_root(struct item_list *l)
{
	struct merkle_frontier f = { .count = 0 };

	if (l->count > 1)
		qsort(l->list, l->count, sizeof *l->list, by_leaf);
	for (size_t i = 0; i < l->count; i++)
		merkle_frontier_add(&f, &l->list[i].leaf);
	return merkle_frontier_root(&f);
}

int item_list_store(struct item_list *l, struct catalogue *c, int64_t disposition,
		    struct err *e)
{
	struct disposition_item item;

	for (size_t i = 0; i < l->count; i++) {
		const struct listed *at = &l->list[i];

		if (i > 0 && digest_equal(&l->list[i - 1].leaf, &at->leaf))
			return err_set(e, MUNI_DAMAGED, "two items of the list are one");
		item = (struct disposition_item){
			.leaf = at->leaf, .class_code = at->class_code, .names = at->names,
			.text = at->text,
			.key = { .directory = at->directory, .first = at->first },
		};
		if (at->first == 0) {
			item.path = at->name;
			item.path_size = at->name_size;
		} else {
			memcpy(item.key.name, at->name, at->name_size);
			item.key.name_size = (uint16_t)at->name_size;
		}
		if (catalogue_disposition_item_put(c, disposition, &item, e) < 0)
			return -1;
	}
	return 0;
}

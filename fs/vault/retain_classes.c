/*
 * Classes under every definition that counts.  Policies are loaded from their text
 * when a record first needs one: an archive may keep many.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/list.h"
#include "fs/base/text.h"
#include "fs/vault/retain_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the classes of records");
}

/* ---- opening ------------------------------------------------------------------------ */

struct opening {
	struct retain_classes *k;
	size_t class_room, shortened_room;
	struct err *e;
};

static int on_class(void *arg, const struct record_class *row)
{
	struct opening *o = arg;
	struct retain_classes *k = o->k;

	if (!list_room(&k->list, k->count, &o->class_room, sizeof *k->list))
		return no_memory(o->e);
	k->list[k->count++] = (struct retain_class){ .row = *row };
	return 0;
}

static int on_shortening(void *arg, const struct shortening_row *s)
{
	struct opening *o = arg;
	struct retain_classes *k = o->k;

	if (!list_room(&k->shortened, k->shortened_count, &o->shortened_room,
			 sizeof *k->shortened))
		return no_memory(o->e);
	struct shortened *to = &k->shortened[k->shortened_count++];
	*to = (struct shortened){ .policy = s->policy, .upto = s->upto };
	strncpy(to->code, s->code, sizeof to->code - 1);
	return 0;
}

static int compare_codes(const void *a, const void *b)
{
	const struct retain_class *const *x = a, *const *y = b;

	return strcmp((*x)->row.code, (*y)->row.code);
}

int retain_classes_open(struct retain_classes *k, struct catalogue *c, int64_t now,
			struct err *e)
{
	struct opening o = { .k = k, .e = e };

	*k = (struct retain_classes){ .c = c, .now = now };
	if (catalogue_classes(c, on_class, &o, e) < 0 ||
	    catalogue_shortenings(c, on_shortening, &o, e) < 0)
		return -1;
	k->by_code = calloc(k->count + 1, sizeof *k->by_code);
	if (!k->by_code)
		return no_memory(e);
	for (size_t i = 0; i < k->count; i++)
		k->by_code[i] = &k->list[i];
	qsort(k->by_code, k->count, sizeof *k->by_code, compare_codes);
	return 0;
}

void retain_classes_close(struct retain_classes *k)
{
	for (size_t i = 0; i < k->count; i++)
		free(k->list[i].definitions);
	for (size_t i = 0; i < k->policy_count; i++) {
		policy_free(k->policies[i]->policy);
		free(k->policies[i]);
	}
	free(k->policies);
	free(k->list);
	free(k->by_code);
	free(k->shortened);
	*k = (struct retain_classes){ .c = NULL };
}

/* ---- finding ------------------------------------------------------------------------ */

static int compare_ids(const void *key, const void *item)
{
	int64_t x = *(const int64_t *)key, y = ((const struct retain_class *)item)->row.id;

	return (x > y) - (x < y);
}

int retain_class_of(struct retain_classes *k, int64_t id, struct retain_class **out,
		    bool *is_restricted, struct err *e)
{
	struct retain_class *found = k->count == 0 ? NULL :
		bsearch(&id, k->list, k->count, sizeof *k->list, compare_ids);

	*is_restricted = found && found->row.is_restricted;
	if (found && found->row.base != 0)
		found = bsearch(&found->row.base, k->list, k->count, sizeof *k->list,
				compare_ids);
	*out = found;
	if (!found)
		return err_set(e, MUNI_DAMAGED, "the catalogue is damaged: class %" PRId64
			       ", or the one that it restricts, is missing", id);
	return 0;
}

struct retain_class *retain_class_named(struct retain_classes *k, const char *code)
{
	size_t lo = 0, hi = k->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(code, k->by_code[mid]->row.code);

		if (order == 0)
			return k->by_code[mid];
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* ---- definitions -------------------------------------------------------------------- */

static int load_policy(struct retain_policy *p, struct retain_classes *k, struct err *e)
{
	struct policy_row row;

	if (catalogue_policy_get(k->c, p->id, &row, e) < 0)
		return -1;
	int rc = policy_load(row.text, row.text_size, row.name, &p->policy, e);
	if (rc == 0) {
		policy_set_digest(p->policy, row.digest.bytes);
		p->today = k->has_day ? k->day : zone_date(policy_zone(p->policy), k->now);
	} else {
		err_wrap(e, "the policy %s, version %u, by which records are kept",
			 text_printable(row.name), row.version);
	}
	policy_row_clear(&row);
	return rc;
}

static int find_policy(struct retain_classes *k, int64_t id, struct retain_policy **out,
		       struct err *e)
{
	struct retain_policy **list;

	for (size_t i = 0; i < k->policy_count; i++)
		if (k->policies[i]->id == id) {
			*out = k->policies[i];
			return 0;
		}
	*out = NULL;
	list = reallocarray(k->policies, k->policy_count + 1, sizeof *list);
	if (!list)
		return no_memory(e);
	k->policies = list;
	struct retain_policy *p = calloc(1, sizeof *p);
	if (!p)
		return no_memory(e);
	p->id = id;
	if (load_policy(p, k, e) < 0) {
		free(p);
		return -1;
	}
	k->policies[k->policy_count++] = p;
	*out = p;
	return 0;
}

struct loading {
	struct retain_classes *k;
	struct retain_class *class;
	const struct shortened *shortened;	/* NULL: not */
	int64_t *ids;		/* owned: policies that define it */
	size_t count, room;
	struct err *e;
};

static int on_definition(void *arg, int64_t policy, const char *definition)
{
	struct loading *l = arg;

	(void)definition;	/* the policy's own text says the same, with its zone */
	if (l->shortened && policy != l->shortened->policy && policy <= l->shortened->upto)
		return 0;
	if (!list_room(&l->ids, l->count, &l->room, sizeof *l->ids))
		return no_memory(l->e);
	l->ids[l->count++] = policy;
	return 0;
}

static int take_definition(struct loading *l, int64_t policy, struct err *e)
{
	struct retain_policy *p;
	const struct policy_class *found;

	if (find_policy(l->k, policy, &p, e) < 0)
		return -1;
	found = policy_class_find(p->policy, l->class->row.code);
	if (!found)
		return err_set(e, MUNI_DAMAGED, "the catalogue is damaged: policy %" PRId64
			       " defines no class %s, though it is noted so", policy,
			       text_printable(l->class->row.code));
	l->class->definitions[l->class->count++] = (struct retain_definition){ p, found };
	return 0;
}

static int take_all(struct loading *l, struct err *e)
{
	bool is_there = l->shortened == NULL;

	for (size_t i = 0; i < l->count; i++)
		is_there = is_there || l->ids[i] == l->shortened->policy;
	if (!is_there)
		return err_set(e, MUNI_DAMAGED, "the catalogue is damaged: the definition to "
			       "which class %s was shortened is missing",
			       text_printable(l->class->row.code));
	l->class->definitions = calloc(l->count + 1, sizeof *l->class->definitions);
	if (!l->class->definitions)
		return no_memory(e);
	for (size_t i = 0; i < l->count; i++)
		if (take_definition(l, l->ids[i], e) < 0)
			return -1;
	l->class->is_loaded = true;
	return 0;
}

int retain_class_load(struct retain_classes *k, struct retain_class *class, struct err *e)
{
	struct loading l = { .k = k, .class = class, .e = e };

	if (class->is_loaded)
		return 0;
	for (size_t i = 0; i < k->shortened_count; i++)
		if (strcmp(k->shortened[i].code, class->row.code) == 0)
			l.shortened = &k->shortened[i];
	int rc = catalogue_class_definitions(k->c, class->row.id, on_definition, &l, e);
	if (rc == 0)
		rc = take_all(&l, e);
	if (rc < 0) {
		free(class->definitions);
		class->definitions = NULL;
		class->count = 0;
	}
	free(l.ids);
	return rc;
}

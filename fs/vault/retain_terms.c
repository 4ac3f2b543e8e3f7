/*
 * Which classes a record falls under, and what each definition of them says of it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/retain_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for what keeps a record");
}

/* ---- which classes ------------------------------------------------------------------ */

static int add_class(struct retainer *r, struct retain_class *class, struct err *e)
{
	if (class->row.code[0] == '\0')	/* what nobody classified */
		return 0;
	for (size_t i = 0; i < r->found_count; i++)
		if (r->found[i] == class)
			return 0;
	if (r->found_count == r->found_room) {
		size_t room = r->found_room ? 2 * r->found_room : 8;
		void *found = reallocarray(r->found, room, sizeof *r->found);

		if (!found)
			return no_memory(e);
		r->found = found;
		void *codes = reallocarray(r->codes, room, sizeof *r->codes);
		if (!codes)
			return no_memory(e);
		r->codes = codes;
		r->found_room = room;
	}
	r->found[r->found_count] = class;
	r->codes[r->found_count++] = class->row.code;
	return 0;
}

static int on_node_class(void *arg, int64_t class_id)
{
	struct retainer *r = arg;
	struct retain_class *class;
	bool is_restricted;

	if (retain_class_of(&r->classes, class_id, &class, &is_restricted, r->e) < 0)
		return -1;
	return add_class(r, class, r->e);
}

/* An officer's word stands for the classification's. */
static int add_path_class(struct retainer *r, const struct record *record, struct err *e)
{
	const struct retain_class *said;

	if (retain_path_class(&r->by_officer, record->system, record->path, record->path_size,
			      &said, e) < 0)
		return -1;
	if (!said && retain_path_class(&r->by_policy, record->system, record->path,
				       record->path_size, &said, e) < 0)
		return -1;
	return said ? add_class(r, (struct retain_class *)said, e) : 0;
}

int retainer_classes(struct retainer *r, const struct record *record, struct err *e)
{
	struct retain_class *class;

	r->found_count = 0;
	r->e = e;
	if (retain_class_of(&r->classes, record->node->class_id, &class, &r->is_restricted,
			    e) < 0 ||
	    add_class(r, class, e) < 0)
		return -1;
	if (r->has_node_classes &&
	    catalogue_node_classes(r->c, record->node->id, on_node_class, r, e) < 0)
		return -1;
	return add_path_class(r, record, e);
}

/* ---- terms -------------------------------------------------------------------------- */

static int add_term(struct retainer *r, const struct retain_definition *d,
		    struct retain_moment *moment, struct err *e)
{
	if (r->term_count == r->term_room) {
		size_t room = r->term_room ? 2 * r->term_room : 8;
		void *terms = reallocarray(r->terms, room, sizeof *r->terms);

		if (!terms)
			return no_memory(e);
		r->terms = terms;
		void *policies = reallocarray(r->term_policies, room, sizeof *r->term_policies);
		if (!policies)
			return no_memory(e);
		r->term_policies = policies;
		r->term_room = room;
	}
	struct record_term *t = &r->terms[r->term_count];
	r->term_policies[r->term_count++] = d->policy;
	*t = (struct record_term){ .definition = d->class, .policy = d->policy->id,
				   .policy_digest = policy_info(d->policy->policy)->digest };
	moment->zone = policy_zone(d->policy->policy);
	retention_of(d->class, moment->zone, retain_moment, moment, &t->retention);
	return 0;
}

int retainer_terms(struct retainer *r, const struct record *record, bool *lacks, struct err *e)
{
	const struct node *n = record->node;
	const struct retain_system *s = retain_system_of(&r->moments, record->system);
	const struct retain_version *v = retain_version_of(&r->moments, record->key.first);
	struct retain_moment moment = { .all = &r->moments, .system = record->system,
					.modified = n->mtime.seconds,
					.created = n->btime.seconds,
					.has_created = n->has_btime };

	r->term_count = 0;
	*lacks = false;
	if (!s || !v)
		return err_set(e, MUNI_DAMAGED, "the catalogue is damaged: a record's version %"
			       PRId64 " is missing", record->key.first);
	moment.ingested = v->ingested;
	moment.retired = s->ingested;
	for (size_t i = 0; i < r->found_count; i++) {
		struct retain_class *class = r->found[i];

		if (retain_class_load(&r->classes, class, e) < 0)
			return -1;
		*lacks = *lacks || class->count == 0;
		for (size_t k = 0; k < class->count; k++)
			if (add_term(r, &class->definitions[k], &moment, e) < 0)
				return -1;
	}
	return 0;
}

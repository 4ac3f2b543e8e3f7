/*
 * Versions and systems that go as a whole: a version in which no record is left, or that
 * was asked for and of which every record goes that stands in no other; a system of which
 * nothing is left.  Their rows stay without a name:
 * the statement and its signature say what stood there, and nothing of what it was.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/vault/doom_inside.h"

struct counting {
	struct doom *d;
	struct err *e;
	const struct folder *last;
	int64_t asked;		/* the version that the disposition is about; 0: none */
	bool has_kept;		/* a record that stands in it alone was left out of the list */
};

static int take_version(void *arg, int64_t id, int64_t system, bool is_gone)
{
	struct counting *k = arg;
	struct doom *d = k->d;
	struct tally *list = doom_room(d->versions, d->version_count, &d->version_capacity,
				       sizeof *list, k->e);

	if (!list)
		return -1;
	d->versions = list;
	list[d->version_count++] = (struct tally){ .id = id, .system = system,
						   .is_gone = is_gone };
	return 0;
}

static int by_system(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (x->system != y->system)
		return x->system < y->system ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* The first version of the system that is not below id, or past its last. */
static size_t version_from(const struct doom *d, int64_t system, int64_t id)
{
	const struct tally key = { .system = system, .id = id };
	size_t low = 0, high = d->version_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_system(&d->versions[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* +1 where the range begins, -1 past its end: sums are made at the end.  The slot past
 * the last version takes what has no end. */
static void count_range(struct counting *k, int64_t system, int64_t first, int64_t last,
			bool is_doomed)
{
	struct doom *d = k->d;
	size_t from = version_from(d, system, first);
	size_t to = last == CATALOGUE_OPEN_ENDED ? version_from(d, system + 1, 0)
						 : version_from(d, system, last + 1);

	if (from >= to)
		return;
	if (!is_doomed && to - from == 1 && d->versions[from].id == k->asked)
		k->has_kept = true;
	*(is_doomed ? &d->versions[from].doomed : &d->versions[from].kept) += 1;
	*(is_doomed ? &d->versions[to].doomed : &d->versions[to].kept) -= 1;
}

static int count_entry(void *arg, const struct entry_row *r)
{
	struct counting *k = arg;
	struct doom *d = k->d;
	const struct folder *f = k->last;

	if (!f || f->id != r->directory)
		f = k->last = doom_folder(d, r->directory);
	if (!f || f->system == 0)
		return 0;
	if (r->kind != NODE_DIRECTORY) {
		count_range(k, f->system, r->first, r->last,
			    doom_record(d, r->directory, r->name, r->name_size, r->first));
		return 0;
	}
	for (size_t i = doom_edges_of(d, r->target);
	     i < d->edge_count && d->edges[i].child == r->target; i++) {
		const struct edge *x = &d->edges[i];

		if (x->parent == r->directory && x->first == r->first && !x->has_inside)
			count_range(k, f->system, r->first, r->last, x->is_listed);
	}
	return 0;
}

static void sum_up(struct doom *d)
{
	int64_t kept = 0, doomed = 0;

	for (size_t i = 0; i < d->version_count; i++) {
		struct tally *v = &d->versions[i];

		kept = v->kept += kept;
		doomed = v->doomed += doomed;
	}
}

/* The version that the whole disposition is about; 0: none. */
static int64_t version_asked_for(struct doom *d, struct err *e)
{
	struct disposition_row row;
	int64_t version = 0;

	if (catalogue_disposition_get(d->catalogue, d->disposition, &row, e) < 0)
		return -1;
	json_t *root = json_loads(row.scope, 0, NULL);

	if (json_memory_lacked())
		version = doom_no_memory(e);
	json_t *asked = json_object_get(root, "version_id");

	if (version == 0 && json_is_integer(asked) && json_integer_value(asked) > 0)
		version = json_integer_value(asked);
	json_decref(root);
	disposition_row_clear(&row);
	return version;
}

static int mark_systems(struct doom *d, struct err *e)
{
	for (size_t i = 0; i < d->root_count; i++) {
		const struct root *r = &d->roots[i];
		const struct folder *top = doom_folder(d, r->directory);
		size_t end = version_from(d, r->id + 1, 0);
		bool goes = top && !top->is_kept;

		if (goes && !bits_add(&d->systems_gone, r->id))
			return doom_no_memory(e);
		for (size_t k = version_from(d, r->id, 0); k < end; k++)
			if (goes && !bits_add(&d->versions_gone, d->versions[k].id))
				return doom_no_memory(e);
	}
	return 0;
}

int doom_mark_versions(struct doom *d, struct err *e)
{
	struct counting k = { .d = d, .e = e, .asked = version_asked_for(d, e) };

	if (k.asked < 0 || catalogue_each_version(d->catalogue, take_version, &k, e) < 0 ||
	    take_version(&k, INT64_MAX, INT64_MAX, true) < 0)
		return -1;
	d->version_count--;	/* the slot past the last */
	if (d->version_count > 1)
		qsort(d->versions, d->version_count, sizeof *d->versions, by_system);
	if (catalogue_each_entry(d->catalogue, count_entry, &k, e) < 0)
		return -1;
	sum_up(d);
	for (size_t i = 0; i < d->version_count; i++) {
		const struct tally *v = &d->versions[i];

		if (((v->doomed > 0 && v->kept == 0) ||
		     (v->id == k.asked && !k.has_kept)) &&
		    !bits_add(&d->versions_gone, v->id))
			return doom_no_memory(e);
	}
	return mark_systems(d, e);
}

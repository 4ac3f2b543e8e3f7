/* The records of the disposition, and the names of directories: one pass over entries. */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/doom_inside.h"

int doom_no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory to work out what goes");
}

void *doom_room(void *list, size_t count, size_t *capacity, size_t each, struct err *e)
{
	size_t more = *capacity ? *capacity * 2 : 256;

	if (count < *capacity)
		return list;
	list = reallocarray(list, more, each);
	if (list)
		*capacity = more;
	else
		doom_no_memory(e);
	return list;
}

/* ---- order ------------------------------------------------------------------------- */

static int compare_names(const void *a, size_t a_size, const void *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	if (order != 0)
		return order;
	return (a_size > b_size) - (a_size < b_size);
}

int doom_compare_key(int64_t directory, const void *name, size_t name_size, int64_t first,
		     const struct doom *d, const struct doomed *r)
{
	int order;

	if (directory != r->directory)
		return directory < r->directory ? -1 : 1;
	order = compare_names(name, name_size, d->names.data + r->name, r->name_size);
	if (order != 0)
		return order;
	return (first > r->first) - (first < r->first);
}

static int by_key(const void *a, const void *b, void *arg)
{
	const struct doomed *x = a;
	const struct doom *d = arg;

	return doom_compare_key(x->directory, d->names.data + x->name, x->name_size, x->first,
				d, b);
}

struct doomed *doom_record(const struct doom *d, int64_t directory, const void *name,
			   size_t name_size, int64_t first)
{
	size_t low = 0, high = d->record_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = doom_compare_key(directory, name, name_size, first, d,
					     &d->records[middle]);

		if (order == 0)
			return &d->records[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* ---- the list ------------------------------------------------------------------------ */

struct reading {
	struct doom *d;
	struct err *e;
	size_t next;		/* the record that is met next */
	size_t same;		/* records from here to `next` have one directory and name */
};

static int keep_name(struct doom *d, const void *name, size_t size, size_t *at, struct err *e)
{
	*at = d->names.size;
	buffer_append(&d->names, name, size);
	return d->names.failed ? doom_no_memory(e) : 0;
}

static int take_item(void *arg, const struct disposition_item *i)
{
	struct reading *r = arg;
	struct doom *d = r->d;
	struct doomed *list = doom_room(d->records, d->record_count, &d->record_capacity,
					sizeof *list, r->e);

	if (!list)
		return -1;
	d->records = list;
	list += d->record_count;
	if (i->key.first < 1 || i->key.name_size == 0)
		return err_set(r->e, MUNI_REFUSED, "disposition D%lld is no list of records that "
			       "are in the archive", (long long)d->disposition);
	*list = (struct doomed){ .directory = i->key.directory, .first = i->key.first,
				 .name_size = i->key.name_size };
	if (keep_name(d, i->key.name, i->key.name_size, &list->name, r->e) < 0)
		return -1;
	d->record_count++;
	return 0;
}

static int keep_edge(struct doom *d, const struct entry_row *r, struct err *e)
{
	struct edge *list = doom_room(d->edges, d->edge_count, &d->edge_capacity, sizeof *list,
				      e);

	if (!list)
		return -1;
	d->edges = list;
	list += d->edge_count;
	*list = (struct edge){ .parent = r->directory, .child = r->target, .first = r->first,
			       .last = r->last, .name_size = (uint16_t)r->name_size };
	if (keep_name(d, r->name, r->name_size, &list->name, e) < 0)
		return -1;
	d->edge_count++;
	return 0;
}

static bool has_same_name(const struct doom *d, const struct doomed *a, const struct doomed *b)
{
	return a->directory == b->directory && a->name_size == b->name_size &&
	       memcmp(d->names.data + a->name, d->names.data + b->name, a->name_size) == 0;
}

/* Both come in the same order, so the list is walked along. */
static struct doomed *meet(struct reading *r, const struct entry_row *row)
{
	const struct doom *d = r->d;

	while (r->next < d->record_count) {
		struct doomed *x = &d->records[r->next];
		int order = doom_compare_key(row->directory, row->name, row->name_size, row->first,
					     d, x);

		if (order < 0)
			return NULL;
		if (r->same < r->next && !has_same_name(d, &d->records[r->same], x))
			r->same = r->next;
		r->next++;
		if (order == 0)
			return x;
	}
	return NULL;
}

/* What is said of a path now is said of the newest record under it. */
static void supersede(struct reading *r, const struct entry_row *row)
{
	const struct doom *d = r->d;

	for (size_t i = r->same; i < r->next; i++) {
		struct doomed *x = &d->records[i];

		if (x->directory == row->directory && x->name_size == row->name_size &&
		    memcmp(d->names.data + x->name, row->name, row->name_size) == 0)
			x->is_superseded = true;
	}
}

static int take_entry(void *arg, const struct entry_row *row)
{
	struct reading *r = arg;
	struct doom *d = r->d;
	struct doomed *doomed = meet(r, row);

	if (doomed) {
		doomed->is_found = true;
		doomed->kind = (uint8_t)row->kind;
		doomed->last = row->last;
		doomed->target = row->target;
	}
	if (row->kind == NODE_DIRECTORY)
		return keep_edge(d, row, r->e);
	if (!doomed)
		supersede(r, row);
	if (!doomed && !bits_add(&d->nodes, row->target))
		return doom_no_memory(r->e);
	return 0;
}

/* What was approved and is not there any more was taken some other way: nothing may be
 * certified of it. */
static int check_found(const struct doom *d, struct err *e)
{
	for (size_t i = 0; i < d->record_count; i++)
		if (!d->records[i].is_found)
			return err_set(e, MUNI_REFUSED, "a record of disposition D%lld is not in "
				       "the archive any more: propose what is left anew",
				       (long long)d->disposition);
	return 0;
}

int doom_mark_records(struct doom *d, struct err *e)
{
	struct reading r = { .d = d, .e = e };

	if (catalogue_disposition_items(d->catalogue, d->disposition, take_item, &r, e) < 0)
		return -1;
	if (d->record_count > 1)
		qsort_r(d->records, d->record_count, sizeof *d->records, by_key, d);
	if (catalogue_each_entry(d->catalogue, take_entry, &r, e) < 0)
		return -1;
	return check_found(d, e);
}

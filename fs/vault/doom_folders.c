/*
 * Directories: a name of one goes when nothing stays that stood in the directory under
 * that name, and the directory with the last of its names.  A name under which nothing
 * ever stood is a record itself: it goes when it is in the list.
 *
 * So it is worked out in which versions something in a directory stays, and that is
 * carried upwards along its names.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/doom_inside.h"

struct taking {
	struct doom *d;
	struct err *e;
};

struct folder *doom_folder(const struct doom *d, int64_t id)
{
	size_t low = 0, high = d->folder_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (d->folders[middle].id == id)
			return &d->folders[middle];
		if (id < d->folders[middle].id)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int take_folder(void *arg, const struct directory *row)
{
	struct taking *t = arg;
	struct doom *d = t->d;
	struct folder *list;

	if (d->folder_count > 0 && d->folders[d->folder_count - 1].id == row->id)
		return 0;	/* a later range of it */
	list = doom_room(d->folders, d->folder_count, &d->folder_capacity, sizeof *list, t->e);
	if (!list)
		return -1;
	d->folders = list;
	list[d->folder_count++] = (struct folder){ .id = row->id };
	return 0;
}

static int take_root(void *arg, const struct system *s)
{
	struct taking *t = arg;
	struct doom *d = t->d;
	struct root *list = doom_room(d->roots, d->root_count, &d->root_capacity, sizeof *list,
				      t->e);

	if (!list)
		return -1;
	d->roots = list;
	list += d->root_count++;
	*list = (struct root){ .id = s->id, .directory = s->root };
	memcpy(list->name, s->name, sizeof list->name);
	list->was_gone = strncmp(s->name, CATALOGUE_GONE_NAME,
				 strlen(CATALOGUE_GONE_NAME)) == 0;
	return 0;
}

/* ---- which system is it of: downwards from the roots --------------------------------- */

static int by_parent(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return (x->parent > y->parent) - (x->parent < y->parent);
}

static int by_child(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->child != y->child)
		return x->child < y->child ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

/* The first edge whose parent (or child) is not below id. */
static size_t first_edge(const struct doom *d, int64_t id, bool is_by_child)
{
	size_t low = 0, high = d->edge_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct edge *x = &d->edges[middle];

		if ((is_by_child ? x->child : x->parent) < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t doom_edges_of(const struct doom *d, int64_t child)
{
	return first_edge(d, child, true);
}

static bool is_root(const struct doom *d, int64_t directory)
{
	for (size_t i = 0; i < d->root_count; i++)
		if (d->roots[i].directory == directory)
			return true;
	return false;
}

bool doom_range_is_gone(const struct doom *d, int64_t directory, int64_t first,
			int64_t last)
{
	size_t i = doom_edges_of(d, directory);

	if (!bits_has(&d->directories, directory))
		return true;
	if (i == d->edge_count || d->edges[i].child != directory)
		return !is_root(d, directory);
	for (; i < d->edge_count && d->edges[i].child == directory; i++) {
		const struct edge *x = &d->edges[i];

		if (x->is_kept && x->first <= last && x->last >= first)
			return false;
	}
	return true;
}

/* stack has room for every folder: each is put on it once. */
static void spread(struct doom *d, const struct root *r, struct folder **stack)
{
	struct folder *top = doom_folder(d, r->directory);
	size_t count = 0;

	if (!top || top->system != 0)
		return;
	top->system = r->id;
	stack[count++] = top;
	while (count > 0) {
		const struct folder *f = stack[--count];

		for (size_t i = first_edge(d, f->id, false);
		     i < d->edge_count && d->edges[i].parent == f->id; i++) {
			struct folder *child = doom_folder(d, d->edges[i].child);

			if (!child || child->system != 0)
				continue;
			child->system = r->id;
			stack[count++] = child;
		}
	}
}

/* ---- when something stays: upwards from what does ------------------------------------- */

struct climb {			/* something in `folder` stays in these versions */
	struct folder *folder;
	struct span span;
};

struct marking {
	struct doom *d;
	struct err *e;
	struct climb *todo;	/* owned */
	size_t count, capacity;
	struct folder *last;	/* entries come directory by directory */
};

static bool covers(const struct folder *f, const struct span *s)
{
	for (unsigned i = 0; i < f->span_count; i++)
		if (f->spans[i].first <= s->first && f->spans[i].last >= s->last)
			return true;
	return false;
}

/* Those that it meets or touches become one with it. */
static int add_span(struct folder *f, struct span s, struct err *e)
{
	unsigned kept = 0, at = 0;

	if (f->span_count == f->span_capacity) {
		unsigned more = f->span_capacity ? f->span_capacity * 2 : 1;
		struct span *list = reallocarray(f->spans, more, sizeof *list);

		if (!list)
			return doom_no_memory(e);
		f->spans = list;
		f->span_capacity = more;
	}
	for (unsigned i = 0; i < f->span_count; i++) {
		const struct span *x = &f->spans[i];

		if (x->first <= s.last + (s.last < INT64_MAX) &&
		    s.first <= x->last + (x->last < INT64_MAX)) {
			s.first = x->first < s.first ? x->first : s.first;
			s.last = x->last > s.last ? x->last : s.last;
		} else {
			f->spans[kept++] = *x;
		}
	}
	while (at < kept && f->spans[at].first < s.first)
		at++;
	memmove(f->spans + at + 1, f->spans + at, (kept - at) * sizeof *f->spans);
	f->spans[at] = s;
	f->span_count = kept + 1;
	return 0;
}

static int stays(struct marking *m, struct folder *f, struct span s)
{
	struct climb *list;

	if (covers(f, &s))
		return 0;
	list = doom_room(m->todo, m->count, &m->capacity, sizeof *list, m->e);
	if (!list)
		return -1;
	m->todo = list;
	list[m->count++] = (struct climb){ f, s };
	return add_span(f, s, m->e);
}

/* Ends: spans only grow. */
static int carry_upwards(struct marking *m)
{
	struct doom *d = m->d;

	while (m->count > 0) {
		const struct climb c = m->todo[--m->count];

		for (size_t i = doom_edges_of(d, c.folder->id);
		     i < d->edge_count && d->edges[i].child == c.folder->id; i++) {
			const struct edge *x = &d->edges[i];
			struct folder *parent = doom_folder(d, x->parent);
			struct span s = { x->first > c.span.first ? x->first : c.span.first,
					  x->last < c.span.last ? x->last : c.span.last };

			if (parent && s.first <= s.last && stays(m, parent, s) < 0)
				return -1;
		}
	}
	return 0;
}

static int mark_entry(void *arg, const struct entry_row *r)
{
	struct marking *m = arg;
	struct folder *f = m->last;

	if (!f || f->id != r->directory)
		f = m->last = doom_folder(m->d, r->directory);
	if (!f)
		return err_set(m->e, MUNI_DAMAGED, "the catalogue is damaged: directory %lld has "
			       "entries and no row; run `muni verify`",
			       (long long)r->directory);
	f->has_entries = true;
	for (size_t i = doom_edges_of(m->d, f->id);
	     i < m->d->edge_count && m->d->edges[i].child == f->id; i++)
		if (m->d->edges[i].first <= r->last && m->d->edges[i].last >= r->first)
			m->d->edges[i].has_inside = true;
	if (r->kind == NODE_DIRECTORY ||
	    doom_record(m->d, r->directory, r->name, r->name_size, r->first))
		return 0;
	return stays(m, f, (struct span){ r->first, r->last });
}

/* Names under which nothing ever stood. */
static int take_empty(struct marking *m)
{
	struct doom *d = m->d;

	for (size_t i = 0; i < d->edge_count; i++) {
		struct edge *x = &d->edges[i];
		struct folder *parent = doom_folder(d, x->parent);

		x->is_listed = doom_record(d, x->parent, d->names.data + x->name, x->name_size,
					   x->first) != NULL;
		if (x->is_listed && x->has_inside)
			return err_set(m->e, MUNI_REFUSED, "disposition D%lld lists a directory "
				       "that is not empty, which is no record",
				       (long long)d->disposition);
		x->is_kept = !x->has_inside && !x->is_listed;
		if (x->is_kept && parent &&
		    stays(m, parent, (struct span){ x->first, x->last }) < 0)
			return -1;
	}
	return 0;
}

static int settle(struct doom *d, struct err *e)
{
	for (size_t i = 0; i < d->edge_count; i++) {
		struct edge *x = &d->edges[i];
		struct folder *f = doom_folder(d, x->child);

		for (unsigned k = 0; f && k < f->span_count && !x->is_listed; k++)
			x->is_kept = x->is_kept || (f->spans[k].first <= x->last &&
						    f->spans[k].last >= x->first);
		if (f)
			f->is_kept = f->is_kept || x->is_kept;
	}
	/* A system's top has no name.  One in which nothing ever stood stays. */
	for (size_t i = 0; i < d->root_count; i++) {
		struct folder *f = doom_folder(d, d->roots[i].directory);

		if (f)
			f->is_kept = f->span_count > 0 || !f->has_entries;
	}
	for (size_t i = 0; i < d->folder_count; i++)
		if (d->folders[i].is_kept && !bits_add(&d->directories, d->folders[i].id))
			return doom_no_memory(e);
	return 0;
}

int doom_mark_folders(struct doom *d, struct err *e)
{
	struct taking t = { d, e };
	struct marking m = { .d = d, .e = e };
	struct folder **stack;
	int rc = -1;

	if (catalogue_each_directory(d->catalogue, take_folder, &t, e) < 0 ||
	    catalogue_each_system(d->catalogue, take_root, &t, e) < 0)
		return -1;
	stack = calloc(d->folder_count + 1, sizeof *stack);
	if (!stack)
		return doom_no_memory(e);
	if (d->edge_count > 1)
		qsort(d->edges, d->edge_count, sizeof *d->edges, by_parent);
	for (size_t i = 0; i < d->root_count; i++)
		spread(d, &d->roots[i], stack);
	free(stack);
	if (d->edge_count > 1)
		qsort(d->edges, d->edge_count, sizeof *d->edges, by_child);
	if (catalogue_each_entry(d->catalogue, mark_entry, &m, e) < 0 || take_empty(&m) < 0 ||
	    carry_upwards(&m) < 0 || settle(d, e) < 0)
		goto out;
	rc = 0;
out:
	free(m.todo);
	return rc;
}

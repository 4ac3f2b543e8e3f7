/*
 * The walk over all records: down the tree of names, each with the versions that it
 * stood in, so that every record is met once under its newest path and what was
 * renamed is found under the others.
 *
 * A directory's rows are read a page at a time: no statement stands open while a row
 * is told, and memory grows with the depth, not with the largest directory.
 */
#include "fs/store/catalogue_records_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/list.h"

/* ---- down the tree ------------------------------------------------------------------ */

static int put_off(struct record_frame *f, const struct record_row *r, int64_t lo, int64_t hi,
		   struct err *e)
{
	struct record_pending *p = malloc(sizeof *p + r->name_size + 1u);

	if (!p)
		return records_no_memory(e);
	*p = (struct record_pending){ .below = f->pending, .id = r->target, .lo = lo, .hi = hi,
					      .name_size = r->name_size };
	memcpy(p->name, r->name, r->name_size + 1u);
	f->pending = p;
	return 0;
}

static int take_row(struct record_walk *w, struct record_frame *f, const struct record_row *r,
		    struct err *e)
{
	int64_t lo = r->first > f->lo ? r->first : f->lo;
	int64_t hi = r->last < f->hi ? r->last : f->hi;
	bool is_here = records_newest(w, r) >= f->lo && records_newest(w, r) <= f->hi, is_alone;

	if (r->kind != NODE_DIRECTORY)
		return is_here ? records_tell(w, f, r, &r->node, e) : 0;
	if (lo > hi)
		return 0;
	if (records_is_empty(w, r, &is_alone, e) < 0)
		return -1;
	if (!is_alone)
		return put_off(f, r, lo, hi, e);
	return is_here ? records_tell_directory(w, f, r, e) : 0;
}

/* In byte order of paths "NAME/..." comes before this name; the newest put off is the
 * first of them. */
static bool is_passed(const struct record_pending *p, const struct record_row *r)
{
	size_t same = p->name_size < r->name_size ? p->name_size : r->name_size;
	int order = memcmp(r->name, p->name, same);

	if (order != 0 || r->name_size <= p->name_size)
		return order > 0;
	return (unsigned char)r->name[p->name_size] > '/';
}

static int enter(struct record_walk *w, struct record_frame *f, struct err *e)
{
	struct record_pending *p = f->pending;
	size_t path_size;
	int rc = records_path(w, f->path_size, p->name, p->name_size, &path_size, e);

	f->pending = p->below;
	if (rc == 0)
		rc = records_push(w, p->id, p->lo, p->hi, path_size, e);
	free(p);
	return rc;
}

static int walk_on(struct record_walk *w, struct err *e)
{
	while (w->count > 0 && !w->is_stopped) {
		struct record_frame *f = &w->frames[w->count - 1];

		if (f->at == f->count && !f->is_last_page) {
			if (records_page(w, f, e) < 0)
				return -1;
			continue;
		}
		const struct record_row *r = f->at < f->count ? &f->rows[f->at] : NULL;
		if (f->pending && (!r || is_passed(f->pending, r))) {
			if (enter(w, f, e) < 0)
				return -1;
		} else if (!r) {
			records_pop(w);
		} else {
			f->at++;
			if (take_row(w, f, r, e) < 0)
				return -1;
		}
	}
	return 0;
}

static int walk_system(struct record_walk *w, const struct system *s, struct err *e)
{
	int rc;

	w->system = s->id;
	rc = records_push(w, s->root, 1, w->newest, 0, e);
	if (rc == 0)
		rc = walk_on(w, e);
	while (w->count > 0)
		records_pop(w);
	return rc;
}

/* ---- all of them -------------------------------------------------------------------- */

struct systems {
	struct system *list;	/* owned */
	size_t count, room;
	struct err *e;
};

static int on_system(void *arg, const struct system *s)
{
	struct systems *k = arg;

	if (!list_room(&k->list, k->count, &k->room, sizeof *k->list))
		return records_no_memory(k->e);
	k->list[k->count++] = *s;
	return 0;
}

int catalogue_records(struct catalogue *c, int64_t system,
		      int (*row)(void *arg, const struct record *r), void *arg, struct err *e)
{
	struct record_walk w = { .c = c, .row = row, .arg = arg };
	struct systems all = { .e = e };
	struct system one;
	int rc = -1;

	if (catalogue_newest_sealed(c, &w.newest, e) < 0)
		return -1;
	if (system != 0) {
		if (catalogue_system_get(c, system, &one, e) < 0 || on_system(&all, &one) < 0)
			goto out;
	} else if (catalogue_systems(c, on_system, &all, e) < 0) {
		goto out;
	}
	rc = 0;
	for (size_t i = 0; rc == 0 && i < all.count && !w.is_stopped; i++)
		rc = walk_system(&w, &all.list[i], e);
out:
	records_end(&w);
	free(all.list);
	return rc;
}

/* The way down to a record, and the record as it is told. */
#include "fs/store/catalogue_records_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/list.h"

/* ---- frames ------------------------------------------------------------------------- */

int records_path(struct record_walk *w, size_t size, const char *name, size_t name_size,
		    size_t *out, struct err *e)
{
	size_t slash = size > 0 && name_size > 0;

	*out = size + slash + name_size;
	if (*out > PATH_BYTES_MAX)
		return catalogue_damaged(w->c, e, "a path is longer than %u bytes",
					 PATH_BYTES_MAX);
	if (*out + 1 > w->path_room) {
		size_t room = 2 * (*out + 1) + 256;
		char *grown = realloc(w->path, room);

		if (!grown)
			return records_no_memory(e);
		w->path = grown;
		w->path_room = room;
	}
	if (slash)
		w->path[size] = '/';
	memcpy(w->path + size + slash, name, name_size);
	w->path[*out] = '\0';
	return 0;
}

int records_push(struct record_walk *w, int64_t id, int64_t lo, int64_t hi, size_t path_size,
		      struct err *e)
{
	const struct record_frame *up = w->count > 0 ? &w->frames[w->count - 1] : NULL;
	int64_t mark = !up || (w->count & (w->count - 1)) == 0 ? id : up->mark;

	if (up && (id == up->mark || id == up->id))
		return catalogue_damaged(w->c, e, "directory %" PRId64 " stands within itself",
					 id);
	if (!list_room(&w->frames, w->count, &w->room, sizeof *w->frames))
		return records_no_memory(e);
	w->frames[w->count++] = (struct record_frame){ .id = id, .lo = lo, .hi = hi, .mark = mark,
						.path_size = path_size };
	return 0;
}

void records_pop(struct record_walk *w)
{
	struct record_frame *f = &w->frames[--w->count];

	while (f->pending) {
		struct record_pending *p = f->pending;

		f->pending = p->below;
		free(p);
	}
	for (size_t i = 0; i < f->earlier_count; i++)
		free(f->earlier[i].path);
	free(f->earlier);
	free(f->rows);
}

/* ---- records ------------------------------------------------------------------------ */

int records_tell(struct record_walk *w, struct record_frame *f, const struct record_row *r,
		 const struct node *n, struct err *e)
{
	struct record record = { .system = w->system, .last = r->last, .node = n,
				 .key = { .directory = f->id, .first = r->first,
					  .name_size = r->name_size } };

	memcpy(record.key.name, r->name, r->name_size);
	memcpy(record.salt, r->salt, sizeof record.salt);
	if (records_others(w, f, r, e) < 0 ||
	    records_path(w, f->path_size, r->name, r->name_size, &record.path_size, e) < 0)
		return -1;
	record.path = w->path;
	record.other_paths = (const char *const *)w->others;
	record.other_count = w->other_count;
	int answer = w->row(w->arg, &record);
	w->is_stopped = answer > 0;
	return answer < 0 ? -1 : 0;
}

int records_tell_directory(struct record_walk *w, struct record_frame *f,
			   const struct record_row *r, struct err *e)
{
	struct directory d;
	struct node n;

	if (catalogue_directory(w->c, records_newest(w, r), r->target, &d, e) < 0 ||
	    catalogue_node(w->c, d.node, false, &n, e) < 0)
		return e->code != MUNI_NOT_FOUND ? -1 :
			catalogue_damaged(w->c, e, "directory %" PRId64 " is named but has no "
					  "row or node", r->target);
	return records_tell(w, f, r, &n, e);
}

void records_end(struct record_walk *w)
{
	records_drop_others(w);
	free(w->frames);
	free(w->path);
}

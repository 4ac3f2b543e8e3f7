/* A directory's rows, and what else is asked of one of them. */
#include "fs/store/catalogue_records_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/list.h"

#define PAGE_ROWS 256

int records_no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "walking over the records: no memory");
}

/* ---- pages -------------------------------------------------------------------------- */

int records_row(struct query *q, int64_t directory, struct record_row *r, struct err *e)
{
	size_t size;
	const uint8_t *name = query_column_blob(q, 0, 1, CATALOGUE_NAME_MAX, &size);

	if (name && entry_name_is_sound(name, size))
		memcpy(r->name, name, size);
	else
		q->is_bad = true;
	r->name[size] = '\0';
	r->name_size = (uint16_t)size;
	r->first = query_column_id(q, 1);
	r->last = query_column_last(q, 2);
	if (r->last < r->first)
		q->is_bad = true;
	r->kind = (enum node_kind)query_column(q, 3, NODE_FILE, NODE_BLOCK);
	r->target = query_column_id(q, 4);
	query_column_bytes(q, 5, r->salt, sizeof r->salt);
	r->node = (struct node){ .id = r->target };
	if (r->kind != NODE_DIRECTORY) {
		node_from_row(q, 6, &r->node);
		if (r->node.kind != r->kind)
			q->is_bad = true;
	}
	return query_check(q, "an entry of directory", directory, e);
}

int records_page(struct record_walk *w, struct record_frame *f, struct err *e)
{
	struct query q;
	int got;

	f->at = f->count = 0;
	if (query_open(&q, w->c, STATEMENT_RECORDS, "SELECT name, first, last, kind, target,"
		       " salt, content, class, attrs FROM entry LEFT JOIN node"
		       " ON kind <> 2 AND node.id = target WHERE dir = ?1"
		       " AND (name, first) > (?2, ?3) AND first <= ?4"
		       " ORDER BY name, first LIMIT ?5", e) < 0)
		return -1;
	query_int(&q, f->id);
	query_blob(&q, f->after, f->after_size);
	query_int(&q, f->after_first);
	query_int(&q, w->newest);
	query_int(&q, PAGE_ROWS);
	while ((got = query_step(&q, e)) > 0) {
		if (!list_room(&f->rows, f->count, &f->room, sizeof *f->rows))
			got = records_no_memory(e);
		else
			got = records_row(&q, f->id, &f->rows[f->count], e);
		if (got < 0)
			break;
		f->count++;
	}
	query_close(&q);
	if (got < 0)
		return -1;
	f->is_last_page = f->count < PAGE_ROWS;
	if (f->count > 0) {
		const struct record_row *last = &f->rows[f->count - 1];

		memcpy(f->after, last->name, last->name_size);
		f->after_size = last->name_size;
		f->after_first = last->first;
	}
	return 0;
}

int64_t records_newest(const struct record_walk *w, const struct record_row *r)
{
	return r->last < w->newest ? r->last : w->newest;
}

int records_is_empty(struct record_walk *w, const struct record_row *r, bool *out,
		     struct err *e)
{
	struct query q;

	if (query_open(&q, w->c, STATEMENT_RECORDS_WITHIN, "SELECT 1 FROM entry WHERE dir = ?"
		       " AND first <= ? AND (last IS NULL OR last >= ?) LIMIT 1", e) < 0)
		return -1;
	query_int(&q, r->target);
	query_int(&q, records_newest(w, r));
	query_int(&q, r->first);
	int got = query_step(&q, e);
	query_close(&q);
	*out = got == 0;
	return got < 0 ? -1 : 0;
}

/* ---- paths that it had before ------------------------------------------------------- */

struct collecting {
	struct record_frame *f;
	size_t room;
	struct err *e;
};

static int on_earlier(void *arg, int64_t system, const void *path, size_t path_size,
		      int64_t first, int64_t last)
{
	struct collecting *k = arg;

	(void)system;
	(void)first;
	char *copy = malloc(path_size + 1);
	if (!copy || !list_room(&k->f->earlier, k->f->earlier_count, &k->room,
				sizeof *k->f->earlier)) {
		free(copy);
		return records_no_memory(k->e);
	}
	memcpy(copy, path, path_size);
	copy[path_size] = '\0';
	k->f->earlier[k->f->earlier_count++] = (struct record_earlier){ copy, path_size, last };
	return 0;
}

void records_drop_others(struct record_walk *w)
{
	for (size_t i = 0; i < w->other_count; i++)
		free(w->others[i]);
	free(w->others);
	w->others = NULL;
	w->other_count = 0;
}

int records_others(struct record_walk *w, struct record_frame *f, const struct record_row *r,
		   struct err *e)
{
	struct collecting k = { .f = f, .e = e };

	records_drop_others(w);
	if (r->first >= f->lo)
		return 0;
	if (!f->has_earlier &&
	    catalogue_paths(w->c, f->id, 1, f->lo - 1, NULL, 0, on_earlier, &k, e) < 0)
		return -1;
	f->has_earlier = true;
	w->others = calloc(f->earlier_count + 1, sizeof *w->others);
	if (!w->others)
		return records_no_memory(e);
	for (size_t i = 0; i < f->earlier_count; i++) {
		const struct record_earlier *x = &f->earlier[i];
		size_t at = x->size + (x->size > 0);

		if (x->last < r->first)
			continue;
		char *path = malloc(at + r->name_size + 1u);
		if (!path)
			return records_no_memory(e);
		memcpy(path, x->path, x->size);
		if (x->size > 0)
			path[x->size] = '/';
		memcpy(path + at, r->name, r->name_size + 1u);
		w->others[w->other_count++] = path;
	}
	return 0;
}

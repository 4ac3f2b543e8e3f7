/*
 * The walk over all records: down the tree of names, each with the versions that it
 * stood in, so that every record is met once under its newest path and what was
 * renamed is found under the others.
 *
 * A directory's rows are read a page at a time: no statement stands open while a row
 * is told, and memory grows with the depth, not with the largest directory.
 */
#include "fs/store/catalogue_retention.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/store/catalogue_inside.h"

#define PAGE_ROWS 256

struct row {			/* of a directory, as it is read */
	char name[CATALOGUE_NAME_MAX + 1];
	uint16_t name_size;
	int64_t first, last;
	enum node_kind kind;
	int64_t target;
	uint8_t salt[16];
	struct node node;	/* not of a directory */
};

struct pending {		/* a directory whose turn comes when names pass "NAME/" */
	struct pending *below;	/* of a stack */
	int64_t id, lo, hi;
	uint16_t name_size;
	char name[];
};

struct earlier {		/* a path that the directory had before */
	char *path;		/* owned */
	size_t size;
	int64_t last;
};

struct frame {			/* a directory, in versions lo..hi */
	int64_t id, lo, hi;
	int64_t mark;		/* as in catalogue_paths.c */
	size_t path_size;	/* of the walk's path */
	struct row *rows;	/* a page; owned */
	size_t count, at, room;
	char after[CATALOGUE_NAME_MAX + 1];	/* the last name of the page before */
	uint16_t after_size;
	int64_t after_first;
	bool is_last_page;
	struct pending *pending;	/* owned */
	bool has_earlier;	/* was looked up */
	struct earlier *earlier;	/* owned */
	size_t earlier_count;
};

struct walk {
	struct catalogue *c;
	int64_t system, newest;
	struct frame *frames;	/* owned; a stack */
	size_t count, room;
	char *path;		/* owned: of the frame on top, then of the row */
	size_t path_room;
	char **others;		/* owned, as are its texts */
	size_t other_count;
	int (*row)(void *arg, const struct record *r);
	void *arg;
	bool is_stopped;
	struct err *e;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "walking over the records: no memory");
}

/* Room for at least one more of `size` bytes each; false: no memory. */
static bool make_room(void *list, size_t count, size_t *room, size_t size)
{
	void **at = list;
	size_t more = *room ? *room * 2 : 8;

	if (count < *room)
		return true;
	void *grown = reallocarray(*at, more, size);
	if (!grown)
		return false;
	*at = grown;
	*room = more;
	return true;
}

/* ---- pages -------------------------------------------------------------------------- */

static int row_from_columns(struct query *q, int64_t directory, struct row *r, struct err *e)
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

static int read_page(struct walk *w, struct frame *f, struct err *e)
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
		if (!make_room(&f->rows, f->count, &f->room, sizeof *f->rows))
			got = no_memory(e);
		else
			got = row_from_columns(&q, f->id, &f->rows[f->count], e);
		if (got < 0)
			break;
		f->count++;
	}
	query_close(&q);
	if (got < 0)
		return -1;
	f->is_last_page = f->count < PAGE_ROWS;
	if (f->count > 0) {
		const struct row *last = &f->rows[f->count - 1];

		memcpy(f->after, last->name, last->name_size);
		f->after_size = last->name_size;
		f->after_first = last->first;
	}
	return 0;
}

/* ---- frames ------------------------------------------------------------------------- */

/* The walk's path, with a name behind the first `size` bytes. */
static int set_path(struct walk *w, size_t size, const char *name, size_t name_size,
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
			return no_memory(e);
		w->path = grown;
		w->path_room = room;
	}
	if (slash)
		w->path[size] = '/';
	memcpy(w->path + size + slash, name, name_size);
	w->path[*out] = '\0';
	return 0;
}

static int push_frame(struct walk *w, int64_t id, int64_t lo, int64_t hi, size_t path_size,
		      struct err *e)
{
	const struct frame *up = w->count > 0 ? &w->frames[w->count - 1] : NULL;
	int64_t mark = !up || (w->count & (w->count - 1)) == 0 ? id : up->mark;

	if (up && (id == up->mark || id == up->id))
		return catalogue_damaged(w->c, e, "directory %" PRId64 " stands within itself",
					 id);
	if (!make_room(&w->frames, w->count, &w->room, sizeof *w->frames))
		return no_memory(e);
	w->frames[w->count++] = (struct frame){ .id = id, .lo = lo, .hi = hi, .mark = mark,
						.path_size = path_size };
	return 0;
}

static void pop_frame(struct walk *w)
{
	struct frame *f = &w->frames[--w->count];

	while (f->pending) {
		struct pending *p = f->pending;

		f->pending = p->below;
		free(p);
	}
	for (size_t i = 0; i < f->earlier_count; i++)
		free(f->earlier[i].path);
	free(f->earlier);
	free(f->rows);
}

/* ---- paths that it had before ---------------------------------------------------------- */

struct collecting {
	struct frame *f;
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
	if (!copy || !make_room(&k->f->earlier, k->f->earlier_count, &k->room,
				sizeof *k->f->earlier)) {
		free(copy);
		return no_memory(k->e);
	}
	memcpy(copy, path, path_size);
	copy[path_size] = '\0';
	k->f->earlier[k->f->earlier_count++] = (struct earlier){ copy, path_size, last };
	return 0;
}

static void drop_others(struct walk *w)
{
	for (size_t i = 0; i < w->other_count; i++)
		free(w->others[i]);
	free(w->others);
	w->others = NULL;
	w->other_count = 0;
}

static int find_others(struct walk *w, struct frame *f, const struct row *r, struct err *e)
{
	struct collecting k = { .f = f, .e = e };

	drop_others(w);
	if (r->first >= f->lo)
		return 0;
	if (!f->has_earlier &&
	    catalogue_paths(w->c, f->id, 1, f->lo - 1, NULL, 0, on_earlier, &k, e) < 0)
		return -1;
	f->has_earlier = true;
	w->others = calloc(f->earlier_count + 1, sizeof *w->others);
	if (!w->others)
		return no_memory(e);
	for (size_t i = 0; i < f->earlier_count; i++) {
		const struct earlier *x = &f->earlier[i];
		size_t at = x->size + (x->size > 0);

		if (x->last < r->first)
			continue;
		char *path = malloc(at + r->name_size + 1u);
		if (!path)
			return no_memory(e);
		memcpy(path, x->path, x->size);
		if (x->size > 0)
			path[x->size] = '/';
		memcpy(path + at, r->name, r->name_size + 1u);
		w->others[w->other_count++] = path;
	}
	return 0;
}

/* ---- rows ------------------------------------------------------------------------------- */

static int64_t newest_of(const struct walk *w, const struct row *r)
{
	return r->last < w->newest ? r->last : w->newest;
}

static int tell(struct walk *w, struct frame *f, const struct row *r, const struct node *n,
		struct err *e)
{
	struct record record = { .system = w->system, .last = r->last, .node = n,
				 .key = { .directory = f->id, .first = r->first,
					  .name_size = r->name_size } };

	memcpy(record.key.name, r->name, r->name_size);
	memcpy(record.salt, r->salt, sizeof record.salt);
	if (find_others(w, f, r, e) < 0 ||
	    set_path(w, f->path_size, r->name, r->name_size, &record.path_size, e) < 0)
		return -1;
	record.path = w->path;
	record.other_paths = (const char *const *)w->others;
	record.other_count = w->other_count;
	int answer = w->row(w->arg, &record);
	w->is_stopped = answer > 0;
	return answer < 0 ? -1 : 0;
}

/* Nothing stood in it while it had this name: it was archived for its own sake. */
static int is_empty(struct walk *w, const struct row *r, bool *out, struct err *e)
{
	struct query q;

	if (query_open(&q, w->c, STATEMENT_RECORDS_WITHIN, "SELECT 1 FROM entry WHERE dir = ?"
		       " AND first <= ? AND (last IS NULL OR last >= ?) LIMIT 1", e) < 0)
		return -1;
	query_int(&q, r->target);
	query_int(&q, newest_of(w, r));
	query_int(&q, r->first);
	int got = query_step(&q, e);
	query_close(&q);
	*out = got == 0;
	return got < 0 ? -1 : 0;
}

static int tell_directory(struct walk *w, struct frame *f, const struct row *r, struct err *e)
{
	struct directory d;
	struct node n;

	if (catalogue_directory(w->c, newest_of(w, r), r->target, &d, e) < 0 ||
	    catalogue_node(w->c, d.node, false, &n, e) < 0)
		return e->code != MUNI_NOT_FOUND ? -1 :
			catalogue_damaged(w->c, e, "directory %" PRId64 " is named but has no "
					  "row or node", r->target);
	return tell(w, f, r, &n, e);
}

static int put_off(struct frame *f, const struct row *r, int64_t lo, int64_t hi, struct err *e)
{
	struct pending *p = malloc(sizeof *p + r->name_size + 1u);

	if (!p)
		return no_memory(e);
	*p = (struct pending){ .below = f->pending, .id = r->target, .lo = lo, .hi = hi,
			       .name_size = r->name_size };
	memcpy(p->name, r->name, r->name_size + 1u);
	f->pending = p;
	return 0;
}

static int take_row(struct walk *w, struct frame *f, const struct row *r, struct err *e)
{
	int64_t lo = r->first > f->lo ? r->first : f->lo;
	int64_t hi = r->last < f->hi ? r->last : f->hi;
	bool is_here = newest_of(w, r) >= f->lo && newest_of(w, r) <= f->hi, is_alone;

	if (r->kind != NODE_DIRECTORY)
		return is_here ? tell(w, f, r, &r->node, e) : 0;
	if (lo > hi)
		return 0;
	if (is_empty(w, r, &is_alone, e) < 0)
		return -1;
	if (!is_alone)
		return put_off(f, r, lo, hi, e);
	return is_here ? tell_directory(w, f, r, e) : 0;
}

/* In byte order of paths "NAME/..." comes before this name; the newest put off is the
 * first of them. */
static bool is_passed(const struct pending *p, const struct row *r)
{
	size_t same = p->name_size < r->name_size ? p->name_size : r->name_size;
	int order = memcmp(r->name, p->name, same);

	if (order != 0 || r->name_size <= p->name_size)
		return order > 0;
	return (unsigned char)r->name[p->name_size] > '/';
}

static int enter(struct walk *w, struct frame *f, struct err *e)
{
	struct pending *p = f->pending;
	size_t path_size;
	int rc = set_path(w, f->path_size, p->name, p->name_size, &path_size, e);

	f->pending = p->below;
	if (rc == 0)
		rc = push_frame(w, p->id, p->lo, p->hi, path_size, e);
	free(p);
	return rc;
}

static int walk_on(struct walk *w, struct err *e)
{
	while (w->count > 0 && !w->is_stopped) {
		struct frame *f = &w->frames[w->count - 1];

		if (f->at == f->count && !f->is_last_page) {
			if (read_page(w, f, e) < 0)
				return -1;
			continue;
		}
		const struct row *r = f->at < f->count ? &f->rows[f->at] : NULL;
		if (f->pending && (!r || is_passed(f->pending, r))) {
			if (enter(w, f, e) < 0)
				return -1;
		} else if (!r) {
			pop_frame(w);
		} else {
			f->at++;
			if (take_row(w, f, r, e) < 0)
				return -1;
		}
	}
	return 0;
}

static int walk_system(struct walk *w, const struct system *s, struct err *e)
{
	int rc;

	w->system = s->id;
	rc = push_frame(w, s->root, 1, w->newest, 0, e);
	if (rc == 0)
		rc = walk_on(w, e);
	while (w->count > 0)
		pop_frame(w);
	return rc;
}

static void walk_end(struct walk *w)
{
	drop_others(w);
	free(w->frames);
	free(w->path);
}

/* ---- all of them --------------------------------------------------------------------------- */

struct systems {
	struct system *list;	/* owned */
	size_t count, room;
	struct err *e;
};

static int on_system(void *arg, const struct system *s)
{
	struct systems *k = arg;

	if (!make_room(&k->list, k->count, &k->room, sizeof *k->list))
		return no_memory(k->e);
	k->list[k->count++] = *s;
	return 0;
}

int catalogue_records(struct catalogue *c, int64_t system,
		      int (*row)(void *arg, const struct record *r), void *arg, struct err *e)
{
	struct walk w = { .c = c, .row = row, .arg = arg };
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
	walk_end(&w);
	free(all.list);
	return rc;
}

/* ---- one of them ----------------------------------------------------------------------------- */

static int find_row(struct walk *w, const struct record_key *key, struct row *r, struct err *e)
{
	struct query q;

	if (query_open(&q, w->c, STATEMENT_RECORD, "SELECT name, first, last, kind, target,"
		       " salt, content, class, attrs FROM entry LEFT JOIN node"
		       " ON kind <> 2 AND node.id = target WHERE dir = ? AND name = ?"
		       " AND first = ? AND first <= ?", e) < 0)
		return -1;
	query_int(&q, key->directory);
	query_blob(&q, key->name, key->name_size);
	query_int(&q, key->first);
	query_int(&q, w->newest);
	int got = query_step(&q, e);
	if (got > 0 && row_from_columns(&q, key->directory, r, e) < 0)
		got = -1;
	query_close(&q);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "there is no such record any more");
	return got < 0 ? -1 : 0;
}

struct standing {		/* the way to a record's directory in its newest version */
	struct walk *w;
	int64_t newest, lo, hi;
	bool is_found;
	size_t path_size;
};

static int on_standing(void *arg, int64_t system, const void *path, size_t path_size,
		       int64_t first, int64_t last)
{
	struct standing *s = arg;

	if (first > s->newest || last < s->newest)
		return 0;
	s->is_found = true;
	s->w->system = system;
	s->lo = first;
	s->hi = last;
	return set_path(s->w, 0, path, path_size, &s->path_size, s->w->e) < 0 ? -1 : 1;
}

int catalogue_record(struct catalogue *c, const struct record_key *key,
		     int (*row)(void *arg, const struct record *r), void *arg, struct err *e)
{
	struct walk w = { .c = c, .row = row, .arg = arg, .e = e };
	struct standing s = { .w = &w };
	struct row r;
	bool is_alone = true;
	int rc = -1;

	if (catalogue_newest_sealed(c, &w.newest, e) < 0 || find_row(&w, key, &r, e) < 0 ||
	    (r.kind == NODE_DIRECTORY && is_empty(&w, &r, &is_alone, e) < 0))
		return -1;
	if (!is_alone)
		return err_set(e, MUNI_NOT_FOUND, "a directory that is not empty is no record");
	s.newest = newest_of(&w, &r);
	if (catalogue_paths(c, key->directory, 1, w.newest, NULL, 0, on_standing, &s, e) < 0)
		goto out;
	if (!s.is_found) {
		catalogue_damaged(c, e, "directory %" PRId64 " stands nowhere", key->directory);
		goto out;
	}
	if (push_frame(&w, key->directory, s.lo, s.hi, s.path_size, e) < 0)
		goto out;
	rc = r.kind == NODE_DIRECTORY ? tell_directory(&w, w.frames, &r, e) :
		tell(&w, w.frames, &r, &r.node, e);
	pop_frame(&w);
out:
	walk_end(&w);
	return rc;
}

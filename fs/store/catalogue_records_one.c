/* One record, by its key. */
#include "fs/store/catalogue_records_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int find_row(struct record_walk *w, const struct record_key *key, struct record_row *r,
		    struct err *e)
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
	if (got > 0 && records_row(&q, key->directory, r, e) < 0)
		got = -1;
	query_close(&q);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "there is no such record any more");
	return got < 0 ? -1 : 0;
}

struct standing {		/* the way to a record's directory in its newest version */
	struct record_walk *w;
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
	return records_path(s->w, 0, path, path_size, &s->path_size, s->w->e) < 0 ? -1 : 1;
}

int catalogue_record(struct catalogue *c, const struct record_key *key,
		     int (*row)(void *arg, const struct record *r), void *arg, struct err *e)
{
	struct record_walk w = { .c = c, .row = row, .arg = arg, .e = e };
	struct standing s = { .w = &w };
	struct record_row r;
	bool is_alone = true;
	int rc = -1;

	if (catalogue_newest_sealed(c, &w.newest, e) < 0 || find_row(&w, key, &r, e) < 0 ||
	    (r.kind == NODE_DIRECTORY && records_is_empty(&w, &r, &is_alone, e) < 0))
		return -1;
	if (!is_alone)
		return err_set(e, MUNI_NOT_FOUND, "a directory that is not empty is no record");
	s.newest = records_newest(&w, &r);
	if (catalogue_paths(c, key->directory, 1, w.newest, NULL, 0, on_standing, &s, e) < 0)
		goto out;
	if (!s.is_found) {
		catalogue_damaged(c, e, "directory %" PRId64 " stands nowhere", key->directory);
		goto out;
	}
	if (records_push(&w, key->directory, s.lo, s.hi, s.path_size, e) < 0)
		goto out;
	rc = r.kind == NODE_DIRECTORY ? records_tell_directory(&w, w.frames, &r, e) :
		records_tell(&w, w.frames, &r, &r.node, e);
	records_pop(&w);
out:
	records_end(&w);
	return rc;
}

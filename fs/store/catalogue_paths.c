/*
 * Every path that a name had: climbing from its directory to the system's root, along
 * each name that the directories on the way had meanwhile.
 */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/list.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "following paths in the catalogue: no memory");
}

/* A directory whose path is wanted in versions first..last, and the path below it. */
struct climb {
	int64_t directory, first, last;
	char *below;		/* owned */
	size_t below_size;
	uint64_t depth;
	int64_t mark;		/* the directory at the last depth that is a power of two: to
				 * meet it again is to go in a circle (Brent 1980) */
};

struct finder {
	struct catalogue *c;
	int (*row)(void *arg, int64_t system, const void *path, size_t path_size,
		   int64_t first, int64_t last);
	void *arg;
	bool is_stopped;
	struct climb *todo;	/* owned; a stack */
	size_t count, capacity;
};

static int push_climb(struct finder *f, int64_t directory, int64_t first, int64_t last,
		      const void *name, size_t name_size, const struct climb *from,
		      struct err *e)
{
	bool has_below = from && from->below_size > 0;
	size_t size = name_size + (has_below ? 1 + from->below_size : 0);
	uint64_t depth = from ? from->depth + 1 : 0;

	if (from && (directory == from->mark || directory == from->directory))
		return catalogue_damaged(f->c, e, "directory %" PRId64 " stands within itself",
					 directory);
	if (!list_room(&f->todo, f->count, &f->capacity, sizeof *f->todo))
		return no_memory(e);
	char *below = malloc(size + 1);
	if (!below)
		return no_memory(e);
	if (name_size > 0)
		memcpy(below, name, name_size);
	if (has_below) {
		below[name_size] = '/';
		memcpy(below + name_size + 1, from->below, from->below_size);
	}
	below[size] = '\0';
	f->todo[f->count++] = (struct climb){
		directory, first, last, below, size, depth,
		!from || (depth & (depth - 1)) == 0 ? directory : from->mark,
	};
	return 0;
}

/* 1 and *system if the directory is a system's root, 0 if not, -1. */
static int system_of_root(struct catalogue *c, int64_t root, int64_t *system, struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_SCAN_ROOT, "SELECT id FROM system WHERE root = ?",
		       e) < 0)
		return -1;
	query_int(&q, root);
	int got = query_step(&q, e);
	if (got > 0) {
		*system = query_column_id(&q, 0);
		if (query_check(&q, "the system of directory", root, e) < 0)
			got = -1;
	}
	query_close(&q);
	return got;
}

/* One step up, along every name that the directory had in that time. */
static int climb_names(struct finder *f, const struct climb *from, struct err *e)
{
	struct query q;
	bool has_name = false;
	int got;

	if (query_open(&q, f->c, STATEMENT_SCAN_NAMES, "SELECT dir, name, first, last FROM entry"
		       " WHERE kind = 2 AND target = ? AND first <= ?"
		       " AND (last IS NULL OR last >= ?)", e) < 0)
		return -1;
	query_int(&q, from->directory);
	query_int(&q, from->last);
	query_int(&q, from->first);
	while ((got = query_step(&q, e)) > 0) {
		size_t size;
		int64_t parent = query_column_id(&q, 0);
		const uint8_t *name = query_column_blob(&q, 1, 1, CATALOGUE_NAME_MAX, &size);
		int64_t first = query_column_id(&q, 2), last = query_column_last(&q, 3);

		has_name = true;
		if (query_check(&q, "the name of directory", from->directory, e) < 0 ||
		    push_climb(f, parent, first > from->first ? first : from->first,
			       last < from->last ? last : from->last, name, size, from, e) < 0) {
			got = -1;
			break;
		}
	}
	query_close(&q);
	if (got == 0 && !has_name)
		return catalogue_damaged(f->c, e, "directory %" PRId64 " stands nowhere",
					 from->directory);
	return got;
}

static int tell_paths(struct finder *f, struct err *e)
{
	while (f->count > 0 && !f->is_stopped) {
		struct climb at = f->todo[--f->count];
		int64_t system;
		int got = system_of_root(f->c, at.directory, &system, e);

		if (got == 0) {
			got = climb_names(f, &at, e);
		} else if (got > 0) {
			got = f->row(f->arg, system, at.below, at.below_size, at.first, at.last);
			f->is_stopped = got > 0;
		}
		free(at.below);
		if (got < 0)
			return -1;
	}
	return 0;
}

int catalogue_paths(struct catalogue *c, int64_t directory, int64_t first, int64_t last,
		    const void *name, size_t name_size,
		    int (*row)(void *arg, int64_t system, const void *path, size_t path_size,
			       int64_t first, int64_t last),
		    void *arg, struct err *e)
{
	struct finder f = { .c = c, .row = row, .arg = arg };
	int rc = push_climb(&f, directory, first, last, name, name_size, NULL, e);

	if (rc == 0)
		rc = tell_paths(&f, e);
	while (f.count > 0)
		free(f.todo[--f.count].below);
	free(f.todo);
	return rc;
}

int catalogue_newest_sealed(struct catalogue *c, int64_t *out, struct err *e)
{
	struct query q;
	int rc = -1;

	if (query_open(&q, c, STATEMENT_VERSION_NEWEST,
		       "SELECT ifnull(max(id), 0) FROM version WHERE state <> 0", e) < 0)
		return -1;
	if (query_step(&q, e) > 0) {
		*out = query_column(&q, 0, 0, INT64_MAX - 1);
		rc = query_check(&q, "version", *out, e);
	}
	query_close(&q);
	return rc;
}

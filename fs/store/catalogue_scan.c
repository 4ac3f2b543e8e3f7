/* Questions that need one pass over a whole table. */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "scanning the catalogue: no memory");
}

/* ---- sets of ids ------------------------------------------------------------------- */

bool id_set_add(struct id_set *s, int64_t id)
{
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 64;
		int64_t *ids = reallocarray(s->ids, capacity, sizeof *ids);

		if (!ids)
			return false;
		s->ids = ids;
		s->capacity = capacity;
	}
	s->ids[s->count++] = id;
	return true;
}

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void id_set_seal(struct id_set *s)
{
	size_t kept = 0;

	if (s->count == 0)
		return;
	qsort(s->ids, s->count, sizeof *s->ids, compare_ids);
	for (size_t i = 0; i < s->count; i++)
		if (kept == 0 || s->ids[kept - 1] != s->ids[i])
			s->ids[kept++] = s->ids[i];
	s->count = kept;
}

bool id_set_has(const struct id_set *s, int64_t id)
{
	return s->count && bsearch(&id, s->ids, s->count, sizeof id, compare_ids);
}

void id_set_free(struct id_set *s)
{
	free(s->ids);
	*s = (struct id_set){ 0 };
}

/* ---- blocks to contents to nodes --------------------------------------------------- */

static int add_dependents(struct catalogue *c, int64_t base, struct id_set *out,
			  struct err *e)
{
	struct query q;
	int got;

	if (query_open(&q, c, STATEMENT_SCAN_DEPENDENTS, "SELECT id FROM block WHERE base1 = ?1"
		       " UNION ALL SELECT id FROM block WHERE base2 = ?1", e) < 0)
		return -1;
	query_int(&q, base);
	while ((got = query_step(&q, e)) > 0) {
		int64_t id = query_column_id(&q, 0);

		/* A dependent is younger than its base, so this ends. */
		if (q.is_bad || id <= base) {
			got = catalogue_damaged(c, e, "block %" PRId64 " depends on itself", base);
			break;
		}
		if (!id_set_add(out, id)) {
			got = no_memory(e);
			break;
		}
	}
	query_close(&q);
	return got;
}

/* All of `blocks` and what cannot be decoded without them: wave after wave. */
static int with_dependents(struct catalogue *c, const int64_t *blocks, size_t count,
			   struct id_set *all, struct err *e)
{
	struct id_set wave = { 0 }, next = { 0 };
	int rc = -1;

	for (size_t i = 0; i < count; i++)
		if (!id_set_add(&wave, blocks[i])) {
			no_memory(e);
			goto out;
		}
	while (wave.count > 0) {
		id_set_seal(&wave);
		for (size_t i = 0; i < wave.count; i++) {
			if (id_set_has(all, wave.ids[i]))
				continue;
			if (add_dependents(c, wave.ids[i], &next, e) < 0)
				goto out;
		}
		for (size_t i = 0; i < wave.count; i++)
			if (!id_set_add(all, wave.ids[i])) {
				no_memory(e);
				goto out;
			}
		id_set_seal(all);
		id_set_free(&wave);
		wave = next;
		next = (struct id_set){ 0 };
	}
	rc = 0;
out:
	id_set_free(&wave);
	id_set_free(&next);
	return rc;
}

static int contents_of(struct catalogue *c, const struct id_set *blocks,
		       struct id_set *contents, struct err *e)
{
	struct query q;
	struct extent_page page;
	bool has_more;
	int got;

	if (query_open(&q, c, STATEMENT_SCAN_CONTENT, "SELECT id, 0, extents FROM content"
		       " UNION ALL SELECT content, page, extents FROM content_page", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0) {
		size_t size;
		int64_t id = query_column_id(&q, 0);
		int64_t first = query_column(&q, 1, 0, INT64_MAX);
		const uint8_t *data = query_column_blob(&q, 2, 1, EXTENTS_PACKED_MAX, &size);

		if (q.is_bad || !extents_parse((uint64_t)first, data, size, &page, &has_more)) {
			got = catalogue_damaged(c, e, "the extents of content %" PRId64
						" do not read", id);
			break;
		}
		for (unsigned i = 0; i < page.count; i++) {
			if (!id_set_has(blocks, page.extents[i].block))
				continue;
			if (!id_set_add(contents, id))
				got = no_memory(e);
			break;
		}
		if (got < 0)
			break;
	}
	query_close(&q);
	id_set_seal(contents);
	return got;
}

static int nodes_of(struct catalogue *c, const struct id_set *contents, struct id_set *nodes,
		    struct err *e)
{
	struct query q;
	int got;

	if (query_open(&q, c, STATEMENT_SCAN_NODE,
		       "SELECT id, content FROM node WHERE content <> 0", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0) {
		int64_t id = query_column_id(&q, 0);
		int64_t content = query_column_id(&q, 1);

		if (query_check(&q, "node", id, e) < 0 ||
		    (id_set_has(contents, content) && !id_set_add(nodes, id) &&
		     no_memory(e) < 0)) {
			got = -1;
			break;
		}
	}
	query_close(&q);
	id_set_seal(nodes);
	return got;
}

/* ---- nodes to paths ------------------------------------------------------------------ */

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
		   int64_t first, int64_t last, int64_t node);
	void *arg;
	bool is_stopped;
	struct climb *todo;	/* owned; a stack */
	size_t count, capacity;
};

static int push_climb(struct finder *f, int64_t directory, int64_t first, int64_t last,
		      const void *name, size_t name_size, const struct climb *from,
		      struct err *e)
{
	size_t size = name_size + (from ? 1 + from->below_size : 0);
	uint64_t depth = from ? from->depth + 1 : 0;

	if (from && (directory == from->mark || directory == from->directory))
		return catalogue_damaged(f->c, e, "directory %" PRId64 " stands within itself",
					 directory);
	if (f->count == f->capacity) {
		size_t capacity = f->capacity ? f->capacity * 2 : 8;
		struct climb *todo = reallocarray(f->todo, capacity, sizeof *todo);

		if (!todo)
			return no_memory(e);
		f->todo = todo;
		f->capacity = capacity;
	}
	char *below = malloc(size + 1);
	if (!below)
		return no_memory(e);
	memcpy(below, name, name_size);
	if (from) {
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

/* Every path of an entry, by climbing from its directory to the root. */
static int tell_paths(struct finder *f, int64_t node, struct err *e)
{
	while (f->count > 0 && !f->is_stopped) {
		struct climb at = f->todo[--f->count];
		int64_t system;
		int got = system_of_root(f->c, at.directory, &system, e);

		if (got == 0) {
			got = climb_names(f, &at, e);
		} else if (got > 0) {
			got = f->row(f->arg, system, at.below, at.below_size, at.first, at.last,
				     node);
			f->is_stopped = got > 0;
		}
		free(at.below);
		if (got < 0)
			return -1;
	}
	return 0;
}

static int newest_sealed(struct catalogue *c, int64_t *out, struct err *e)
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

static int tell_entries(struct finder *f, const struct id_set *nodes, struct err *e)
{
	struct query q;
	int64_t newest;
	int got = 0;

	/* Entries begun later belong to a version in progress. */
	if (newest_sealed(f->c, &newest, e) < 0 ||
	    query_open(&q, f->c, STATEMENT_SCAN_ENTRY, "SELECT dir, name, first, last, target"
		       " FROM entry WHERE kind = 1 AND first <= ?", e) < 0)
		return -1;
	query_int(&q, newest);
	while (!f->is_stopped && (got = query_step(&q, e)) > 0) {
		size_t size;
		int64_t directory = query_column_id(&q, 0);
		const uint8_t *name = query_column_blob(&q, 1, 1, CATALOGUE_NAME_MAX, &size);
		int64_t first = query_column_id(&q, 2), last = query_column_last(&q, 3);
		int64_t node = query_column_id(&q, 4);

		if (query_check(&q, "an entry of directory", directory, e) < 0 ||
		    (id_set_has(nodes, node) &&
		     (push_climb(f, directory, first, last, name, size, NULL, e) < 0 ||
		      tell_paths(f, node, e) < 0))) {
			got = -1;
			break;
		}
	}
	query_close(&q);
	return f->is_stopped || got == 0 ? 0 : -1;
}

int catalogue_files_of_blocks(struct catalogue *c, const int64_t *blocks, size_t count,
			      int (*row)(void *arg, int64_t system, const void *path,
					 size_t path_size, int64_t first, int64_t last,
					 int64_t node),
			      void *arg, struct err *e)
{
	struct id_set all = { 0 }, contents = { 0 }, nodes = { 0 };
	struct finder f = { .c = c, .row = row, .arg = arg };
	int rc = -1;

	if (with_dependents(c, blocks, count, &all, e) < 0 ||
	    contents_of(c, &all, &contents, e) < 0)
		goto out;
	if (contents.count > 0 && (nodes_of(c, &contents, &nodes, e) < 0 ||
				   tell_entries(&f, &nodes, e) < 0))
		goto out;
	rc = 0;
out:
	while (f.count > 0)
		free(f.todo[--f.count].below);
	free(f.todo);
	id_set_free(&all);
	id_set_free(&contents);
	id_set_free(&nodes);
	return rc;
}

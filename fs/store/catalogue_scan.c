/* Questions that need one pass over a whole table. */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/list.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "scanning the catalogue: no memory");
}

/* ---- sets of ids ------------------------------------------------------------------- */

bool id_set_add(struct id_set *s, int64_t id)
{
	if (!list_room(&s->ids, s->count, &s->capacity, sizeof *s->ids))
		return false;
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

struct finder {
	int64_t node;		/* of the entry at hand */
	int (*row)(void *arg, int64_t system, const void *path, size_t path_size,
		   int64_t first, int64_t last, int64_t node);
	void *arg;
	bool is_stopped;
};

static int on_path(void *arg, int64_t system, const void *path, size_t path_size,
		   int64_t first, int64_t last)
{
	struct finder *f = arg;
	int answer = f->row(f->arg, system, path, path_size, first, last, f->node);

	f->is_stopped = answer > 0;
	return answer;
}

static int tell_entries(struct catalogue *c, struct finder *f, const struct id_set *nodes,
			struct err *e)
{
	struct query q;
	int64_t newest;
	int got = 0;

	/* Entries begun later belong to a version in progress. */
	if (catalogue_newest_sealed(c, &newest, e) < 0 ||
	    query_open(&q, c, STATEMENT_SCAN_ENTRY, "SELECT dir, name, first, last, target"
		       " FROM entry WHERE kind = 1 AND first <= ?", e) < 0)
		return -1;
	query_int(&q, newest);
	while (!f->is_stopped && (got = query_step(&q, e)) > 0) {
		size_t size;
		int64_t directory = query_column_id(&q, 0);
		const uint8_t *name = query_column_blob(&q, 1, 1, CATALOGUE_NAME_MAX, &size);
		int64_t first = query_column_id(&q, 2), last = query_column_last(&q, 3);
		f->node = query_column_id(&q, 4);

		if (query_check(&q, "an entry of directory", directory, e) < 0 ||
		    (id_set_has(nodes, f->node) &&
		     catalogue_paths(c, directory, first, last, name, size, on_path, f, e) < 0)) {
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
	struct finder f = { .row = row, .arg = arg };
	int rc = -1;

	if (with_dependents(c, blocks, count, &all, e) < 0 ||
	    contents_of(c, &all, &contents, e) < 0)
		goto out;
	if (contents.count > 0 && (nodes_of(c, &contents, &nodes, e) < 0 ||
				   tell_entries(c, &f, &nodes, e) < 0))
		goto out;
	rc = 0;
out:
	id_set_free(&all);
	id_set_free(&contents);
	id_set_free(&nodes);
	return rc;
}

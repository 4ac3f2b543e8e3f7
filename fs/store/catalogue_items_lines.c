/*
 * Rows of the inventory, as much of each as settling needs, a page at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/store/catalogue_items_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for rows of the inventory");
}

static void drop_page(struct item_lines *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->list[i].path);
		free(p->list[i].original);
	}
	p->count = 0;
}

void item_lines_clear(struct item_lines *p)
{
	drop_page(p);
	free(p->after);
	p->after = NULL;
	p->after_size = 0;
}

static int line_from_row(struct query *q, struct item_line *l, struct err *e)
{
	const uint8_t *path, *attrs, *original, *target;
	struct node n = { .id = 0 };
	size_t attrs_size;

	*l = (struct item_line){ .id = query_column_id(q, 1) };
	path = query_column_blob(q, 0, 1, ITEM_PATH_MAX, &l->path_size);
	attrs = query_column_blob(q, 2, 1, ATTRS_MAX + SYMLINK_MAX, &attrs_size);
	if (!path || !item_path_is_sound(path, l->path_size) || !attrs ||
	    !attrs_parse(attrs, attrs_size, &n, &target))
		q->is_bad = true;
	l->kind = n.kind;
	l->links = n.links;
	l->size = n.kind == NODE_FILE ? n.size : 0;
	l->device = n.source_device;
	l->inode = n.source_inode;
	l->has_sha = sqlite3_column_type(q->stmt, 3) != SQLITE_NULL;
	if (l->has_sha)
		query_column_bytes(q, 3, l->sha.bytes, DIGEST_SIZE);
	l->is_opaque = query_column(q, 4, 0, 1);
	l->has_findings = query_column(q, 5, 0, ITEM_FINDINGS_MAX) > 0;
	l->copies = (uint64_t)query_column(q, 8, 0, INT64_MAX);
	if (sqlite3_column_type(q->stmt, 6) != SQLITE_NULL) {
		l->first = query_column_id(q, 6);
		original = query_column_blob(q, 7, 1, ITEM_PATH_MAX, &l->original_size);
		l->original = original ? item_bytes(original, l->original_size) : NULL;
		if (original && !l->original)
			return no_memory(e);
	}
	if (query_check(q, "item", l->id, e) < 0)
		return -1;
	l->path = item_bytes(path, l->path_size);
	return l->path ? 0 : no_memory(e);
}

int item_lines_next(struct catalogue *c, int64_t system, struct item_lines *p,
		    struct err *e)
{
	struct query q;
	int got = 0;

	drop_page(p);
	if (query_open(&q, c, STATEMENT_ITEM_SETTLE, "SELECT path, id, attrs, sha,"
		       " opaque IS NOT NULL, findings, first, original, copies FROM item"
		       " WHERE system = ? AND path > ? ORDER BY path", e) < 0)
		return -1;
	query_int(&q, system);
	query_blob(&q, p->after, p->after_size);
	while (p->count < ITEM_LINES && (got = query_step(&q, e)) > 0)
		if (line_from_row(&q, &p->list[p->count++], e) < 0) {
			got = -1;
			break;
		}
	query_close(&q);
	if (got < 0)
		return -1;
	if (p->count == 0)
		return 0;
	const struct item_line *last = &p->list[p->count - 1];

	free(p->after);
	p->after = item_bytes(last->path, last->path_size);
	p->after_size = last->path_size;
	return p->after ? 1 : no_memory(e);
}

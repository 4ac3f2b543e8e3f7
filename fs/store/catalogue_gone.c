#include "fs/store/catalogue_gone.h"

#include <string.h>

#include "fs/store/catalogue_inside.h"
#include "fs/store/catalogue_retention.h"

/* ---- one walk ------------------------------------------------------------------------ */

struct walk {
	struct query q;
	struct gone_entry row;	/* of entries; name points to `name` */
	char name[CATALOGUE_NAME_MAX + 1];
	int64_t id, first, last;	/* of nodes and directories */
	int64_t other;		/* what must be the same too: a node's class, a directory's
				 * node */
	uint8_t attrs[ATTRS_MAX];	/* a node's, as far as they fit here */
	size_t attrs_size;
};

static int entry_step(struct walk *w, struct err *e)
{
	size_t size = 0;
	int got = query_step(&w->q, e);

	if (got <= 0)
		return got;
	struct gone_entry *r = &w->row;
	r->directory = query_column_id(&w->q, 0);
	const uint8_t *name = query_column_blob(&w->q, 1, 1, CATALOGUE_NAME_MAX, &size);
	w->q.is_bad |= name && !entry_name_is_sound(name, size);
	r->first = query_column_id(&w->q, 2);
	r->last = query_column_last(&w->q, 3);
	r->kind = (enum node_kind)query_column(&w->q, 4, NODE_FILE, NODE_BLOCK);
	r->target = query_column_id(&w->q, 5);
	if (query_check(&w->q, "the entries of directory", r->directory, e) < 0)
		return -1;
	memcpy(w->name, name, size);
	w->name[size] = '\0';
	r->name = w->name;
	r->name_size = (uint16_t)size;
	return 1;
}

static int node_step(struct walk *w, struct err *e)
{
	size_t size = 0;
	int got = query_step(&w->q, e);

	if (got <= 0)
		return got;
	w->id = query_column_id(&w->q, 0);
	w->other = query_column_id(&w->q, 1);
	const uint8_t *attrs = query_column_blob(&w->q, 2, 1, ATTRS_MAX + SYMLINK_MAX, &size);
	if (query_check(&w->q, "node", w->id, e) < 0)
		return -1;
	w->attrs_size = size;
	memcpy(w->attrs, attrs, size < sizeof w->attrs ? size : sizeof w->attrs);
	return 1;
}

static int directory_step(struct walk *w, struct err *e)
{
	int got = query_step(&w->q, e);

	if (got <= 0)
		return got;
	w->id = query_column_id(&w->q, 0);
	w->first = query_column_id(&w->q, 1);
	w->last = query_column_last(&w->q, 2);
	w->other = query_column_id(&w->q, 3);
	return query_check(&w->q, "directory", w->id, e) < 0 ? -1 : 1;
}

/* ---- order and sameness ----------------------------------------------------------------- */

static int order(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int entry_order(const struct walk *a, const struct walk *b)
{
	size_t shorter = a->row.name_size < b->row.name_size ? a->row.name_size
							     : b->row.name_size;
	int by = order(a->row.directory, b->row.directory);

	if (by == 0)
		by = memcmp(a->name, b->name, shorter);
	if (by == 0)
		by = order(a->row.name_size, b->row.name_size);
	return by ? by : order(a->row.first, b->row.first);
}

static bool entry_is_same(const struct walk *a, const struct walk *b)
{
	return a->row.last == b->row.last && a->row.target == b->row.target &&
	       a->row.kind == b->row.kind;
}

static int id_order(const struct walk *a, const struct walk *b)
{
	int by = order(a->id, b->id);

	return by ? by : order(a->first, b->first);
}

static bool node_is_same(const struct walk *a, const struct walk *b)
{
	size_t size = a->attrs_size < sizeof a->attrs ? a->attrs_size : sizeof a->attrs;

	return a->other == b->other && a->attrs_size == b->attrs_size &&
	       memcmp(a->attrs, b->attrs, size) == 0;
}

static bool directory_is_same(const struct walk *a, const struct walk *b)
{
	return a->last == b->last && a->other == b->other;
}

/* ---- two walks ---------------------------------------------------------------------------- */

struct table {
	enum statement statement;
	const char *sql;
	int (*step)(struct walk *w, struct err *e);
	int (*order)(const struct walk *a, const struct walk *b);
	bool (*is_same)(const struct walk *a, const struct walk *b);
};

static const struct table entries = {
	STATEMENT_ALL_ENTRIES,
	"SELECT dir, name, first, last, kind, target FROM entry ORDER BY dir, name, first",
	entry_step, entry_order, entry_is_same,
};
static const struct table nodes = {
	STATEMENT_ALL_NODES,
	"SELECT id, class, attrs FROM node ORDER BY id", node_step, id_order, node_is_same,
};
static const struct table directories = {
	STATEMENT_ALL_DIRECTORIES,
	"SELECT id, first, last, node FROM directory ORDER BY id, first",
	directory_step, id_order, directory_is_same,
};

struct pair {
	struct walk old, now;
	int old_left, now_left;	/* as query_step() */
};

/* To the next row of old that now has not; 1, 0 at the end, -1. */
static int next_gone(struct pair *p, const struct table *t, struct err *e)
{
	for (;;) {
		int by = -1;

		p->old_left = t->step(&p->old, e);
		if (p->old_left <= 0)
			return p->old_left;
		while (p->now_left > 0 && (by = t->order(&p->now, &p->old)) < 0)
			p->now_left = t->step(&p->now, e);
		if (p->now_left < 0)
			return -1;
		if (p->now_left == 0 || by != 0 || !t->is_same(&p->old, &p->now))
			return 1;
	}
}

static int gone(struct catalogue *old, struct catalogue *now, const struct table *t,
		int (*row)(void *arg, const struct walk *w), void *arg, struct err *e)
{
	struct pair p = { .now_left = 0 };
	bool is_open = false;
	int rc = -1, got;

	if (query_open(&p.old.q, old, t->statement, t->sql, e) < 0)
		return -1;
	if (now) {
		if (query_open(&p.now.q, now, t->statement, t->sql, e) < 0)
			goto out;
		is_open = true;
		p.now_left = t->step(&p.now, e);
		if (p.now_left < 0)
			goto out;
	}
	while ((got = next_gone(&p, t, e)) > 0) {
		got = row(arg, &p.old);
		if (got != 0) {
			got = got > 0 ? 0 : -1;
			break;
		}
	}
	rc = got < 0 ? -1 : 0;
out:
	if (is_open)
		query_close(&p.now.q);
	query_close(&p.old.q);
	return rc;
}

struct caller {
	int (*entry)(void *arg, const struct gone_entry *r);
	int (*node)(void *arg, int64_t node);
	int (*directory)(void *arg, int64_t id, int64_t first, int64_t last);
	void *arg;
};

static int give_entry(void *arg, const struct walk *w)
{
	const struct caller *to = arg;

	return to->entry(to->arg, &w->row);
}

static int give_node(void *arg, const struct walk *w)
{
	const struct caller *to = arg;

	return to->node(to->arg, w->id);
}

static int give_directory(void *arg, const struct walk *w)
{
	const struct caller *to = arg;

	return to->directory(to->arg, w->id, w->first, w->last);
}

int catalogue_gone_entries(struct catalogue *old, struct catalogue *now,
			   int (*row)(void *arg, const struct gone_entry *r), void *arg,
			   struct err *e)
{
	struct caller to = { .entry = row, .arg = arg };

	return gone(old, now, &entries, give_entry, &to, e);
}

int catalogue_gone_nodes(struct catalogue *old, struct catalogue *now,
			 int (*row)(void *arg, int64_t node), void *arg, struct err *e)
{
	struct caller to = { .node = row, .arg = arg };

	return gone(old, now, &nodes, give_node, &to, e);
}

int catalogue_gone_directories(struct catalogue *old, struct catalogue *now,
			       int (*row)(void *arg, int64_t id, int64_t first, int64_t last),
			       void *arg, struct err *e)
{
	struct caller to = { .directory = row, .arg = arg };

	return gone(old, now, &directories, give_directory, &to, e);
}

/* ---- of classes ------------------------------------------------------------------------------ */

static int nodes_of_class(struct catalogue *c, enum statement which, const char *sql,
			  int64_t class_id, int (*row)(void *arg, int64_t node), void *arg,
			  struct err *e)
{
	struct query q;
	int got, stop = 0;

	if (query_open(&q, c, which, sql, e) < 0)
		return -1;
	query_int(&q, class_id);
	while (stop == 0 && (got = query_step(&q, e)) != 0) {
		int64_t id = got > 0 ? query_column_id(&q, 0) : 0;
		if (got < 0 || query_check(&q, "the nodes of class", class_id, e) < 0)
			stop = -1;
		else
			stop = row(arg, id);
	}
	query_close(&q);
	return stop < 0 ? -1 : 0;
}

int catalogue_class_nodes(struct catalogue *c, int64_t class_id,
			  int (*row)(void *arg, int64_t node), void *arg, struct err *e)
{
	return nodes_of_class(c, STATEMENT_CLASS_NODES,
			      "SELECT id FROM node WHERE class = ? ORDER BY id", class_id, row,
			      arg, e);
}

int catalogue_class_nodes_beside(struct catalogue *c, int64_t class_id,
				 int (*row)(void *arg, int64_t node), void *arg,
				 struct err *e)
{
	bool is_any;

	/* Catalogues of older formats have no such table. */
	if (catalogue_node_class_any(c, &is_any, e) < 0)
		return -1;
	return !is_any ? 0 :
	       nodes_of_class(c, STATEMENT_CLASS_NODES_BESIDE,
			      "SELECT node FROM node_class WHERE class = ? ORDER BY node",
			      class_id, row, arg, e);
}

static bool is_among(const int64_t *ids, size_t count, int64_t id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && ids[low] == id;
}

int catalogue_entries_of_nodes(struct catalogue *c, const int64_t *ids, size_t count,
			       int (*row)(void *arg, const struct gone_entry *r), void *arg,
			       struct err *e)
{
	struct walk w = { .id = 0 };
	int got, stop = 0;

	if (query_open(&w.q, c, entries.statement, entries.sql, e) < 0)
		return -1;
	while (stop == 0 && (got = entry_step(&w, e)) != 0) {
		if (got < 0)
			stop = -1;
		else if (w.row.kind != NODE_DIRECTORY && is_among(ids, count, w.row.target))
			stop = row(arg, &w.row);
	}
	query_close(&w.q);
	return stop < 0 ? -1 : 0;
}

/* ---- a place in a listing ----------------------------------------------------------------------- */

int catalogue_name_before(struct catalogue *c, int64_t directory, const void *name,
			  size_t name_size, char *out, uint16_t *out_size, struct err *e)
{
	struct query q;
	size_t size = 0;
	int rc = -1;

	if (query_open(&q, c, STATEMENT_NAME_BEFORE,
		       "SELECT name FROM entry WHERE dir = ? AND name <= ?"
		       " ORDER BY name DESC LIMIT 1", e) < 0)
		return -1;
	query_int(&q, directory);
	query_blob(&q, name, name_size);
	int got = query_step(&q, e);
	if (got > 0) {
		const uint8_t *found = query_column_blob(&q, 0, 1, CATALOGUE_NAME_MAX, &size);
		rc = query_check(&q, "the entries of directory", directory, e);
		if (rc == 0) {
			memcpy(out, found, size);
			out[size] = '\0';
			*out_size = (uint16_t)size;
		}
	} else if (got == 0) {
		err_set(e, MUNI_NOT_FOUND, "no name before that one");
	}
	query_close(&q);
	return rc;
}

/*
 * Directories of one version with their source's inodes.  The table holds
 * those of all systems side by side; parents tell which belong here.
 */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <stdlib.h>

#include "fs/base/list.h"

enum belongs { UNKNOWN, ON_THE_WAY, INSIDE, OUTSIDE };

struct place {
	int64_t id, parent;
	uint64_t device, inode;
	enum belongs belongs;
};

struct places {		/* by id, as the table gives them */
	struct place *items;
	size_t count, capacity;
};

static int add_place(struct places *s, const struct place *p, struct err *e)
{
	if (!list_room(&s->items, s->count, &s->capacity, sizeof *s->items))
		return err_set(e, MUNI_NO_MEMORY, "listing directories: no memory");
	s->items[s->count++] = *p;
	return 0;
}

static int compare_places(const void *a, const void *b)
{
	int64_t x = ((const struct place *)a)->id, y = ((const struct place *)b)->id;

	return (x > y) - (x < y);
}

static struct place *find_place(const struct places *s, int64_t id)
{
	const struct place key = { .id = id };

	return s->count == 0 ? NULL :
		bsearch(&key, s->items, s->count, sizeof key, compare_places);
}

static int load_places(struct catalogue *c, int64_t version, struct places *s, struct err *e)
{
	struct query q;
	int got;

	if (query_open(&q, c, STATEMENT_SCAN_INODES, "SELECT d.id, d.parent, n.content,"
		       " n.class, n.attrs FROM directory d LEFT JOIN node n ON n.id = d.node"
		       " WHERE d.first <= ?1 AND (d.last IS NULL OR d.last >= ?1)"
		       " ORDER BY d.id, d.first", e) < 0)
		return -1;
	query_int(&q, version);
	while ((got = query_step(&q, e)) > 0) {
		struct node n = { 0 };
		struct place p = { .id = query_column_id(&q, 0),
				   .parent = query_column(&q, 1, 0, INT64_MAX - 1) };

		node_from_row(&q, 2, &n);
		p.device = n.source_device;
		p.inode = n.source_inode;
		if (s->count > 0 && s->items[s->count - 1].id == p.id)
			q.is_bad = true;	/* two rows for one version */
		if (query_check(&q, "directory", p.id, e) < 0 || add_place(s, &p, e) < 0) {
			got = -1;
			break;
		}
	}
	query_close(&q);
	return got;
}

/* Climbs until something is known, then marks the way: each is climbed once. */
static bool is_inside(struct places *s, struct place *p, int64_t root)
{
	struct place *at = p;
	enum belongs answer = OUTSIDE;

	while (at && at->belongs == UNKNOWN && at->id != root) {
		at->belongs = ON_THE_WAY;
		at = find_place(s, at->parent);
	}
	if (at && at->belongs != ON_THE_WAY)	/* else a circle, or broken off */
		answer = at->id == root ? INSIDE : at->belongs;
	for (at = p; at && at->belongs == ON_THE_WAY; at = find_place(s, at->parent))
		at->belongs = answer;
	if (p->id == root)
		p->belongs = INSIDE;
	return p->belongs == INSIDE;
}

int catalogue_directory_inodes(struct catalogue *c, int64_t version,
			       int (*row)(void *arg, int64_t id, uint64_t device,
					  uint64_t inode), void *arg, struct err *e)
{
	struct places s = { 0 };
	struct version v;
	int rc = -1;

	if (catalogue_version_get(c, version, &v, e) < 0 ||
	    load_places(c, version, &s, e) < 0)
		goto out;
	for (size_t i = 0; i < s.count; i++) {
		const struct place *p = &s.items[i];

		if (!is_inside(&s, &s.items[i], v.root) || (p->device | p->inode) == 0)
			continue;
		int answer = row(arg, p->id, p->device, p->inode);
		if (answer != 0) {
			rc = answer > 0 ? 0 : -1;
			goto out;
		}
	}
	rc = 0;
out:
	free(s.items);
	return rc;
}

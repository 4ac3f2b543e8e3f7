/* From kept names to nodes, contents, attribute sets, accounts. */
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/base/total.h"
#include "fs/vault/doom_inside.h"

struct marking {
	struct doom *d;
	struct err *e;
	struct doomed **by_node;	/* files among the records; owned */
	size_t count, next;
};

static int keep_directory_node(void *arg, const struct directory *row)
{
	struct marking *m = arg;

	if (!doom_range_is_gone(m->d, row->id, row->first, row->last) &&
	    !bits_add(&m->d->nodes, row->node))
		return doom_no_memory(m->e);
	return 0;
}

/* Of a node that records of the list name. */
static int note_doomed(struct marking *m, const struct node *n)
{
	struct doom *d = m->d;
	bool is_first = true;

	while (m->next < m->count && m->by_node[m->next]->target < n->id)
		m->next++;
	for (; m->next < m->count && m->by_node[m->next]->target == n->id; m->next++) {
		struct doomed *r = m->by_node[m->next];

		r->content = n->content;
		r->size = n->size;
		if (is_first && n->kind == NODE_FILE)
			total_add(&d->result.bytes, n->size);
		is_first = false;
		if (n->content != 0 && !bits_add(&d->contents_doomed, n->content))
			return doom_no_memory(m->e);
	}
	return 0;
}

static int mark_node(void *arg, const struct node *n)
{
	struct marking *m = arg;
	struct doom *d = m->d;

	if (note_doomed(m, n) < 0)
		return -1;
	if (!bits_has(&d->nodes, n->id))
		return 0;
	if ((n->content != 0 && !bits_add(&d->contents, n->content)) ||
	    (n->xattrs != 0 && !bits_add(&d->xattrs, n->xattrs)) ||
	    !bits_add(&d->accounts, n->owner) || !bits_add(&d->accounts, n->group))
		return doom_no_memory(m->e);
	return 0;
}

static int by_target(const void *a, const void *b)
{
	const struct doomed *x = *(struct doomed *const *)a, *y = *(struct doomed *const *)b;

	return (x->target > y->target) - (x->target < y->target);
}

int doom_mark_nodes(struct doom *d, struct err *e)
{
	struct marking m = { .d = d, .e = e };
	int rc = -1;

	m.by_node = calloc(d->record_count + 1, sizeof *m.by_node);
	if (!m.by_node)
		return doom_no_memory(e);
	for (size_t i = 0; i < d->record_count; i++) {
		if (d->records[i].kind == NODE_DIRECTORY)
			continue;
		m.by_node[m.count++] = &d->records[i];
	}
	d->result.records = d->record_count;
	qsort(m.by_node, m.count, sizeof *m.by_node, by_target);
	if (catalogue_each_directory(d->catalogue, keep_directory_node, &m, e) < 0 ||
	    catalogue_each_node(d->catalogue, mark_node, &m, e) < 0)
		goto out;
	rc = 0;
out:
	free(m.by_node);
	return rc;
}

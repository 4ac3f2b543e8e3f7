/*
 * A directory whose children are all known: its node, its root, its row, and
 * its entry in its parent.
 */
#include <stdlib.h>

#include "fs/store/catalogue_retention.h"
#include "fs/vault/graft_inside.h"
#include "fs/vault/leaf.h"

struct gather {
	struct graft *t;
	struct dir *d;
};

/* Leaves of entries that stand as they stood: their children's roots may be new. */
static int gather_kept(void *arg, const struct entry *entry, struct err *e)
{
	struct gather *g = arg;
	int64_t version = g->t->g->version.id;
	struct digest leaf;

	if (entry->first == version)
		return 0;
	if (leaf_of_entry(g->t->c, version, entry, &leaf, e) < 0)
		return -1;
	return graft_keep_leaf(g->d, &leaf, e);
}

static int compute_root(struct graft *t, struct dir *d, struct digest *out, struct err *e)
{
	struct gather g = { t, d };

	if (d->has_kept && leaf_each_row(t->c, t->g->version.id, d->id, gather_kept, &g,
					 e) < 0)
		return err_wrap(e, "computing the root of a directory");
	*out = leaf_root(d->leaves, d->leaf_count);
	return 0;
}

struct settled {		/* a directory against the version before */
	struct directory row;
	int64_t prior_node;	/* 0: it is new */
	bool is_same_node;	/* its own attributes */
	bool is_same;		/* all of it, to the leaves */
};

/* d's own row, its node and root settled. */
static int settle_row(struct graft *t, struct dir *d, struct settled *out, struct err *e)
{
	int64_t version = t->g->version.id, previous = t->g->version.previous;
	struct directory prior = { .id = 0 }, *row = &out->row;
	struct node n;

	*row = (struct directory){ .id = d->id, .first = version };
	out->prior_node = 0;
	out->is_same_node = d->is_meta_same;
	if (d->parent && graft_dir_id(t, d->parent, &row->parent, e) < 0)
		return -1;
	if (d->prior_id != 0) {
		if (catalogue_directory(t->c, previous, d->prior_id, &prior, e) < 0)
			return -1;
		out->prior_node = prior.node;
		if (!out->is_same_node &&
		    graft_is_same(t, prior.node, &d->meta, NULL, &out->is_same_node,
				  e) < 0)
			return -1;
	}
	if (out->is_same_node)
		row->node = prior.node;
	else if (graft_add_node(t, &d->meta, NULL, 0, &n, e) < 0)
		return -1;
	else
		row->node = n.id;
	if (t->is_dry) {
		out->is_same = out->is_same_node && !d->is_changed;
		return 0;
	}
	if (d->prior_id != 0 && !d->is_changed)
		row->root = prior.root;
	else if (compute_root(t, d, &row->root, e) < 0)
		return -1;
	out->is_same = d->prior_id != 0 && row->node == prior.node &&
		       row->parent == prior.parent && digest_equal(&row->root, &prior.root);
	if (out->is_same)
		return 0;
	t->rows += 2;
	if (d->prior_id != 0 &&
	    catalogue_directory_close(t->c, d->prior_id, prior.first, previous, e) < 0)
		return -1;
	return catalogue_directory_add(t->c, row, e);
}

/* The directory's entry in its parent, and what it means for the parent's root. */
static int settle_entry(struct graft *t, struct dir *d, const struct settled *s,
			struct err *e)
{
	struct dir *parent = d->parent;
	struct entry entry;
	struct digest leaf;

	if (d->prior.is_there && d->prior.directory == d->id) {
		parent->has_kept = true;
		parent->is_changed = parent->is_changed || !s->is_same;
		if (s->is_same_node)
			t->sums.unchanged++;
		else
			t->sums.changed++;
		return 0;
	}
	if (d->prior_id != 0)
		t->sums.moved++;
	else
		t->sums.added++;
	t->sums.removed += d->prior.is_there;
	if (d->prior.is_there &&
	    graft_close_entry(t, parent, d->name, d->name_size, &d->prior, e) < 0)
		return -1;
	if (graft_open_entry(t, parent, d->name, d->name_size, NODE_DIRECTORY, d->id, s->row.node,
			     NULL, &entry, e) < 0)
		return -1;
	if (t->is_dry)
		return 0;
	if (leaf_of_entry(t->c, t->g->version.id, &entry, &leaf, e) < 0)
		return -1;
	return graft_keep_leaf(parent, &leaf, e);
}

static int finish_gone(struct graft *t, struct dir *d, struct err *e)
{
	if (!d->prior.is_there || !d->parent)
		return 0;
	t->sums.removed++;
	return graft_close_entry(t, d->parent, d->name, d->name_size, &d->prior, e);
}

/* A new version covers what is there: what was destroyed belongs to the roots of the
 * versions that it stood in. */
static int leave_stubs(struct graft *t, struct dir *d, struct err *e)
{
	uint64_t count;

	if (!t->has_stubs || t->is_dry || d->prior_id == 0)
		return 0;
	if (catalogue_stubs_close(t->c, d->prior_id, t->g->version.previous, &count, e) < 0)
		return -1;
	d->is_changed = d->is_changed || count > 0;
	return 0;
}

/* An empty directory is a record. */
static bool is_record(const struct dir *d)
{
	return d->parent && d->child_total == 0 && d->leaf_count == 0 && !d->has_kept;
}

/* A restriction stays with the record, whatever its attributes became. */
static int inherit_restriction(struct graft *t, const struct dir *d, const struct settled *s,
			       struct err *e)
{
	struct node before;
	bool changed;

	if (t->g->restricted_count == 0 || t->is_dry || s->is_same_node || s->prior_node == 0 ||
	    !is_record(d))
		return 0;
	if (catalogue_node(t->c, s->prior_node, false, &before, e) < 0)
		return -1;
	if (ingest_class_base(t->g, before.class_id) == before.class_id)
		return 0;
	return catalogue_node_restrict(t->c, s->row.node, true, &changed, e);
}

/* An empty directory is a record: its class is noted beside its node, for the nodes of
 * directories are shown whatever their class. */
static int note_class(struct graft *t, const struct dir *d, int64_t node, struct err *e)
{
	const struct ingest *g = t->g;
	int64_t class_id = g->class_id;
	size_t size;

	if (t->is_dry || !is_record(d))
		return 0;
	if (g->selection) {
		char *path = ingest_path(d, NULL, &size);

		if (!path)
			return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
		class_id = g->foreign ? selection_by_path(g->selection, path, size).class_id :
			selection_of(g->selection, path, size, 0, d->meta.mtime).class_id;
		free(path);
	}
	return class_id > 1 ? catalogue_node_class_add(t->c, node, class_id, e) : 0;
}

static int note_numbers(struct graft *t, const struct dir *d, struct err *e)
{
	if (!d->has_numbers || d->is_uncertain || t->is_dry)
		return 0;
	t->rows++;
	return catalogue_numbers_put(t->c, t->g->version.id, d->id, &d->numbers, e);
}

int graft_finish(struct graft *t, struct dir *d, struct err *e)
{
	struct settled s;
	int64_t id;

	if (d->is_gone)
		return finish_gone(t, d, e);
	if (graft_dir_id(t, d, &id, e) < 0 || leave_stubs(t, d, e) < 0 ||
	    note_numbers(t, d, e) < 0)
		return -1;
	if (d->parent)
		t->tally.directories++;
	/* The common case of a later version: nothing here is to be looked up. */
	if (d->is_meta_same && !d->is_changed && d->parent &&
	    d->prior.is_there && d->prior.directory == id) {
		d->parent->has_kept = true;
		t->sums.unchanged++;
		return 0;
	}
	if (settle_row(t, d, &s, e) < 0 || note_class(t, d, s.row.node, e) < 0 ||
	    inherit_restriction(t, d, &s, e) < 0)
		return -1;
	return d->parent ? settle_entry(t, d, &s, e) : 0;
}

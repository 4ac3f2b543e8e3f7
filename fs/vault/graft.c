#include "fs/vault/graft.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/total.h"
#include "fs/store/catalogue_retention.h"
#include "fs/vault/graft_inside.h"
#include "fs/vault/leaf.h"

#define ROWS_A_COMMIT 100000
#define STORED_A_COMMIT (16u << 20)	/* bytes of blocks: what a kill stores for nothing, about */

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the catalogue's rows");
}

int graft_new(struct ingest *g, struct graft **out, struct err *e)
{
	struct graft *t = calloc(1, sizeof *t);

	*out = t;
	if (!t)
		return no_memory(e);
	t->g = g;
	t->c = g->vault->catalogue;
	t->is_dry = g->options->dry_run;
	return catalogue_stub_any(t->c, &t->has_stubs, e);
}

static void forget_segments(struct graft *t)
{
	while (t->noted) {
		struct pack_segment *s = t->noted;

		t->noted = s->next;
		pack_segment_free(s);
	}
	t->noted_bytes = 0;
}

void graft_free(struct graft *t)
{
	if (!t)
		return;
	map_free(&t->account_ids);
	map_free(&t->account_names);
	map_free(&t->xattrs);
	map_free(&t->groups);
	free(t->removed);
	forget_segments(t);
	free(t);
}

/* ---- transactions ------------------------------------------------------------------ */

int graft_begin(struct graft *t, struct err *e)
{
	if (t->is_begun || t->is_dry)
		return 0;
	if (catalogue_begin(t->c, e) < 0)
		return -1;
	t->is_begun = true;
	return 0;
}

static int commit(struct graft *t, struct err *e)
{
	if (!t->is_begun)
		return 0;
	if (graft_add_chunks(t, t->noted, e) < 0 || catalogue_commit(t->c, e) < 0)
		return -1;
	t->is_begun = false;
	t->rows = 0;
	for (const struct pack_segment *s = t->noted; s; s = s->next)
		packer_committed(t->g->packer, s);
	forget_segments(t);
	return 0;
}

int graft_settle(struct graft *t, struct err *e)
{
	/* Of little the rest is not worth a sync more. */
	if (t->is_dry || atomic_load(&t->g->bytes_done) < STORED_A_COMMIT)
		return 0;
	return commit(t, e) < 0 ? -1 : catalogue_checkpoint_some(t->c, e);
}

void graft_rollback(struct graft *t)
{
	if (t->is_begun)
		catalogue_rollback(t->c);
	t->is_begun = false;
}

void graft_done(struct graft *t)
{
	t->is_begun = false;
}

int graft_problem(struct graft *t, const struct problem *p, struct err *e)
{
	if (t->is_dry)
		return 0;
	if (graft_begin(t, e) < 0)
		return -1;
	return catalogue_problem_add(t->c, t->g->version.id, p->path, p->path_size,
				     p->what, e);
}

static int add_rows(struct graft *t, struct pack_segment *s, struct err *e)
{
	int64_t id;

	if (graft_begin(t, e) < 0 ||
	    catalogue_reserve(t->c, SEQUENCE_SEGMENT, 1, &id, e) < 0 ||
	    catalogue_segment_add(t->c, id, s->uid, e) < 0)
		return -1;
	for (size_t i = 0; i < s->count; i++) {
		struct pack_block *b = &s->blocks[i];

		b->block.segment = id;
		if (catalogue_block_add(t->c, &b->block, e) < 0 ||
		    catalogue_sketch_add(t->c, b->block.id, &b->sketch, e) < 0)
			return -1;
		t->noted_bytes += b->block.stored;
		t->rows += (unsigned)b->count;
	}
	return 0;
}

int graft_segment(struct graft *t, struct pack_segment *s, struct err *e)
{
	int rc;

	s->next = t->noted;
	t->noted = s;
	rc = add_rows(t, s, e);
	if (rc == 0 && (t->noted_bytes >= STORED_A_COMMIT || t->rows >= ROWS_A_COMMIT))
		rc = commit(t, e);
	return rc < 0 ? err_wrap(e, "noting a segment in the catalogue") : 0;
}

/* ---- rows of entries ------------------------------------------------------------------ */

int graft_dir_id(struct graft *t, struct dir *d, int64_t *out, struct err *e)
{
	if (d->id == 0)
		d->id = d->prior_id;
	if (d->id == 0 && graft_id(t, SEQUENCE_DIRECTORY, &d->id, e) < 0)
		return -1;
	*out = d->id;
	return 0;
}

int graft_keep_leaf(struct dir *d, const struct digest *leaf, struct err *e)
{
	if (d->leaf_count == d->leaf_capacity) {
		size_t more = d->leaf_capacity ? d->leaf_capacity * 2 : 8;
		struct digest *list = realloc(d->leaves, more * sizeof *list);

		if (!list)
			return no_memory(e);
		d->leaves = list;
		d->leaf_capacity = more;
	}
	d->leaves[d->leaf_count++] = *leaf;
	return 0;
}

int graft_close_entry(struct graft *t, struct dir *d, const char *name, size_t name_size,
		       const struct prior *prior, struct err *e)
{
	int64_t id;

	d->is_changed = true;
	t->rows++;
	if (prior->kind == NODE_DIRECTORY) {
		if (t->removed_count == t->removed_capacity) {
			size_t more = t->removed_capacity ? t->removed_capacity * 2 : 64;
			int64_t *list = realloc(t->removed, more * sizeof *list);

			if (!list)
				return no_memory(e);
			t->removed = list;
			t->removed_capacity = more;
		}
		t->removed[t->removed_count++] = prior->directory;
	}
	if (t->is_dry)
		return 0;
	if (graft_dir_id(t, d, &id, e) < 0)
		return -1;
	return catalogue_entry_close(t->c, id, name, name_size, prior->first,
				     t->g->version.previous, e);
}

int graft_open_entry(struct graft *t, struct dir *d, const char *name, size_t name_size,
		     enum node_kind kind, int64_t directory, int64_t node,
		     const uint8_t *salt, struct entry *out, struct err *e)
{
	int64_t id;

	d->is_changed = true;
	t->rows++;
	*out = (struct entry){ .name_size = (uint16_t)name_size, .kind = kind,
			       .first = t->g->version.id, .last = CATALOGUE_OPEN_ENDED,
			       .directory = directory, .node = node };
	memcpy(out->name, name, name_size);
	if (salt)
		memcpy(out->salt, salt, sizeof out->salt);
	else if (random_bytes(out->salt, sizeof out->salt, e) < 0)
		return -1;
	if (t->is_dry)
		return 0;
	return graft_dir_id(t, d, &id, e) < 0 ? -1 : catalogue_entry_add(t->c, id, out, e);
}

/* ---- items ------------------------------------------------------------------------------- */

/* Two groups may have been one before: the first to ask keeps the node. */
static int claim_node(struct graft *t, int64_t node, const struct body *b, bool *out,
		      struct err *e)
{
	uint64_t holder;

	*out = true;
	if (b->meta.links < 2)
		return 0;
	holder = map_get(&t->groups, (uint64_t)node, 0);
	*out = holder == 0 || holder == (uintptr_t)b;
	if (holder == 0 && !map_put(&t->groups, (uint64_t)node, 0, (uintptr_t)b))
		return no_memory(e);
	return 0;
}

/* A file that moves into another class: nobody read it, nothing of it moves. */
static int keep_content(struct graft *t, struct body *b, struct err *e)
{
	struct node n;

	if (catalogue_node(t->c, b->keeps, true, &n, e) < 0)
		return -1;
	b->digest = n.sha256;
	b->allocated = n.allocated;
	return 0;
}

/* A restriction stays with what it was placed on, whatever else was changed of it. */
static int inherit_restriction(struct graft *t, const struct prior *prior,
			       const struct node *n, struct err *e)
{
	struct node before;
	bool changed;

	if (t->g->restricted_count == 0 || !prior->is_there || prior->kind != n->kind ||
	    t->is_dry)
		return 0;
	if (catalogue_node(t->c, prior->node, false, &before, e) < 0)
		return -1;
	if (ingest_class_base(t->g, before.class_id) == before.class_id ||
	    before.content != n->content)
		return 0;
	return catalogue_node_restrict(t->c, n->id, true, &changed, e);
}

/* Settles which node the item's body is. n is filled when it is new. */
static int settle(struct graft *t, struct item *item, struct node *n, struct err *e)
{
	struct body *b = item->body;
	const struct prior *prior = &item->prior;
	bool is_same = false;

	if (b->node != 0)
		return 0;
	if (prior->is_there && prior->kind == b->meta.kind) {
		if (graft_is_same(t, prior->node, &b->meta, b, &is_same, e) < 0)
			return -1;
		if (is_same && claim_node(t, prior->node, b, &is_same, e) < 0)
			return -1;
	}
	if (is_same) {
		b->node = prior->node;
		b->is_known = true;
		return 0;
	}
	if (b->keeps && keep_content(t, b, e) < 0)
		return -1;
	if (graft_add_node(t, &b->meta, b, b->keeps ? b->keeps : prior->is_there &&
			   prior->kind == NODE_FILE ? prior->node : 0, n, e) < 0)
		return -1;
	b->node = n->id;
	return inherit_restriction(t, prior, n, e);
}

/* A name of another class than its file's: retention goes by each of them. */
static int note_class(struct graft *t, const struct item *item, struct err *e)
{
	const struct body *b = item->body;

	if (item->class_id <= 1 || t->is_dry)	/* 1: nobody classified it */
		return 0;
	if (!b->is_known && item->class_id == b->class_id)
		return 0;
	struct node n;
	if (catalogue_node(t->c, b->node, false, &n, e) < 0)
		return -1;
	if (ingest_class_base(t->g, n.class_id) == item->class_id)
		return 0;
	return catalogue_node_class_add(t->c, b->node, item->class_id, e);
}

static struct digest leaf_of(const struct item *item, const uint8_t *salt,
			     const struct node *n)
{
	const struct body *b = item->body;
	struct leaf l = { .salt = salt, .name = item->name,
			  .name_size = item->name_size, .node = n,
			  .owner = b->meta.owner, .group = b->meta.group,
			  .xattrs = b->meta.xattrs, .xattrs_size = b->meta.xattrs_size,
			  .target = b->meta.target, .target_size = (size_t)b->meta.size,
			  .content = &b->digest };

	return leaf_hash(&l);
}

int graft_make_leaf(struct item *item, struct err *e)
{
	struct node n;

	if (item->body->is_failed)
		return 0;
	graft_node_of(&item->body->meta, item->body, &n);
	if (random_bytes(item->salt, sizeof item->salt, e) < 0)
		return -1;
	item->leaf = leaf_of(item, item->salt, &n);
	item->has_leaf = true;
	return 0;
}

/* The leaf of a fresh entry; from memory where the node is new. */
static int item_leaf(struct graft *t, struct item *item, const struct entry *entry,
		     const struct node *n, struct digest *out, struct err *e)
{
	if (n->id == 0)
		return leaf_of_entry(t->c, t->g->version.id, entry, out, e);
	*out = item->has_leaf ? item->leaf : leaf_of(item, entry->salt, n);
	return 0;
}

static void count_item(struct graft *t, const struct body *b, bool is_first_name)
{
	if (b->meta.kind != NODE_FILE) {
		t->tally.others++;
		return;
	}
	t->tally.files++;
	if (is_first_name)
		total_add(&t->tally.bytes, b->meta.size);
}

/* An item that failed: told once by who read it, and for each of its other names. */
static int leave_out(struct graft *t, struct dir *d, struct item *item, struct err *e)
{
	static const char why[] = "it could not be read under another of its names";
	size_t size;

	if (!item->is_reader) {
		char *path = ingest_path(d, item->name, &size);
		int rc;

		if (!path)
			return no_memory(e);
		atomic_fetch_add(&t->g->problems, 1);
		rc = t->is_dry ? 0 : catalogue_problem_add(t->c, t->g->version.id, path,
							   size, why, e);
		free(path);
		if (rc < 0)
			return -1;
	}
	if (!item->prior.is_there)
		return 0;
	t->sums.removed++;
	return graft_close_entry(t, d, item->name, item->name_size, &item->prior, e);
}

static int graft_item(struct graft *t, struct dir *d, struct item *item, struct err *e)
{
	struct body *b = item->body;
	struct node n = { .id = 0 };
	struct digest leaf;
	struct entry entry;

	d->is_uncertain = d->is_uncertain || b->is_failed || b->is_unstable ||
			  b->meta.is_partial;
	if (b->is_failed)
		return leave_out(t, d, item, e);
	if (settle(t, item, &n, e) < 0 || note_class(t, item, e) < 0)
		return -1;
	count_item(t, b, !b->is_counted);
	b->is_counted = true;
	if (item->prior.is_there && item->prior.node == b->node) {
		t->sums.unchanged++;
		d->has_kept = true;
		return 0;
	}
	if (item->prior.is_there) {
		t->sums.changed++;
		if (graft_close_entry(t, d, item->name, item->name_size, &item->prior, e) < 0)
			return -1;
	} else {
		t->sums.added++;
	}
	if (graft_open_entry(t, d, item->name, item->name_size, b->meta.kind, 0, b->node,
			     item->has_leaf ? item->salt : NULL, &entry, e) < 0)
		return -1;
	if (t->is_dry)
		return 0;
	return item_leaf(t, item, &entry, &n, &leaf, e) < 0 ? -1 : graft_keep_leaf(d, &leaf, e);
}

/* ---- runs and directories -------------------------------------------------------------- */

/* Finishes d if it is complete, and each ancestor that thereby is. */
static int finish_upward(struct graft *t, struct dir *d, struct err *e)
{
	while (d && d->is_listed && d->runs == d->run_total &&
	       d->children == d->child_total) {
		struct dir *parent = d->parent;

		if (graft_finish(t, d, e) < 0)
			return -1;
		dir_free(t->g, d);
		if (parent)
			parent->children++;
		else
			t->is_whole = true;
		d = parent;
	}
	return t->rows >= ROWS_A_COMMIT ? commit(t, e) : 0;
}

int graft_run(struct graft *t, struct run *r, struct err *e)
{
	struct dir *d = r->dir;
	int rc = graft_begin(t, e);

	for (size_t i = 0; rc == 0 && i < r->removal_count; i++) {
		const struct removal *gone = &r->removals[i];

		t->sums.removed++;
		rc = graft_close_entry(t, d, gone->name, gone->name_size, &gone->prior, e);
	}
	for (struct item *item = r->first; rc == 0 && item; item = item->next)
		rc = graft_item(t, d, item, e);
	if (rc < 0)
		return err_wrap(e, "noting entries in the catalogue");
	d->runs++;
	run_free(t->g, r);
	return finish_upward(t, d, e);
}

int graft_listed(struct graft *t, struct dir *d, struct err *e)
{
	int rc = graft_begin(t, e);

	for (struct dir *next; rc == 0 && d; d = next) {
		next = d->next_listed;
		t->sums.unchanged += d->unchanged;
		d->has_kept = d->has_kept || d->unchanged > 0;
		t->tally.files += d->kept.files;
		t->tally.others += d->kept.others;
		total_add(&t->tally.bytes, d->kept.bytes);
		d->is_listed = true;
		rc = finish_upward(t, d, e);
	}
	return rc;
}

bool graft_is_whole(const struct graft *t)
{
	return t->is_whole;
}

/* ---- the end --------------------------------------------------------------------------------- */

static bool is_claimed(void *arg, int64_t id)
{
	const struct ingest *g = arg;

	return map_get(&g->claimed, (uint64_t)id, 0) != 0;
}

int graft_end(struct graft *t, struct version *v, struct ingest_result *out, struct err *e)
{
	if (graft_begin(t, e) < 0 || graft_add_chunks(t, t->noted, e) < 0)
		return -1;
	forget_segments(t);	/* the seal commits them */
	for (size_t i = 0; i < t->removed_count; i++) {
		/* Moved, not removed: its old name alone is gone. */
		if (is_claimed(t->g, t->removed[i])) {
			t->sums.removed--;
			continue;
		}
		if (!t->is_dry &&
		    catalogue_subtree_close(t->c, t->removed[i], v->previous, is_claimed,
					    t->g, e) < 0)
			return err_wrap(e, "closing what was removed");
	}
	v->directories = t->tally.directories;
	v->files = t->tally.files;
	v->others = t->tally.others;
	v->bytes = t->tally.bytes;
	out->unchanged = t->sums.unchanged;
	out->added = t->sums.added;
	out->changed = t->sums.changed;
	out->removed = t->sums.removed;
	out->moved = t->sums.moved;
	if (t->is_dry)
		return 0;
	return leaf_of_version(t->c, v->id, v->root, &v->merkle, e);
}

/*
 * Both versions are walked side by side, directory by directory.  A directory
 * keeps its id when it moves, so one that is missing here is looked up by its
 * id in the other version; what is under it is then compared there and not
 * told as removed and added.  Files that moved are paired at the end
 * (diff_moves.c), and all is told in path order.
 */
#include "fs/vault/diff.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/diff_inside.h"

/* Directories still to be looked at; 0: on the other side only. */
struct pair {
	int64_t a, b;
	char *path_a, *path_b;	/* owned; NULL where the id is 0 */
};

struct diff {
	struct catalogue *c;
	const struct version *a, *b;
	struct pair *pairs;	/* owned */
	size_t pair_count, pair_capacity;
	struct diff_changes changes;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory to compare two versions");
}

/* Takes the paths over, also when it fails. */
static int push_pair(struct diff *d, int64_t a, char *path_a, int64_t b, char *path_b,
		     struct err *e)
{
	if ((a != 0 && path_a == NULL) || (b != 0 && path_b == NULL))
		goto failed;
	if (d->pair_count == d->pair_capacity) {
		size_t more = d->pair_capacity > 0 ? 2 * d->pair_capacity : 64;
		struct pair *grown = realloc(d->pairs, more * sizeof *grown);

		if (grown == NULL)
			goto failed;
		d->pairs = grown;
		d->pair_capacity = more;
	}
	d->pairs[d->pair_count++] = (struct pair){ a, b, path_a, path_b };
	return 0;
failed:
	free(path_a);
	free(path_b);
	return no_memory(e);
}

/* A change at `path` (taken over, also on failure); *out is valid until the next. */
static int add_change(struct diff *d, enum diff_kind kind, char *path,
		      struct diff_change **out, struct err *e)
{
	struct diff_changes *all = &d->changes;

	if (path == NULL)
		return no_memory(e);
	if (all->count == all->capacity) {
		size_t more = all->capacity > 0 ? 2 * all->capacity : 64;
		struct diff_change *grown = realloc(all->list, more * sizeof *grown);

		if (grown == NULL) {
			free(path);
			return no_memory(e);
		}
		all->list = grown;
		all->capacity = more;
	}
	*out = &all->list[all->count++];
	**out = (struct diff_change){ .kind = kind, .path = path, .path_size = strlen(path) };
	return 0;
}

/* ---- directories ------------------------------------------------------------- */

/* Two directories that are one and the same: their own attributes now, what is in
 * them later.  Takes the paths over. */
static int compare_directories(struct diff *d, int64_t id_a, int64_t node_a, char *path_a,
			       int64_t id_b, int64_t node_b, char *path_b, bool is_moved,
			       struct err *e)
{
	struct directory a, b;
	struct node before, after;
	struct diff_change *change;
	bool is_same_below, is_changed = false;
	char *shown = NULL;

	if (path_a == NULL || path_b == NULL) {
		no_memory(e);
		goto failed;
	}
	if (catalogue_directory(d->c, d->a->id, id_a, &a, e) < 0 ||
	    catalogue_directory(d->c, d->b->id, id_b, &b, e) < 0)
		goto failed;
	is_same_below = digest_equal(&a.root, &b.root);
	/* What happens in a directory moves its time: that is no change of its own. */
	if (node_a != node_b &&
	    (catalogue_node(d->c, node_a, false, &before, e) < 0 ||
	     catalogue_node(d->c, node_b, false, &after, e) < 0 ||
	     diff_is_metadata_changed(d->c, &before, &after, is_same_below, &is_changed, e) < 0))
		goto failed;
	if (is_moved || is_changed) {
		shown = strdup(path_b);
		if (add_change(d, is_moved ? DIFF_MOVED : DIFF_CHANGED, shown, &change, e) < 0)
			goto failed;
		change->before = node_a;
		change->after = node_b;
		change->metadata_changed = is_changed;
		change->trace.kind = NODE_DIRECTORY;
		if (is_moved) {
			change->old_path = strdup(path_a);
			change->old_path_size = strlen(path_a);
			if (change->old_path == NULL) {
				no_memory(e);
				goto failed;
			}
		}
	}
	if (!is_same_below)
		return push_pair(d, id_a, path_a, id_b, path_b, e);
	free(path_a);
	free(path_b);
	return 0;
failed:
	free(path_a);
	free(path_b);
	return -1;
}

/* ---- entries of one side only ------------------------------------------------- */

static int note_one_side(struct diff *d, enum diff_kind kind, const char *directory,
			 const struct entry *entry, struct err *e)
{
	struct diff_change *change;
	struct node n;

	if (catalogue_node(d->c, entry->node, true, &n, e) < 0 ||
	    add_change(d, kind, diff_join(directory, entry->name, entry->name_size), &change, e) < 0)
		return -1;
	if (kind == DIFF_ADDED)
		change->after = entry->node;
	else
		change->before = entry->node;
	change->trace = (struct diff_trace){
		.kind = n.kind,
		.has_sha256 = n.has_sha256,
		.size = n.size,
		.device = n.source_device,
		.inode = n.source_inode,
		.mtime = n.mtime,
		.sha256 = n.sha256,
	};
	return 0;
}

static int on_removed(struct diff *d, const char *directory, const struct entry *entry,
		      struct err *e)
{
	bool is_elsewhere = false;

	if (entry->kind == NODE_DIRECTORY &&
	    diff_is_directory_in(d->c, d->b, entry->directory, &is_elsewhere, e) < 0)
		return -1;
	if (is_elsewhere)
		return 0;	/* told where it stands now */
	if (note_one_side(d, DIFF_REMOVED, directory, entry, e) < 0)
		return -1;
	if (entry->kind != NODE_DIRECTORY)
		return 0;
	return push_pair(d, entry->directory, diff_join(directory, entry->name, entry->name_size), 0,
			 NULL, e);
}

static int on_added(struct diff *d, const char *directory, const struct entry *entry,
		    struct err *e)
{
	char *old_path = NULL, *path;
	struct directory old;

	if (entry->kind == NODE_DIRECTORY &&
	    diff_directory_path(d->c, d->a, entry->directory, &old_path, e) < 0)
		return -1;
	if (old_path != NULL) {
		if (catalogue_directory(d->c, d->a->id, entry->directory, &old, e) < 0) {
			free(old_path);
			return -1;
		}
		path = diff_join(directory, entry->name, entry->name_size);
		return compare_directories(d, entry->directory, old.node, old_path,
					   entry->directory, entry->node, path, true, e);
	}
	if (note_one_side(d, DIFF_ADDED, directory, entry, e) < 0)
		return -1;
	if (entry->kind != NODE_DIRECTORY)
		return 0;
	return push_pair(d, 0, NULL, entry->directory,
			 diff_join(directory, entry->name, entry->name_size), e);
}

/* ---- entries of both sides ------------------------------------------------------- */

static int on_both_files(struct diff *d, const char *directory, const struct entry *a,
			 const struct entry *b, struct err *e)
{
	struct node before, after;
	struct diff_change *change;
	bool content, metadata;

	if (a->node == b->node)
		return 0;
	if (catalogue_node(d->c, a->node, true, &before, e) < 0 ||
	    catalogue_node(d->c, b->node, true, &after, e) < 0 ||
	    diff_is_metadata_changed(d->c, &before, &after, true, &metadata, e) < 0)
		return -1;
	content = diff_is_content_changed(&before, &after);
	if (!content && !metadata)
		return 0;
	if (add_change(d, DIFF_CHANGED, diff_join(directory, b->name, b->name_size), &change, e) < 0)
		return -1;
	change->before = a->node;
	change->after = b->node;
	change->content_changed = content;
	change->metadata_changed = metadata;
	return 0;
}

static int on_both(struct diff *d, const struct pair *p, const struct entry *a,
		   const struct entry *b, struct err *e)
{
	bool is_a_elsewhere = false, is_b_from_elsewhere = false;

	if (a->kind != NODE_DIRECTORY && b->kind != NODE_DIRECTORY)
		return on_both_files(d, p->path_b, a, b, e);
	if (a->kind == NODE_DIRECTORY && b->kind == NODE_DIRECTORY) {
		/* Another id under the same name: somebody else, if either is known
		 * in the other version; else it went and came again. */
		if (a->directory != b->directory &&
		    (diff_is_directory_in(d->c, d->b, a->directory, &is_a_elsewhere, e) < 0 ||
		     diff_is_directory_in(d->c, d->a, b->directory, &is_b_from_elsewhere, e) < 0))
			return -1;
		if (!is_a_elsewhere && !is_b_from_elsewhere)
			return compare_directories(
				d, a->directory, a->node, diff_join(p->path_a, a->name, a->name_size),
				b->directory, b->node, diff_join(p->path_b, b->name, b->name_size),
				false, e);
	}
	if (on_removed(d, p->path_a, a, e) < 0)
		return -1;
	return on_added(d, p->path_b, b, e);
}

/* ---- two listings side by side ----------------------------------------------------- */

static int compare_listings(struct diff *d, const struct pair *p, struct diff_side *a,
			    struct diff_side *b, struct err *e)
{
	for (;;) {
		const struct entry *x, *y;
		int order, rc;

		if (diff_side_entry(a, &x, e) < 0 || diff_side_entry(b, &y, e) < 0)
			return -1;
		if (x == NULL && y == NULL)
			return 0;
		order = x == NULL ? 1 : y == NULL ? -1 : diff_compare_names(x, y);
		if (order == 0)
			rc = on_both(d, p, x, y, e);
		else if (order < 0)
			rc = on_removed(d, p->path_a, x, e);
		else
			rc = on_added(d, p->path_b, y, e);
		if (rc < 0)
			return -1;
		a->next += order <= 0;
		b->next += order >= 0;
	}
}

static int compare_pair(struct diff *d, const struct pair *p, struct err *e)
{
	struct diff_side a = { .c = d->c, .version = d->a->id, .directory = p->a };
	struct diff_side b = { .c = d->c, .version = d->b->id, .directory = p->b };
	int rc = -1;

	a.entries = malloc(DIFF_RUN * sizeof *a.entries);
	b.entries = malloc(DIFF_RUN * sizeof *b.entries);
	if (a.entries == NULL || b.entries == NULL)
		no_memory(e);
	else
		rc = compare_listings(d, p, &a, &b, e);
	free(a.entries);
	free(b.entries);
	return rc;
}

/* ---- telling ------------------------------------------------------------------------- */

static int compare_paths(const void *a, const void *b)
{
	const struct diff_change *x = a, *y = b;
	int order;

	if (x->is_gone || y->is_gone)
		return x->is_gone - y->is_gone;
	order = strcmp(x->path, y->path);
	/* Of one name: what went before what came. */
	return order != 0 ? order : (y->kind == DIFF_REMOVED) - (x->kind == DIFF_REMOVED);
}

static int tell(struct diff *d, const struct diff_change *change,
		int (*row)(void *arg, const struct diff_item *item), void *arg,
		struct err *e)
{
	struct node before, after;
	struct diff_item item = {
		.kind = change->kind,
		.path = change->path,
		.path_size = change->path_size,
		.old_path = change->old_path,
		.old_path_size = change->old_path_size,
		.content_changed = change->content_changed,
		.metadata_changed = change->metadata_changed,
	};

	if (change->before != 0) {
		if (catalogue_node(d->c, change->before, true, &before, e) < 0)
			return -1;
		item.before = &before;
	}
	if (change->after != 0) {
		if (catalogue_node(d->c, change->after, true, &after, e) < 0)
			return -1;
		item.after = &after;
	}
	if (change->kind == DIFF_MOVED && after.kind != NODE_DIRECTORY &&
	    diff_is_metadata_changed(d->c, &before, &after, true, &item.metadata_changed, e) < 0)
		return -1;
	return row(arg, &item);
}

static int tell_all(struct diff *d, int (*row)(void *arg, const struct diff_item *item),
		    void *arg, struct err *e)
{
	int rc = 0;

	if (diff_find_moves(&d->changes, e) < 0)
		return -1;
	if (d->changes.count > 0)
		qsort(d->changes.list, d->changes.count, sizeof *d->changes.list,
		      compare_paths);
	for (size_t i = 0; rc == 0 && i < d->changes.count && !d->changes.list[i].is_gone; i++)
		rc = tell(d, &d->changes.list[i], row, arg, e);
	return rc < 0 ? -1 : 0;
}

static int compare_roots(struct diff *d, struct err *e)
{
	struct directory a, b;

	if (catalogue_directory(d->c, d->a->id, d->a->root, &a, e) < 0 ||
	    catalogue_directory(d->c, d->b->id, d->b->root, &b, e) < 0)
		return -1;
	return compare_directories(d, a.id, a.node, strdup(""), b.id, b.node, strdup(""), false,
				   e);
}

int vault_diff(struct catalogue *c, const struct version *a, const struct version *b,
	       int (*row)(void *arg, const struct diff_item *item), void *arg,
	       struct err *e)
{
	struct diff d = { .c = c, .a = a, .b = b };
	int rc = compare_roots(&d, e);

	while (rc == 0 && d.pair_count > 0) {
		struct pair p = d.pairs[--d.pair_count];

		rc = compare_pair(&d, &p, e);
		free(p.path_a);
		free(p.path_b);
	}
	if (rc == 0)
		rc = tell_all(&d, row, arg, e);
	while (d.pair_count > 0) {
		d.pair_count--;
		free(d.pairs[d.pair_count].path_a);
		free(d.pairs[d.pair_count].path_b);
	}
	for (size_t i = 0; i < d.changes.count; i++) {
		free(d.changes.list[i].path);
		free(d.changes.list[i].old_path);
	}
	free(d.changes.list);
	free(d.pairs);
	return rc;
}

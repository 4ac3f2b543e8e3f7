/*
 * Entries of an archive on their way to the workers; and the directories of which
 * it shows only at the end that they are empty.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/vault/scan_entry.h"

#define OWN_HOLD 1		/* of what is under way: the reader's own */

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the archive's entries");
}

/* ---- on their way ------------------------------------------------------------------ */

static int hand_over(struct entries *in, struct err *e)
{
	struct scan_batch *b = in->batch;

	in->batch = NULL;
	return b ? scan_send(in->s, b, e) : 0;
}

int entries_send(struct entries *in, struct scan_item *i, struct err *e)
{
	if (!in->batch)
		in->batch = scan_batch_new();
	if (!in->batch) {
		scan_item_free(i);
		return no_memory(e);
	}
	scan_batch_add(in->batch, i);
	in->batch->bytes += i->data_size;
	if (in->batch->count < SCAN_BATCH_ITEMS && in->batch->bytes < SCAN_BATCH_BYTES)
		return 0;
	return hand_over(in, e);
}

int entries_send_alone(struct entries *in, struct scan_item *i, struct err *e)
{
	if (hand_over(in, e) < 0) {
		scan_item_free(i);
		return -1;
	}
	return entries_send(in, i, e) < 0 ? -1 : hand_over(in, e);
}

int entries_settle(struct entries *in, struct err *e)
{
	struct scan_batch *links = in->links;

	if (hand_over(in, e) < 0)
		return -1;
	if (!scan_flow_wait(in->s->flow, OWN_HOLD))
		return err_set(e, MUNI_CANCELLED, "stopped");
	if (!links)
		return 0;
	in->links = NULL;
	scan_pass_on(in->s, links);
	if (!scan_flow_wait(in->s->flow, OWN_HOLD))
		return err_set(e, MUNI_CANCELLED, "stopped");
	return 0;
}

/* ---- paths ------------------------------------------------------------------------- */

char *entries_path(const struct tree_node *parent, const char *name, size_t name_size)
{
	size_t size = name_size, at;
	char *path;

	for (const struct tree_node *n = parent; n && n->parent; n = n->parent)
		size += n->name_size + 1u;
	path = malloc(size + 1);
	if (!path)
		return NULL;
	path[size] = '\0';
	at = size - name_size;
	memcpy(path + at, name, name_size);
	for (const struct tree_node *n = parent; n && n->parent; n = n->parent) {
		path[--at] = '/';
		at -= n->name_size;
		memcpy(path + at, n->name, n->name_size);
	}
	return path;
}

/* ---- directories ----------------------------------------------------------------------- */

static int add_empty(struct entries *in, const struct tree_node *n, struct err *e)
{
	bool is_failed;
	struct scan_item *i;
	char *path = entries_path(n->parent, n->name, n->name_size);

	if (!path)
		return no_memory(e);
	i = scan_item_new(SCAN_ITEM, path, strlen(path));
	free(path);
	if (!i)
		return no_memory(e);
	inode_meta(n->inode, &i->meta, &is_failed);
	i->meta.size = 0;
	i->meta.links = 1;
	return entries_send(in, i, e);
}

/* Down and up by the tree's own links: depth costs no stack. */
int entries_empties(struct entries *in, struct err *e)
{
	struct tree_node *top = ingest_tree_top(in->tree), *n = top->children;

	while (n) {
		if (n->is_directory && !n->children && n->inode && add_empty(in, n, e) < 0)
			return -1;
		if (n->children) {
			n = n->children;
			continue;
		}
		while (n != top && !n->next)
			n = n->parent;
		n = n == top ? NULL : n->next;
	}
	return 0;
}

/*
 * The walker: a thread with its own connection, so that looking entries up,
 * and decoding their first bytes, goes on while what came before is written.
 */
#include <pthread.h>
#include <stdlib.h>

#include "fs/base/queue.h"
#include "fs/base/text.h"
#include "fs/vault/export_inside.h"
#include "fs/vault/tree.h"

#define AHEAD_ENTRIES 512
#define AHEAD_BYTES (EXPORT_CACHE / 2)
#define PREFETCH_MAX ((size_t)4 << 20)	/* of one file */

struct export_walk {
	struct export *x;
	struct vault_reader *reader;	/* the thread's own */
	bool with_prefetch;
	struct queue *items;
	pthread_t thread;
	bool is_started;
	struct err failure;	/* the thread's; read after the queue has ended */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t ahead;		/* protected by lock: bytes prefetched, not yet done */
	bool is_stopping;	/* protected by lock */
};

static void drop_item(void *item)
{
	export_item_free(item);
}

/* Everything but the content. */
static int fill(struct catalogue *c, struct export_item *item, int64_t node, struct err *e)
{
	struct node *n = &item->node;
	size_t size;

	if (catalogue_node(c, node, true, n, e) < 0)
		return -1;
	if (n->kind == NODE_SYMLINK && catalogue_symlink(c, n->id, &item->symlink, &size, e) < 0)
		return -1;
	if (n->xattrs &&
	    catalogue_xattrs(c, n->xattrs, &item->xattrs, &item->xattrs_size, e) < 0)
		return -1;
	if (n->owner && catalogue_account(c, n->owner, item->owner, e) < 0)
		return -1;
	if (n->group && catalogue_account(c, n->group, item->group, e) < 0)
		return -1;
	return 0;
}

/* Waits until there is room for the item's bytes; false: stopping. */
static bool charge(struct export_walk *w, struct export_item *item)
{
	bool is_stopping;

	item->charge = item->node.size < PREFETCH_MAX ? (size_t)item->node.size : PREFETCH_MAX;
	pthread_mutex_lock(&w->lock);
	while (w->ahead > 0 && w->ahead + item->charge > AHEAD_BYTES && !w->is_stopping)
		pthread_cond_wait(&w->changed, &w->lock);
	w->ahead += item->charge;
	is_stopping = w->is_stopping;
	pthread_mutex_unlock(&w->lock);
	return !is_stopping;
}

/* 0 on success, -1 failed, 1 stopping. */
static int give(struct export_walk *w, const char *path, size_t size, int64_t node)
{
	struct catalogue *c = vault_reader_catalogue(w->reader);
	struct export_item *item = export_item_new(path, size);

	if (!item)
		return err_set(&w->failure, MUNI_NO_MEMORY, "no memory for a path");
	if (fill(c, item, node, &w->failure) < 0) {
		err_wrap(&w->failure, "%s", text_printable_n(path, size));
		export_item_free(item);
		return -1;
	}
	if (w->with_prefetch && item->node.kind == NODE_FILE && item->node.content) {
		if (!charge(w, item)) {
			export_item_free(item);
			return 1;
		}
		vault_prefetch(w->reader, item->node.content, 0, item->charge);
	}
	if (!queue_push(w->items, item)) {
		export_item_free(item);
		return 1;
	}
	return 0;
}

static int row(void *arg, const struct tree_item *t)
{
	return give(arg, t->path, t->path_size, t->node->id);
}

static void *walk_thread(void *arg)
{
	struct export_walk *w = arg;
	const struct version *v = &w->x->version;
	struct catalogue *c = vault_reader_catalogue(w->reader);
	struct err e = ERR_NONE;
	struct entry entry;
	struct node node;

	if (tree_find(c, v, "", 0, &entry, &node, &e) < 0 ||
	    (give(w, "", 0, entry.node) == 0 && tree_walk(c, v, v->root, "", row, w, &e) < 0))
		if (w->failure.code == MUNI_OK)
			w->failure = e;
	queue_close(w->items);
	return NULL;
}

int export_walk_start(struct export *x, bool with_prefetch, struct export_walk **out,
		      struct err *e)
{
	struct export_walk *w = calloc(1, sizeof *w);

	*out = NULL;
	if (!w)
		return err_set(e, MUNI_NO_MEMORY, "no memory to walk a version");
	w->x = x;
	w->with_prefetch = with_prefetch;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->items = queue_new(AHEAD_ENTRIES);
	if (!w->items) {
		err_set(e, MUNI_NO_MEMORY, "no memory to walk a version");
		goto bad;
	}
	if (vault_reader_open(x->vault, x->cache, EXPORT_CATALOGUE_CACHE, &w->reader, e) < 0)
		goto bad;
	if (pthread_create(&w->thread, NULL, walk_thread, w) != 0) {
		err_set(e, MUNI_NO_MEMORY, "no thread to walk a version");
		goto bad;
	}
	w->is_started = true;
	*out = w;
	return 0;
bad:
	export_walk_stop(w);
	return -1;
}

int export_walk_next(struct export_walk *w, struct export_item **out, struct err *e)
{
	void *item;

	*out = NULL;
	if (queue_pop(w->items, &item)) {
		*out = item;
		return 0;
	}
	if (w->failure.code == MUNI_OK)
		return 0;
	*e = w->failure;
	return -1;
}

void export_walk_done(struct export_walk *w, const struct export_item *item)
{
	if (item->charge == 0)
		return;
	pthread_mutex_lock(&w->lock);
	w->ahead -= item->charge;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

void export_walk_stop(struct export_walk *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->is_stopping = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	if (w->items)
		queue_cancel(w->items);
	if (w->is_started)
		pthread_join(w->thread, NULL);
	if (w->items)
		queue_free(w->items, drop_item);
	vault_reader_close(w->reader);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

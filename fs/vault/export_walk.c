/*
 * The walker: a thread with its own connection, so that looking entries up,
 * and reading their first bytes, goes on while what came before is written.
 */
#include <pthread.h>
#include <stdlib.h>

#include "fs/base/queue.h"
#include "fs/vault/export_inside.h"

#define AHEAD_BYTES (EXPORT_CACHE / 2)
#define PREFETCH_MAX ((size_t)4 << 20)	/* of one file */

struct export_walk {
	struct export *x;
	enum export_pass pass;
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

bool export_walk_charge(struct export_walk *w, struct export_item *item)
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

int export_walk_give(struct export_walk *w, struct export_item *item)
{
	if (queue_push(w->items, item))
		return 0;
	export_item_free(item);
	return 1;
}

static void *walk_thread(void *arg)
{
	struct export_walk *w = arg;
	struct err e = ERR_NONE;

	if (w->x->source->walk(w->x, w, w->pass, &e) < 0)
		w->failure = e;
	queue_close(w->items);
	return NULL;
}

int export_walk_start(struct export *x, enum export_pass pass, struct export_walk **out,
		      struct err *e)
{
	struct export_walk *w = calloc(1, sizeof *w);

	*out = NULL;
	if (!w)
		return err_set(e, MUNI_NO_MEMORY, "no memory to walk the source");
	w->x = x;
	w->pass = pass;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->items = queue_new(x->source->ahead);
	if (!w->items) {
		err_set(e, MUNI_NO_MEMORY, "no memory to walk the source");
		goto bad;
	}
	if (pthread_create(&w->thread, NULL, walk_thread, w) != 0) {
		err_set(e, MUNI_NO_MEMORY, "no thread to walk the source");
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
	struct export_item *item;
	void *p;

	*out = NULL;
	while (queue_pop(w->items, &p)) {
		item = p;
		if (!item->problem) {
			*out = item;
			return 0;
		}
		export_problem(w->x, item->path, item->path_size, item->problem);
		export_item_free(item);
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
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/*
 * The walker: a thread with its own connection, so that looking entries up,
 * and reading their first bytes, goes on while what came before is written.
 * Entries change hands by the handful: to wake the other side for each costs as
 * much as to write a small file.
 */
#include <pthread.h>
#include <stdlib.h>

#include "fs/base/queue.h"
#include "fs/vault/export_inside.h"

#define AHEAD_BYTES (EXPORT_CACHE / 2)
#define PREFETCH_MAX ((size_t)4 << 20)	/* of one file */

struct handful {
	size_t count, next;	/* next: the first that was not yet handed out */
	struct export_item *items[EXPORT_HANDFUL];	/* owned, from next on */
};

struct export_walk {
	struct export *x;
	enum export_pass pass;
	struct queue *handfuls;
	struct handful *filling;	/* the thread's; NULL: none was begun */
	struct handful *taken;		/* the reader's; NULL: take one */
	pthread_t thread;
	bool is_started;
	struct err failure;	/* the thread's; read after the queue has ended */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t ahead;		/* protected by lock: bytes prefetched, not yet done */
	bool is_stopping;	/* protected by lock */
};

/* NULL is allowed. */
static void drop_handful(void *p)
{
	struct handful *h = p;

	while (h && h->next < h->count)
		export_item_free(h->items[h->next++]);
	free(h);
}

/* What was filled goes to the reader.  false: all is stopping. */
static bool hand_over(struct export_walk *w)
{
	struct handful *h = w->filling;

	w->filling = NULL;
	if (!h || queue_push(w->handfuls, h))
		return true;
	drop_handful(h);
	return false;
}

static bool has_room(const struct export_walk *w, const struct export_item *item)
{
	return w->ahead == 0 || w->ahead + item->charge <= AHEAD_BYTES || w->is_stopping;
}

bool export_walk_charge(struct export_walk *w, struct export_item *item)
{
	bool is_stopping;

	item->charge = item->node.size < PREFETCH_MAX ? (size_t)item->node.size : PREFETCH_MAX;
	pthread_mutex_lock(&w->lock);
	if (!has_room(w, item)) {
		/* It may wait for what lies in our own hands. */
		pthread_mutex_unlock(&w->lock);
		if (!hand_over(w))
			return false;
		pthread_mutex_lock(&w->lock);
	}
	while (!has_room(w, item))
		pthread_cond_wait(&w->changed, &w->lock);
	w->ahead += item->charge;
	is_stopping = w->is_stopping;
	pthread_mutex_unlock(&w->lock);
	return !is_stopping;
}

int export_walk_give(struct export_walk *w, struct export_item *item)
{
	if (!w->filling)
		w->filling = calloc(1, sizeof *w->filling);
	if (!w->filling) {
		err_set(&w->failure, MUNI_NO_MEMORY, "no memory to walk the source");
		export_item_free(item);
		return 1;
	}
	w->filling->items[w->filling->count++] = item;
	return w->filling->count < w->x->source->handful || hand_over(w) ? 0 : 1;
}

static void *walk_thread(void *arg)
{
	struct export_walk *w = arg;
	struct err e = ERR_NONE;

	if (w->x->source->walk(w->x, w, w->pass, &e) < 0)
		w->failure = e;
	(void)hand_over(w);
	queue_close(w->handfuls);
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
	w->handfuls = queue_new(x->source->ahead / x->source->handful);
	if (!w->handfuls) {
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

/* NULL at the end. */
static struct export_item *take(struct export_walk *w)
{
	void *p;

	if (w->taken && w->taken->next == w->taken->count) {
		free(w->taken);
		w->taken = NULL;
	}
	if (!w->taken) {
		if (!queue_pop(w->handfuls, &p))
			return NULL;
		w->taken = p;
	}
	return w->taken->items[w->taken->next++];
}

int export_walk_next(struct export_walk *w, struct export_item **out, struct err *e)
{
	struct export_item *item;

	*out = NULL;
	while ((item = take(w)) != NULL) {
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
	if (w->handfuls)
		queue_cancel(w->handfuls);
	if (w->is_started)
		pthread_join(w->thread, NULL);
	if (w->handfuls)
		queue_free(w->handfuls, drop_handful);
	drop_handful(w->filling);
	drop_handful(w->taken);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int export_each(struct export *x,
		int (*put)(void *arg, const struct export_item *item, struct err *e), void *arg,
		struct err *e)
{
	struct export_walk *walk = NULL;
	struct export_item *item;
	int rc;

	export_stage(x, "writing");
	if (export_walk_start(x, PASS_ONLY, &walk, e) < 0)
		return -1;
	while ((rc = export_walk_next(walk, &item, e)) == 0 && item) {
		rc = put(arg, item, e);
		if (rc == 0)
			rc = export_step(x, 1, 0, e);
		if (rc == 0)
			export_walk_done(walk, item);
		export_item_free(item);
		if (rc < 0)
			break;
	}
	export_walk_stop(walk);
	return rc;
}

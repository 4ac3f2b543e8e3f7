/*
 * The walker: a thread with its own connection, so that going through the source, looking
 * entries up and reading their first bytes goes on while what came before is written.
 *
 * Entries change hands by the handful: to wake the other side for each costs as much as to
 * write a small file.  A handful goes into two queues: that of the hands, who make it ready
 * in any order, and that of the reader, who takes them in the walk's, and waits until the
 * first is ready.  Without threads for it the reader makes them ready himself.
 */
#include <pthread.h>
#include <stdlib.h>

#include "fs/base/bytes.h"
#include "fs/base/queue.h"
#include "fs/vault/export_inside.h"

#define AHEAD_BYTES (EXPORT_CACHE / 2)
#define PREFETCH_MAX ((size_t)4 << 20)	/* of one file */
#define HANDS_MAX 8u		/* one walker feeds no more */
#define HANDFUL_BYTES ((size_t)1 << 20)	/* prefetched for one: with that it is full */

struct handful {
	size_t count, next;	/* next: the first that was not yet handed out */
	size_t charge;		/* of its entries */
	size_t done;		/* of that, what the reader is done with */
	bool is_ready;		/* protected by the walk's lock */
	struct err failure;	/* of who made it ready */
	struct buffer made;	/* what its entries are made of */
	struct export_item *items[EXPORT_HANDFUL];	/* owned, from next on */
};

/* Who makes handfuls ready. */
struct hand {
	struct export_walk *walk;
	struct export_content *content;	/* owned */
	pthread_t thread;
	bool is_started;
};

struct export_walk {
	struct export *x;
	enum export_pass pass;
	struct queue *handfuls;		/* in order; they are owned here */
	struct queue *raw;		/* the same, for the hands; NULL: there are none */
	struct hand *hands;		/* owned */
	unsigned hand_count;
	struct handful *filling;	/* the walker's; NULL: none was begun */
	struct handful *taken;		/* the reader's; NULL: take one */
	pthread_t thread;
	bool is_started;
	struct err failure;	/* the walker's; read after the queue has ended */
	pthread_mutex_t lock;
	pthread_cond_t changed;	/* bytes ahead went down */
	pthread_cond_t ready;	/* a handful is */
	size_t ahead;		/* protected by lock: bytes prefetched, not yet done */
	bool is_stopping;	/* protected by lock */
};

/* NULL is allowed. */
static void drop_handful(void *p)
{
	struct handful *h = p;

	if (!h)
		return;
	while (h->next < h->count)
		export_item_free(h->items[h->next++]);
	buffer_free(&h->made);
	free(h);
}

/* ---- made ready ---------------------------------------------------------------- */

/* Where each entry stands in the buffer: it moves while it grows. */
static void make(struct hand *hand, struct handful *h)
{
	size_t from[EXPORT_HANDFUL + 1];

	for (size_t i = 0; i < h->count; i++) {
		from[i] = h->made.size;
		if (!h->items[i]->problem &&
		    hand->walk->x->make(h->items[i], hand->content, &h->made) < 0 &&
		    !h->made.failed)
			h->made.size = from[i];
	}
	from[h->count] = h->made.size;
	for (size_t i = 0; i < h->count && !h->made.failed; i++)
		if (from[i + 1] > from[i]) {
			h->items[i]->made = h->made.data + from[i];
			h->items[i]->made_size = from[i + 1] - from[i];
		}
}

static void make_ready(struct hand *hand, struct handful *h)
{
	struct export_walk *w = hand->walk;

	if (export_content_look_up(hand->content, h->items, h->count, &h->failure) == 0 &&
	    w->pass == PASS_ONLY && w->x->make)
		make(hand, h);
	pthread_mutex_lock(&w->lock);
	h->is_ready = true;
	pthread_cond_signal(&w->ready);
	pthread_mutex_unlock(&w->lock);
}

static void *hand_thread(void *arg)
{
	struct hand *hand = arg;
	void *h;

	while (queue_pop(hand->walk->raw, &h))
		make_ready(hand, h);
	return NULL;
}

static int start_hands(struct export_walk *w, struct err *e)
{
	unsigned count = w->x->threads < HANDS_MAX ? w->x->threads : HANDS_MAX;

	w->hands = calloc(count, sizeof *w->hands);
	if (count > 1)
		w->raw = queue_new(w->x->source->ahead / w->x->source->handful + 2);
	if (!w->hands || (count > 1 && !w->raw))
		return err_set(e, MUNI_NO_MEMORY, "no memory to look entries up");
	for (; w->hand_count < count; w->hand_count++) {
		struct hand *hand = &w->hands[w->hand_count];

		hand->walk = w;
		if (export_content_open(w->x, &hand->content, e) < 0)
			return -1;
		hand->is_started = count > 1 &&
				   pthread_create(&hand->thread, NULL, hand_thread, hand) == 0;
		if (count > 1 && !hand->is_started) {
			export_content_close(hand->content);
			return err_set(e, MUNI_NO_MEMORY, "no thread to look entries up");
		}
	}
	return 0;
}

/* Ready, in the reader's thread.  false: it failed. */
static bool is_made_ready(struct export_walk *w, struct handful *h)
{
	if (!w->raw && !h->is_ready)
		make_ready(&w->hands[0], h);
	pthread_mutex_lock(&w->lock);
	while (!h->is_ready)
		pthread_cond_wait(&w->ready, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return h->failure.code == MUNI_OK;
}

/* ---- the walker's side ------------------------------------------------------------ */

/* What was filled goes to the hands and to the reader.  false: all is stopping. */
static bool hand_over(struct export_walk *w)
{
	struct handful *h = w->filling;

	w->filling = NULL;
	if (!h)
		return true;
	h->is_ready = !w->x->source->look_up;
	if (!queue_push(w->handfuls, h)) {
		drop_handful(h);
		return false;
	}
	return !w->raw || queue_push(w->raw, h);
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
	bool is_full;

	if (!w->filling)
		w->filling = calloc(1, sizeof *w->filling);
	if (!w->filling) {
		err_set(&w->failure, MUNI_NO_MEMORY, "no memory to walk the source");
		export_item_free(item);
		return 1;
	}
	w->filling->items[w->filling->count++] = item;
	w->filling->charge += item->charge;
	is_full = w->filling->count == w->x->source->handful ||
		  w->filling->charge >= HANDFUL_BYTES;
	return !is_full || hand_over(w) ? 0 : 1;
}

static void *walk_thread(void *arg)
{
	struct export_walk *w = arg;
	struct err e = ERR_NONE;

	if (w->x->source->walk(w->x, w, w->pass, &e) < 0)
		w->failure = e;
	(void)hand_over(w);
	if (w->raw)
		queue_close(w->raw);
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
	pthread_cond_init(&w->ready, NULL);
	w->handfuls = queue_new(x->source->ahead / x->source->handful);
	if (!w->handfuls) {
		err_set(e, MUNI_NO_MEMORY, "no memory to walk the source");
		goto bad;
	}
	if (x->source->look_up && start_hands(w, e) < 0)
		goto bad;
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

/* ---- the reader's side ------------------------------------------------------------- */

/* The next one, ready; NULL at the end, or where it failed. */
static struct handful *take_handful(struct export_walk *w, struct err *e)
{
	void *p;

	if (!queue_pop(w->handfuls, &p)) {
		*e = w->failure;
		return NULL;
	}
	w->taken = p;
	if (is_made_ready(w, w->taken))
		return w->taken;
	*e = w->taken->failure;
	return NULL;
}

/* What was prefetched for it does not count any longer. */
static void let_go(struct export_walk *w)
{
	struct handful *h = w->taken;

	if (h && h->done > 0) {
		pthread_mutex_lock(&w->lock);
		w->ahead -= h->done;
		pthread_cond_signal(&w->changed);
		pthread_mutex_unlock(&w->lock);
	}
	drop_handful(h);
	w->taken = NULL;
}

/* NULL at the end, or where it failed. */
static struct export_item *take(struct export_walk *w, struct err *e)
{
	if (w->taken && w->taken->next == w->taken->count)
		let_go(w);
	if (!w->taken && !take_handful(w, e))
		return NULL;
	return w->taken->items[w->taken->next++];
}

int export_walk_next(struct export_walk *w, struct export_item **out, struct err *e)
{
	struct export_item *item;
	struct err failure = ERR_NONE;

	*out = NULL;
	while ((item = take(w, &failure)) != NULL) {
		if (!item->problem) {
			*out = item;
			return 0;
		}
		export_problem(w->x, item->path, item->path_size, item->problem);
		export_item_free(item);
	}
	if (failure.code == MUNI_OK)
		return 0;
	*e = failure;
	return -1;
}

/* The walker is told when the handful is done: it waits for no single one. */
void export_walk_done(struct export_walk *w, const struct export_item *item)
{
	w->taken->done += item->charge;
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
	if (w->raw)
		queue_cancel(w->raw);
	if (w->is_started)
		pthread_join(w->thread, NULL);
	for (unsigned i = 0; i < w->hand_count; i++) {
		if (w->hands[i].is_started)
			pthread_join(w->hands[i].thread, NULL);
		export_content_close(w->hands[i].content);
	}
	free(w->hands);
	if (w->raw)
		queue_free(w->raw, NULL);
	if (w->handfuls)
		queue_free(w->handfuls, drop_handful);
	drop_handful(w->filling);
	drop_handful(w->taken);
	pthread_cond_destroy(&w->changed);
	pthread_cond_destroy(&w->ready);
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

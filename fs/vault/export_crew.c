#include "fs/vault/export_crew.h"

#include <pthread.h>
#include <stdlib.h>

#include "fs/base/file.h"
#include "fs/base/queue.h"

#define UNDER_WAY_A_WORKER 4

struct worker {
	struct crew *crew;
	struct crew_hand hand;
	pthread_t thread;
	bool is_started;
};

struct crew {
	struct export *x;
	crew_work work;
	crew_settle settle;
	void *arg;
	struct worker *workers;
	unsigned count;
	struct queue *tasks;
	pthread_mutex_t lock;
	pthread_cond_t finished_one;
	struct crew_task *finished;	/* protected by lock */
	unsigned under_way;		/* the caller's: given, not settled */
};

static void free_task(void *p)
{
	struct crew_task *t = p;

	file_close(&t->fd);
	export_item_free(t->item);
	free(t);
}

static void *worker_thread(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;
	void *p;

	while (queue_pop(c->tasks, &p)) {
		struct crew_task *t = p;

		c->work(&w->hand, t);
		file_close(&t->fd);
		pthread_mutex_lock(&c->lock);
		t->next = c->finished;
		c->finished = t;
		pthread_cond_signal(&c->finished_one);
		pthread_mutex_unlock(&c->lock);
	}
	return NULL;
}

static int start_worker(struct crew *c, struct worker *w, struct err *e)
{
	w->crew = c;
	w->hand.hasher = hasher_new();
	w->hand.buffer = malloc(EXPORT_PIECE);
	if (!w->hand.hasher || !w->hand.buffer)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a worker");
	if (export_content_open(c->x, &w->hand.content, e) < 0)
		return -1;
	if (pthread_create(&w->thread, NULL, worker_thread, w) != 0)
		return err_set(e, MUNI_NO_MEMORY, "no thread for a worker");
	w->is_started = true;
	return 0;
}

int crew_start(struct export *x, crew_work work, crew_settle settle, void *arg,
	       struct crew **out, struct err *e)
{
	struct crew *c = calloc(1, sizeof *c);

	*out = NULL;
	if (!c)
		return err_set(e, MUNI_NO_MEMORY, "no memory for workers");
	*c = (struct crew){ .x = x, .work = work, .settle = settle, .arg = arg,
			    .count = x->threads };
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->finished_one, NULL);
	c->tasks = queue_new((size_t)c->count * UNDER_WAY_A_WORKER);
	c->workers = calloc(c->count, sizeof *c->workers);
	if (!c->tasks || !c->workers) {
		err_set(e, MUNI_NO_MEMORY, "no memory for workers");
		goto bad;
	}
	for (unsigned i = 0; i < c->count; i++)
		if (start_worker(c, &c->workers[i], e) < 0)
			goto bad;
	*out = c;
	return 0;
bad:
	crew_stop(c);
	return -1;
}

/* Until at most `most` are under way. */
static int settle_down_to(struct crew *c, unsigned most, struct err *e)
{
	int rc = 0;

	while (rc == 0) {
		struct crew_task *list;

		pthread_mutex_lock(&c->lock);
		while (!c->finished && c->under_way > most)
			pthread_cond_wait(&c->finished_one, &c->lock);
		list = c->finished;
		c->finished = NULL;
		pthread_mutex_unlock(&c->lock);
		if (!list)
			return 0;
		while (list) {
			struct crew_task *t = list;

			list = t->next;
			c->under_way--;
			if (rc == 0)
				rc = c->settle(c->arg, t, e);
			free_task(t);
		}
	}
	return rc;
}

int crew_give(struct crew *c, int fd, struct export_item *item, bool is_existing,
	      struct err *e)
{
	struct crew_task *t = calloc(1, sizeof *t);

	if (!t) {
		file_close(&fd);
		export_item_free(item);
		return err_set(e, MUNI_NO_MEMORY, "no memory for a task");
	}
	*t = (struct crew_task){ .fd = fd, .item = item, .is_existing = is_existing };
	if (settle_down_to(c, c->count * UNDER_WAY_A_WORKER - 1, e) < 0) {
		free_task(t);
		return -1;
	}
	c->under_way++;
	(void)queue_push(c->tasks, t);	/* has room: no more can be under way */
	return 0;
}

int crew_finish(struct crew *c, struct err *e)
{
	return settle_down_to(c, 0, e);
}

void crew_stop(struct crew *c)
{
	if (!c)
		return;
	if (c->tasks)
		queue_cancel(c->tasks);
	for (unsigned i = 0; c->workers && i < c->count; i++) {
		struct worker *w = &c->workers[i];

		if (w->is_started)
			pthread_join(w->thread, NULL);
		export_content_close(w->hand.content);
		hasher_free(w->hand.hasher);
		free(w->hand.buffer);
	}
	while (c->finished) {
		struct crew_task *t = c->finished;

		c->finished = t->next;
		free_task(t);
	}
	if (c->tasks)
		queue_free(c->tasks, free_task);
	free(c->workers);
	pthread_cond_destroy(&c->finished_one);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

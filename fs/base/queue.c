#include "fs/base/queue.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t has_item;
	pthread_cond_t has_room;
	/* all below: protected by lock */
	size_t capacity;
	size_t first;		/* index of the oldest item */
	size_t count;
	size_t waiting;		/* in queue_pop() */
	bool is_closed;
	bool is_cancelled;
	void *items[];
};

struct queue *queue_new(size_t capacity)
{
	struct queue *q;

	if (capacity == 0 || capacity > (SIZE_MAX - sizeof *q) / sizeof q->items[0])
		return NULL;
	q = calloc(1, sizeof *q + capacity * sizeof q->items[0]);
	if (q == NULL)
		return NULL;
	q->capacity = capacity;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->has_item, NULL);
	pthread_cond_init(&q->has_room, NULL);
	return q;
}

bool queue_push(struct queue *q, void *item)
{
	bool is_taken = false;

	pthread_mutex_lock(&q->lock);
	while (q->count == q->capacity && !q->is_closed && !q->is_cancelled)
		pthread_cond_wait(&q->has_room, &q->lock);
	if (!q->is_closed && !q->is_cancelled) {
		q->items[(q->first + q->count) % q->capacity] = item;
		q->count++;
		is_taken = true;
		pthread_cond_signal(&q->has_item);
	}
	pthread_mutex_unlock(&q->lock);
	return is_taken;
}

bool queue_pop(struct queue *q, void **item)
{
	bool is_given = false;

	*item = NULL;
	pthread_mutex_lock(&q->lock);
	q->waiting++;
	while (q->count == 0 && !q->is_closed && !q->is_cancelled)
		pthread_cond_wait(&q->has_item, &q->lock);
	q->waiting--;
	if (q->count > 0 && !q->is_cancelled) {
		*item = q->items[q->first];
		q->first = (q->first + 1) % q->capacity;
		q->count--;
		is_given = true;
		pthread_cond_signal(&q->has_room);
	}
	pthread_mutex_unlock(&q->lock);
	return is_given;
}

bool queue_is_awaited(struct queue *q)
{
	bool is_awaited;

	pthread_mutex_lock(&q->lock);
	is_awaited = q->waiting > q->count && q->count < q->capacity;
	pthread_mutex_unlock(&q->lock);
	return is_awaited;
}

static void wake_all(struct queue *q, bool *flag)
{
	pthread_mutex_lock(&q->lock);
	*flag = true;
	pthread_cond_broadcast(&q->has_item);
	pthread_cond_broadcast(&q->has_room);
	pthread_mutex_unlock(&q->lock);
}

void queue_close(struct queue *q)
{
	wake_all(q, &q->is_closed);
}

void queue_cancel(struct queue *q)
{
	wake_all(q, &q->is_cancelled);
}

void queue_free(struct queue *q, void (*drop)(void *item))
{
	if (q == NULL)
		return;
	for (; q->count > 0; q->count--) {
		if (drop != NULL)
			drop(q->items[q->first]);
		q->first = (q->first + 1) % q->capacity;
	}
	pthread_cond_destroy(&q->has_room);
	pthread_cond_destroy(&q->has_item);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

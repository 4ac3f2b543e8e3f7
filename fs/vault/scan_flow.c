/*
 * Batches on their way to the caller's thread, and how many are under way at all.
 */
#include <stdlib.h>
#include <time.h>

#include "fs/vault/scan_inside.h"

#define ROOM 64			/* batches that wait to be written, at most */

struct flow {
	pthread_mutex_t lock;
	pthread_cond_t has_batch, has_room, is_less;
	/* all below: protected by lock */
	struct scan_batch *first, **last;
	size_t count;
	size_t under_way;
	bool is_stopped;
};

struct flow *scan_flow_new(void)
{
	struct flow *f = calloc(1, sizeof *f);
	pthread_condattr_t monotonic;

	if (!f)
		return NULL;
	f->last = &f->first;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&f->has_batch, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&f->has_room, NULL);
	pthread_cond_init(&f->is_less, NULL);
	return f;
}

void scan_flow_free(struct flow *f)
{
	struct scan_batch *next;

	if (!f)
		return;
	for (struct scan_batch *b = f->first; b; b = next) {
		next = b->next;
		scan_batch_free(b);
	}
	pthread_cond_destroy(&f->is_less);
	pthread_cond_destroy(&f->has_room);
	pthread_cond_destroy(&f->has_batch);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

void scan_flow_begin(struct flow *f)
{
	pthread_mutex_lock(&f->lock);
	f->under_way++;
	pthread_mutex_unlock(&f->lock);
}

void scan_flow_push(struct flow *f, struct scan_batch *b)
{
	pthread_mutex_lock(&f->lock);
	while (f->count >= ROOM && !f->is_stopped)
		pthread_cond_wait(&f->has_room, &f->lock);
	if (!f->is_stopped) {
		b->next = NULL;
		*f->last = b;
		f->last = &b->next;
		f->count++;
		b = NULL;
		pthread_cond_signal(&f->has_batch);
	}
	pthread_mutex_unlock(&f->lock);
	scan_batch_free(b);
}

static struct timespec in_ms(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

struct scan_batch *scan_flow_pop(struct flow *f, int timeout_ms)
{
	struct timespec until = in_ms(timeout_ms);
	struct scan_batch *b;
	int rc = 0;

	pthread_mutex_lock(&f->lock);
	while (!f->first && f->under_way > 0 && !f->is_stopped && rc == 0)
		rc = pthread_cond_timedwait(&f->has_batch, &f->lock, &until);
	b = f->first;
	if (b) {
		f->first = b->next;
		if (!f->first)
			f->last = &f->first;
		f->count--;
		pthread_cond_signal(&f->has_room);
	}
	pthread_mutex_unlock(&f->lock);
	return b;
}

void scan_flow_done(struct flow *f)
{
	pthread_mutex_lock(&f->lock);
	f->under_way--;
	pthread_cond_broadcast(&f->is_less);
	if (f->under_way == 0)
		pthread_cond_signal(&f->has_batch);
	pthread_mutex_unlock(&f->lock);
}

bool scan_flow_is_over(struct flow *f)
{
	bool is_over;

	pthread_mutex_lock(&f->lock);
	is_over = f->under_way == 0;
	pthread_mutex_unlock(&f->lock);
	return is_over;
}

bool scan_flow_wait(struct flow *f, size_t left)
{
	bool is_stopped;

	pthread_mutex_lock(&f->lock);
	while (f->under_way > left && !f->is_stopped)
		pthread_cond_wait(&f->is_less, &f->lock);
	is_stopped = f->is_stopped;
	pthread_mutex_unlock(&f->lock);
	return !is_stopped;
}

void scan_flow_stop(struct flow *f)
{
	pthread_mutex_lock(&f->lock);
	f->is_stopped = true;
	pthread_cond_broadcast(&f->has_batch);
	pthread_cond_broadcast(&f->has_room);
	pthread_cond_broadcast(&f->is_less);
	pthread_mutex_unlock(&f->lock);
}

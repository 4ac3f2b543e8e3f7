/*
 * The queue to the catalogue's thread: bounded, with a time-out for the
 * reader, who has progress to show while nothing comes.
 */
#include <stdlib.h>
#include <time.h>

#include "fs/vault/ingest_inside.h"

#define EVENTS 256
#define ENTRIES 16384	/* in the runs of the queue: a source that is read faster
			 * than it is grafted may not fill the memory */

struct events {
	pthread_mutex_t lock;
	pthread_cond_t has_event, has_room;
	/* all below: protected by lock */
	struct event ring[EVENTS];
	size_t first, count;
	size_t entries;
	bool is_cancelled;
};

struct events *events_new(void)
{
	struct events *q = calloc(1, sizeof *q);
	pthread_condattr_t attr;

	if (!q)
		return NULL;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->has_event, &attr);
	pthread_cond_init(&q->has_room, NULL);
	pthread_condattr_destroy(&attr);
	return q;
}

void event_drop(struct event *event)
{
	switch (event->kind) {
	case EVENT_SEGMENT:
		pack_segment_free(event->segment);
		break;
	case EVENT_PROBLEM:
		free(event->problem->what);
		free(event->problem);
		break;
	case EVENT_NOTICE:
		free(event->text);
		break;
	case EVENT_RUN:	/* the ingest's lists own these */
	case EVENT_LISTED:
	case EVENT_PACKED:
		break;
	}
}

static size_t entries_of(const struct event *event)
{
	return event->kind == EVENT_RUN ? event->run->item_count +
					  event->run->removal_count : 0;
}

void events_push(struct events *q, struct event event)
{
	size_t entries = entries_of(&event);
	bool is_dropped;

	pthread_mutex_lock(&q->lock);
	while (!q->is_cancelled &&
	       (q->count == EVENTS || (q->entries > 0 && q->entries + entries > ENTRIES)))
		pthread_cond_wait(&q->has_room, &q->lock);
	is_dropped = q->is_cancelled;
	if (!is_dropped) {
		q->entries += entries;
		q->ring[(q->first + q->count++) % EVENTS] = event;
		pthread_cond_signal(&q->has_event);
	}
	pthread_mutex_unlock(&q->lock);
	if (is_dropped)
		event_drop(&event);
}

bool events_pop(struct events *q, int timeout_ms, struct event *out)
{
	struct timespec until;
	bool is_there;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_mutex_lock(&q->lock);
	while (q->count == 0)
		if (pthread_cond_timedwait(&q->has_event, &q->lock, &until) != 0)
			break;
	is_there = q->count > 0;
	if (is_there) {
		*out = q->ring[q->first];
		q->first = (q->first + 1) % EVENTS;
		q->count--;
		q->entries -= entries_of(out);
		pthread_cond_broadcast(&q->has_room);	/* they need different rooms */
	}
	pthread_mutex_unlock(&q->lock);
	return is_there;
}

void events_cancel(struct events *q)
{
	pthread_mutex_lock(&q->lock);
	q->is_cancelled = true;
	pthread_cond_broadcast(&q->has_room);
	pthread_mutex_unlock(&q->lock);
}

void events_free(struct events *q)
{
	if (!q)
		return;
	for (; q->count > 0; q->count--) {
		event_drop(&q->ring[q->first]);
		q->first = (q->first + 1) % EVENTS;
	}
	pthread_cond_destroy(&q->has_room);
	pthread_cond_destroy(&q->has_event);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

#include "fs/vault/export_hash.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "fs/base/queue.h"
#include "fs/vault/export_inside.h"

#define PIECES 4u
#define LARGE ((uint64_t)8 << 20)	/* to hand over a piece is worth it from here on */

struct piece {
	uint64_t offset;
	size_t size;
	uint8_t data[EXPORT_PIECE];
};

struct export_hash {
	struct content_hash *hash;	/* the thread's while pieces are under way */
	struct piece *own;		/* owned; for files that are not large */
	struct piece *now;		/* borrowed: own, or a piece taken from empty */
	bool is_shared;			/* of this file pieces go to the thread */
	/* Of the thread; NULL and false until a large file comes. */
	struct queue *full, *empty;	/* owned; of struct piece, owned by where they are */
	pthread_t thread;
	bool is_started, is_refused;	/* refused: not wanted or not to be had; never asked for again */
};

static void *work(void *arg)
{
	struct export_hash *h = arg;
	void *item;

	while (queue_pop(h->full, &item)) {
		struct piece *p = item;

		content_hash_data(h->hash, p->offset, p->data, p->size);
		(void)queue_push(h->empty, p);	/* has room for all */
	}
	return NULL;
}

static bool start_thread(struct export_hash *h)
{
	h->full = queue_new(PIECES);
	h->empty = queue_new(PIECES);
	if (!h->full || !h->empty)
		return false;
	for (unsigned i = 0; i < PIECES; i++) {
		struct piece *p = malloc(sizeof *p);

		if (!p)
			return false;
		(void)queue_push(h->empty, p);
	}
	h->is_started = pthread_create(&h->thread, NULL, work, h) == 0;
	return h->is_started;
}

struct export_hash *export_hash_new(bool with_thread)
{
	struct export_hash *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->is_refused = !with_thread;
	h->hash = content_hash_new();
	h->own = malloc(sizeof *h->own);
	if (h->hash && h->own)
		return h;
	export_hash_free(h);
	return NULL;
}

/* Every piece is back: the hash is ours. */
static void wait_for_all(struct export_hash *h)
{
	void *pieces[PIECES];
	unsigned count = 0;

	if (!h->is_shared)
		return;
	if (h->now) {
		(void)queue_push(h->empty, h->now);	/* taken, and never filled */
		h->now = NULL;
	}
	while (count < PIECES && queue_pop(h->empty, &pieces[count]))
		count++;
	while (count > 0)
		(void)queue_push(h->empty, pieces[--count]);
	h->is_shared = false;
}

void export_hash_free(struct export_hash *h)
{
	if (!h)
		return;
	wait_for_all(h);
	if (h->full)
		queue_close(h->full);
	if (h->is_started)
		pthread_join(h->thread, NULL);
	if (h->full)
		queue_free(h->full, free);
	if (h->empty)
		queue_free(h->empty, free);
	content_hash_free(h->hash);
	free(h->own);
	free(h);
}

void export_hash_start(struct export_hash *h, uint64_t size, uint64_t holes)
{
	wait_for_all(h);
	content_hash_start(h->hash, holes);
	h->now = NULL;
	if (size >= LARGE && !h->is_started && !h->is_refused)
		h->is_refused = !start_thread(h);
	h->is_shared = size >= LARGE && h->is_started;
}

uint8_t *export_hash_room(struct export_hash *h)
{
	void *item = h->own;

	if (h->now)
		return h->now->data;	/* what was asked for last was not filled */
	if (h->is_shared)
		(void)queue_pop(h->empty, &item);	/* never closed: waits, and gives one */
	h->now = item;
	return h->now->data;
}

void export_hash_data(struct export_hash *h, uint64_t offset, size_t size)
{
	struct piece *p = h->now;

	h->now = NULL;
	p->offset = offset;
	p->size = size;
	if (h->is_shared)
		(void)queue_push(h->full, p);	/* has room for all */
	else
		content_hash_data(h->hash, offset, p->data, size);
}

struct digest export_hash_finish(struct export_hash *h, uint64_t size)
{
	wait_for_all(h);
	return content_hash_finish(h->hash, size);
}

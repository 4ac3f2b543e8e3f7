#include "fs/vault/export_hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/queue.h"
#include "fs/vault/export_inside.h"

#define PIECES 8u
#define LARGE ((uint64_t)8 << 20)	/* to hand over a piece is worth it from here on */
#define NOT_SMALL ((uint64_t)48 << 10)	/* the same where nobody waits for the digest */

/* Of a file that is hashed behind the caller. */
struct behind {
	bool begins, ends;	/* with this piece */
	uint64_t holes;		/* where it begins */
	uint64_t file_size;	/* where it ends, and the rest */
	struct digest expected;
	bool has_expected;
	char *path;		/* owned; NULL: there was no memory for it */
	size_t path_size;
};

struct piece {
	uint64_t offset;
	size_t size;
	bool is_behind;
	struct behind behind;
	uint8_t data[EXPORT_PIECE];
};

struct export_hash {
	struct content_hash *hash;	/* the thread's while pieces are under way */
	struct piece *own;		/* owned; for files that are not large */
	struct piece *now;		/* borrowed: own, or a piece taken from empty */
	bool is_shared;			/* of this file pieces go to the thread */
	bool goes_behind;		/* was asked for */
	bool is_behind;			/* of this file pieces go to the thread, and its end, too */
	bool has_begun;			/* a piece of it was filled */
	uint64_t holes;			/* of it */
	struct piece *last;		/* filled, not handed over: the file may end with it; or NULL */
	struct content_hash *own_behind;	/* owned; the thread's alone */
	/* Set once, by the thread. */
	char *wrong_path;		/* owned */
	size_t wrong_size;
	atomic_bool is_wrong;		/* set after those two */
	/* Of the thread; NULL and false until a large file comes. */
	struct queue *full, *empty;	/* owned; of struct piece, owned by where they are */
	pthread_t thread;
	bool is_started, is_refused;	/* refused: not wanted or not to be had; never asked for again */
};

/* The path goes to who asks for it, or goes. */
static void hold_against(struct export_hash *h, struct behind *b)
{
	struct digest found = content_hash_finish(h->own_behind, b->file_size);
	bool is_right = b->has_expected && digest_equal(&found, &b->expected);

	if (is_right || atomic_load(&h->is_wrong)) {
		free(b->path);
	} else {
		h->wrong_path = b->path;
		h->wrong_size = b->path ? b->path_size : 0;
		atomic_store(&h->is_wrong, true);
	}
	b->path = NULL;
}

static void hash_behind(struct export_hash *h, struct piece *p)
{
	if (p->behind.begins)
		content_hash_start(h->own_behind, p->behind.holes);
	if (p->size > 0)
		content_hash_data(h->own_behind, p->offset, p->data, p->size);
	if (p->behind.ends)
		hold_against(h, &p->behind);
}

static void *work(void *arg)
{
	struct export_hash *h = arg;
	void *item;

	while (queue_pop(h->full, &item)) {
		struct piece *p = item;

		if (p->is_behind)
			hash_behind(h, p);
		else
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

/* What the thread has not got, and will not get, of a file that came to no end. */
static void take_back(struct export_hash *h)
{
	if (h->now && h->now != h->own)
		(void)queue_push(h->empty, h->now);	/* taken, and never filled */
	h->now = NULL;
	if (h->last)
		(void)queue_push(h->empty, h->last);
	h->last = NULL;
}

/* Every piece is back: the hash is ours. */
static void wait_for_all(struct export_hash *h)
{
	void *pieces[PIECES];
	unsigned count = 0;

	take_back(h);
	if (!h->is_started)
		return;
	while (count < PIECES && queue_pop(h->empty, &pieces[count]))
		count++;
	while (count > 0)
		(void)queue_push(h->empty, pieces[--count]);
	h->is_shared = h->is_behind = false;
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
	content_hash_free(h->own_behind);
	free(h->wrong_path);
	free(h->own);
	free(h);
}

void export_hash_start(struct export_hash *h, uint64_t size, uint64_t holes)
{
	uint64_t least = h->goes_behind ? NOT_SMALL : LARGE;

	if (h->is_shared)	/* the thread has the hash */
		wait_for_all(h);
	take_back(h);
	if (size >= least && !h->is_started && !h->is_refused)
		h->is_refused = !start_thread(h);
	h->is_behind = size >= least && h->is_started && h->goes_behind;
	h->is_shared = size >= least && h->is_started && !h->goes_behind;
	h->has_begun = false;
	h->holes = holes;
	if (!h->is_behind)
		content_hash_start(h->hash, holes);
}

uint8_t *export_hash_room(struct export_hash *h)
{
	void *item = h->own;

	if (h->now)
		return h->now->data;	/* what was asked for last was not filled */
	if (h->is_shared || h->is_behind)
		(void)queue_pop(h->empty, &item);	/* never closed: waits, and gives one */
	h->now = item;
	return h->now->data;
}

/* Handed over with the next: only then is it known not to be the last. */
static void fill_behind(struct export_hash *h, struct piece *p)
{
	p->behind = (struct behind){ .begins = !h->has_begun, .holes = h->holes };
	h->has_begun = true;
	if (h->last)
		(void)queue_push(h->full, h->last);	/* has room for all */
	h->last = p;
}

void export_hash_data(struct export_hash *h, uint64_t offset, size_t size)
{
	struct piece *p = h->now;

	h->now = NULL;
	p->offset = offset;
	p->size = size;
	p->is_behind = h->is_behind;
	if (h->is_behind)
		fill_behind(h, p);
	else if (h->is_shared)
		(void)queue_push(h->full, p);	/* has room for all */
	else
		content_hash_data(h->hash, offset, p->data, size);
}

struct digest export_hash_finish(struct export_hash *h, uint64_t size)
{
	if (h->is_shared)
		wait_for_all(h);
	return content_hash_finish(h->hash, size);
}

void export_hash_behind(struct export_hash *h)
{
	if (!h->own_behind)
		h->own_behind = content_hash_new();
	h->goes_behind = h->own_behind != NULL;
}

bool export_hash_end_behind(struct export_hash *h, uint64_t size, const struct digest *expected,
			    const char *path, size_t path_size)
{
	struct piece *p;

	if (!h->is_behind)
		return false;
	if (!h->last) {		/* all of it is a hole */
		(void)export_hash_room(h);
		export_hash_data(h, 0, 0);
	}
	p = h->last;
	h->last = NULL;
	p->behind.ends = true;
	p->behind.file_size = size;
	p->behind.has_expected = expected != NULL;
	if (expected)
		p->behind.expected = *expected;
	p->behind.path = strndup(path, path_size);
	p->behind.path_size = path_size;
	(void)queue_push(h->full, p);	/* has room for all */
	h->is_behind = false;
	return true;
}

void export_hash_settle(struct export_hash *h)
{
	wait_for_all(h);
}

const char *export_hash_wrong(const struct export_hash *h, size_t *path_size)
{
	*path_size = 0;
	if (!atomic_load(&h->is_wrong))
		return NULL;
	*path_size = h->wrong_size;
	return h->wrong_path ? h->wrong_path : "";
}

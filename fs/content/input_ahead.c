#include "fs/content/input_ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/base/err.h"

#define FILLED 3u		/* pieces that may be read ahead */
#define HELD (AHEAD_KEPT / AHEAD_PIECE + 1)	/* and the one that was given last */
#define PIECES (HELD + FILLED)

struct ahead {
	struct ahead_source source;
	uint8_t *pieces[PIECES];	/* owned; those in use are made by the thread */
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* All protected by lock: */
	size_t sizes[PIECES];
	uint64_t filled, given;	/* pieces */
	bool is_ended, is_stopped;
	struct err failure;	/* at the end */
};

/* ---- the thread -------------------------------------------------------------------------- */

/* False: it is not wanted any more. */
static bool wait_for_room(struct ahead *a)
{
	bool goes_on;

	pthread_mutex_lock(&a->lock);
	while (!a->is_stopped && a->filled >= a->given + FILLED)
		pthread_cond_wait(&a->changed, &a->lock);
	goes_on = !a->is_stopped;
	pthread_mutex_unlock(&a->lock);
	return goes_on;
}

static void end(struct ahead *a, const struct err *failure)
{
	pthread_mutex_lock(&a->lock);
	a->is_ended = true;
	if (failure)
		a->failure = *failure;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

static void publish(struct ahead *a, size_t size)
{
	pthread_mutex_lock(&a->lock);
	a->sizes[a->filled % PIECES] = size;
	a->filled++;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

/* A whole piece, or what there is before the end or a failure. */
static size_t read_piece(const struct ahead *a, uint64_t offset, uint8_t *out, struct err *e)
{
	uint64_t left = a->source.end - offset;
	size_t wanted = left < AHEAD_PIECE ? (size_t)left : AHEAD_PIECE, done = 0;

	while (done < wanted) {
		ssize_t n = pread(a->source.fd, out + done, wanted - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err_errno(e, "reading at byte %llu", (unsigned long long)(offset + done));
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static void *read_on(void *arg)
{
	struct ahead *a = arg;
	uint64_t offset = a->source.from;
	unsigned turn = 0;
	struct err e = ERR_NONE;

	while (offset < a->source.end && e.code == MUNI_OK && wait_for_room(a)) {
		uint8_t **piece = &a->pieces[turn++ % PIECES];
		size_t size;

		if (!*piece)
			*piece = malloc(AHEAD_PIECE);
		if (!*piece) {
			err_set(&e, MUNI_NO_MEMORY, "no memory to read with");
			break;
		}
		size = read_piece(a, offset, *piece, &e);
		if (size == 0)	/* it became shorter, or failed */
			break;
		publish(a, size);
		if (a->source.watch)
			a->source.watch(a->source.arg, *piece, size);
		offset += size;
	}
	end(a, e.code == MUNI_OK ? NULL : &e);
	return NULL;
}

/* ---- the caller's side -------------------------------------------------------------------- */

int ahead_new(const struct ahead_source *source, struct ahead **out, struct err *e)
{
	struct ahead *a = calloc(1, sizeof *a);

	*out = NULL;
	if (!a)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read with");
	a->source = *source;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	if (pthread_create(&a->thread, NULL, read_on, a) != 0) {
		ahead_free(a);
		return err_set(e, MUNI_NO_MEMORY, "no thread to read with");
	}
	a->has_thread = true;
	*out = a;
	return 0;
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	if (a->has_thread) {
		pthread_mutex_lock(&a->lock);
		a->is_stopped = true;
		pthread_cond_broadcast(&a->changed);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
	}
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	for (unsigned i = 0; i < PIECES; i++)
		free(a->pieces[i]);
	free(a);
}

ssize_t ahead_next(struct ahead *a, const uint8_t **data, struct err *e)
{
	size_t turn = (size_t)(a->given % PIECES);
	ssize_t n = 0;

	*data = NULL;
	pthread_mutex_lock(&a->lock);
	while (a->given == a->filled && !a->is_ended)
		pthread_cond_wait(&a->changed, &a->lock);
	if (a->given < a->filled) {
		n = (ssize_t)a->sizes[turn];
		*data = a->pieces[turn];
		a->given++;
		pthread_cond_broadcast(&a->changed);
	} else if (a->failure.code != MUNI_OK) {
		*e = a->failure;
		n = -1;
	}
	pthread_mutex_unlock(&a->lock);
	return n;
}

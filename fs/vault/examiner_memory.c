/*
 * A scan's memory, shared out among its workers.
 *
 * Each may take a little without asking.  One that needs more says so and waits
 * until it is the only one of that kind (examiner_hand.c); it ends with its file.
 * So the sum holds whatever the files are, and no file fares differently because
 * of another: it waits, but it is never refused.  Who has grown waits for nobody.
 */
#include <time.h>

#include "fs/base/err.h"
#include "fs/vault/examiner_inside.h"

#define MIB ((uint64_t)1 << 20)
#define ALL (256 * MIB)		/* what a scan may use */
/* muni, and what muni-examine loads once for all workers. */
#define FIXED (60 * MIB)
#define WORKER_BASE (2 * MIB)	/* pages of its own that every worker comes to have */
#define LEAN_MOST (32 * MIB)
/* Less is not worth a worker: what warming up left free in its heap is as much. */
#define LEAN_LEAST (10 * MIB)
#define CANCEL_MS 250

/* The one that has grown is among the workers. */
static uint64_t lean_of(const struct examiner *x, unsigned workers)
{
	uint64_t taken = FIXED + x->besides + x->memory + workers * WORKER_BASE, lean;

	if (workers < 2)
		return x->memory;
	lean = taken < ALL ? (ALL - taken) / (workers - 1) : 0;
	return lean < LEAN_MOST ? lean : LEAN_MOST;
}

void memory_share_out(struct examiner *x, unsigned workers, uint64_t *lean)
{
	while (workers > 2 && lean_of(x, workers) < LEAN_LEAST)
		workers--;
	*lean = lean_of(x, workers);
	if (*lean < LEAN_LEAST)
		*lean = LEAN_LEAST;
	if (*lean > x->memory)
		*lean = x->memory;
	x->count = workers;
}

static void in_a_moment(struct timespec *t)
{
	clock_gettime(CLOCK_REALTIME, t);
	t->tv_nsec += CANCEL_MS * 1000000l;
	t->tv_sec += t->tv_nsec / 1000000000l;
	t->tv_nsec %= 1000000000l;
}

int memory_grow(struct examiner *x, struct hand *h, struct err *e)
{
	bool is_ours = false;

	while (!is_ours) {
		struct timespec until;

		if (examiner_is_cancelled(x))
			return err_set(e, MUNI_CANCELLED, "stopped");
		in_a_moment(&until);
		pthread_mutex_lock(&x->lock);
		if (x->is_one_grown)
			(void)pthread_cond_timedwait(&x->shrunk, &x->lock, &until);
		is_ours = !x->is_one_grown;
		if (is_ours)
			x->is_one_grown = true;
		pthread_mutex_unlock(&x->lock);
	}
	h->is_grown = true;
	return keeper_lift(&x->keeper, h, e);
}

void memory_shrink(struct examiner *x, struct hand *h)
{
	if (!h->is_grown)
		return;
	h->is_grown = false;
	pthread_mutex_lock(&x->lock);
	x->is_one_grown = false;
	pthread_cond_signal(&x->shrunk);
	pthread_mutex_unlock(&x->lock);
}

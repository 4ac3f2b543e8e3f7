/*
 * verify --deep begins beside the reading of segments: that waits for the disk, and one large
 * file for its digest, which is one processor's work.  What is wrong is kept, and told when its
 * turn comes.  Where it could not be begun so, or came to no end, it is done then.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "fs/vault/verify_deep.h"

#define SHOW_EVERY_NS (100 * 1000 * 1000)
#define CATALOGUE_CACHE_BYTES (4u << 20)

struct verify_reading {
	struct deep *deep;		/* owned */
	struct catalogue *catalogue;	/* owned; the walk's */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool is_over;			/* protected by lock */
	struct err e;
	int rc;
};

static void *read_beside(void *arg)
{
	struct verify_reading *r = arg;

	r->rc = deep_read(r->deep, r->catalogue, NULL, &r->e);
	pthread_mutex_lock(&r->lock);
	r->is_over = true;
	pthread_cond_signal(&r->over);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void free_reading(struct verify_reading *r)
{
	if (r->deep != NULL)
		deep_free(r->deep);
	if (r->catalogue != NULL)
		catalogue_close(r->catalogue);
	pthread_cond_destroy(&r->over);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct verify_reading *new_reading(struct verify *k, struct err *e)
{
	struct verify_reading *r = calloc(1, sizeof *r);
	pthread_condattr_t monotonic;

	if (r == NULL)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&r->over, &monotonic);
	pthread_condattr_destroy(&monotonic);
	r->deep = deep_new(k, e);
	if (r->deep == NULL || vault_connect(k->v, CATALOGUE_CACHE_BYTES, &r->catalogue, e) < 0) {
		free_reading(r);
		return NULL;
	}
	return r;
}

/* Two walks over all segments at once, neither of which finds in memory what the other has
 * read: a disk that turns would go back and forth between them. */
static bool fits_in_memory(struct verify *k)
{
	struct err ignored = ERR_NONE;
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return verify_total_size(k, &ignored) == 0 && pages > 0 && size > 0 &&
	       k->segment_bytes / (uint64_t)size < (uint64_t)pages / 2;
}

int verify_contents_start(struct verify *k, struct err *e)
{
	struct err ignored = ERR_NONE;
	struct verify_reading *r;
	sigset_t all, before;

	(void)e;
	if (k->threads == 1 || k->v->objects == NULL || k->v->keyring == NULL ||
	    k->v->epoch == 0 || !fits_in_memory(k))
		return 0;
	r = new_reading(k, &ignored);
	if (r == NULL)
		return 0;	/* then it is done when its turn comes */
	sigfillset(&all);	/* signals are the main thread's business */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&r->thread, NULL, read_beside, r) == 0)
		k->reading = r;
	else
		free_reading(r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return 0;
}

/* Until it is over, or the caller wants to stop. */
static int wait_for(struct verify *k, struct verify_reading *r, struct err *e)
{
	bool is_over = false;
	int rc = 0;

	while (!is_over && rc == 0) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += SHOW_EVERY_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_mutex_lock(&r->lock);
		while (!r->is_over &&
		       pthread_cond_timedwait(&r->over, &r->lock, &until) != ETIMEDOUT)
			;
		is_over = r->is_over;
		pthread_mutex_unlock(&r->lock);
		deep_show(r->deep, k);
		rc = verify_go_on(k, e);
	}
	return rc;
}

void verify_contents_drop(struct verify *k)
{
	struct verify_reading *r = k->reading;

	k->reading = NULL;
	if (r == NULL)
		return;
	deep_stop(r->deep);
	pthread_join(r->thread, NULL);
	free_reading(r);
}

/* *is_done: it was read beside, and what was found is told. */
static int take_over(struct verify *k, bool *is_done, struct err *e)
{
	struct verify_reading *r = k->reading;
	int rc;

	*is_done = false;
	if (r == NULL)
		return 0;
	rc = wait_for(k, r, e);
	if (rc == 0) {
		pthread_join(r->thread, NULL);
		k->reading = NULL;
		*is_done = r->rc == 0;
		if (*is_done)
			rc = deep_tell(r->deep, k, e);
		free_reading(r);
	}
	return rc;
}

int verify_contents(struct verify *k, struct err *e)
{
	struct deep *d;
	bool is_done;
	int rc;

	if (!k->is_catalogue_open || k->v->objects == NULL)
		return 0;
	verify_stage(k, "reading files", 0, 0);
	if (take_over(k, &is_done, e) < 0)
		return -1;
	if (is_done)
		return 0;
	d = deep_new(k, e);
	if (d == NULL)
		return -1;
	rc = deep_read(d, k->v->catalogue, k, e);
	if (rc == 0)
		rc = deep_tell(d, k, e);
	deep_free(d);
	return rc;
}

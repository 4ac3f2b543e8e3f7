#include "fs/vault/reader_helpers.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/base/spin.h"
#include "fs/crypt/secret.h"
#include "fs/vault/block_cache.h"
#include "fs/vault/reader_decode.h"

#define RING 128
#define HELPERS_MAX 16
#define NEAR_RING 128		/* mebibytes: a fifth of a second of a good disk */
#define NEAR_AT_ONCE 2u
#define NEAR 0u			/* as an errand's `wanted`: decode nothing */
#define RUN_MIN 8u		/* READER_RUN_MAX at most */
#define LOOK_US 300		/* for the next of a series: who reads needs 200 to ask for it */
#define LOOKERS_MIN 2u		/* threads: with fewer, processors are too few to spend one on it */
/* Reads without looking when others wanted the processor; four times as many when they soon want
 * it again. */
#define LOOK_REST 64u
#define LOOK_REST_MAX 4096u
#define CATALOGUE_CACHE (512u * 1024)	/* a helper asks for few rows, and near ones */

struct helpers {
	struct vault *vault;	/* borrowed */
	struct block_cache *cache;	/* borrowed */
	pthread_mutex_t lock;	/* protects all below */
	pthread_cond_t work;
	struct helpers_errand ring[RING];
	unsigned head, count;
	int64_t near[NEAR_RING];	/* what helpers_near() was told */
	unsigned near_head, near_count;
	unsigned near_busy;	/* threads that are at one */
	unsigned idle;		/* threads that sleep until there is work */
	unsigned looking;	/* ... that look for it: each looks into the ring before it sleeps */
	unsigned look_rest;	/* reads yet without looking */
	unsigned look_rest_last;	/* how many there were last time */
	unsigned look_reads;	/* with it, since */
	atomic_uint told;	/* changes when the ring has more; not under the lock */
	bool is_stopping, is_paused;
	unsigned with_reader;	/* threads that have one open, or are opening it */
	pthread_cond_t rested;	/* with_reader went down */
	unsigned threads;
	pthread_t thread[HELPERS_MAX];
};

enum errand { ERRAND_DECODE, ERRAND_REST, ERRAND_STOP };

/* Under the lock: the first errand, and where there is plenty for all, those behind it:
 * blocks of one stretch of a file have the same leader, mostly, and lie together.  While nobody
 * is idle even the last of a hint go in runs: taken singly, each is a visit, a `pread` and often
 * a leader laid out anew, and frees nobody for anything else.  How many. */
static unsigned take(struct helpers *h, struct helpers_errand out[READER_RUN_MAX])
{
	unsigned share = h->count / h->threads, n = 1;

	if (h->idle == 0 && share < RUN_MIN)
		share = h->count < RUN_MIN ? h->count : RUN_MIN;
	out[0] = h->ring[h->head];
	while (n < share && n < READER_RUN_MAX && !out[n - 1].is_urgent &&
	       out[n - 1].wanted == HELPERS_WHOLE) {
		out[n] = h->ring[(h->head + n) % RING];
		if (out[n].wanted != HELPERS_WHOLE)
			break;
		n++;
	}
	h->head = (h->head + n) % RING;
	h->count -= n;
	return n;
}

/* Under the lock. */
static bool has_near(const struct helpers *h)
{
	return h->near_count > 0 && h->near_busy < NEAR_AT_ONCE;
}

/* Under the lock. */
static unsigned take_near(struct helpers *h, struct helpers_errand *out)
{
	*out = (struct helpers_errand){ .block = h->near[h->near_head], .wanted = NEAR };
	h->near_head = (h->near_head + 1) % NEAR_RING;
	h->near_count--;
	h->near_busy++;
	return 1;
}

/* Under the lock. */
static void rest_from_looking(struct helpers *h)
{
	bool is_soon = h->look_reads < LOOK_REST_MAX / 4;

	if (h->look_rest > 0)
		return;
	h->look_rest = is_soon && h->look_rest_last > 0 ? h->look_rest_last * 4 : LOOK_REST;
	if (h->look_rest > LOOK_REST_MAX)
		h->look_rest = LOOK_REST_MAX;
	h->look_rest_last = h->look_rest;
	h->look_reads = 0;
}

/* Under the lock, which is free meanwhile.  false: sleep. */
static bool look(struct helpers *h)
{
	unsigned seen = atomic_load(&h->told);
	enum spin how;

	h->looking++;
	pthread_mutex_unlock(&h->lock);
	how = spin_while(&h->told, seen, LOOK_US);
	pthread_mutex_lock(&h->lock);
	h->looking--;
	if (how == SPIN_TAKEN)
		rest_from_looking(h);
	return how == SPIN_CHANGED;
}

/* Waits for something to do; has_reader: a rest means to close it.  out[0..*count) is what was
 * done before, then what is to be done. */
static enum errand next(struct helpers *h, bool has_reader,
			struct helpers_errand out[READER_RUN_MAX], unsigned *count)
{
	enum errand errand = ERRAND_DECODE;
	bool is_more = false, may_look = *count > 0 && out[0].is_series;

	pthread_mutex_lock(&h->lock);
	if (*count > 0 && out[0].wanted == NEAR)
		h->near_busy--;
	*count = 0;
	while (!h->is_stopping && (h->is_paused ? !has_reader : h->count == 0 && !has_near(h))) {
		if (may_look && !h->is_paused) {
			may_look = look(h);
		} else {
			h->idle++;
			pthread_cond_wait(&h->work, &h->lock);
			h->idle--;
		}
	}
	if (h->is_stopping) {
		errand = ERRAND_STOP;
	} else if (h->is_paused) {
		errand = ERRAND_REST;
	} else {
		*count = h->count > 0 ? take(h, out) : take_near(h, out);
		h->with_reader += !has_reader;
		is_more = (h->count > h->looking || has_near(h)) && h->idle > 0;
	}
	pthread_mutex_unlock(&h->lock);
	/* A wake-up costs ten microseconds: who gave the hint pays for one alone. */
	if (is_more)
		pthread_cond_signal(&h->work);
	return errand;
}

static void let_go(struct helpers *h, struct vault_reader **r)
{
	vault_reader_close(*r);
	*r = NULL;
	secret_scrub_stack();	/* what was decoded may be destroyed while this thread rests */
	pthread_mutex_lock(&h->lock);
	h->with_reader--;
	pthread_cond_signal(&h->rested);
	pthread_mutex_unlock(&h->lock);
}

/* Errors are dropped: whoever needs the block will meet and tell them. */
static void *work(void *arg)
{
	struct helpers *h = arg;
	struct vault_reader *r = NULL;
	struct err e = ERR_NONE;
	struct helpers_errand what[READER_RUN_MAX] = { { .wanted = 0 } };
	int64_t run[READER_RUN_MAX] = { 0 };
	enum errand errand;
	unsigned count = 0;

	while ((errand = next(h, r != NULL, what, &count)) != ERRAND_STOP) {
		for (unsigned i = 0; i < count; i++)
			run[i] = what[i].block;
		if (errand == ERRAND_REST ||
		    (!r && vault_reader_open(h->vault, h->cache, CATALOGUE_CACHE, &r, &e) < 0))
			let_go(h, &r);
		else if (what[0].wanted == NEAR)
			reader_expect_near(r, run[0]);
		else if (what[0].wanted == HELPERS_DISK)
			reader_expect_ahead(r, run[0]);
		else if (count > 1)
			reader_decode_run(r, run, count);
		else
			reader_decode_ahead(r, run[0], what[0].wanted);
	}
	vault_reader_close(r);
	return NULL;
}

int helpers_start(struct vault *v, struct block_cache *c, unsigned count,
		  struct helpers **out, struct err *e)
{
	struct helpers *h = calloc(1, sizeof *h);
	sigset_t all, before;

	*out = NULL;
	if (!h)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the decoding threads");
	h->vault = v;
	h->cache = c;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->work, NULL);
	pthread_cond_init(&h->rested, NULL);
	/* Signals are the program's business, not a decoder's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (h->threads < count && h->threads < HELPERS_MAX &&
	       pthread_create(&h->thread[h->threads], NULL, work, h) == 0)
		h->threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (count > 0 && h->threads == 0) {
		helpers_stop(h);
		return err_set(e, MUNI_NO_MEMORY, "no decoding thread could be started");
	}
	*out = h;
	return 0;
}

void helpers_hint(struct helpers *h, const struct helpers_errand *list, unsigned count,
		  bool is_urgent)
{
	bool is_idle, is_for_all;

	pthread_mutex_lock(&h->lock);
	/* The least urgent at the tail makes room for what is waited for. */
	if (is_urgent && h->count + count > RING)
		h->count = count < RING ? RING - count : 0;
	if (count > RING - h->count)
		count = RING - h->count;
	if (h->is_paused)
		count = 0;
	if (is_urgent)
		h->head = (h->head + RING - count) % RING;
	for (unsigned i = 0; i < count; i++) {
		struct helpers_errand *to =
			&h->ring[(h->head + (is_urgent ? 0 : h->count) + i) % RING];
		*to = list[i];
		to->is_urgent = is_urgent;
	}
	h->count += count;
	/* Who looks takes one, and needs no waking. */
	is_idle = count > h->looking && h->idle > 0;
	/* Woken by turns, the last would begin when who waits is at his second block.  All are
	 * woken at once where there is an errand for each. */
	is_for_all = is_urgent && count >= h->idle + h->looking;
	pthread_mutex_unlock(&h->lock);
	atomic_fetch_add(&h->told, 1);	/* now that the lock is free for who looks */
	if (is_idle && is_for_all)
		pthread_cond_broadcast(&h->work);
	else if (is_idle)
		pthread_cond_signal(&h->work);
}

bool helpers_may_look(struct helpers *h)
{
	bool may;

	pthread_mutex_lock(&h->lock);
	may = h->threads >= LOOKERS_MIN && h->look_rest == 0;
	h->look_reads += may;
	h->look_rest -= h->look_rest > 0;
	pthread_mutex_unlock(&h->lock);
	return may;
}

bool helpers_near(struct helpers *h, int64_t block)
{
	bool is_idle = false, is_taken;

	pthread_mutex_lock(&h->lock);
	is_taken = h->near_count < NEAR_RING && !h->is_paused;
	if (is_taken) {
		h->near[(h->near_head + h->near_count++) % NEAR_RING] = block;
		is_idle = h->near_busy < NEAR_AT_ONCE && h->idle > 0;
	}
	pthread_mutex_unlock(&h->lock);
	if (is_idle)
		pthread_cond_signal(&h->work);
	return is_taken;
}

void helpers_pause(struct helpers *h)
{
	pthread_mutex_lock(&h->lock);
	h->is_paused = true;
	h->count = h->near_count = 0;
	atomic_fetch_add(&h->told, 1);
	pthread_cond_broadcast(&h->work);
	while (h->with_reader > 0)
		pthread_cond_wait(&h->rested, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

void helpers_resume(struct helpers *h)
{
	pthread_mutex_lock(&h->lock);
	h->is_paused = false;
	pthread_cond_broadcast(&h->work);
	pthread_mutex_unlock(&h->lock);
}

void helpers_stop(struct helpers *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->is_stopping = true;
	atomic_fetch_add(&h->told, 1);
	pthread_cond_broadcast(&h->work);
	pthread_mutex_unlock(&h->lock);
	for (unsigned i = 0; i < h->threads; i++)
		pthread_join(h->thread[i], NULL);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->work);
	pthread_cond_destroy(&h->rested);
	free(h);
}

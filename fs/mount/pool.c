#include "fs/mount/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "fs/base/err.h"
#include "fs/vault/reader.h"

struct pool {
	struct vault *vault;	/* borrowed */
	struct block_cache *blocks;	/* borrowed */
	size_t catalogue_cache;
	pthread_mutex_t lock;	/* protects all below */
	pthread_cond_t given;	/* a reader came back, or the pool opened */
	bool is_shut;
	unsigned limit, opened, idle_count;
	struct vault_reader *idle[];
};

struct pool *pool_new(struct vault *v, struct block_cache *blocks, unsigned limit,
		      size_t catalogue_cache)
{
	struct pool *p = calloc(1, sizeof *p + limit * sizeof p->idle[0]);
	pthread_condattr_t monotonic;

	if (!p)
		return NULL;
	p->vault = v;
	p->blocks = blocks;
	p->catalogue_cache = catalogue_cache;
	p->limit = limit;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&p->given, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return p;
}

int pool_take(struct pool *p, struct vault_reader **out, struct err *e)
{
	*out = NULL;
	pthread_mutex_lock(&p->lock);
	while (p->is_shut || (p->idle_count == 0 && p->opened == p->limit))
		pthread_cond_wait(&p->given, &p->lock);
	if (p->idle_count > 0) {
		*out = p->idle[--p->idle_count];
		pthread_mutex_unlock(&p->lock);
		return 0;
	}
	p->opened++;
	pthread_mutex_unlock(&p->lock);
	if (vault_reader_open(p->vault, p->blocks, p->catalogue_cache, out, e) == 0)
		return 0;
	pthread_mutex_lock(&p->lock);
	p->opened--;
	pthread_cond_broadcast(&p->given);
	pthread_mutex_unlock(&p->lock);
	return -1;
}

void pool_give(struct pool *p, struct vault_reader *r)
{
	vault_scrub_stack();	/* what this thread read may be destroyed while it rests */
	pthread_mutex_lock(&p->lock);
	p->idle[p->idle_count++] = r;
	if (p->is_shut)
		pthread_cond_broadcast(&p->given);
	else
		pthread_cond_signal(&p->given);
	pthread_mutex_unlock(&p->lock);
}

void pool_warm(struct pool *p)
{
	struct vault_reader *r;
	struct err ignored = ERR_NONE;

	if (pool_take(p, &r, &ignored) == 0)
		pool_give(p, r);
}

static struct timespec after(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);	/* clocks are set while mounts live */
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

int pool_shut(struct pool *p, unsigned timeout_ms, struct err *e)
{
	struct timespec until = after(timeout_ms);
	bool is_late = false;
	unsigned in_use;

	pthread_mutex_lock(&p->lock);
	p->is_shut = true;
	while (p->idle_count < p->opened && !is_late)
		is_late = pthread_cond_timedwait(&p->given, &p->lock, &until) == ETIMEDOUT;
	in_use = p->opened - p->idle_count;
	while (in_use == 0 && p->idle_count > 0) {
		vault_reader_close(p->idle[--p->idle_count]);
		p->opened--;
	}
	pthread_mutex_unlock(&p->lock);
	if (in_use == 0)
		return 0;
	pool_open(p);
	return err_set(e, MUNI_BUSY, "%u request%s did not come to an end in %u seconds", in_use,
		       in_use == 1 ? "" : "s", timeout_ms / 1000);
}

void pool_open(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->is_shut = false;
	pthread_cond_broadcast(&p->given);
	pthread_mutex_unlock(&p->lock);
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	while (p->idle_count > 0)
		vault_reader_close(p->idle[--p->idle_count]);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->given);
	free(p);
}

#include "fs/vault/reader_helpers.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/vault/block_cache.h"
#include "fs/vault/reader_decode.h"

#define RING 128
#define HELPERS_MAX 16
#define CATALOGUE_CACHE (512u * 1024)	/* a helper asks for few rows, and near ones */

struct helpers {
	struct vault *vault;	/* borrowed */
	struct block_cache *cache;	/* borrowed */
	pthread_mutex_t lock;	/* protects all below */
	pthread_cond_t work;
	int64_t ring[RING];
	unsigned head, count;
	bool is_stopping;
	unsigned threads;
	pthread_t thread[HELPERS_MAX];
};

static bool next(struct helpers *h, int64_t *block)
{
	pthread_mutex_lock(&h->lock);
	while (h->count == 0 && !h->is_stopping)
		pthread_cond_wait(&h->work, &h->lock);
	bool is_work = !h->is_stopping;
	if (is_work) {
		*block = h->ring[h->head];
		h->head = (h->head + 1) % RING;
		h->count--;
	}
	pthread_mutex_unlock(&h->lock);
	return is_work;
}

/* Errors are dropped: whoever needs the block will meet and tell them. */
static void *work(void *arg)
{
	struct helpers *h = arg;
	struct vault_reader *r = NULL;
	struct err e = ERR_NONE;
	int64_t block;

	while (next(h, &block)) {
		if (!r && vault_reader_open(h->vault, h->cache, CATALOGUE_CACHE, &r, &e) < 0)
			continue;
		reader_decode_ahead(r, block);
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

void helpers_hint(struct helpers *h, int64_t block)
{
	pthread_mutex_lock(&h->lock);
	if (h->count < RING) {
		h->ring[(h->head + h->count++) % RING] = block;
		pthread_cond_signal(&h->work);
	}
	pthread_mutex_unlock(&h->lock);
}

void helpers_stop(struct helpers *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->is_stopping = true;
	pthread_cond_broadcast(&h->work);
	pthread_mutex_unlock(&h->lock);
	for (unsigned i = 0; i < h->threads; i++)
		pthread_join(h->thread[i], NULL);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->work);
	free(h);
}

/*
 * verify --deep: every content read through the reader as a user would read it
 * and hashed again, shared content once.
 *
 * Contents are numbered as they were met, so those with neighbouring numbers lie in
 * the same blocks: a worker takes a run of them, and no two wait for one block.  What
 * is long has one worker, who hashes while the cache's helpers decode ahead of it.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/queue.h"
#include "fs/vault/leaf.h"
#include "fs/vault/reader.h"
#include "fs/vault/verify_deep.h"

#define PIECE (1u << 20)
#define CACHE_BYTES (64u << 20)
#define CATALOGUE_CACHE_BYTES (4u << 20)
#define THREADS_MAX 64
#define JOB_CONTENTS 256
#define JOB_BYTES (4u << 20)
#define WINDOW (8u << 20)	/* decoded ahead within a long content */

/* What hashing a content again takes. */
struct content {
	int64_t id;
	uint64_t size, holes;
	struct digest sha256;
	bool has_sha256;
};

struct job {
	uint64_t bytes;
	unsigned count;
	struct content contents[JOB_CONTENTS];
};

struct bad {
	int64_t content;
	char what[300];
	struct bad *next;
};

struct deep {
	struct verify *verify;		/* borrowed; hears of the progress; NULL: nobody does */
	struct vault *v;		/* borrowed */
	struct queue *queue;		/* owned; of struct job */
	struct job *job;		/* owned; being filled by the catalogue's walk */
	struct block_cache *cache;	/* owned */
	struct worker *workers;		/* owned; THREADS_MAX */
	unsigned threads, hired;
	struct err *e;			/* the walk's own */
	atomic_bool is_stopped;
	atomic_uint_fast64_t contents, bytes;
	uint64_t told_contents, told_bytes;

	pthread_mutex_t lock;
	struct bad *bad;		/* owned; protected by lock */
	struct err failed;		/* protected by lock */
};

struct worker {
	pthread_t thread;
	struct deep *deep;
	struct vault_reader *reader;	/* owned */
	struct content_hash *hash;	/* owned */
};

static void fail(struct deep *d, const struct err *e)
{
	pthread_mutex_lock(&d->lock);
	if (d->failed.code == MUNI_OK)
		d->failed = *e;
	pthread_mutex_unlock(&d->lock);
	deep_stop(d);
}

static void note_bad(struct deep *d, int64_t content, const char *what)
{
	struct bad *bad = calloc(1, sizeof *bad);
	struct err e = ERR_NONE;

	if (bad == NULL) {
		err_set(&e, MUNI_NO_MEMORY, "no memory for what is damaged");
		fail(d, &e);
		return;
	}
	bad->content = content;
	snprintf(bad->what, sizeof bad->what, "%s", what);
	pthread_mutex_lock(&d->lock);
	bad->next = d->bad;
	d->bad = bad;
	pthread_mutex_unlock(&d->lock);
}

/* A piece of data, hashed where it was decoded: a copy of it all would cost a tenth of the time. */
static int hash_piece(struct worker *w, const struct content *n, uint64_t from, size_t size,
		      struct err *e)
{
	struct vault_parts parts = { .count = 0 };
	uint64_t at = from;
	int rc = vault_read_parts(w->reader, n->id, n->size, from, size, true, &parts, e);

	for (unsigned i = 0; rc == 0 && i < parts.count; at += parts.parts[i++].iov_len)
		content_hash_data(w->hash, at, parts.parts[i].iov_base, parts.parts[i].iov_len);
	vault_parts_release(w->reader, &parts);
	if (rc == 0 && at != from + size)
		rc = err_set(e, MUNI_DAMAGED, "it ends at byte %" PRIu64, at);
	return rc;
}

/* Data [from, to) of the content into the hash. */
static int hash_run(struct worker *w, const struct content *n, uint64_t from, uint64_t to,
		    struct err *e)
{
	uint64_t ahead = from + PIECE;

	while (from < to) {
		size_t size = to - from < PIECE ? (size_t)(to - from) : PIECE;

		if (atomic_load(&w->deep->is_stopped))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (from + WINDOW > ahead && ahead < to) {
			vault_prefetch(w->reader, n->id, ahead, WINDOW / 2);
			ahead += WINDOW / 2;
		}
		if (hash_piece(w, n, from, size, e) < 0)
			return -1;
		from += size;
		atomic_fetch_add(&w->deep->bytes, size);
	}
	return 0;
}

static int hash_content(struct worker *w, const struct content *n, struct digest *out,
			struct err *e)
{
	uint64_t at = 0;

	content_hash_start(w->hash, n->holes);
	while (at < n->size) {
		uint64_t data, hole;

		if (vault_seek(w->reader, n->id, n->size, at, true, &data, e) < 0)
			return -1;
		if (data >= n->size)
			break;
		if (vault_seek(w->reader, n->id, n->size, data, false, &hole, e) < 0 ||
		    hash_run(w, n, data, hole, e) < 0)
			return -1;
		at = hole;
	}
	*out = content_hash_finish(w->hash, n->size);
	return 0;
}

static void check_content(struct worker *w, const struct content *n)
{
	struct err e = ERR_NONE;
	struct digest now;

	if (hash_content(w, n, &now, &e) < 0) {
		/* Neither says anything of the bytes. */
		if (e.code == MUNI_NO_MEMORY || e.code == MUNI_BUSY ||
		    e.code == MUNI_CANCELLED)
			fail(w->deep, &e);
		else
			note_bad(w->deep, n->id, e.text);
	} else if (!n->has_sha256 || !digest_equal(&now, &n->sha256)) {
		note_bad(w->deep, n->id, "its bytes do not have the digest that was taken at "
			 "ingest");
	}
	atomic_fetch_add(&w->deep->contents, 1);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct catalogue *c = vault_reader_catalogue(w->reader);
	void *item;

	while (queue_pop(w->deep->queue, &item)) {
		const struct job *job = item;
		struct err ignored = ERR_NONE;

		/* One for all: without it every question is a transaction, slower but as
		 * right.  Nobody writes while we look. */
		(void)catalogue_begin(c, &ignored);
		for (unsigned i = 0; i < job->count; i++)
			check_content(w, &job->contents[i]);
		catalogue_rollback(c);
		free(item);
	}
	return NULL;
}

void deep_show(struct deep *d, struct verify *k)
{
	uint64_t contents = atomic_load(&d->contents), bytes = atomic_load(&d->bytes);

	verify_advance(k, contents - d->told_contents, bytes - d->told_bytes);
	d->told_contents = contents;
	d->told_bytes = bytes;
}

static int hand_over(struct deep *d)
{
	struct job *job = d->job;

	d->job = NULL;
	if (d->verify != NULL)
		deep_show(d, d->verify);
	if (job == NULL)
		return 0;
	if ((d->verify != NULL && verify_go_on(d->verify, d->e) < 0) ||
	    !queue_push(d->queue, job)) {
		free(job);
		return -1;
	}
	return 0;
}

static int take_content(void *arg, const struct node *n)
{
	struct deep *d = arg;

	if (d->job == NULL) {
		d->job = malloc(sizeof *d->job);
		if (d->job == NULL)
			return err_set(d->e, MUNI_NO_MEMORY, "no memory to read files");
		d->job->count = 0;
		d->job->bytes = 0;
	}
	d->job->contents[d->job->count++] = (struct content){
		.id = n->content, .size = n->size, .sha256 = n->sha256,
		.holes = n->size > n->allocated ? n->size - n->allocated : 0,
		.has_sha256 = n->has_sha256,
	};
	d->job->bytes += n->size < JOB_BYTES ? n->size : JOB_BYTES;
	if (d->job->count == JOB_CONTENTS || d->job->bytes >= JOB_BYTES)
		return hand_over(d);
	return 0;
}

static void free_job(void *item)
{
	free(item);
}

void deep_free(struct deep *d)
{
	if (d == NULL)
		return;
	free(d->job);
	for (unsigned i = 0; d->workers != NULL && i < d->threads; i++) {
		vault_reader_close(d->workers[i].reader);
		content_hash_free(d->workers[i].hash);
	}
	free(d->workers);
	while (d->bad != NULL) {
		struct bad *next = d->bad->next;

		free(d->bad);
		d->bad = next;
	}
	queue_free(d->queue, free_job);
	block_cache_free(d->cache);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static int equip(struct deep *d, struct err *e)
{
	/* As many as there are processors: who hashes one large file and waits for a block has
	 * nothing else to do. */
	if (d->threads > 1 && block_cache_start_helpers(d->cache, d->v, d->threads, e) < 0)
		return -1;
	for (unsigned i = 0; i < d->threads; i++) {
		struct worker *w = &d->workers[i];

		w->deep = d;
		w->hash = content_hash_new();
		if (w->hash == NULL)
			return err_set(e, MUNI_NO_MEMORY, "no memory to read files");
		if (vault_reader_open(d->v, d->cache, CATALOGUE_CACHE_BYTES, &w->reader, e) < 0)
			return -1;
	}
	return 0;
}

struct deep *deep_new(struct verify *k, struct err *e)
{
	struct deep *d = calloc(1, sizeof *d);

	if (d == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read files");
		return NULL;
	}
	d->v = k->v;
	d->threads = k->threads < THREADS_MAX ? k->threads : THREADS_MAX;
	atomic_init(&d->is_stopped, false);
	atomic_init(&d->contents, 0);
	atomic_init(&d->bytes, 0);
	pthread_mutex_init(&d->lock, NULL);
	d->queue = queue_new(16);
	d->cache = block_cache_new(CACHE_BYTES);
	d->workers = calloc(THREADS_MAX, sizeof *d->workers);
	if (d->queue == NULL || d->cache == NULL || d->workers == NULL)
		err_set(e, MUNI_NO_MEMORY, "no memory to read files");
	else if (equip(d, e) == 0)
		return d;
	deep_free(d);
	return NULL;
}

static int hire(struct deep *d, struct err *e)
{
	for (; d->hired < d->threads; d->hired++) {
		struct worker *w = &d->workers[d->hired];

		if (pthread_create(&w->thread, NULL, work, w) != 0)
			return err_set(e, MUNI_NO_MEMORY, "no thread to read files");
	}
	return 0;
}

int deep_read(struct deep *d, struct catalogue *walk, struct verify *k, struct err *e)
{
	int rc;

	d->verify = k;
	d->e = e;
	rc = hire(d, e);
	if (rc == 0)
		rc = catalogue_contents(walk, take_content, d, e);
	if (rc == 0)
		rc = hand_over(d);
	if (rc == 0)
		queue_close(d->queue);
	else
		deep_stop(d);
	for (unsigned i = 0; i < d->hired; i++)
		pthread_join(d->workers[i].thread, NULL);
	if (d->failed.code != MUNI_OK) {
		*e = d->failed;
		rc = -1;
	}
	return rc;
}

void deep_stop(struct deep *d)
{
	atomic_store(&d->is_stopped, true);
	queue_cancel(d->queue);
}

/* Files that damaged blocks touch have been told by name. */
static int tell_bad(struct verify *k, const struct bad *bad, struct err *e)
{
	char where[64];

	if (k->lost.count + k->mendable.count > 0)
		return 0;
	snprintf(where, sizeof where, "content %" PRId64, bad->content);
	verify_damage(k, false, where, "%s", bad->what);
	return verify_files_of_content(k, bad->content, bad->what, e);
}

static int by_content(const void *a, const void *b)
{
	const struct bad *const *x = a, *const *y = b;

	return ((*x)->content > (*y)->content) - ((*x)->content < (*y)->content);
}

int deep_tell(const struct deep *d, struct verify *k, struct err *e)
{
	const struct bad **all;
	size_t count = 0, i = 0;
	int rc = 0;

	for (const struct bad *bad = d->bad; bad != NULL; bad = bad->next)
		count++;
	if (count == 0)
		return 0;
	all = calloc(count, sizeof *all);
	if (all == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for what is damaged");
	for (const struct bad *bad = d->bad; bad != NULL; bad = bad->next)
		all[i++] = bad;
	/* The order does not depend on who was first. */
	qsort(all, count, sizeof *all, by_content);
	for (i = 0; i < count && rc == 0; i++)
		rc = tell_bad(k, all[i], e);
	free(all);
	return rc;
}

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
#include "fs/vault/verify_inside.h"

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

struct crew {
	struct verify *verify;
	struct queue *queue;		/* of struct job */
	struct job *job;		/* owned; being filled by the catalogue's walk */
	struct block_cache *cache;
	struct err *e;			/* the walk's own */
	atomic_uint_fast64_t contents, bytes;
	uint64_t told_contents, told_bytes;

	pthread_mutex_t lock;
	struct bad *bad;		/* owned; protected by lock */
	struct err failed;		/* protected by lock */
};

struct worker {
	pthread_t thread;
	struct crew *crew;
	struct vault_reader *reader;	/* owned */
	struct content_hash *hash;	/* owned */
};

static void fail(struct crew *c, const struct err *e)
{
	pthread_mutex_lock(&c->lock);
	if (c->failed.code == MUNI_OK)
		c->failed = *e;
	pthread_mutex_unlock(&c->lock);
	queue_cancel(c->queue);
}

static void note_bad(struct crew *c, int64_t content, const char *what)
{
	struct bad *bad = calloc(1, sizeof *bad);
	struct err e = ERR_NONE;

	if (bad == NULL) {
		err_set(&e, MUNI_NO_MEMORY, "no memory for what is damaged");
		fail(c, &e);
		return;
	}
	bad->content = content;
	snprintf(bad->what, sizeof bad->what, "%s", what);
	pthread_mutex_lock(&c->lock);
	bad->next = c->bad;
	c->bad = bad;
	pthread_mutex_unlock(&c->lock);
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

		if (from + WINDOW > ahead && ahead < to) {
			vault_prefetch(w->reader, n->id, ahead, WINDOW / 2);
			ahead += WINDOW / 2;
		}
		if (hash_piece(w, n, from, size, e) < 0)
			return -1;
		from += size;
		atomic_fetch_add(&w->crew->bytes, size);
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
		if (e.code == MUNI_NO_MEMORY || e.code == MUNI_BUSY)
			fail(w->crew, &e);
		else
			note_bad(w->crew, n->id, e.text);
	} else if (!n->has_sha256 || !digest_equal(&now, &n->sha256)) {
		note_bad(w->crew, n->id, "its bytes do not have the digest that was taken at "
			 "ingest");
	}
	atomic_fetch_add(&w->crew->contents, 1);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct catalogue *c = vault_reader_catalogue(w->reader);
	void *item;

	while (queue_pop(w->crew->queue, &item)) {
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

static int hand_over(struct crew *c)
{
	uint64_t contents = atomic_load(&c->contents), bytes = atomic_load(&c->bytes);
	struct job *job = c->job;

	c->job = NULL;
	verify_advance(c->verify, contents - c->told_contents, bytes - c->told_bytes);
	c->told_contents = contents;
	c->told_bytes = bytes;
	if (job == NULL)
		return 0;
	if (verify_go_on(c->verify, c->e) < 0 || !queue_push(c->queue, job)) {
		free(job);
		return -1;
	}
	return 0;
}

static int take_content(void *arg, const struct node *n)
{
	struct crew *c = arg;

	if (c->job == NULL) {
		c->job = malloc(sizeof *c->job);
		if (c->job == NULL)
			return err_set(c->e, MUNI_NO_MEMORY, "no memory to read files");
		c->job->count = 0;
		c->job->bytes = 0;
	}
	c->job->contents[c->job->count++] = (struct content){
		.id = n->content, .size = n->size, .sha256 = n->sha256,
		.holes = n->size > n->allocated ? n->size - n->allocated : 0,
		.has_sha256 = n->has_sha256,
	};
	c->job->bytes += n->size < JOB_BYTES ? n->size : JOB_BYTES;
	if (c->job->count == JOB_CONTENTS || c->job->bytes >= JOB_BYTES)
		return hand_over(c);
	return 0;
}

static void free_job(void *item)
{
	free(item);
}

static int hire(struct crew *c, struct worker *workers, unsigned count, unsigned *hired,
		struct err *e)
{
	for (*hired = 0; *hired < count; (*hired)++) {
		struct worker *w = &workers[*hired];

		w->crew = c;
		w->hash = content_hash_new();
		if (w->hash == NULL)
			return err_set(e, MUNI_NO_MEMORY, "no memory to read files");
		if (vault_reader_open(c->verify->v, c->cache, CATALOGUE_CACHE_BYTES, &w->reader,
				      e) < 0)
			return -1;
		if (pthread_create(&w->thread, NULL, work, w) != 0)
			return err_set(e, MUNI_NO_MEMORY, "no thread to read files");
	}
	return 0;
}

static void dismiss(struct worker *workers, unsigned count, unsigned hired)
{
	for (unsigned i = 0; i < hired; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned i = 0; i < count; i++) {
		vault_reader_close(workers[i].reader);
		content_hash_free(workers[i].hash);
	}
}

static int read_all(struct crew *c, struct worker *workers, struct err *e)
{
	unsigned count = c->verify->threads, hired = 0;
	int rc;

	if (count > THREADS_MAX)
		count = THREADS_MAX;
	/* As many as there are processors: who hashes one large file and waits for a block has
	 * nothing else to do. */
	if (count > 1 && block_cache_start_helpers(c->cache, c->verify->v, count, e) < 0)
		return -1;
	rc = hire(c, workers, count, &hired, e);
	if (rc == 0)
		rc = catalogue_contents(c->verify->v->catalogue, take_content, c, e);
	if (rc == 0)
		rc = hand_over(c);
	if (rc == 0)
		queue_close(c->queue);
	else
		queue_cancel(c->queue);
	dismiss(workers, count, hired);
	free(c->job);
	if (c->failed.code != MUNI_OK) {
		*e = c->failed;
		rc = -1;
	}
	return rc;
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

int verify_contents(struct verify *k, struct err *e)
{
	struct crew c = { .verify = k, .e = e };
	struct worker *workers = NULL;
	int rc = -1;

	if (!k->is_catalogue_open || k->v->objects == NULL)
		return 0;
	verify_stage(k, "reading files", 0, 0);
	atomic_init(&c.contents, 0);
	atomic_init(&c.bytes, 0);
	pthread_mutex_init(&c.lock, NULL);
	c.queue = queue_new(16);
	c.cache = block_cache_new(CACHE_BYTES);
	workers = calloc(THREADS_MAX, sizeof *workers);
	if (c.queue == NULL || c.cache == NULL || workers == NULL)
		err_set(e, MUNI_NO_MEMORY, "no memory to read files");
	else
		rc = read_all(&c, workers, e);
	while (c.bad != NULL) {
		struct bad *next = c.bad->next;

		if (rc == 0)
			rc = tell_bad(k, c.bad, e);
		free(c.bad);
		c.bad = next;
	}
	queue_free(c.queue, free_job);
	block_cache_free(c.cache);
	free(workers);
	pthread_mutex_destroy(&c.lock);
	return rc;
}

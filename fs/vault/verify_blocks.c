/*
 * Every block that the catalogue knows, authenticated under its key: those that were not
 * when their segment was read for its parity (verify_seen.c), by several threads, in the
 * order in which they lie, in large reads.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/list.h"
#include "fs/base/queue.h"
#include "fs/base/text.h"
#include "fs/crypt/arena.h"
#include "fs/vault/verify_inside.h"

#define JOB_BLOCKS 64
#define JOB_BYTES (4u << 20)
#define THREADS_MAX 64

/* Neighbours of one segment; of arena_new(), for keys stand in it. */
struct job {
	uint8_t uid[16];
	uint64_t offset, size;
	unsigned count;
	struct block blocks[JOB_BLOCKS];
};

struct bad {
	struct block block;
	uint8_t uid[16];	/* of the segment */
	struct bad *next;
};

struct crew {
	struct verify *verify;
	struct queue *queue;
	struct job *job;		/* being filled by the catalogue's walk */
	struct err *e;			/* the walk's own */
	bool is_reading;
	atomic_uint_fast64_t blocks, bytes;
	uint64_t told_blocks, told_bytes;

	pthread_mutex_t lock;
	struct bad *bad;		/* owned; protected by lock */
	struct err failed;		/* the first of a worker; protected by lock */
};

struct worker {
	pthread_t thread;
	struct crew *crew;
	struct block_decoder *decoder;	/* owned */
	uint8_t *buffer;		/* owned; JOB_BYTES + BLOCK_STORED_MAX */
};

int verify_add_block(struct verify_blocks *b, int64_t id, struct err *e)
{
	if (!list_room(&b->ids, b->count, &b->capacity, sizeof *b->ids))
		return err_set(e, MUNI_NO_MEMORY, "no memory for what is damaged");
	b->ids[b->count++] = id;
	return 0;
}

/* ---- workers ---------------------------------------------------------------------- */

static void fail(struct crew *c, const struct err *e)
{
	pthread_mutex_lock(&c->lock);
	if (c->failed.code == MUNI_OK)
		c->failed = *e;
	pthread_mutex_unlock(&c->lock);
	queue_cancel(c->queue);
}

static void note_bad(struct crew *c, const struct job *job, const struct block *b)
{
	struct bad *bad = arena_new(sizeof *bad);
	struct err e = ERR_NONE;

	if (bad == NULL) {
		err_set(&e, MUNI_NO_MEMORY, "no memory for what is damaged");
		fail(c, &e);
		return;
	}
	bad->block = *b;
	memcpy(bad->uid, job->uid, sizeof bad->uid);
	pthread_mutex_lock(&c->lock);
	bad->next = c->bad;
	c->bad = bad;
	pthread_mutex_unlock(&c->lock);
}

static void check_job(struct worker *w, const struct job *job)
{
	struct crew *c = w->crew;
	struct objects *o = c->verify->v->objects;
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct err e = ERR_NONE;
	bool is_read;

	memcpy(name.uid, job->uid, sizeof name.uid);
	is_read = objects_get(o, &name, job->offset, w->buffer, (size_t)job->size, &e) == 0;
	for (unsigned i = 0; i < job->count; i++) {
		const struct block *b = &job->blocks[i];
		const uint8_t *sealed = w->buffer + (b->offset - job->offset);
		bool is_good = is_read;

		/* One bad sector is not to condemn its neighbours. */
		if (!is_read) {
			sealed = w->buffer;
			is_good = objects_get(o, &name, b->offset, w->buffer, b->stored,
					      &e) == 0;
		}
		if (is_good && block_authenticate(w->decoder, b, sealed, &e) < 0) {
			if (e.code != MUNI_DAMAGED) {
				fail(c, &e);
				return;
			}
			is_good = false;
		}
		if (!is_good)
			note_bad(c, job, b);
		atomic_fetch_add(&c->blocks, 1);
		atomic_fetch_add(&c->bytes, b->stored);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	void *item;

	while (queue_pop(w->crew->queue, &item)) {
		check_job(w, item);
		arena_free(item);
	}
	return NULL;
}

static int hire(struct crew *c, struct worker *workers, unsigned count, unsigned *hired,
		struct err *e)
{
	for (*hired = 0; *hired < count; (*hired)++) {
		struct worker *w = &workers[*hired];

		w->crew = c;
		w->buffer = malloc(JOB_BYTES + BLOCK_STORED_MAX);
		if (w->buffer == NULL)
			return err_set(e, MUNI_NO_MEMORY, "no memory to read blocks");
		if (block_decoder_new(c->verify->v->id, &w->decoder, e) < 0)
			return -1;
		if (pthread_create(&w->thread, NULL, work, w) != 0)
			return err_set(e, MUNI_NO_MEMORY, "no thread to read blocks");
	}
	return 0;
}

static void dismiss(struct worker *workers, unsigned count, unsigned hired)
{
	for (unsigned i = 0; i < hired; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned i = 0; i < count; i++) {
		free(workers[i].buffer);
		block_decoder_free(workers[i].decoder);
	}
}

/* ---- the walk ------------------------------------------------------------------------ */

static void show_progress(struct crew *c)
{
	uint64_t blocks = atomic_load(&c->blocks), bytes = atomic_load(&c->bytes);

	verify_advance(c->verify, blocks - c->told_blocks, bytes - c->told_bytes);
	c->told_blocks = blocks;
	c->told_bytes = bytes;
}

static int hand_over(struct crew *c)
{
	struct job *job = c->job;

	c->job = NULL;
	if (job == NULL)
		return 0;
	show_progress(c);
	if (verify_go_on(c->verify, c->e) < 0 || !queue_push(c->queue, job)) {
		arena_free(job);
		return -1;
	}
	return 0;
}

static int take_block(void *arg, const struct block *b, const uint8_t segment_uid[16])
{
	struct crew *c = arg;
	struct verify *k = c->verify;
	struct job *job = c->job;

	k->out->blocks++;
	k->out->block_bytes += b->stored;
	if (!c->is_reading) {
		bool can_mend;

		if (!verify_is_touched(k, segment_uid, b->offset, b->stored, &can_mend))
			return 0;
		return verify_add_block(can_mend ? &k->mendable : &k->lost, b->id, c->e) < 0
			       ? -1 : 0;
	}
	if (verify_seen_has(k, segment_uid, b->offset)) {
		atomic_fetch_add(&c->blocks, 1);
		atomic_fetch_add(&c->bytes, b->stored);
		return 0;
	}
	if (job != NULL && (job->count == JOB_BLOCKS || b->stored > BLOCK_STORED_MAX ||
			    memcmp(job->uid, segment_uid, 16) != 0 ||
			    b->offset < job->offset + job->size ||
			    b->offset + b->stored - job->offset > JOB_BYTES)) {
		if (hand_over(c) < 0)
			return -1;
		job = NULL;
	}
	if (b->stored > BLOCK_STORED_MAX)
		return verify_add_block(&k->lost, b->id, c->e) < 0 ? -1 : 0;
	if (job == NULL) {
		job = c->job = arena_new(sizeof *job);
		if (job == NULL)
			return err_set(c->e, MUNI_NO_MEMORY, "no memory to read blocks");
		memcpy(job->uid, segment_uid, sizeof job->uid);
		job->offset = b->offset;
		job->count = 0;
	}
	job->blocks[job->count++] = *b;
	job->size = b->offset + b->stored - job->offset;
	return 0;
}

/* What parity had told of the same bytes is not told again. */
static int judge_bad(struct crew *c, struct err *e)
{
	struct verify *k = c->verify;

	for (const struct bad *bad = c->bad; bad != NULL; bad = bad->next) {
		const struct block *b = &bad->block;
		char where[VERIFY_PLACE_MAX], uid[33];
		bool can_mend;

		if (!verify_is_touched(k, bad->uid, b->offset, b->stored, &can_mend)) {
			text_hex(b->uid, sizeof b->uid, uid);
			verify_damage(k, false, verify_place(OBJECTS_SEGMENT, bad->uid,
							     b->offset, where),
				      "block %s is not the one that the catalogue means", uid);
			can_mend = false;
		}
		if (verify_add_block(can_mend ? &k->mendable : &k->lost, b->id, e) < 0)
			return -1;
	}
	return 0;
}

static void free_job(void *item)
{
	arena_free(item);
}

static int run(struct crew *c, struct worker *workers, struct err *e)
{
	unsigned count = c->verify->threads, hired = 0;
	int rc;

	if (count > THREADS_MAX)
		count = THREADS_MAX;
	rc = hire(c, workers, count, &hired, e);
	if (rc == 0)
		rc = catalogue_blocks(c->verify->v->catalogue, take_block, c, e);
	if (rc == 0)
		rc = hand_over(c);
	if (rc == 0)
		queue_close(c->queue);
	else
		queue_cancel(c->queue);
	dismiss(workers, count, hired);
	arena_free(c->job);
	if (c->failed.code != MUNI_OK) {
		*e = c->failed;
		rc = -1;
	}
	show_progress(c);
	return rc;
}

int verify_all_blocks(struct verify *k, bool is_reading, struct err *e)
{
	struct crew c = { .verify = k, .e = e, .is_reading = is_reading };
	struct worker *workers = NULL;
	int rc = -1;

	if (!k->is_catalogue_open || k->v->objects == NULL)
		return 0;
	if (!is_reading)
		return catalogue_blocks(k->v->catalogue, take_block, &c, e);
	verify_stage(k, "authenticating blocks", 0, k->segment_bytes);
	atomic_init(&c.blocks, 0);
	atomic_init(&c.bytes, 0);
	pthread_mutex_init(&c.lock, NULL);
	c.queue = queue_new(16);
	workers = calloc(THREADS_MAX, sizeof *workers);
	if (c.queue == NULL || workers == NULL)
		err_set(e, MUNI_NO_MEMORY, "no memory to read blocks");
	else
		rc = run(&c, workers, e);
	if (rc == 0)
		rc = judge_bad(&c, e);
	while (c.bad != NULL) {
		struct bad *next = c.bad->next;

		arena_free(c.bad);
		c.bad = next;
	}
	queue_free(c.queue, free_job);
	free(workers);
	pthread_mutex_destroy(&c.lock);
	return rc;
}

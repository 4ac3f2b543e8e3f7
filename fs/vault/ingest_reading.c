#include "fs/vault/ingest_reading.h"

#include <stdlib.h>

#include "fs/vault/ingest_stream.h"
#include "fs/vault/leaf.h"

#define WAITING_MAX 32	/* pieces that are packed and not hashed */

/* The extents of a piece, when it has gone. */
struct part {
	struct extent *extents;	/* owned */
	size_t count;
};

struct reading {
	struct ingest *g;
	struct body *body;
	struct run *run;	/* NULL: none waits */
	struct content_hash *hash;	/* of whoever has is_hashing */
	pthread_mutex_t lock;
	pthread_cond_t is_shorter;	/* the line of waiting pieces */
	/* all below: protected by lock */
	struct part *parts;	/* by piece */
	size_t sent, done, capacity;
	struct piece *waiting;	/* packed, by number */
	size_t waiting_count;
	size_t turn;		/* the next to be hashed */
	bool is_hashing;	/* somebody is at it */
	bool is_over;		/* no more pieces come */
	bool is_dropped;	/* nobody wants the result */
	uint64_t file_size;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the pieces of a large file");
}

struct reading *reading_new(struct ingest *g, struct body *b, struct run *run,
			    uint64_t holes)
{
	struct reading *r = calloc(1, sizeof *r);
	struct content_hash *hash = content_hash_new();

	if (!r || !hash) {
		content_hash_free(hash);
		free(r);
		return NULL;
	}
	content_hash_start(hash, holes);
	r->g = g;
	r->body = b;
	r->run = run;
	r->hash = hash;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->is_shorter, NULL);
	return r;
}

static void reading_free(struct reading *r)
{
	for (struct piece *p = r->waiting, *next; p; p = next) {
		next = p->next;
		piece_free(p);
	}
	for (size_t i = 0; i < r->sent; i++)
		free(r->parts[i].extents);
	free(r->parts);
	content_hash_free(r->hash);
	pthread_cond_destroy(&r->is_shorter);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

int reading_add(struct reading *r, struct piece *p, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	if (r->sent == r->capacity) {
		size_t more = r->capacity ? r->capacity * 2 : 16;
		struct part *list = realloc(r->parts, more * sizeof *list);

		if (list) {
			r->parts = list;
			r->capacity = more;
		} else {
			rc = no_memory(e);
		}
	}
	if (rc == 0) {
		r->parts[r->sent] = (struct part){ .extents = NULL };
		p->number = r->sent++;
		p->reading = r;
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}

/* ---- the end -------------------------------------------------------------------- */

static int join_parts(struct reading *r, struct err *e)
{
	struct body *b = r->body;

	for (size_t i = 0; i < r->sent; i++) {
		for (size_t k = 0; k < r->parts[i].count; k++) {
			const struct extent *x = &r->parts[i].extents[k];
			struct chunk_place p = { x->block, x->at, x->size };

			if (!body_extend(b, x->offset, &p))
				return no_memory(e);
		}
		free(r->parts[i].extents);
		r->parts[i].extents = NULL;
	}
	b->digest = content_hash_finish(r->hash, r->file_size);
	return 0;
}

/* With the lock held, which it gives up: the last one out finishes the file. */
static int leave(struct reading *r, struct err *e)
{
	bool is_last = r->is_over && r->done == r->sent && !r->is_hashing;
	struct ingest *g = r->g;
	int rc = 0;

	pthread_mutex_unlock(&r->lock);
	if (!is_last)
		return 0;
	if (!r->is_dropped) {
		rc = join_parts(r, e);
		if (rc == 0) {
			atomic_fetch_add(&g->items_done, 1);
			body_done(g, r->body, r->run);
		}
	} else if (!r->run) {
		body_unref(r->body);	/* an archive's: nobody else has it */
	}
	reading_free(r);
	return rc;
}

int reading_end(struct reading *r, uint64_t file_size, struct err *e)
{
	pthread_mutex_lock(&r->lock);
	r->is_over = true;
	r->file_size = file_size;
	return leave(r, e);
}

void reading_drop(struct reading *r)
{
	struct err ignored = ERR_NONE;

	pthread_mutex_lock(&r->lock);
	r->is_over = r->is_dropped = true;
	leave(r, &ignored);
}

void reading_lose(struct reading *r)
{
	struct err ignored = ERR_NONE;

	pthread_mutex_lock(&r->lock);
	r->is_dropped = true;
	r->done++;
	pthread_cond_broadcast(&r->is_shorter);
	leave(r, &ignored);
}

/* ---- hashing in turn ------------------------------------------------------------------ */

static void hash_piece(struct reading *r, const struct piece *p)
{
	const uint8_t *data = p->data;

	for (size_t i = 0; i < p->cut_count; i++) {
		content_hash_data(r->hash, p->cuts[i].offset, data, p->cuts[i].size);
		data += p->cuts[i].size;
	}
}

/* With the lock held. */
static void line_up(struct reading *r, struct piece *p)
{
	struct piece **at = &r->waiting;

	while (*at && (*at)->number < p->number)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
	r->waiting_count++;
}

/* With the lock held, given up between: hashes all whose turn it is. */
static void hash_in_turn(struct reading *r)
{
	r->is_hashing = true;
	while (r->waiting && r->waiting->number == r->turn && !r->is_dropped) {
		struct piece *p = r->waiting;

		r->waiting = p->next;
		pthread_mutex_unlock(&r->lock);
		hash_piece(r, p);
		piece_free(p);
		pthread_mutex_lock(&r->lock);
		r->waiting_count--;
		r->turn++;
		pthread_cond_broadcast(&r->is_shorter);
	}
	r->is_hashing = false;
	pthread_cond_broadcast(&r->is_shorter);
}

int reading_packed(struct reading *r, struct piece *p, struct err *e)
{
	pthread_mutex_lock(&r->lock);
	r->parts[p->number].extents = p->part->extents;
	r->parts[p->number].count = p->part->extent_count;
	p->part->extents = NULL;
	p->part->extent_count = p->part->extent_capacity = 0;
	p->reading = NULL;
	line_up(r, p);
	if (!r->is_hashing)
		hash_in_turn(r);
	/* Buffers are bounded: when hashing lags behind, packing waits.  Whoever is
	 * hashing waits for nobody. */
	while (r->is_hashing && r->waiting_count > WAITING_MAX && !r->is_dropped)
		pthread_cond_wait(&r->is_shorter, &r->lock);
	r->done++;
	return leave(r, e);
}

#include "fs/vault/ingest_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct ingest *g;
	struct body *body;
	struct run *run;	/* NULL: none waits */
	pthread_mutex_t lock;
	/* all below: protected by lock */
	struct body **parts;	/* by piece: its extents */
	size_t sent, done, capacity;
	bool is_over;		/* no more pieces come */
	bool is_dropped;	/* nobody wants the result */
};

struct piece {
	struct reading *reading;	/* NULL once it was packed */
	struct pool *pool;
	uint64_t offset;	/* in the file */
	uint8_t *data;		/* of the pool */
	size_t size;
	struct body *part;
	size_t cut_count;
	uint32_t cuts[];	/* sizes of its chunks */
};

/* ---- readings -------------------------------------------------------------------- */

static struct reading *reading_new(struct ingest *g, struct body *b, struct run *run)
{
	struct reading *r = calloc(1, sizeof *r);

	if (r) {
		r->g = g;
		r->body = b;
		r->run = run;
		pthread_mutex_init(&r->lock, NULL);
	}
	return r;
}

static void reading_free(struct reading *r)
{
	for (size_t i = 0; i < r->sent; i++)
		body_unref(r->parts[i]);
	free(r->parts);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static int join_parts(struct reading *r, struct err *e)
{
	struct body *b = r->body;

	for (size_t i = 0; i < r->sent; i++) {
		const struct body *part = r->parts[i];

		for (size_t k = 0; k < part->extent_count; k++) {
			const struct extent *x = &part->extents[k];
			struct chunk_place p = { x->block, x->at, x->size };

			if (!body_extend(b, x->offset, &p))
				return err_set(e, MUNI_NO_MEMORY,
					       "out of memory for extents");
		}
		body_unref(r->parts[i]);
		r->parts[i] = NULL;
	}
	return 0;
}

/* After a change under the lock: the last one out finishes the file. */
static int reading_settle(struct reading *r, bool is_last, struct err *e)
{
	struct ingest *g = r->g;
	int rc = 0;

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

static int reading_end(struct reading *r, bool is_dropped, struct err *e)
{
	bool is_last;

	pthread_mutex_lock(&r->lock);
	r->is_over = true;
	r->is_dropped = r->is_dropped || is_dropped;
	is_last = r->done == r->sent;
	pthread_mutex_unlock(&r->lock);
	return reading_settle(r, is_last, e);
}

static int reading_piece_done(struct reading *r, struct err *e)
{
	bool is_last;

	pthread_mutex_lock(&r->lock);
	r->done++;
	is_last = r->is_over && r->done == r->sent;
	pthread_mutex_unlock(&r->lock);
	return reading_settle(r, is_last, e);
}

/* ---- pieces ------------------------------------------------------------------------ */

/* One that nobody packed counts as done: its reading has to come to an end. */
void piece_free(struct piece *p)
{
	struct reading *r = p->reading;
	struct err ignored = ERR_NONE;

	if (r) {
		pthread_mutex_lock(&r->lock);
		r->is_dropped = true;
		pthread_mutex_unlock(&r->lock);
		reading_piece_done(r, &ignored);
	}
	pool_put(p->pool, p->data);
	free(p);
}

int piece_pack(struct ingest *g, struct pack_lane *lane, struct piece *p, struct err *e)
{
	const uint8_t *data = p->data;
	uint64_t offset = p->offset;
	struct reading *r = p->reading;

	for (size_t i = 0; i < p->cut_count; i++) {
		struct digest digest = digest_of(data, p->cuts[i]);
		struct chunk_place place;

		if (pack_chunk(lane, data, p->cuts[i], &digest, &place, e) < 0)
			return -1;
		if (!body_extend(p->part, offset, &place))
			return err_set(e, MUNI_NO_MEMORY, "out of memory for extents");
		data += p->cuts[i];
		offset += p->cuts[i];
	}
	atomic_fetch_add(&g->bytes_done, p->size);
	p->reading = NULL;
	return reading_piece_done(r, e);
}

/* The next piece of a reading, its number and its place for extents taken. */
static struct piece *piece_new(struct reading *r, uint64_t offset, size_t cuts)
{
	struct piece *p = calloc(1, sizeof *p + cuts * sizeof p->cuts[0]);
	struct body *part = body_new();
	bool is_done = false;

	if (!p || !part)
		goto out;
	pthread_mutex_lock(&r->lock);
	if (r->sent == r->capacity) {
		size_t more = r->capacity ? r->capacity * 2 : 16;
		struct body **list = realloc(r->parts, more * sizeof *list);

		if (list) {
			r->parts = list;
			r->capacity = more;
		}
	}
	if (r->sent < r->capacity) {
		r->parts[r->sent++] = part;
		is_done = true;
	}
	pthread_mutex_unlock(&r->lock);
	if (is_done) {
		p->reading = r;
		p->pool = r->g->pool;
		p->offset = offset;
		p->part = part;
	}
out:
	if (!is_done) {
		body_unref(part);
		free(p);
		p = NULL;
	}
	return p;
}

/* ---- the window -------------------------------------------------------------------------- */

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for reading a large file");
}

static int send_piece(struct stream *s, struct piece *p, struct err *e)
{
	struct task *t;
	int rc;

	if (s->lane) {
		rc = piece_pack(s->g, s->lane, p, e);
		piece_free(p);
		return rc;
	}
	t = calloc(1, sizeof *t);
	if (!t) {
		piece_free(p);
		return no_memory(e);
	}
	t->piece = p;
	if (!queue_push(s->g->tasks, t)) {
		task_free(t);
		return err_set(e, MUNI_CANCELLED, "stopped");
	}
	return 0;
}

/* Cuts what the window holds and sends it; what has to wait for more bytes
 * moves to a new window. */
static int cut_window(struct stream *s, bool is_end, struct err *e)
{
	const struct chunker *c = &s->g->chunker;
	struct piece *p = piece_new(s->reading, s->at, s->fill / c->min + 2);
	uint8_t *next = pool_get(s->g->pool);
	size_t at = 0;

	if (!p || !next) {
		if (p)
			piece_free(p);
		pool_put(s->g->pool, next);
		return no_memory(e);
	}
	/* A run that fits a block is one chunk, as a small file is. */
	if (is_end && s->is_first && s->fill <= c->average * 2) {
		p->cuts[p->cut_count++] = (uint32_t)s->fill;
		at = s->fill;
	}
	while (s->fill - at >= c->max || (is_end && at < s->fill)) {
		size_t size = chunker_cut(c, s->buf + at, s->fill - at);

		p->cuts[p->cut_count++] = (uint32_t)size;
		at += size;
	}
	memcpy(next, s->buf + at, s->fill - at);
	p->data = s->buf;
	p->size = at;
	s->buf = next;
	s->fill -= at;
	s->at += at;
	s->is_first = false;
	return send_piece(s, p, e);
}

/* ---- the stream ---------------------------------------------------------------------------- */

static size_t window_size(const struct stream *s)
{
	return PIECE_SIZE + s->g->chunker.max;
}

int stream_start(struct stream *s, struct ingest *g, struct pack_lane *lane,
		 struct content_hash *hash, struct body *b, struct run *r,
		 uint64_t holes, struct err *e)
{
	*s = (struct stream){ .g = g, .lane = lane, .hash = hash, .is_first = true };
	s->reading = reading_new(g, b, r);
	s->buf = pool_get(g->pool);
	if (!s->reading || !s->buf) {
		if (s->reading)
			reading_free(s->reading);
		pool_put(g->pool, s->buf);
		return no_memory(e);
	}
	content_hash_start(hash, holes);
	return 0;
}

uint8_t *stream_room(struct stream *s, size_t *room)
{
	*room = window_size(s) - s->fill;
	return s->buf + s->fill;
}

int stream_advance(struct stream *s, size_t size, bool is_end, struct err *e)
{
	if (size > 0)
		content_hash_data(s->hash, s->at + s->fill, s->buf + s->fill, size);
	s->fill += size;
	if (s->fill == 0 || (!is_end && s->fill < window_size(s)))
		return 0;
	return cut_window(s, is_end, e);
}

void stream_seek(struct stream *s, uint64_t offset)
{
	assert(s->fill == 0);
	s->at = offset;
	s->is_first = true;
}

int stream_finish(struct stream *s, bool is_dropped, uint64_t file_size, struct err *e)
{
	assert(is_dropped || s->fill == 0);
	pool_put(s->g->pool, s->buf);
	s->buf = NULL;
	if (!is_dropped)
		s->reading->body->digest = content_hash_finish(s->hash, file_size);
	return reading_end(s->reading, is_dropped, e);
}

/*
 * Large files: one thread reads, hashes the whole and cuts; the workers hash
 * and pack the chunks.
 *
 * A try at a file is a `reading`.  When the file changed meanwhile, the reading
 * is dropped, with what its pieces brought (chunks that the next try finds
 * again), and another one begins.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fs/vault/ingest_read.h"

#define READ_AHEAD (4u * 1024 * 1024)

struct reading {
	struct ingest *g;
	struct item *item;
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

static struct reading *reading_new(struct ingest *g, struct item *item)
{
	struct reading *r = calloc(1, sizeof *r);

	if (r) {
		r->g = g;
		r->item = item;
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
	struct body *b = r->item->body;

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
	struct item *item = r->item;
	int rc = 0;

	if (!is_last)
		return 0;
	if (!r->is_dropped) {
		rc = join_parts(r, e);
		if (rc == 0) {
			atomic_fetch_add(&g->items_done, 1);
			body_done(g, item->body, item->run);
		}
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

/* ---- reading ------------------------------------------------------------------------- */

struct stream {			/* one try at one file */
	struct ingest *g;
	struct pack_lane *lane;	/* NULL: pieces go to the workers */
	struct content_hash *hash;
	struct source_file file;
	struct reading *reading;
	uint64_t end;		/* how far it was read */
};

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

struct window {			/* of a run of data */
	uint8_t *buf;		/* of the pool, PIECE_SIZE and a chunk */
	uint64_t at;		/* where buf[0] stands in the file */
	size_t fill;
	uint64_t begin, end;	/* of the run */
};

/* Fills the window up.  0: read; 1: the file ended early, and so the run; -1:
 * errno. */
static int fill_window(struct stream *s, struct window *w)
{
	size_t room = PIECE_SIZE + s->g->chunker.max - w->fill;
	uint64_t from = w->at + w->fill;
	size_t want = room < w->end - from ? room : (size_t)(w->end - from);
	ssize_t got;

	posix_fadvise(s->file.fd, (off_t)(from + want), READ_AHEAD, POSIX_FADV_WILLNEED);
	got = source_read(&s->file, from, w->buf + w->fill, want);
	if (got < 0)
		return -1;
	content_hash_data(s->hash, from, w->buf + w->fill, (size_t)got);
	w->fill += (size_t)got;
	s->end = w->at + w->fill;
	if ((size_t)got == want)
		return 0;
	w->end = s->end;
	return 1;
}

/* Cuts what the window holds and sends it; what has to wait for more bytes
 * moves to a new window. */
static int cut_window(struct stream *s, struct window *w, struct err *e)
{
	const struct chunker *c = &s->g->chunker;
	struct piece *p = piece_new(s->reading, w->at, w->fill / c->min + 2);
	uint8_t *next = pool_get(s->g->pool);
	bool is_end = w->at + w->fill == w->end;
	size_t at = 0;

	if (!p || !next) {
		if (p)
			piece_free(p);
		pool_put(s->g->pool, next);
		return no_memory(e);
	}
	if (is_end && w->at == w->begin && w->fill <= c->average * 2) {
		p->cuts[p->cut_count++] = (uint32_t)w->fill;
		at = w->fill;
	}
	while (w->fill - at >= c->max || (is_end && at < w->fill)) {
		size_t size = chunker_cut(c, w->buf + at, w->fill - at);

		p->cuts[p->cut_count++] = (uint32_t)size;
		at += size;
	}
	memcpy(next, w->buf + at, w->fill - at);
	p->data = w->buf;
	p->size = at;
	w->buf = next;
	w->fill -= at;
	w->at += at;
	return send_piece(s, p, e);
}

/* One run of data.  As fill_window(); -2: fatal. */
static int read_run(struct stream *s, uint64_t begin, uint64_t end, struct err *e)
{
	struct window w = { .buf = pool_get(s->g->pool), .at = begin, .begin = begin,
			    .end = end };
	int rc = 0, saved;

	if (!w.buf) {
		no_memory(e);
		return -2;
	}
	while (rc == 0 && w.at < w.end) {
		rc = fill_window(s, &w);
		if (rc >= 0 && w.fill > 0 && cut_window(s, &w, e) < 0)
			rc = -2;
		if (rc >= 0 && ingest_is_stopped(s->g)) {
			err_set(e, MUNI_CANCELLED, "stopped");
			rc = -2;
		}
	}
	saved = errno;
	pool_put(s->g->pool, w.buf);
	errno = saved;
	return rc;
}

static uint64_t sum_of_holes(const struct source_file *f, uint64_t size)
{
	uint64_t offset = 0, begin, end, data = 0;

	if (!f->is_sparse)
		return 0;
	while (source_next_data(f, offset, size, &begin, &end)) {
		data += end - begin;
		offset = end;
	}
	return size - data;
}

static int read_runs(struct stream *s, uint64_t size, struct err *e)
{
	uint64_t offset = 0, begin, end;
	int rc = 0;

	posix_fadvise(s->file.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	content_hash_start(s->hash, sum_of_holes(&s->file, size));
	s->end = 0;
	while (rc == 0 && source_next_data(&s->file, offset, size, &begin, &end)) {
		rc = read_run(s, begin, end, e);
		offset = end;
	}
	if (rc == 0)
		s->end = size;
	return rc;
}

/* 0: done, one way or the other; 1: it changed, try again; -1: fatal. */
static int try_reading(struct stream *s, struct item *item, bool is_last_try, struct err *e)
{
	struct body *b = item->body;
	bool has_changed;
	int rc;

	s->reading = reading_new(s->g, item);
	if (!s->reading)
		return no_memory(e);
	rc = read_runs(s, b->meta.size, e);
	if (rc < 0) {
		struct err ignored = ERR_NONE;

		if (rc == -1)
			tell_unreadable(s->g, item, errno);
		reading_end(s->reading, true, &ignored);
		if (rc == -1)
			body_done(s->g, b, item->run);
		return rc == -1 ? 0 : -1;
	}
	has_changed = rc == 1 || source_changed(&s->file);
	if (has_changed && !is_last_try)
		return reading_end(s->reading, true, e) < 0 ? -1 : 1;
	if (has_changed) {
		b->meta.size = s->end;
		tell_unstable(s->g, item);
	}
	b->digest = content_hash_finish(s->hash, b->meta.size);
	return reading_end(s->reading, false, e);
}

int large_read(struct ingest *g, struct capture *c, struct content_hash *hash,
	       struct pack_lane *lane, struct handle *h, struct item *item, struct err *e)
{
	struct stream s = { .g = g, .lane = lane, .hash = hash };
	int rc = 1;

	for (unsigned i = 1; i <= READ_TRIES && rc == 1; i++) {
		if (source_open(g, c, h, item, &s.file) < 0) {
			body_done(g, item->body, item->run);
			return 0;
		}
		rc = try_reading(&s, item, i == READ_TRIES, e);
		source_close(&s.file);
	}
	return rc;
}

void *ingest_large_reader(void *arg)
{
	struct ingest *g = arg;
	struct capture *c = capture_new();
	struct content_hash *hash = content_hash_new();
	struct err e = ERR_NONE;
	void *item;

	if (!c || !hash) {
		no_memory(&e);
		ingest_fail(g, &e);
	}
	while (c && hash && queue_pop(g->large, &item)) {
		struct large_file *f = item;
		int rc = large_read(g, c, hash, NULL, f->handle, f->item, &e);

		large_file_free(f);
		if (rc < 0) {
			ingest_fail(g, &e);
			break;
		}
	}
	capture_free(c);
	content_hash_free(hash);
	return NULL;
}

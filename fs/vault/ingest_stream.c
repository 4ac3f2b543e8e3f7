#include "fs/vault/ingest_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/vault/ingest_reading.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for reading a large file");
}

static size_t window_size(const struct stream *s)
{
	return PIECE_SIZE + s->g->chunker.max;
}

static struct piece *piece_new(struct ingest_pool *pool, int64_t class_id)
{
	struct piece *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->pool = pool;
	p->data = ingest_pool_get(pool);
	p->part = body_new();
	if (p->data && p->part) {
		p->part->class_id = class_id;
		return p;
	}
	piece_free(p);
	return NULL;
}

/* ---- pieces ------------------------------------------------------------------------ */

static int send(struct stream *s, struct piece *p, struct err *e)
{
	struct task *t;

	if (reading_add(s->reading, p, e) < 0) {
		piece_free(p);
		return -1;
	}
	if (s->lane)
		return piece_pack(s->g, s->lane, p, e);
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

/* What is cut goes; the rest moves to a new piece. */
static int send_cut(struct stream *s, struct err *e)
{
	struct piece *p = s->piece;
	struct piece *next = piece_new(s->g->pool, p->part->class_id);

	if (!next)
		return no_memory(e);
	memcpy(next->data, p->data + s->cut, s->fill - s->cut);
	s->piece = next;
	s->fill -= s->cut;
	s->cut = 0;
	return send(s, p, e);
}

static void add_cut(struct stream *s, size_t size)
{
	struct piece *p = s->piece;

	p->cuts[p->cut_count].offset = s->at;
	p->cuts[p->cut_count++].size = (uint32_t)size;
	s->cut += size;
	s->at += size;
	s->is_first = false;
}

static int cut(struct stream *s, bool is_end, struct err *e)
{
	const struct chunker *c = &s->g->chunker;
	bool is_whole = is_end && s->is_first && s->fill - s->cut <= c->average * 2;

	while (s->fill - s->cut >= c->max || (is_end && s->cut < s->fill)) {
		size_t left = s->fill - s->cut;

		/* A run that fits a block is one chunk, as a small file is. */
		add_cut(s, is_whole ? left : chunker_cut(c, s->piece->data + s->cut, left));
		if (s->piece->cut_count == PIECE_CUTS && send_cut(s, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- the stream ---------------------------------------------------------------------------- */

int stream_start(struct stream *s, struct ingest *g, struct pack_lane *lane,
		 struct body *b, struct run *r, uint64_t holes, struct err *e)
{
	*s = (struct stream){ .g = g, .lane = lane, .is_first = true };
	s->piece = piece_new(g->pool, b->class_id);
	s->reading = reading_new(g, b, r, holes);
	if (s->piece && s->reading)
		return 0;
	if (!s->reading && !r)
		body_unref(b);	/* as a reading that ends for nothing does */
	stream_drop(s);
	return no_memory(e);
}

uint8_t *stream_room(struct stream *s, size_t *room)
{
	*room = window_size(s) - s->fill;
	return s->piece->data + s->fill;
}

int stream_advance(struct stream *s, size_t size, bool is_end, struct err *e)
{
	s->fill += size;
	if (!is_end && s->fill < window_size(s))
		return 0;
	if (cut(s, is_end, e) < 0)
		return -1;
	return s->cut >= PIECE_SIZE / 2 ? send_cut(s, e) : 0;
}

void stream_seek(struct stream *s, uint64_t offset)
{
	assert(s->fill == s->cut);
	s->at = offset;
	s->is_first = true;
}

int stream_finish(struct stream *s, uint64_t file_size, struct err *e)
{
	assert(s->fill == s->cut);
	struct piece *p = s->piece;

	s->piece = NULL;
	if (p->cut_count == 0) {
		piece_free(p);
	} else if (send(s, p, e) < 0) {
		stream_drop(s);
		return -1;
	}
	return reading_end(s->reading, file_size, e);
}

void stream_drop(struct stream *s)
{
	piece_free(s->piece);
	s->piece = NULL;
	if (s->reading)
		reading_drop(s->reading);
	s->reading = NULL;
}

/* ---- a worker's part --------------------------------------------------------------------------- */

void piece_free(struct piece *p)
{
	if (!p)
		return;
	if (p->reading)		/* that nobody packed: its reading ends all the same */
		reading_lose(p->reading);
	ingest_pool_put(p->pool, p->data);
	body_unref(p->part);
	free(p);
}

static int pack_cuts(struct pack_lane *lane, struct piece *p, struct err *e)
{
	const uint8_t *data = p->data;

	for (size_t i = 0; i < p->cut_count; i++) {
		struct chunk_place place;

		if (pack_chunk(lane, p->part->class_id, data, p->cuts[i].size, NULL, PACK_PART,
			       &place, e) < 0)
			return -1;
		if (!body_extend(p->part, p->cuts[i].offset, &place))
			return no_memory(e);
		data += p->cuts[i].size;
	}
	return 0;
}

int piece_pack(struct ingest *g, struct pack_lane *lane, struct piece *p, struct err *e)
{
	if (pack_cuts(lane, p, e) < 0) {
		piece_free(p);
		return -1;
	}
	atomic_fetch_add(&g->bytes_done, p->part->allocated);
	return reading_packed(p->reading, p, e);
}

/*
 * A worker: reads small files whole, cuts, hashes and packs them, and packs
 * the pieces of large ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/vault/graft.h"
#include "fs/vault/ingest_read.h"
#include "fs/vault/ingest_stream.h"
#include "fs/vault/ingest_tree.h"

struct range {			/* of data in a file */
	uint64_t offset;
	size_t size;
};

#define RANGES_MAX (WHOLE_MAX / 512)

struct worker {
	struct ingest *g;
	struct pack_lane *lane;
	struct capture *capture;
	struct content_hash *hash;
	uint8_t *data;		/* of one file: WHOLE_MAX */
	struct range *ranges;
	size_t range_count;
};

void task_free(void *task)
{
	struct task *next;

	for (struct task *t = task; t; t = next) {
		next = t->next;
		handle_unref(t->handle);
		piece_free(t->piece);
		pack_filled_free(t->filled);
		if (t->small) {
			ingest_pool_put(t->small->pool, t->small->data);
			free(t->small);
		}
		free(t);
	}
}

/* Each range lies in w->data at its own offset.  0: read; 1: the file ended
 * early, *size says where; -1: errno. */
static int read_ranges(struct worker *w, const struct live_file *f, uint64_t *size)
{
	uint64_t offset = 0, begin, end;

	w->range_count = 0;
	while (w->range_count < RANGES_MAX &&
	       live_next_data(f, offset, *size, &begin, &end)) {
		ssize_t got = live_read(f, begin, w->data + begin,
					  (size_t)(end - begin));

		if (got < 0)
			return -1;
		if (got > 0)
			w->ranges[w->range_count++] = (struct range){ begin,
								      (size_t)got };
		if ((uint64_t)got < end - begin) {
			*size = begin + (uint64_t)got;
			return 1;
		}
		offset = end;
	}
	return 0;
}

enum outcome { READ_WELL, READ_CHANGED, READ_FAILED, READ_TOO_LARGE };

static enum outcome try_reading(struct worker *w, struct handle *h, struct item *item)
{
	enum outcome outcome = READ_WELL;
	struct live_file f;
	int rc;

	if (live_open(w->g, w->capture, h, item, &f) < 0)
		return READ_FAILED;
	if (item->body->meta.size > WHOLE_MAX) {
		outcome = READ_TOO_LARGE;
	} else {
		rc = read_ranges(w, &f, &item->body->meta.size);
		if (rc < 0) {
			tell_unreadable(w->g, item, errno);
			outcome = READ_FAILED;
		} else if (rc > 0 || live_changed(&f)) {
			outcome = READ_CHANGED;
		}
	}
	live_close(&f);
	return outcome;
}

static int pack_whole(struct worker *w, struct item *item, struct err *e)
{
	struct body *b = item->body;
	uint64_t size = b->meta.size;
	const struct digest *whole = NULL;

	if (w->range_count == 1 && w->ranges[0].size == size) {
		/* A file of one chunk: hashed once for both. */
		b->digest = digest_of(w->data, size);
		if (size <= w->g->chunker.average * 2)
			whole = &b->digest;
	} else {
		content_hash_start(w->hash, 0);
		for (size_t i = 0; i < w->range_count; i++)
			content_hash_data(w->hash, w->ranges[i].offset,
					  w->data + w->ranges[i].offset,
					  w->ranges[i].size);
		b->digest = content_hash_finish(w->hash, size);
	}
	for (size_t i = 0; i < w->range_count; i++)
		if (pack_run(w->g, w->lane, b, w->ranges[i].offset,
			     w->data + w->ranges[i].offset, w->ranges[i].size, whole,
			     e) < 0)
			return -1;
	return 0;
}

static bool is_keyring(const struct worker *w)
{
	struct keyring_look look = { 0 };

	for (size_t i = 0; i < w->range_count && w->ranges[i].offset < KEYRING_SIZE; i++)
		keyring_look_at(&look, w->ranges[i].offset, w->data + w->ranges[i].offset,
				w->ranges[i].size);
	return ingest_is_keyring(w->g, &look);
}

static int take_item(struct worker *w, struct handle *h, struct item *item, struct err *e)
{
	enum outcome outcome = READ_CHANGED;

	for (unsigned i = 0; i < READ_TRIES && outcome == READ_CHANGED; i++)
		outcome = try_reading(w, h, item);
	if (outcome == READ_TOO_LARGE)	/* it grew since the walker saw it */
		return large_read(w->g, w->capture, w->lane, h, item, e);
	if (outcome == READ_CHANGED)
		tell_unstable(w->g, item);
	if (outcome != READ_FAILED && is_keyring(w)) {
		tell_keyring(w->g, item);
		outcome = READ_FAILED;
	}
	if (outcome != READ_FAILED &&
	    (pack_whole(w, item, e) < 0 || graft_make_leaf(item, e) < 0))
		return -1;
	atomic_fetch_add(&w->g->bytes_done, item->body->allocated);
	atomic_fetch_add(&w->g->items_done, 1);
	body_done(w->g, item->body, item->run);
	return 0;
}

/* Whole files out of an archive: in memory already. */
static int take_small(struct worker *w, const struct small_files *s, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < s->count && rc == 0; i++) {
		const uint8_t *data = s->data + s->files[i].at;
		struct body *b = body_new();

		if (!b)
			return err_set(e, MUNI_NO_MEMORY, "out of memory for a file");
		b->class_id = s->files[i].inode->class_id;
		b->digest = digest_of(data, s->files[i].size);
		rc = pack_run(w->g, w->lane, b, 0, data, s->files[i].size, &b->digest, e);
		if (rc == 0)
			rc = inode_set_content(s->files[i].inode, b, e);
		body_unref(b);
		atomic_fetch_add(&w->g->bytes_done, s->files[i].size);
		atomic_fetch_add(&w->g->items_done, 1);
	}
	if (rc == 0)
		loose_done(w->g);
	return rc;
}

static int take_task(struct worker *w, struct task *t, struct err *e)
{
	if (t->piece) {
		struct piece *p = t->piece;

		t->piece = NULL;
		return piece_pack(w->g, w->lane, p, e);
	}
	if (t->small)
		return take_small(w, t->small, e);
	if (t->filled) {
		struct pack_filled *f = t->filled;

		t->filled = NULL;
		return pack_seal(w->lane, f, e);
	}
	for (size_t i = 0; i < t->count; i++) {
		if (ingest_is_stopped(w->g))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (take_item(w, t->handle, t->items[i], e) < 0)
			return -1;
	}
	return 0;
}

/* With the first task: in a source that is unchanged there is none. */
static int prepare(struct worker *w, struct err *e)
{
	if (w->lane)
		return 0;
	w->capture = capture_new();
	w->hash = content_hash_new();
	w->data = malloc(WHOLE_MAX);
	w->ranges = malloc(RANGES_MAX * sizeof *w->ranges);
	if (!w->capture || !w->hash || !w->data || !w->ranges)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for a worker");
	return pack_lane_open(w->g->packer, &w->lane, e);
}

/* A full block, where another worker has nothing to do. */
bool ingest_hand_over(void *ingest, struct pack_filled *f)
{
	struct ingest *g = ingest;
	struct task *t;

	if (!queue_is_awaited(g->tasks))
		return false;
	t = calloc(1, sizeof *t);
	if (!t)
		return false;
	t->filled = f;
	if (queue_push(g->tasks, t))
		return true;
	free(t);
	return false;
}

/* The second half of what is left of a span, where another worker has nothing to do.  Not of a
 * later version: there its blocks are handed over, since who leans on older blocks is to be
 * filled in the order of the tree. */
static void share(struct worker *w, struct task *first)
{
	struct task *middle = first, *rest;

	if (!first || !first->next || w->g->is_ordered || !queue_is_awaited(w->g->tasks))
		return;
	for (struct task *t = first->next; t->next && t->next->next; t = t->next->next)
		middle = middle->next;
	rest = middle->next;
	middle->next = NULL;
	if (!queue_push(w->g->tasks, rest))
		task_free(rest);
}

static int take_span(struct worker *w, struct task *first, struct err *e)
{
	struct task *t = first, *next;
	int rc = prepare(w, e);

	for (; t && rc == 0; t = next) {
		share(w, t);
		rc = take_task(w, t, e);
		next = t->next;
		t->next = NULL;
		task_free(t);
	}
	task_free(t);
	return rc;
}

static int work(struct worker *w, struct err *e)
{
	void *span;

	while (queue_pop(w->g->tasks, &span))
		if (take_span(w, span, e) < 0)
			return -1;
	return ingest_is_stopped(w->g) || !w->lane ? 0 : pack_lane_flush(w->lane, e);
}

void *ingest_worker(void *arg)
{
	struct worker w = { .g = arg };
	struct ingest *g = w.g;
	struct err e = ERR_NONE;
	bool is_last;

	if (work(&w, &e) < 0)
		ingest_fail(g, &e);
	pack_lane_close(w.lane);
	capture_free(w.capture);
	content_hash_free(w.hash);
	free(w.data);
	free(w.ranges);
	is_last = atomic_fetch_sub(&g->working, 1) == 1;
	if (is_last && !ingest_is_stopped(g)) {
		if (packer_finish(g->packer, &e) < 0)
			ingest_fail(g, &e);
		else
			events_push(g->events, (struct event){ .kind = EVENT_PACKED });
	}
	return NULL;
}

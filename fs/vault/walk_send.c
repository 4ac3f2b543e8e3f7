/*
 * From the walker to the others: runs to the catalogue's thread, items to the
 * workers in batches, large files to their reader.
 *
 * Batches that follow each other go to one worker, as a span, so that neighbours share blocks:
 * a block of a later version then finds its files' older selves in two blocks, not in as many
 * as there are workers (docs/decisions/0164-neighbours-share-blocks.md).
 */
#include <stdlib.h>

#include "fs/base/descriptors.h"
#include "fs/vault/walk_inside.h"

#define SPAN_FIRST (256u * 1024)	/* bytes of files: the workers are waiting for it */
#define SPAN_MOST (4u * 1024 * 1024)	/* some blocks full */
#define SPAN_LATER (16u * 1024 * 1024)	/* of a later version, whose blocks are handed over */
#define HANDLES_MOST (INGEST_DESCRIPTORS / 4)	/* of directories, in all spans on their way */
#define SPAN_ITEMS 2048		/* at most: they wait in memory */

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

void walk_prepare_spans(struct walker *w)
{
	unsigned spans = 3 * w->g->workers + 4, handles = descriptors_limit() / 4;

	if (handles > HANDLES_MOST)	/* spans: with those at work */
		handles = HANDLES_MOST;
	w->span_most = w->g->is_ordered ? SPAN_LATER : SPAN_FIRST;
	w->span_handles_most = handles / spans;
}

void walk_send_span(struct walker *w)
{
	if (w->span && !queue_push(w->g->tasks, w->span))
		task_free(w->span);
	if (w->span && w->span_most < SPAN_MOST)
		w->span_most *= 2;
	w->span = w->span_end = NULL;
	w->span_bytes = 0;
	w->span_items = 0;
	w->span_handles = 0;
}

static void send_batch(struct walker *w)
{
	struct task *t = w->batch;

	if (!t)
		return;
	if (!w->span_end || w->span_end->handle != t->handle)
		w->span_handles++;
	if (w->span_end)
		w->span_end->next = t;
	else
		w->span = t;
	w->span_end = t;
	w->span_bytes += w->batch_bytes;
	w->span_items += t->count;
	w->batch = NULL;
	w->batch_bytes = 0;
	if (w->span_bytes >= w->span_most || w->span_items >= SPAN_ITEMS ||
	    w->span_handles >= w->span_handles_most)
		walk_send_span(w);
}

void walk_send_listed(struct walker *w)
{
	if (w->listed)
		events_push(w->g->events, (struct event){ EVENT_LISTED, .dir = w->listed });
	w->listed = NULL;
	w->listed_count = 0;
}

void walk_tell_listed(struct walker *w, struct dir *d)
{
	/* Where nothing changed there is little to tell: many at a time. */
	d->next_listed = w->listed;
	w->listed = d;
	if (++w->listed_count == LISTED_AT_ONCE)
		walk_send_listed(w);
}

void walk_send_run(struct walker *w, struct level *level)
{
	send_batch(w);
	if (!w->run)
		return;
	walk_send_listed(w);
	level->dir->run_total++;
	run_release(w->g, w->run);
	w->run = NULL;
}

struct run *walk_open_run(struct walker *w, struct level *level)
{
	if (w->run && w->run->removal_count + w->run->item_count >= RUN_ITEMS)
		walk_send_run(w, level);
	if (!w->run)
		w->run = run_new(w->g, level->dir);
	return w->run;
}

static int send_large(struct walker *w, struct level *level, struct item *item,
		      struct err *e)
{
	struct large_file *f = malloc(sizeof *f);

	if (!f)
		return no_memory(e);
	f->handle = handle_ref(level->handle);
	f->item = item;
	if (!queue_push(w->g->large, f))
		large_file_free(f);
	return 0;
}

int walk_send_item(struct walker *w, struct level *level, struct item *item,
		     struct err *e)
{
	uint64_t size = item->body->meta.size;

	atomic_fetch_add(&item->run->pending, 1);
	if (size > WHOLE_MAX)
		return send_large(w, level, item, e);
	if (w->batch && (w->batch->count == BATCH_ITEMS ||
			 w->batch_bytes + size > BATCH_BYTES))
		send_batch(w);
	if (!w->batch) {
		w->batch = calloc(1, sizeof *w->batch);
		if (!w->batch)
			return no_memory(e);
		w->batch->handle = handle_ref(level->handle);
	}
	w->batch->items[w->batch->count++] = item;
	w->batch_bytes += size;
	return 0;
}

/*
 * From the walker to the others: runs to the catalogue's thread, items to the
 * workers in batches, large files to their reader.
 */
#include <stdlib.h>

#include "fs/vault/walk_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

static void send_batch(struct walker *w)
{
	if (w->batch && !queue_push(w->g->tasks, w->batch))
		task_free(w->batch);
	w->batch = NULL;
	w->batch_bytes = 0;
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

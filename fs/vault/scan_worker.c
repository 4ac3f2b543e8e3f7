/*
 * A worker: batches of items from the walker, looked at, to the caller's thread.
 */
#include "fs/base/queue.h"
#include "fs/vault/scan_inside.h"

#define ROWS_CACHE (1u << 20)

/* Each item leaves the batch, and comes back when it is done, with others that
 * waited for it, or waits itself. */
static int look_at_all(struct scanning *s, struct catalogue *c, struct scan_batch *b,
		       struct err *e)
{
	struct scan_item *list = b->first, *next;
	int rc = 0;

	b->first = NULL;
	b->last = &b->first;
	for (struct scan_item *i = list; i; i = next) {
		next = i->next;
		if (rc == 0 && scan_is_stopped(s))
			rc = err_set(e, MUNI_CANCELLED, "stopped");
		if (rc == 0)
			rc = scan_look(s, c, b, i, e);
		else
			scan_item_free(i);
	}
	return rc;
}

static int work(struct scanning *s, struct catalogue *c, struct err *e)
{
	void *item;

	while (queue_pop(s->tasks, &item)) {
		struct scan_batch *b = item;

		if (look_at_all(s, c, b, e) < 0) {
			scan_batch_free(b);
			return -1;
		}
		scan_flow_push(s->flow, b);
	}
	return 0;
}

void *scan_worker(void *arg)
{
	struct scanning *s = arg;
	struct catalogue *c = NULL;
	struct err e = ERR_NONE;

	if ((s->has_rows && !s->foreign &&
	     vault_connect(s->vault, ROWS_CACHE, &c, &e) < 0) || work(s, c, &e) < 0)
		scan_fail(s, &e);
	catalogue_close(c);
	return NULL;
}

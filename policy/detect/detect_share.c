/*
 * Several windows of one stretch searched at once.  A search is a function of its window
 * and the labels over it, so it does not matter who searches which, or when (D5): the
 * caller settles them in their order.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/team.h"
#include "policy/detect/detect_inside.h"

#define THREADS_MAX 16

/* All windows end within DETECT_SHARED, and within the next one more text may come. */
#define SHARED_WINDOWS ((DETECT_SHARED - WINDOW) / STEP + 1)

/* ---- room ----------------------------------------------------------------------------- */

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory to search text");
}

static size_t text_size(size_t windows)
{
	return (windows - 1) * STEP + WINDOW + SLACK + DETECT_PICTURES_PAD;
}

static int make_windows(struct detector *d, size_t windows, struct err *e)
{
	struct window *rows;
	char *text;

	if (windows == d->window_room)
		return 0;
	/* D3: what stood in it is wiped, not moved. */
	if (d->text)
		explicit_bzero(d->text, d->dirty);
	d->dirty = 0;
	text = calloc(1, text_size(windows));
	rows = calloc(windows, sizeof *rows);
	if (!text || !rows) {
		free(text);
		free(rows);
		return no_memory(e);
	}
	for (size_t i = 0; i < d->window_room; i++)
		free(d->windows[i].claims);
	free(d->windows);
	free(d->text);
	d->text = text;
	d->windows = rows;
	d->window_room = windows;
	return 0;
}

static int make_searches(struct detector *d, unsigned threads, struct err *e)
{
	struct search **grown;

	while (d->thread_count > threads)
		search_free(d->searches[--d->thread_count]);
	if (d->thread_count == threads)
		return 0;
	grown = realloc(d->searches, threads * sizeof *grown);
	if (!grown)
		return no_memory(e);
	d->searches = grown;
	while (d->thread_count < threads) {
		if (search_new(d->set, &d->searches[d->thread_count], e) < 0)
			return -1;
		d->thread_count++;
	}
	return 0;
}

int detect_make_room(struct detector *d, size_t windows, unsigned threads, struct err *e)
{
	return make_windows(d, windows, e) < 0 || make_searches(d, threads, e) < 0 ? -1 : 0;
}

void detector_use_threads(struct detector *d, unsigned threads)
{
	struct err ignored = ERR_NONE;

	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	/* Without memory it goes on with what it has. */
	(void)detect_make_room(d, threads > 1 ? SHARED_WINDOWS : 1, threads > 0 ? threads : 1,
			       &ignored);
}

/* ---- together ------------------------------------------------------------------------- */

struct sharing {
	struct detector *detector;
	size_t count;
	atomic_size_t next;
	struct failure {
		size_t window;
		struct err e;
	} failures[THREADS_MAX];	/* the first of each thread; window SIZE_MAX: none */
};

static void search_some(void *arg, size_t thread)
{
	struct sharing *s = arg;
	struct detector *d = s->detector;
	struct failure *f = &s->failures[thread];
	size_t n;

	while (f->window == SIZE_MAX && (n = atomic_fetch_add(&s->next, 1)) < s->count)
		if (search_run(d->searches[thread], d->passage, d->has_cells, &d->windows[n],
			       &f->e) < 0)
			f->window = n;
}

static int search_together(struct detector *d, size_t count, struct err *e)
{
	struct sharing s = { .detector = d, .count = count };
	const struct failure *first = &s.failures[0];
	unsigned threads = d->thread_count < count ? d->thread_count : (unsigned)count;

	atomic_init(&s.next, 0);
	for (unsigned i = 0; i < THREADS_MAX; i++)
		s.failures[i] = (struct failure){ .window = SIZE_MAX, .e = ERR_NONE };
	team_run(threads, threads, search_some, &s);
	for (unsigned i = 1; i < threads; i++)
		if (s.failures[i].window < first->window)
			first = &s.failures[i];
	if (first->window == SIZE_MAX)
		return 0;
	*e = first->e;
	return -1;
}

int detect_search_windows(struct detector *d, size_t count, struct err *e)
{
	if (count > 1 && d->thread_count > 1 && d->passage && d->passage->is_shared)
		return search_together(d, count, e);
	for (size_t n = 0; n < count; n++)
		if (search_run(d->searches[0], d->passage, d->has_cells, &d->windows[n], e) < 0)
			return -1;
	return 0;
}

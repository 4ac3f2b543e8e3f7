/*
 * Every column of a group held against its sum, by all threads, in slices: one after the
 * other within an object, so that the disk reads in long runs, and asked for well ahead.
 * What is bad is noted, a bit a column, and judged when all was read.
 *
 * Memory: a slice a thread, and 2 bytes for each slice of the group.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/team.h"
#include "fs/store/parity_exam.h"

#define SLICE_COLUMNS 16u	/* a bit each in a uint16_t */
#define AHEAD 32u		/* slices that the disk is asked for ahead: what a fast one has in flight */

_Static_assert(SLICE_COLUMNS * PARITY_COLUMN == PARITY_SLICE, "columns of a slice");

struct scan {
	struct group_exam *exam;
	const struct parity_seen *seen;	/* borrowed; NULL: nobody */
	size_t *first;		/* owned; of each source its first slice; one more: the end */
	uint16_t *bad;		/* owned; a slice: which of its columns */
	uint8_t *buffers;	/* owned; PARITY_SLICE a thread */
	struct scanner {	/* owned; one a thread */
		struct keyed_hash *sums;
		struct err failed;	/* to make a sum, which is no damage */
	} *scanners;
	unsigned threads;
	pthread_t caller;	/* who alone tells progress */
	uint64_t told;		/* the caller's */
	atomic_size_t next;	/* slice for a thread to take */
	atomic_uint_fast64_t bytes;
	atomic_bool is_stopping;
	struct err failed;	/* it was stopped, or a scanner failed */
};

static unsigned source_of(const struct scan *s, size_t slice)
{
	unsigned i = 0;

	while (s->first[i + 1] <= slice)
		i++;
	return i;
}

/* Where a slice lies in its object, and how many bytes of it there are. */
static uint64_t place(const struct scan *s, size_t slice, unsigned i, size_t *size)
{
	const struct parity_source *from = &s->exam->pass.sources[i];
	uint64_t at = (uint64_t)(slice - s->first[i]) * PARITY_SLICE;

	*size = from->size - at < PARITY_SLICE ? (size_t)(from->size - at) : PARITY_SLICE;
	return from->base + at;
}

static void expect(const struct scan *s, size_t slice)
{
	size_t size;

	if (slice >= s->first[s->exam->count])
		return;
	unsigned i = source_of(s, slice);
	uint64_t at = place(s, slice, i, &size);
	objects_expect(s->exam->exam->objects, &s->exam->pass.sources[i].name, at, size);
}

/* A truncated file or a bad sector is not to condemn its neighbours. */
static bool is_column_good(struct scan *s, unsigned thread, unsigned i, uint64_t column,
			   uint64_t at, uint8_t *data, size_t size, bool is_read)
{
	struct scanner *own = &s->scanners[thread];
	const struct parity_source *from = &s->exam->pass.sources[i];
	struct err ignored = ERR_NONE;
	uint8_t sum[PARITY_SUM];

	if (!is_read &&
	    objects_get(s->exam->exam->objects, &from->name, at, data, size, &ignored) < 0)
		return false;
	if (parity_column_sum(own->sums, data, size, sum, &own->failed) < 0) {
		atomic_store(&s->is_stopping, true);
		return true;
	}
	return memcmp(from->sums + column * PARITY_SUM, sum, sizeof sum) == 0;
}

static void look_at(struct scan *s, unsigned thread, size_t slice)
{
	unsigned i = source_of(s, slice);
	const struct parity_source *from = &s->exam->pass.sources[i];
	uint8_t *data = s->buffers + (size_t)thread * PARITY_SLICE;
	struct err ignored = ERR_NONE;
	uint16_t bad = 0;
	size_t size;
	uint64_t at = place(s, slice, i, &size);
	bool is_read = objects_get(s->exam->exam->objects, &from->name, at, data, size,
				   &ignored) == 0;

	for (size_t done = 0; done < size; done += PARITY_COLUMN) {
		unsigned k = (unsigned)(done / PARITY_COLUMN);
		uint64_t column = (uint64_t)(slice - s->first[i]) * SLICE_COLUMNS + k;
		size_t n = size - done < PARITY_COLUMN ? size - done : PARITY_COLUMN;

		if (!is_column_good(s, thread, i, column, at + done, data + done, n, is_read))
			bad |= (uint16_t)(1u << k);
	}
	s->bad[slice] = bad;
	atomic_fetch_add(&s->bytes, size);
	if (s->seen != NULL && is_read && bad == 0 && i < s->exam->group->count)
		s->seen->slice(s->seen->arg, thread, from->name.uid, at, data, size);
}

static void tell_progress(struct scan *s)
{
	uint64_t bytes = atomic_load(&s->bytes);

	if (parity_exam_advance(s->exam->exam, bytes - s->told, &s->failed) < 0)
		atomic_store(&s->is_stopping, true);
	s->told = bytes;
}

static void work(void *arg, size_t thread)
{
	struct scan *s = arg;
	bool is_caller = pthread_equal(pthread_self(), s->caller);
	size_t end = s->first[s->exam->count], slice;

	while (!atomic_load(&s->is_stopping) &&
	       (slice = atomic_fetch_add(&s->next, 1)) < end) {
		for (size_t i = 1; slice == 0 && i < AHEAD; i++)
			expect(s, i);
		expect(s, slice + AHEAD);
		look_at(s, (unsigned)thread, slice);
		if (is_caller)
			tell_progress(s);
	}
}

/* Of parity whose sums are lost every column is bad: there is nothing to read. */
static bool is_hopeless(const struct scan *s, unsigned i)
{
	return s->exam->pass.sources[i].mode == PARITY_ZERO;
}

static bool is_bad(const struct scan *s, unsigned i, uint64_t column)
{
	size_t slice = s->first[i] + (size_t)(column / SLICE_COLUMNS);

	if (is_hopeless(s, i))
		return true;
	return slice < s->first[i + 1] && (s->bad[slice] >> column % SLICE_COLUMNS & 1) != 0;
}

/* In the order of columns, as damage lies side by side. */
static int judge(struct scan *s, struct err *e)
{
	struct group_exam *g = s->exam;

	for (uint64_t column = 0; column < g->group->columns; column++) {
		unsigned bad = 0;

		for (unsigned i = 0; i < g->count; i++)
			bad += is_bad(s, i, column);
		g->pass.first = column;
		for (unsigned i = 0; i < g->count && bad > 0; i++)
			if (is_bad(s, i, column) &&
			    group_exam_note(g, i, 0, bad <= g->group->parity, e) < 0)
				return -1;
	}
	for (unsigned i = 0; i < g->count; i++)
		if (group_exam_flush(g, i, true, e) < 0)
			return -1;
	return 0;
}

static int lay_out(struct scan *s, struct err *e)
{
	const struct group_exam *g = s->exam;

	s->first = calloc(g->count + 1, sizeof *s->first);
	if (s->first == NULL)
		goto fail;
	for (unsigned i = 0; i < g->count; i++)
		s->first[i + 1] = s->first[i] +
			(is_hopeless(s, i) ? 0 :
			 (size_t)((g->pass.sources[i].size + PARITY_SLICE - 1) / PARITY_SLICE));
	s->bad = calloc(s->first[g->count] + 1, sizeof *s->bad);
	if (s->bad != NULL)
		return 0;
fail:
	return err_set(e, MUNI_NO_MEMORY, "no memory to check parity");
}

static int make_scanners(struct scan *s, struct err *e)
{
	/* One at least, so that there is something to free. */
	s->buffers = malloc((size_t)(s->threads + 1) * PARITY_SLICE);
	s->scanners = calloc(s->threads + 1, sizeof *s->scanners);
	if (s->buffers == NULL || s->scanners == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to check parity");
	for (unsigned i = 0; i < s->threads; i++)
		if (parity_column_sums_new(s->exam->group->format, &s->scanners[i].sums, e) < 0)
			return -1;
	return 0;
}

static void free_scanners(struct scan *s)
{
	for (unsigned i = 0; i < s->threads && s->scanners != NULL; i++)
		keyed_hash_free(s->scanners[i].sums);
	free(s->scanners);
	free(s->buffers);
}

/* What stopped it, if anything did. */
static int outcome_of(struct scan *s, struct err *e)
{
	if (!atomic_load(&s->is_stopping))
		return 0;
	for (unsigned i = 0; i < s->threads; i++)
		if (s->scanners[i].failed.code != MUNI_OK)
			s->failed = s->scanners[i].failed;
	*e = s->failed;
	return -1;
}

int group_exam_scan(struct group_exam *g, const struct parity_seen *seen, struct err *e)
{
	struct scan s = { .exam = g, .seen = seen, .caller = pthread_self(),
			  .failed = ERR_NONE };
	int rc = -1;

	atomic_init(&s.next, 0);
	atomic_init(&s.bytes, 0);
	atomic_init(&s.is_stopping, false);
	if (lay_out(&s, e) < 0)
		goto out;
	s.threads = team_processors();
	if (s.threads > PARITY_THREADS_MAX)
		s.threads = PARITY_THREADS_MAX;
	if (s.threads > s.first[g->count])
		s.threads = (unsigned)s.first[g->count];
	if (make_scanners(&s, e) < 0)
		goto out;
	if (s.threads > 0)
		team_run(s.threads, s.threads, work, &s);
	if (!atomic_load(&s.is_stopping))
		tell_progress(&s);
	rc = outcome_of(&s, e) < 0 ? -1 : judge(&s, e);
out:
	free(s.first);
	free(s.bad);
	free_scanners(&s);
	return rc;
}

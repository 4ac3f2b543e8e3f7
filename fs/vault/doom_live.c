/*
 * Liveness of blocks, computed from the extents of the contents that stay (D1): a block
 * all of whose bytes are in use stays as it is; of any other what is in use moves. Bytes
 * of what goes can also lie where nothing names them (an ingest that was broken off), so
 * a block with any byte that nobody uses is not kept (D2).
 *
 * Memory is bounded: blocks are looked at in ranges of numbers, so many extents at a time,
 * with a pass over the extents for each.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/doom_inside.h"

#define EXTENTS_AT_ONCE (8u << 20)	/* about; 16 bytes each */

struct run {			/* bytes in use */
	int64_t block;
	uint32_t at, size;
};

struct other {			/* bytes of a content that goes */
	struct run run;
	int64_t content;
};

struct live {
	struct doom *d;
	struct err *e;
	int64_t from, before;	/* blocks that are looked at */
	struct run *runs;	/* owned */
	size_t run_count, run_capacity;
	struct other *others;	/* owned */
	size_t other_count, other_capacity;
	size_t next;		/* run that is met next */
	size_t next_other;
};

/* ---- gathering ------------------------------------------------------------------- */

static int count_page(void *arg, int64_t content, const uint8_t *sha,
		      const struct extent_page *page)
{
	uint64_t *total = arg;

	(void)content;
	(void)sha;
	*total += page->count;
	return 0;
}

static int gather(void *arg, int64_t content, const uint8_t *sha,
		  const struct extent_page *page)
{
	struct live *l = arg;
	struct doom *d = l->d;
	bool is_kept = bits_has(&d->contents, content);

	(void)sha;
	if (!is_kept && !bits_has(&d->contents_doomed, content))
		return 0;
	for (unsigned i = 0; i < page->count; i++) {
		const struct extent *x = &page->extents[i];
		const struct run run = { x->block, x->at, x->size };

		if (x->block < l->from || x->block >= l->before)
			continue;
		if (is_kept) {
			struct run *list = doom_room(l->runs, l->run_count, &l->run_capacity,
						     sizeof *list, l->e);

			if (!list)
				return -1;
			l->runs = list;
			list[l->run_count++] = run;
		} else {
			struct other *list = doom_room(l->others, l->other_count,
						       &l->other_capacity, sizeof *list, l->e);

			if (!list)
				return -1;
			l->others = list;
			list[l->other_count++] = (struct other){ run, content };
		}
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Sorted; those that touch or overlap become one. */
static void merge(struct live *l)
{
	size_t kept = 0;

	if (l->run_count > 1)
		qsort(l->runs, l->run_count, sizeof *l->runs, by_place);
	for (size_t i = 0; i < l->run_count; i++) {
		const struct run *x = &l->runs[i];
		struct run *last = kept ? &l->runs[kept - 1] : NULL;

		if (last && last->block == x->block && x->at <= last->at + last->size) {
			uint32_t end = x->at + x->size;

			if (end > last->at + last->size)
				last->size = end - last->at;
		} else {
			l->runs[kept++] = *x;
		}
	}
	l->run_count = kept;
	if (l->other_count > 1)
		qsort(l->others, l->other_count, sizeof *l->others, by_place);
}

/* ---- deciding ----------------------------------------------------------------------- */

/* Bytes of what goes that a kept record has too. */
static int note_shared(struct live *l, const struct run *runs, size_t count, int64_t block)
{
	struct doom *d = l->d;
	size_t at = 0;

	while (l->next_other < l->other_count && l->others[l->next_other].run.block < block)
		l->next_other++;
	for (; l->next_other < l->other_count &&
	       l->others[l->next_other].run.block == block; l->next_other++) {
		const struct other *o = &l->others[l->next_other];

		while (at < count && runs[at].at + runs[at].size <= o->run.at)
			at++;
		if (at < count && runs[at].at < o->run.at + o->run.size &&
		    !bits_add(&d->contents_shared, o->content))
			return doom_no_memory(l->e);
	}
	return 0;
}

static int keep_pieces(struct live *l, const struct block *b, const struct run *runs,
		       size_t count)
{
	struct doom *d = l->d;
	struct old_block *old = doom_room(d->old, d->old_count, &d->old_capacity, sizeof *old,
					  l->e);

	if (!old)
		return -1;
	d->old = old;
	old[d->old_count++] = (struct old_block){ b->id, b->class_id, b->year, b->raw,
						  b->bases[0] != 0,
						  b->bases[0] != 0 && b->bases[1] == 0 &&
						  !bits_has(&d->based, b->bases[0]),
						  d->piece_count, count };
	for (size_t i = 0; i < count; i++) {
		struct piece *list = doom_room(d->pieces, d->piece_count, &d->piece_capacity,
					       sizeof *list, l->e);

		if (!list)
			return -1;
		d->pieces = list;
		list[d->piece_count++] = (struct piece){ .block = b->id, .at = runs[i].at,
							 .size = runs[i].size };
	}
	return 0;
}

static int drop_block(struct live *l, const struct block *b)
{
	struct doom *d = l->d;
	uint8_t (*list)[16] = doom_room(d->uids, d->uid_count, &d->uid_capacity, sizeof *list,
					l->e);

	if (!list)
		return -1;
	d->uids = list;
	memcpy(list[d->uid_count++], b->uid, sizeof list[0]);
	d->result.blocks_gone++;
	return 0;
}

/* Of a block that does not stay nothing can be decoded any more that is based on it.
 * Bases have lower numbers: what becomes of them is known. */
static bool has_its_bases(const struct doom *d, const struct block *b)
{
	for (unsigned i = 0; i < BLOCK_BASES_MAX; i++)
		if (b->bases[i] != 0 && !bits_has(&d->blocks, b->bases[i]))
			return false;
	return true;
}

static int decide(void *arg, const struct block *b)
{
	struct live *l = arg;
	struct doom *d = l->d;

	while (l->next < l->run_count && l->runs[l->next].block < b->id)
		l->next++;
	const struct run *runs = &l->runs[l->next];
	size_t count = 0;
	uint64_t used = 0;

	for (; l->next + count < l->run_count && runs[count].block == b->id; count++)
		used += runs[count].size;
	l->next += count;
	if (b->bases[0] != 0 && !bits_add(&d->based, b->id))
		return doom_no_memory(l->e);
	if (used > 0 && runs[count - 1].at + runs[count - 1].size > b->raw)
		return err_set(l->e, MUNI_DAMAGED, "the catalogue is damaged: an extent ends past "
			       "block %lld; run `muni verify`", (long long)b->id);
	if (note_shared(l, runs, count, b->id) < 0)
		return -1;
	if (used == b->raw && has_its_bases(d, b))
		return bits_add(&d->blocks, b->id) && bits_add(&d->segments, b->segment) ? 0 :
			doom_no_memory(l->e);
	if (drop_block(l, b) < 0)
		return -1;
	return count > 0 ? keep_pieces(l, b, runs, count) : 0;
}

/* ---- the whole ------------------------------------------------------------------------ */

static int look_at_range(struct live *l)
{
	struct catalogue *c = l->d->catalogue;

	l->run_count = l->other_count = l->next = l->next_other = 0;
	if (catalogue_each_extents(c, gather, l, l->e) < 0)
		return -1;
	merge(l);
	return catalogue_each_block(c, l->from, l->before, decide, l, l->e);
}

static int take_segment(void *arg, int64_t id, const uint8_t uid[16])
{
	struct doom *d = arg;

	(void)uid;
	if (!bits_has(&d->segments, id))
		d->result.segments_gone++;
	return 0;
}

static int by_uid(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

int doom_mark_blocks(struct doom *d, struct err *e)
{
	struct live l = { .d = d, .e = e, .from = 1 };
	uint64_t total = 0;
	int64_t high, step;
	int rc = -1;

	if (catalogue_each_extents(d->catalogue, count_page, &total, e) < 0 ||
	    catalogue_high_water(d->catalogue, SEQUENCE_BLOCK, &high, e) < 0)
		return -1;
	step = high / (int64_t)(total / EXTENTS_AT_ONCE + 1) + 1;
	for (; l.from < high; l.from = l.before) {
		l.before = high - l.from > step ? l.from + step : high;
		if (look_at_range(&l) < 0)
			goto out;
	}
	if (catalogue_segments(d->catalogue, take_segment, d, e) < 0)
		goto out;
	if (d->uid_count > 1)
		qsort(d->uids, d->uid_count, sizeof d->uids[0], by_uid);
	d->result.keys = digest_of(d->uids, d->uid_count * sizeof d->uids[0]);
	d->result.blocks_repacked = d->old_count;
	rc = 0;
out:
	free(l.runs);
	free(l.others);
	return rc;
}

bool doom_moved(const struct doom *d, int64_t block, uint32_t at, uint32_t size,
		struct chunk_place *to)
{
	size_t low = 0, high = d->piece_count;

	/* The last piece that begins at or before these bytes. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct piece *p = &d->pieces[middle];

		if (p->block < block || (p->block == block && p->at <= at))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	const struct piece *p = &d->pieces[low - 1];
	if (p->block != block || p->new_block == 0 || at - p->at > p->size ||
	    size > p->size - (at - p->at))
		return false;
	*to = (struct chunk_place){ p->new_block, p->new_at + (at - p->at), size };
	return true;
}

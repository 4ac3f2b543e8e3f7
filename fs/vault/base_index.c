#include "fs/vault/base_index.h"

#include <stdlib.h>
#include <string.h>

#define CELLS_LEAST 1024u
#define CELLS_MAX (4u << 20)	/* 32 MiB */
#define BLOCKS_A_FEATURE 8	/* more of them say nothing */
#define VOTES_LEAST 2		/* one may be chance */
#define REFUSED_MAX 16		/* then what is left is hardly alike */
#define CANDIDATES 4096u	/* a power of two, and as many features are looked at */

struct cell {
	uint32_t feature;
	uint32_t slot;		/* and 1; 0: free */
};

struct slot {
	int64_t block, class_id;
	uint8_t depth;
};

struct base_index {
	struct cell *cells;	/* owned */
	size_t cell_count, cell_capacity;	/* a power of two */
	struct slot *slots;	/* owned */
	size_t slot_count, slot_capacity;
};

struct base_votes {
	struct candidate {
		uint32_t slot;	/* and 1; 0: free */
		uint32_t votes;
	} table[CANDIDATES];
	uint32_t used[CANDIDATES];	/* places in it */
	size_t count;
};

/* ---- the index ----------------------------------------------------------------------- */

struct base_index *base_index_new(void)
{
	struct base_index *x = calloc(1, sizeof *x);

	if (!x)
		return NULL;
	x->cell_capacity = CELLS_LEAST;
	x->cells = calloc(x->cell_capacity, sizeof *x->cells);
	if (!x->cells) {
		free(x);
		return NULL;
	}
	return x;
}

void base_index_free(struct base_index *x)
{
	if (!x)
		return;
	free(x->cells);
	free(x->slots);
	free(x);
}

size_t base_index_count(const struct base_index *x)
{
	return x->slot_count;
}

/* What is kept are a block's lowest features: their low bits are still even. */
static size_t place_of(uint32_t feature, size_t capacity)
{
	return (feature * 0x9e3779b1u) & (capacity - 1);
}

static void put_cell(struct cell *cells, size_t capacity, struct cell cell)
{
	size_t i = place_of(cell.feature, capacity);

	while (cells[i].slot != 0)
		i = (i + 1) & (capacity - 1);
	cells[i] = cell;
}

static bool grow(struct base_index *x)
{
	size_t capacity = x->cell_capacity * 2;
	struct cell *cells = calloc(capacity, sizeof *cells);

	if (!cells)
		return false;
	/* From a gap on: cells of one feature keep their order, the newest first. */
	size_t gap = 0;
	while (x->cells[gap].slot != 0)
		gap++;
	for (size_t n = 0; n < x->cell_capacity; n++) {
		size_t i = (gap + n) & (x->cell_capacity - 1);

		if (x->cells[i].slot != 0)
			put_cell(cells, capacity, x->cells[i]);
	}
	free(x->cells);
	x->cells = cells;
	x->cell_capacity = capacity;
	return true;
}

static bool is_common(const struct base_index *x, uint32_t feature)
{
	unsigned count = 0;

	for (size_t i = place_of(feature, x->cell_capacity); x->cells[i].slot != 0;
	     i = (i + 1) & (x->cell_capacity - 1))
		count += x->cells[i].feature == feature;
	return count >= BLOCKS_A_FEATURE;
}

int base_index_add(struct base_index *x, int64_t block, const struct sketch *s)
{
	if (x->slot_count == x->slot_capacity) {
		size_t more = x->slot_capacity ? x->slot_capacity * 2 : 256;
		struct slot *list = reallocarray(x->slots, more, sizeof *list);

		if (!list)
			return -1;
		x->slots = list;
		x->slot_capacity = more;
	}
	while (x->cell_count + s->count > x->cell_capacity / 4 * 3) {
		if (x->cell_capacity == CELLS_MAX)
			return 1;
		if (!grow(x))
			return -1;
	}
	x->slots[x->slot_count++] = (struct slot){ block, s->class_id, s->depth };
	for (unsigned i = 0; i < s->count; i++) {
		if (is_common(x, s->features[i]))
			continue;
		put_cell(x->cells, x->cell_capacity,
			 (struct cell){ s->features[i], (uint32_t)x->slot_count });
		x->cell_count++;
	}
	return 0;
}

/* ---- votes ---------------------------------------------------------------------------- */

struct base_votes *base_votes_new(void)
{
	return calloc(1, sizeof(struct base_votes));
}

void base_votes_free(struct base_votes *v)
{
	free(v);
}

static void clear(struct base_votes *v)
{
	for (size_t i = 0; i < v->count; i++)
		v->table[v->used[i]] = (struct candidate){ 0, 0 };
	v->count = 0;
}

static void vote(struct base_votes *v, uint32_t slot)
{
	size_t i = place_of(slot, CANDIDATES);

	while (v->table[i].slot != 0 && v->table[i].slot != slot)
		i = (i + 1) & (CANDIDATES - 1);
	if (v->table[i].slot == 0) {
		if (v->count == CANDIDATES / 4 * 3)
			return;
		v->table[i].slot = slot;
		v->used[v->count++] = (uint32_t)i;
	}
	v->table[i].votes++;
}

struct question {
	const struct base_index *x;
	int64_t class_id;
	unsigned depth_max;
	uint32_t chosen;	/* slot, and 1: its features have their base; 0: none yet */
};

static bool may_vote(const struct question *q, const struct cell *cell)
{
	const struct slot *s = &q->x->slots[cell->slot - 1];

	return s->class_id == q->class_id && s->depth < q->depth_max;
}

static void ask(const struct question *q, struct base_votes *v, uint32_t feature)
{
	const struct base_index *x = q->x;
	size_t first = place_of(feature, x->cell_capacity);

	if (q->chosen != 0)
		for (size_t i = first; x->cells[i].slot != 0;
		     i = (i + 1) & (x->cell_capacity - 1))
			if (x->cells[i].feature == feature && x->cells[i].slot == q->chosen)
				return;
	for (size_t i = first; x->cells[i].slot != 0; i = (i + 1) & (x->cell_capacity - 1))
		if (x->cells[i].feature == feature && may_vote(q, &x->cells[i]))
			vote(v, x->cells[i].slot);
}

/* Most votes; of equals the newest: slots are in that order.  NULL: none has enough. */
static struct candidate *winner(struct base_votes *v)
{
	struct candidate *best = NULL;

	for (size_t i = 0; i < v->count; i++) {
		struct candidate *c = &v->table[v->used[i]];

		if (c->votes < VOTES_LEAST)
			continue;
		if (!best || c->votes > best->votes ||
		    (c->votes == best->votes && c->slot < best->slot))
			best = c;
	}
	return best;
}

/* The first that the judge takes. */
static struct candidate elect(const struct base_index *x, struct base_votes *v,
			      const struct base_judge *judge)
{
	for (unsigned refused = 0; refused < REFUSED_MAX; refused++) {
		struct candidate *best = winner(v);

		if (!best)
			break;
		if (!judge || judge->may(judge->arg, x->slots[best->slot - 1].block, best->votes))
			return *best;
		best->votes = 0;
	}
	return (struct candidate){ 0, 0 };
}

void base_index_choose(const struct base_index *x, struct base_votes *v, int64_t class_id,
		       unsigned depth_max, const uint32_t *features, size_t count,
		       const struct base_judge *judge, struct base_choice *out)
{
	struct question q = { x, class_id, depth_max, 0 };

	*out = (struct base_choice){ 0 };
	while (out->count < BLOCK_BASES_MAX) {
		for (size_t i = 0; i < count; i++)
			ask(&q, v, features[i]);
		struct candidate best = elect(x, v, judge);

		clear(v);
		if (best.slot == 0)
			break;
		const struct slot *s = &x->slots[best.slot - 1];

		out->blocks[out->count] = s->block;
		out->votes[out->count++] = best.votes;
		if (out->depth < s->depth + 1)
			out->depth = (uint8_t)(s->depth + 1);
		q.chosen = best.slot;
	}
}

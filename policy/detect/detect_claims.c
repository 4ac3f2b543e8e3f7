/*
 * From what looks like a value to a claim on its characters, and who wins where
 * claims overlap.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/detect/detect_inside.h"

/* ---- what a check sees ------------------------------------------------------------------ */

static bool parts_cells(char c)
{
	return c == DETECT_CELL_END || c == DETECT_ROW_END;
}

static const char *label_of(struct detector *d, size_t at)
{
	if (d->label_at == at)
		return d->label;
	d->label_at = at;
	d->label = d->passage && d->passage->label
			   ? d->passage->label(d->passage->arg, d->base + at) : NULL;
	return d->label;
}

/* Learns how far from `start` on to both sides nothing parts cells, well beyond what
 * one candidate asks, so that the next one need not. */
static void learn_cell(struct detector *d, size_t start, size_t end)
{
	struct clear_stretch *c = &d->clear;
	size_t least = start > BEFORE ? start - BEFORE : 0;
	size_t most = d->used - end > 4 * AFTER ? end + 4 * AFTER : d->used;
	const char *at;

	c->from = start;
	while (c->from > least && !parts_cells(d->text[c->from - 1]))
		c->from--;
	c->begins = c->from > least || least == 0;
	at = memchr(d->text + start, DETECT_CELL_END, most - start);
	c->to = at ? (size_t)(at - d->text) : most;
	c->ends = at || most == d->used;
	at = memchr(d->text + start, DETECT_ROW_END, c->to - start);
	if (at) {
		c->to = (size_t)(at - d->text);
		c->ends = true;
	}
}

/* The span and what stands around it in its cell; false: it spans cells. */
static bool candidate_of(struct detector *d, size_t start, size_t end, struct candidate *c)
{
	size_t before = start > BEFORE ? start - BEFORE : 0;
	size_t after = d->used - end > AFTER ? end + AFTER : d->used;

	if (d->has_cells) {
		if (start < d->clear.from || start >= d->clear.to ||
		    (before < d->clear.from && !d->clear.begins) ||
		    (after > d->clear.to && !d->clear.ends))
			learn_cell(d, start, end);
		if (end > d->clear.to)
			return false;
		before = before > d->clear.from ? before : d->clear.from;
		after = after < d->clear.to ? after : d->clear.to;
	}
	*c = (struct candidate){ .text = d->text + start, .size = end - start,
				 .before = d->text + before, .after = d->text + after,
				 .label = label_of(d, start) };
	return true;
}

/* The value's own span in the match, where the recogniser knows one. */
static void value_of(const struct recogniser *r, const struct candidate *c, const char **value,
		     size_t *size)
{
	*value = c->text;
	*size = c->size;
	if (!r->value)
		return;
	r->value(c, value, size);
	if (*size == 0 || *value < c->before || *value > c->after ||
	    *size > (size_t)(c->after - *value)) {
		*value = c->text;
		*size = c->size;
	}
}

/* ---- context ------------------------------------------------------------------------------ */

static uint8_t distance_of(struct detector *d, unsigned owner, size_t start, size_t end,
			   const char *label)
{
	if (!d->set->rows[owner]->context)	/* its form says as much as words could */
		return 0;
	if (d->near_start != start || d->near_end != end) {
		detect_around_value(&d->around, d->text, d->used, start, end, label, &d->near);
		d->near_start = start;
		d->near_end = end;
	}
	return d->near.distance[owner];
}

/* ---- claims ------------------------------------------------------------------------------- */

static void claim(struct detector *d, const struct claim *c)
{
	if (d->claim_count == d->claim_room) {
		size_t room = d->claim_room ? 2 * d->claim_room : 256;
		struct claim *grown = realloc(d->claims, room * sizeof *grown);

		if (!grown) {
			d->no_memory = true;
			return;
		}
		d->claims = grown;
		d->claim_room = room;
	}
	d->claims[d->claim_count++] = *c;
}

static void consider(struct detector *d, unsigned owner, struct candidate *c)
{
	const struct recogniser *r = d->set->rows[owner];
	size_t start = (size_t)(c->text - d->text), size;
	enum verdict verdict;
	uint8_t distance;
	const char *value;

	/* Looking around costs more than most checks: first those that pass when
	 * everything around speaks for them. */
	c->has_context = c->is_first_look = true;
	verdict = r->check(c);
	if (verdict == VERDICT_NO)
		return;
	distance = distance_of(d, owner, start, start + c->size, c->label);
	if (distance == DETECT_FAR && (verdict == VERDICT_WEAK || r->alone == 0))
		return;
	c->has_context = distance != DETECT_FAR;
	c->is_first_look = false;
	verdict = r->check(c);
	if (verdict == VERDICT_NO || (verdict == VERDICT_WEAK && !c->has_context))
		return;
	value_of(r, c, &value, &size);
	start = (size_t)(value - d->text);
	if (r->value) {	/* a word in the value itself is none near it */
		distance = distance_of(d, owner, start, start + size, c->label);
		if (distance == DETECT_FAR && (verdict == VERDICT_WEAK || r->alone == 0))
			return;
	}
	claim(d, &(struct claim){ .start = (uint32_t)start, .end = (uint32_t)(start + size),
				  .owner = (uint16_t)owner,
				  .confidence = distance == DETECT_FAR ? r->alone : r->in_context,
				  .distance = distance });
}

void detect_consider(struct detector *d, unsigned owner, size_t start, size_t end)
{
	const struct recogniser *r = d->set->rows[owner];
	struct candidate c;

	if (end - start >= r->min_size && end - start <= r->max_size &&
	    candidate_of(d, start, end, &c))
		consider(d, owner, &c);
}

void detect_consider_cell(struct detector *d, unsigned owner, size_t start, size_t end)
{
	struct candidate c;

	if (!candidate_of(d, start, end, &c))
		return;
	c.is_cell = true;
	consider(d, owner, &c);
}

/* ---- settling ----------------------------------------------------------------------------- */

/* A word that is nearer by less than this is not nearer. */
#define NEARER 12

static int by_start(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

/* recogniser.h, `rank`: who wins comes first.  Total over different claims. */
static int compare_claims(const struct recognisers *set, const struct claim *x,
			  const struct claim *y)
{
	uint8_t x_rank = set->rows[x->owner]->rank, y_rank = set->rows[y->owner]->rank;
	uint32_t x_size = x->end - x->start, y_size = y->end - y->start;

	if ((x->distance == DETECT_FAR) != (y->distance == DETECT_FAR))
		return x->distance == DETECT_FAR ? 1 : -1;
	if (x->distance / NEARER != y->distance / NEARER)
		return x->distance < y->distance ? -1 : 1;
	if (x->confidence != y->confidence)
		return x->confidence > y->confidence ? -1 : 1;
	if (x_size != y_size)
		return x_size > y_size ? -1 : 1;
	if (x_rank != y_rank)
		return x_rank > y_rank ? -1 : 1;
	return by_start(x, y);
}

static int by_claim(const void *a, const void *b, void *set)
{
	return compare_claims(set, a, b);
}

/* The claims first..end overlap, one the next: keeps those that win, in order of
 * place, and returns their number. */
static size_t settle_cluster(struct detector *d, struct claim *claims, size_t count)
{
	size_t kept = 0;
	uint32_t start = claims[0].start, end = 0;

	if (count == 1)
		return 1;
	qsort_r(claims, count, sizeof *claims, by_claim, (void *)d->set);
	for (size_t i = 0; i < count; i++) {
		struct claim c = claims[i];

		if (memchr(d->taken + c.start, 1, c.end - c.start))
			continue;
		memset(d->taken + c.start, 1, c.end - c.start);
		claims[kept++] = c;
		end = c.end > end ? c.end : end;
	}
	memset(d->taken + start, 0, end - start);
	qsort(claims, kept, sizeof *claims, by_start);
	return kept;
}

void detect_settle(struct detector *d, size_t settled)
{
	size_t first = 0;

	if (d->claim_count == 0)
		return;
	qsort(d->claims, d->claim_count, sizeof *d->claims, by_start);
	while (first < d->claim_count) {
		size_t next = first + 1, kept;
		uint32_t end = d->claims[first].end;

		while (next < d->claim_count && d->claims[next].start < end) {
			end = d->claims[next].end > end ? d->claims[next].end : end;
			next++;
		}
		/* What will fall out of the window is settled as it is. */
		if (end > settled && d->claims[first].start >= d->high - LOOK_BACK)
			break;
		kept = settle_cluster(d, d->claims + first, next - first);
		for (size_t i = 0; i < kept; i++)
			detect_record(d, &d->claims[first + i]);
		first = next;
	}
	d->claim_count -= first;
	memmove(d->claims, d->claims + first, d->claim_count * sizeof *d->claims);
}

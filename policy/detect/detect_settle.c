/*
 * Who wins where claims overlap.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "policy/detect/detect_inside.h"

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

static bool take_claims(struct detector *d, const struct window *w)
{
	size_t wanted = d->claim_count + w->claim_count, room = d->claim_room ? d->claim_room : 256;
	struct claim *grown;

	while (room < wanted)
		room *= 2;
	if (room > d->claim_room) {
		grown = realloc(d->claims, room * sizeof *grown);
		if (!grown)
			return false;
		d->claims = grown;
		d->claim_room = room;
	}
	memcpy(d->claims + d->claim_count, w->claims, w->claim_count * sizeof *w->claims);
	d->claim_count = wanted;
	return true;
}

int detect_settle(struct detector *d, const struct window *w, size_t settled, struct err *e)
{
	size_t first = 0;

	if (w->claim_count > 0 && !take_claims(d, w))
		return err_set(e, MUNI_NO_MEMORY, "no memory for what was found in the text");
	if (d->claim_count == 0)
		return 0;
	qsort(d->claims, d->claim_count, sizeof *d->claims, by_start);
	while (first < d->claim_count) {
		size_t next = first + 1, kept;
		uint32_t end = d->claims[first].end;

		while (next < d->claim_count && d->claims[next].start < end) {
			end = d->claims[next].end > end ? d->claims[next].end : end;
			next++;
		}
		/* What will fall out of the window is settled as it is. */
		if (end > settled && d->claims[first].start >= w->high - LOOK_BACK)
			break;
		kept = settle_cluster(d, d->claims + first, next - first);
		for (size_t i = 0; i < kept; i++)
			detect_record(d, w, &d->claims[first + i]);
		first = next;
	}
	d->claim_count -= first;
	memmove(d->claims, d->claims + first, d->claim_count * sizeof *d->claims);
	return 0;
}

/*
 * One search of the window: pictures, then expressions.
 *
 * Vectorscan tells where a match ends.  Where all matches of an expression are of one
 * length that gives the start; of the others the ends that lie close are gathered
 * into a region, and the region alone is searched again by an expression that tells
 * starts.  Asking all expressions for starts costs several times the whole search.
 */
#include <assert.h>
#include <string.h>

#include "fs/base/err.h"
#include "policy/detect/detect_inside.h"
#include "policy/detect/detect_text.h"

/* Around what is searched, for expressions that look at the neighbours. */
#define MARGIN 16
/* Of the matches with one start, so many of the longest are considered. */
#define ENDS_MAX 32

static void on_picture(void *arg, unsigned owner, size_t start, size_t end)
{
	detect_consider(arg, owner, start, end);
}

/* Whole characters from..to. */
static size_t align_up(const struct detector *d, size_t at)
{
	while (at < d->used && !detect_text_is_begin(d->text[at]))
		at++;
	return at;
}

static size_t align_down(const struct detector *d, size_t at)
{
	while (at > 0 && at < d->used && !detect_text_is_begin(d->text[at]))
		at--;
	return at;
}

/* ---- starts ---------------------------------------------------------------------------- */

struct starts {
	struct detector *d;
	const struct pattern *pattern;
	struct open_region region;
	size_t base;		/* of what is searched */
	size_t start;		/* of the matches below */
	size_t ends[ENDS_MAX];	/* the last ones, in a ring */
	size_t count;
};

/* The longest that is a value. */
static void consider_longest(struct starts *s)
{
	size_t claims = s->d->claim_count;

	for (size_t i = 0; i < ENDS_MAX && i < s->count; i++) {
		detect_consider(s->d, s->pattern->owner, s->start,
				s->ends[(s->count - 1 - i) % ENDS_MAX]);
		if (s->d->claim_count > claims)
			break;
	}
	s->count = 0;
}

static int on_start(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		    void *arg)
{
	struct starts *s = arg;
	size_t start = s->base + from, end = s->base + to;

	(void)id;
	(void)flags;
	if (end < s->region.first || end > s->region.last)
		return 0;	/* the edge of what is searched made it one */
	if (s->count > 0 && start != s->start)
		consider_longest(s);
	s->start = start;
	s->ends[s->count++ % ENDS_MAX] = end;
	return 0;
}

static void close_region(struct detector *d, size_t index)
{
	struct open_region *region = &d->regions[index];
	const struct pattern *p = &d->set->patterns[index];
	struct starts s = { .d = d, .pattern = p, .region = *region };
	size_t reach = (size_t)p->longest + MARGIN, end;
	hs_error_t rc;

	if (region->last == 0)
		return;
	*region = (struct open_region){ 0, 0 };
	s.base = align_up(d, s.region.first > reach ? s.region.first - reach : 0);
	end = s.region.last + MARGIN < d->used ? s.region.last + MARGIN : d->used;
	end = align_down(d, end);
	if (end < s.region.last)
		end = s.region.last;
	rc = hs_scan(p->starts, d->text + s.base, (unsigned)(end - s.base), 0, d->starts_scratch,
		     on_start, &s);
	assert(rc == HS_SUCCESS);
	(void)rc;
	consider_longest(&s);
}

/* ---- expressions ----------------------------------------------------------------------- */

struct pass {
	struct detector *d;
	size_t base;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		    void *arg)
{
	const struct pass *pass = arg;
	struct detector *d = pass->d;
	const struct pattern *p = &d->set->patterns[id];
	struct open_region *region = &d->regions[id];
	size_t end = pass->base + to;

	(void)from;
	(void)flags;
	if (end <= d->low || end > d->high)
		return 0;
	if (!p->starts) {
		if (to >= p->longest)
			detect_consider(d, p->owner, end - p->longest, end);
		return 0;
	}
	if (region->last != 0 && end > region->last + p->longest)
		close_region(d, id);
	if (region->last == 0)
		region->first = (uint32_t)end;
	region->last = (uint32_t)end;
	return 0;
}

static int search_expressions(struct detector *d, struct err *e)
{
	struct pass pass = { .d = d };
	size_t reach = SPAN_MAX + MARGIN, end;
	hs_error_t rc;

	if (!d->set->database)
		return 0;
	pass.base = align_up(d, d->low > reach ? d->low - reach : 0);
	end = align_down(d, d->high + MARGIN < d->used ? d->high + MARGIN : d->used);
	if (end <= pass.base)
		return 0;
	rc = hs_scan(d->set->database, d->text + pass.base, (unsigned)(end - pass.base), 0,
		     d->scratch, on_match, &pass);
	if (rc != HS_SUCCESS)
		return err_set(e, MUNI_UNSUPPORTED, "Vectorscan refuses to search (%d)", rc);
	for (size_t i = 0; i < d->set->pattern_count; i++)
		close_region(d, i);
	return 0;
}

int detect_search(struct detector *d, struct err *e)
{
	detect_around_reset(&d->around);
	d->near_end = 0;
	d->clear = (struct clear_stretch){ 0 };
	d->label_at = SIZE_MAX;
	detect_pictures_scan(d->set->pictures, d->text, d->used, d->low, d->high, on_picture, d);
	detect_cells(d);
	return search_expressions(d, e);
}

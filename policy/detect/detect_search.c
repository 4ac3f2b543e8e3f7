/*
 * One search of a window: pictures, then expressions.
 *
 * Vectorscan tells where a match ends.  Where all matches of an expression are of one
 * length that gives the start; of the others the ends that lie close are gathered
 * into a region, and the region alone is searched again by an expression that tells
 * starts.  Asking all expressions for starts costs several times the whole search.
 */
#include <assert.h>
#include <stdlib.h>
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
static size_t align_up(const struct search *s, size_t at)
{
	while (at < s->used && !detect_text_is_begin(s->text[at]))
		at++;
	return at;
}

static size_t align_down(const struct search *s, size_t at)
{
	while (at > 0 && at < s->used && !detect_text_is_begin(s->text[at]))
		at--;
	return at;
}

/* ---- starts ---------------------------------------------------------------------------- */

struct starts {
	struct search *search;
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
	size_t claims = s->search->window->claim_count;

	for (size_t i = 0; i < ENDS_MAX && i < s->count; i++) {
		detect_consider(s->search, s->pattern->owner, s->start,
				s->ends[(s->count - 1 - i) % ENDS_MAX]);
		if (s->search->window->claim_count > claims)
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

static void close_region(struct search *s, size_t index)
{
	struct open_region *region = &s->regions[index];
	const struct pattern *p = &s->set->patterns[index];
	struct starts found = { .search = s, .pattern = p, .region = *region };
	size_t reach = (size_t)p->longest + MARGIN, end;
	hs_error_t rc;

	if (region->last == 0)
		return;
	*region = (struct open_region){ 0, 0 };
	found.base = align_up(s, found.region.first > reach ? found.region.first - reach : 0);
	end = found.region.last + MARGIN < s->used ? found.region.last + MARGIN : s->used;
	end = align_down(s, end);
	if (end < found.region.last)
		end = found.region.last;
	rc = hs_scan(p->starts, s->text + found.base, (unsigned)(end - found.base), 0,
		     s->starts_scratch, on_start, &found);
	assert(rc == HS_SUCCESS);
	(void)rc;
	consider_longest(&found);
}

/* ---- expressions ----------------------------------------------------------------------- */

struct pass {
	struct search *search;
	size_t base;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		    void *arg)
{
	const struct pass *pass = arg;
	struct search *s = pass->search;
	const struct pattern *p = &s->set->patterns[id];
	struct open_region *region = &s->regions[id];
	size_t end = pass->base + to;

	(void)from;
	(void)flags;
	if (end <= s->low || end > s->high)
		return 0;
	if (!p->starts) {
		if (to >= p->longest)
			detect_consider(s, p->owner, end - p->longest, end);
		return 0;
	}
	if (region->last != 0 && end > region->last + p->longest)
		close_region(s, id);
	if (region->last == 0)
		region->first = (uint32_t)end;
	region->last = (uint32_t)end;
	return 0;
}

static int search_expressions(struct search *s, struct err *e)
{
	struct pass pass = { .search = s };
	size_t reach = SPAN_MAX + MARGIN, end;
	hs_error_t rc;

	if (!s->set->database)
		return 0;
	pass.base = align_up(s, s->low > reach ? s->low - reach : 0);
	end = align_down(s, s->high + MARGIN < s->used ? s->high + MARGIN : s->used);
	if (end <= pass.base)
		return 0;
	rc = hs_scan(s->set->database, s->text + pass.base, (unsigned)(end - pass.base), 0,
		     s->scratch, on_match, &pass);
	if (rc != HS_SUCCESS)
		return err_set(e, MUNI_UNSUPPORTED, "Vectorscan refuses to search (%d)", rc);
	for (size_t i = 0; i < s->set->pattern_count; i++)
		close_region(s, i);
	return 0;
}

int search_run(struct search *s, const struct passage *passage, bool has_cells,
	       struct window *w, struct err *e)
{
	s->passage = passage;
	s->window = w;
	s->text = w->text;
	s->used = w->used;
	s->low = w->low;
	s->high = w->high;
	s->base = w->base;
	s->has_cells = has_cells;
	w->claim_count = 0;
	detect_around_reset(&s->around);
	s->span = s->near_span = (struct text_span){ 0, 0 };
	s->clear = (struct clear_stretch){ 0 };
	s->label_at = SIZE_MAX;
	detect_pictures_scan(s->set->pictures, s->text, s->used, s->low, s->high, on_picture, s);
	detect_cells(s);
	if (search_expressions(s, e) < 0)
		return -1;
	if (s->no_memory || detect_around_failed(&s->around))
		return err_set(e, MUNI_NO_MEMORY, "no memory for what was found in the text");
	return 0;
}

/* ---- making ----------------------------------------------------------------------------- */

static int make_scratch(struct search *s, struct err *e)
{
	const struct recognisers *r = s->set;

	if (r->database && hs_alloc_scratch(r->database, &s->scratch) != HS_SUCCESS)
		goto no_memory;
	for (size_t i = 0; i < r->pattern_count; i++)
		if (r->patterns[i].starts &&
		    hs_alloc_scratch(r->patterns[i].starts, &s->starts_scratch) != HS_SUCCESS)
			goto no_memory;
	return detect_words_scratch(r->words, &s->words_scratch, e);
no_memory:
	return err_set(e, MUNI_NO_MEMORY, "no memory to search text");
}

int search_new(const struct recognisers *set, struct search **out, struct err *e)
{
	struct search *s = calloc(1, sizeof *s);

	*out = NULL;
	if (s) {
		s->set = set;
		s->regions = calloc(set->pattern_count + 1, sizeof *s->regions);
	}
	if (!s || !s->regions) {
		search_free(s);
		return err_set(e, MUNI_NO_MEMORY, "no memory to search text");
	}
	if (make_scratch(s, e) < 0) {
		search_free(s);
		return -1;
	}
	s->around = (struct detect_around){ .words = set->words, .scratch = s->words_scratch };
	*out = s;
	return 0;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	detect_around_free(&s->around);
	hs_free_scratch(s->scratch);
	hs_free_scratch(s->starts_scratch);
	hs_free_scratch(s->words_scratch);
	free(s->regions);
	free(s);
}

void search_reset(struct search *s)
{
	s->no_memory = false;
	s->cursor = (struct passage_cursor){ 0 };
	memset(s->answers, 0, sizeof s->answers);
}

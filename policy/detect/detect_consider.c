/* From what looks like a value to a claim on its characters. */
#include <stdlib.h>
#include <string.h>

#include "policy/detect/beside.h"
#include "policy/detect/detect_inside.h"

/* ---- what a check sees ------------------------------------------------------------------ */

static bool parts_cells(char c)
{
	return c == DETECT_CELL_END || c == DETECT_ROW_END;
}

static const char *label_of(struct search *s, size_t at)
{
	if (s->label_at == at)
		return s->label;
	s->label_at = at;
	s->label = s->passage && s->passage->label
			   ? s->passage->label(s->passage->arg, s->base + at, &s->cursor) : NULL;
	return s->label;
}

/* Learns how far from `start` on to both sides nothing parts cells, well beyond what
 * one candidate asks, so that the next one need not. */
static void learn_cell(struct search *s, size_t start, size_t end)
{
	struct clear_stretch *c = &s->clear;
	size_t least = start > BEFORE ? start - BEFORE : 0;
	size_t most = s->used - end > 4 * AFTER ? end + 4 * AFTER : s->used;
	const char *at;

	c->from = start;
	while (c->from > least && !parts_cells(s->text[c->from - 1]))
		c->from--;
	c->begins = c->from > least || least == 0;
	at = memchr(s->text + start, DETECT_CELL_END, most - start);
	c->to = at ? (size_t)(at - s->text) : most;
	c->ends = at || most == s->used;
	at = memchr(s->text + start, DETECT_ROW_END, c->to - start);
	if (at) {
		c->to = (size_t)(at - s->text);
		c->ends = true;
	}
}

static bool is_bare(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* What stands around the span in its cell; false: it spans cells. */
static bool learn_span(struct search *s, size_t start, size_t end)
{
	size_t before = start > BEFORE ? start - BEFORE : 0;
	size_t after = s->used - end > AFTER ? end + AFTER : s->used;

	if (s->has_cells) {
		if (start < s->clear.from || start >= s->clear.to ||
		    (before < s->clear.from && !s->clear.begins) ||
		    (after > s->clear.to && !s->clear.ends))
			learn_cell(s, start, end);
		if (end > s->clear.to)
			return false;
		before = before > s->clear.from ? before : s->clear.from;
		after = after < s->clear.to ? after : s->clear.to;
	}
	s->candidate = (struct candidate){ .text = s->text + start, .size = end - start,
					   .before = s->text + before, .after = s->text + after,
					   .label = label_of(s, start) };
	s->is_bare = is_bare(s->text + start, end - start);
	s->is_clear = s->is_bare && beside_is_clear(&s->candidate);
	return true;
}

/* Several recognisers ask about one span, one after the other. */
static bool candidate_of(struct search *s, size_t start, size_t end, struct candidate *c)
{
	if (s->span.start != start || s->span.end != end) {
		s->span = (struct text_span){ start, end };
		s->is_span_whole = learn_span(s, start, end);
	}
	*c = s->candidate;
	return s->is_span_whole;
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

static uint8_t distance_of(struct search *s, unsigned owner, size_t start, size_t end,
			   const char *label)
{
	if (!s->set->rows[owner]->context)	/* its form says as much as words could */
		return 0;
	if (s->near_span.start != start || s->near_span.end != end) {
		detect_around_value(&s->around, s->text, s->used, start, end, label, &s->near);
		s->near_span = (struct text_span){ start, end };
	}
	return s->near.has_any ? s->near.distance[owner] : DETECT_FAR;
}

/* ---- claims ------------------------------------------------------------------------------- */

static void claim(struct search *s, const struct claim *c)
{
	struct window *w = s->window;

	if (w->claim_count == w->claim_room) {
		size_t room = w->claim_room ? 2 * w->claim_room : 256;
		struct claim *grown = realloc(w->claims, room * sizeof *grown);

		if (!grown) {
			s->no_memory = true;
			return;
		}
		w->claims = grown;
		w->claim_room = room;
	}
	w->claims[w->claim_count++] = *c;
}

static void consider(struct search *s, unsigned owner, struct candidate *c)
{
	const struct recogniser *r = s->set->rows[owner];
	size_t start = (size_t)(c->text - s->text), size;
	enum verdict verdict;
	uint8_t distance;
	const char *value;

	/* Where digits alone count with a word only, there is seldom one. */
	if (s->is_bare && r->bare_is_weak && !c->is_cell &&
	    (!s->is_clear ||
	     distance_of(s, owner, start, start + c->size, c->label) == DETECT_FAR))
		return;
	/* Looking around costs more than most checks: first those that pass when
	 * everything around speaks for them. */
	c->has_context = c->is_first_look = true;
	verdict = r->check(c);
	if (verdict == VERDICT_NO)
		return;
	distance = distance_of(s, owner, start, start + c->size, c->label);
	if (distance == DETECT_FAR && (verdict == VERDICT_WEAK || r->alone == 0))
		return;
	c->has_context = distance != DETECT_FAR;
	c->is_first_look = false;
	verdict = r->check(c);
	if (verdict == VERDICT_NO || (verdict == VERDICT_WEAK && !c->has_context))
		return;
	value_of(r, c, &value, &size);
	start = (size_t)(value - s->text);
	if (r->value) {	/* a word in the value itself is none near it */
		distance = distance_of(s, owner, start, start + size, c->label);
		if (distance == DETECT_FAR && (verdict == VERDICT_WEAK || r->alone == 0))
			return;
	}
	claim(s, &(struct claim){ .start = (uint32_t)start, .end = (uint32_t)(start + size),
				  .owner = (uint16_t)owner,
				  .confidence = distance == DETECT_FAR ? r->alone : r->in_context,
				  .distance = distance });
}

void detect_consider(struct search *s, unsigned owner, size_t start, size_t end)
{
	const struct recogniser *r = s->set->rows[owner];
	struct candidate c;

	if (end - start >= r->min_size && end - start <= r->max_size &&
	    candidate_of(s, start, end, &c))
		consider(s, owner, &c);
}

void detect_consider_cell(struct search *s, unsigned owner, size_t start, size_t end)
{
	struct candidate c;

	if (!candidate_of(s, start, end, &c))
		return;
	c.is_cell = true;
	consider(s, owner, &c);
}

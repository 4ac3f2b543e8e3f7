/*
 * Conditions that measure: sizes, depths, ages, permission bits.
 */
#include <string.h>

#include "fs/base/text.h"
#include "policy/load_condition.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- sizes and depths -------------------------------------------------------------------------------- */

struct bounds {
	uint64_t min, max;	/* inclusive */
	bool is_size;		/* else a plain number */
	bool has_min, has_max;
};

static int parse_amount(const struct bounds *b, const char *text, uint64_t *out)
{
	uint64_t v = 0;

	if (b->is_size)
		return text_parse_size(text, out);
	if (*text == '\0' || strlen(text) > 9 || text[strspn(text, "0123456789")] != '\0')
		return -1;
	for (; *text != '\0'; text++)
		v = 10 * v + (uint64_t)(*text - '0');
	*out = v;
	return 0;
}

static const char *expected_bounds(const struct bounds *b)
{
	return b->is_size ? "\"> 10M\", \">= 10M\", \"< 1G\", \"<= 1G\", \"= 0\", or {over: 10M, "
			    "under: 1G} (k, M, G, T are powers of 1024)"
			  : "\"> 8\", \">= 8\", \"< 3\", \"<= 3\", \"= 1\", or {over: 8, under: "
			    "20} (1: in the top folder)";
}

static int take_over(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct bounds *b = out;
	uint64_t v;
	char *text;

	if (load_text(l, w, t, 32, expected_bounds(b), &text) < 0)
		return -1;
	if (parse_amount(b, text, &v) < 0 || v == UINT64_MAX)
		return load_refuse(l, w, t, expected_bounds(b), "\"%s\" stands here",
				   text_printable(text));
	b->min = v + 1;
	return 0;
}

static int take_under(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct bounds *b = out;
	uint64_t v;
	char *text;

	if (load_text(l, w, t, 32, expected_bounds(b), &text) < 0)
		return -1;
	if (parse_amount(b, text, &v) < 0)
		return load_refuse(l, w, t, expected_bounds(b), "\"%s\" stands here",
				   text_printable(text));
	if (v == 0)
		return load_refuse(l, w, t, expected_bounds(b), "nothing is under 0");
	b->max = v - 1;
	return 0;
}

/* "> 10M"; -1: it is no comparison. */
static int parse_comparison(struct bounds *b, const char *text)
{
	bool is_over = text[0] == '>', is_under = text[0] == '<';
	bool is_same = text[0] == '=' || ((is_over || is_under) && text[1] == '=');
	uint64_t v;

	if (!is_over && !is_under && !is_same)
		return -1;
	text += (is_over || is_under) && is_same ? 2 : 1;
	text += strspn(text, " ");
	if (parse_amount(b, text, &v) < 0)
		return -1;
	if ((is_over && !is_same && v == UINT64_MAX) || (is_under && !is_same && v == 0))
		return -1;
	if (is_over || (is_same && !is_under))
		b->min = is_same ? v : v + 1;
	if (is_under || (is_same && !is_over))
		b->max = is_same ? v : v - 1;
	return 0;
}

static int take_bounds(struct load *l, const struct where *w, const struct tree *t,
		       bool is_size, struct condition *c)
{
	static const struct field fields[] = {
		{ "over", false, take_over },
		{ "under", false, take_under },
	};
	struct bounds b = { .max = UINT64_MAX, .is_size = is_size };
	char *text;

	if (t->kind == TREE_MAP) {
		if (load_map(l, w, t, fields, COUNT(fields), is_size ? "a size" : "a depth", &b) < 0)
			return -1;
		if (t->count == 0)
			return load_refuse(l, w, t, expected_bounds(&b), "the map is empty");
	} else {
		if (load_text(l, w, t, 32, expected_bounds(&b), &text) < 0)
			return -1;
		if (parse_comparison(&b, text) < 0)
			return load_refuse(l, w, t, expected_bounds(&b), "\"%s\" stands here",
					   text_printable(text));
	}
	if (b.min > b.max)
		return load_refuse(l, w, t, expected_bounds(&b), "nothing is over the one and under "
				   "the other");
	c->min = b.min;
	c->max = b.max;
	return 0;
}

int load_size_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_bounds(l, w, t, true, filling_next(out, CONDITION_SIZE, t));
}

int load_depth_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_bounds(l, w, t, false, filling_next(out, CONDITION_DEPTH, t));
}

/* ---- ages -------------------------------------------------------------------------------------------- */

static int take_age(struct load *l, const struct where *w, const struct tree *t,
		    struct filling *f, enum stamp_kind stamp, bool is_older)
{
	struct condition *c = filling_next(f, CONDITION_AGE, t);

	c->stamp = stamp;
	c->is_older = is_older;
	return load_period(l, w, t, &c->period);
}

int load_older_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_age(l, w, t, out, STAMP_MODIFIED, true);
}

int load_newer_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_age(l, w, t, out, STAMP_MODIFIED, false);
}

/* One time stamp's ages, as two conditions side by side. */
struct stamp_filling {
	struct filling *filling;
	enum stamp_kind stamp;
};

static int take_stamp_older(struct load *l, const struct where *w, const struct tree *t,
			    void *out)
{
	struct stamp_filling *s = out;

	return take_age(l, w, t, s->filling, s->stamp, true);
}

static int take_stamp_newer(struct load *l, const struct where *w, const struct tree *t,
			    void *out)
{
	struct stamp_filling *s = out;

	return take_age(l, w, t, s->filling, s->stamp, false);
}

static int take_stamp(struct load *l, const struct where *w, const struct tree *t, void *out,
		      enum stamp_kind stamp)
{
	static const struct field fields[] = {
		{ "older-than", false, take_stamp_older },
		{ "newer-than", false, take_stamp_newer },
	};
	struct stamp_filling s = { out, stamp };

	if (load_map(l, w, t, fields, COUNT(fields), "an age", &s) < 0)
		return -1;
	if (t->count == 0)
		return load_refuse(l, w, t, "{older-than: P10Y}, {newer-than: P1Y} or both",
				   "the map is empty");
	return 0;
}

int load_modified_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_stamp(l, w, t, out, STAMP_MODIFIED);
}

int load_created_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_stamp(l, w, t, out, STAMP_CREATED);
}

int load_changed_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_stamp(l, w, t, out, STAMP_CHANGED);
}

int load_accessed_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_stamp(l, w, t, out, STAMP_ACCESSED);
}

/* ---- permissions --- */

int load_mode_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char expected[] = "permission bits in octal, one of which is enough, as in "
				       "\"0002\" or \"6000\"";
	struct condition *c = filling_next(out, CONDITION_MODE, t);
	char *text;

	if (load_text(l, w, t, 6, expected, &text) < 0)
		return -1;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '7')
			return load_refuse(l, w, t, expected, "\"%s\" stands here",
					   text_printable(text));
		c->bits = 8 * c->bits + (uint32_t)(*p - '0');
	}
	if (c->bits == 0 || c->bits > 07777)
		return load_refuse(l, w, t, expected, "\"%s\" stands here", text_printable(text));
	return 0;
}

#include "policy/detect/phone_parts.h"

#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/recogniser.h"

/* What may part two groups, and what it is taken for; longer ones first. */
static const struct parting {
	const char *text;
	size_t size;
	char kind;
	bool opens, closes;	/* a bracket */
} partings[] = {
#define P(text) text, sizeof(text) - 1
	{ P(") - "), ')', false, true },	{ P(" - "), '-', false, false },
	{ P(" / "), '/', false, false },	{ P(") "), ')', false, true },
	{ P(")-"), ')', false, true },	{ P(")/"), ')', false, true },
	{ P(")."), ')', false, true },	{ P(" ("), ' ', true, false },
	{ P("-("), '-', true, false },	{ P("("), ' ', true, false },
	{ P(")"), ')', false, true },	{ P("\xc2\xa0"), ' ', false, false },
	{ P("\xe2\x80\x91"), '-', false, false },	{ P("\xe2\x80\x90"), '-', false, false },
	{ P("\xe2\x80\x93"), '-', false, false },	{ P("\xe2\x80\x89"), ' ', false, false },
	{ P("\xe2\x80\xaf"), ' ', false, false },
	{ P(" "), ' ', false, false },	{ P("-"), '-', false, false },
	{ P("."), '.', false, false },	{ P("/"), '/', false, false },
#undef P
};

/* NULL where nothing that may part two groups stands before a digit. */
static const struct parting *parting_at(const char *p, const char *end, bool is_open)
{
	if (p == end || around_is_alnum(*p) || strchr(" -./()\xc2\xe2", *p) == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof partings / sizeof partings[0]; i++) {
		size_t size = partings[i].size;

		if (partings[i].text[0] != *p)
			continue;
		if ((size_t)(end - p) <= size || memcmp(p, partings[i].text, size) != 0)
			continue;
		if (partings[i].closes != is_open || !around_is_digit(p[size]))
			continue;
		return &partings[i];
	}
	return NULL;
}

static bool take_group(struct phone *n, const char **p, const char *end)
{
	struct phone_group *g = &n->groups[n->count];

	*g = (struct phone_group){ 0, NULL, '\0' };
	while (*p < end && around_is_digit(**p)) {
		if (n->digit_count == PHONE_DIGITS_MAX)
			return false;
		n->digits[n->digit_count++] = **p;
		(*p)++;
		g->size++;
	}
	g->end = *p;
	n->count++;
	return g->size > 0;
}

bool phone_parse(const struct candidate *c, struct phone *out)
{
	const char *p = c->text;
	bool is_open = false;

	/* Groups are filled in as they come. */
	out->start = out->end = p;
	out->has_plus = out->has_brackets = false;
	out->count = out->digit_count = 0;
	for (; p < c->after && (*p == '+' || *p == '('); p++) {
		out->has_plus = out->has_plus || *p == '+';
		is_open = is_open || *p == '(';
		out->has_brackets = out->has_brackets || *p == '(';
	}
	while (out->count < PHONE_GROUPS_MAX) {
		const struct parting *parting;

		if (!take_group(out, &p, c->after))
			return false;
		out->end = p;
		parting = parting_at(p, c->after, is_open);
		if (parting == NULL)
			break;
		out->groups[out->count - 1].then = parting->kind;
		if (parting->opens) {
			is_open = true;
			out->has_brackets = true;
		}
		is_open = is_open && !parting->closes;
		p += parting->size;
	}
	out->digits[out->digit_count] = '\0';
	return out->digit_count > 0 && !is_open;
}

void phone_cut(const struct phone *whole, size_t count, struct phone *out)
{
	*out = *whole;
	out->count = count;
	out->digit_count = 0;
	for (size_t i = 0; i < count; i++)
		out->digit_count += whole->groups[i].size;
	out->digits[out->digit_count] = '\0';
	out->end = whole->groups[count - 1].end;
	out->groups[count - 1].then = '\0';
}

#include "policy/detect/phone_parts.h"

#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/recogniser.h"

/* What may part two groups, and what it is taken for; longer ones first. */
static const struct parting {
	const char *text;
	char kind;
	bool opens, closes;	/* a bracket */
} partings[] = {
	{ ") - ", ')', false, true },	{ " - ", '-', false, false },
	{ " / ", '/', false, false },	{ ") ", ')', false, true },
	{ ")-", ')', false, true },	{ ")/", ')', false, true },
	{ ").", ')', false, true },	{ " (", ' ', true, false },
	{ "-(", '-', true, false },	{ "(", ' ', true, false },
	{ ")", ')', false, true },	{ "\xc2\xa0", ' ', false, false },
	{ "\xe2\x80\x91", '-', false, false },	{ "\xe2\x80\x90", '-', false, false },
	{ "\xe2\x80\x93", '-', false, false },	{ "\xe2\x80\x89", ' ', false, false },
	{ "\xe2\x80\xaf", ' ', false, false },
	{ " ", ' ', false, false },	{ "-", '-', false, false },
	{ ".", '.', false, false },	{ "/", '/', false, false },
};

/* NULL where nothing that may part two groups stands before a digit. */
static const struct parting *parting_at(const char *p, const char *end, bool is_open)
{
	if (p == end || strchr(" -./()\xc2\xe2", *p) == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof partings / sizeof partings[0]; i++) {
		size_t size;

		if (partings[i].text[0] != *p)
			continue;
		size = strlen(partings[i].text);
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

	*out = (struct phone){ .start = p, .end = p };
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
		p += strlen(parting->text);
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

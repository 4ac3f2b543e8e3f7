#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/glob_inside.h"
#include "policy/memory.h"

/* ---- characters ------------------------------------------------------------------- */

/* The length of the character at p; *point is its code, or 0x110000 + the byte where
 * there is no valid one. */
static size_t character(const char *p, size_t left, uint32_t *point)
{
	const uint8_t *u = (const uint8_t *)p;
	size_t size = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;

	if (size == 1) {
		*point = u[0];
		return 1;
	}
	if (size > left || !text_is_utf8(p, size)) {
		*point = 0x110000u + u[0];
		return 1;
	}
	*point = u[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++)
		*point = *point << 6 | (u[i] & 0x3fu);
	return size;
}

static uint8_t folded(uint8_t c, unsigned flags)
{
	return (flags & GLOB_ANY_CASE) != 0 && c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static uint32_t other_case(uint32_t point)
{
	return (point >= 'A' && point <= 'Z') || (point >= 'a' && point <= 'z') ? point ^ 0x20u
										: point;
}

bool glob_is_slash(const struct glob *g, char c)
{
	return c == '/' && (g->flags & GLOB_FLAT) == 0;
}

/* ---- compiling ---------------------------------------------------------------------- */

/* One character of a set, "\" taken off; 0 where the text ends. */
static size_t take_member(const char **at, uint32_t *point)
{
	size_t size;

	if (**at == '\\' && (*at)[1] != '\0')
		(*at)++;
	if (**at == '\0')
		return 0;
	size = character(*at, strlen(*at), point);
	*at += size;
	return size;
}

/* From behind "[" to behind "]". */
static int take_set(struct memory *m, const char **at, struct token *t, struct err *e)
{
	bool is_first = true;

	t->kind = TOKEN_SET;
	if (**at == '!' || **at == '^') {
		t->is_negated = true;
		(*at)++;
	}
	/* As many ranges as bytes are enough, and cannot overflow the count. */
	t->ranges = memory_new(m, strlen(*at) + 1, sizeof *t->ranges);
	if (t->ranges == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a glob");
	for (; **at != ']' || is_first; is_first = false) {
		struct range r;

		if (take_member(at, &r.first) == 0)
			return err_set(e, MUNI_USAGE, "a \"[\" without its \"]\"");
		r.last = r.first;
		if (**at == '-' && (*at)[1] != ']' && (*at)[1] != '\0') {
			(*at)++;
			take_member(at, &r.last);
			if (r.last < r.first)
				return err_set(e, MUNI_USAGE, "a range in \"[...]\" that ends "
					       "before it begins");
		}
		t->ranges[t->range_count++] = r;
	}
	(*at)++;
	return 0;
}

/* From the first "*" to behind the last of them. */
static void take_stars(const struct glob *g, const char **at, struct token *t)
{
	const char *first = *at;
	bool is_component = first == g->text || first[-1] == '/';

	while (**at == '*')
		(*at)++;
	if ((g->flags & GLOB_FLAT) != 0)
		t->kind = TOKEN_DEEP;
	else if (*at - first == 1)
		t->kind = TOKEN_STAR;
	else if (is_component && **at == '/') {
		t->kind = TOKEN_FOLDERS;
		(*at)++;
	} else
		t->kind = TOKEN_DEEP;
}

static int compile(struct memory *m, struct glob *g, struct err *e)
{
	const char *at = g->text;

	while (*at != '\0') {
		struct token *t = &g->tokens[g->count++];

		switch (*at) {
		case '*':
			take_stars(g, &at, t);
			break;
		case '?':
			t->kind = TOKEN_ANY;
			at++;
			break;
		case '[':
			at++;
			if (take_set(m, &at, t, e) < 0)
				return -1;
			break;
		case '\\':
			if (*++at == '\0')
				return err_set(e, MUNI_USAGE, "a \"\\\" at its end");
			/* fall through */
		default:
			t->byte = folded((uint8_t)*at++, g->flags);
		}
	}
	while (g->head < g->count && g->tokens[g->head].kind == TOKEN_BYTE)
		g->head++;
	while (g->tail < g->count - g->head &&
	       g->tokens[g->count - 1 - g->tail].kind == TOKEN_BYTE)
		g->tail++;
	return 0;
}

int glob_new(struct memory *m, const char *text, unsigned flags, struct glob **out,
	     struct err *e)
{
	size_t size = strlen(text);
	struct glob *g = memory_new(m, 1, sizeof *g);

	*out = NULL;
	if (size == 0 || size > GLOB_TEXT_MAX)
		return err_set(e, MUNI_USAGE, "a glob has 1 to %d bytes, this one %zu",
			       GLOB_TEXT_MAX, size);
	if (g == NULL || (g->text = memory_text(m, text, size)) == NULL ||
	    (g->tokens = memory_new(m, size, sizeof *g->tokens)) == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a glob");
	g->flags = flags;
	if (compile(m, g, e) < 0)
		return err_wrap(e, "the glob \"%s\"", text_printable(text));
	*out = g;
	return 0;
}

const char *glob_text(const struct glob *g)
{
	return g->text;
}

/* ---- matching ----------------------------------------------------------------------- */

bool glob_is_in_set(const struct glob *g, const struct token *t, uint32_t point)
{
	uint32_t other = (g->flags & GLOB_ANY_CASE) != 0 ? other_case(point) : point;

	for (size_t i = 0; i < t->range_count; i++) {
		const struct range *r = &t->ranges[i];

		if ((point >= r->first && point <= r->last) ||
		    (other >= r->first && other <= r->last))
			return !t->is_negated;
	}
	return t->is_negated;
}

/* How many bytes at p the token takes; 0: it does not match there. */
static size_t taken(const struct glob *g, const struct token *t, const char *p, size_t left)
{
	uint32_t point;
	size_t size;

	if (t->kind == TOKEN_BYTE)
		return folded((uint8_t)*p, g->flags) == t->byte;
	if (glob_is_slash(g, *p))
		return 0;
	size = character(p, left, &point);
	return t->kind == TOKEN_ANY || glob_is_in_set(g, t, point) ? size : 0;
}

static bool is_end_possible(const struct glob *g, const char *text, size_t size)
{
	size_t all = g->head + g->tail;

	if (size < all || (g->head == g->count && size != all))
		return false;
	for (size_t i = 0; i < g->head; i++)
		if (g->tokens[i].byte != folded((uint8_t)text[i], g->flags))
			return false;
	for (size_t i = 1; i <= g->tail; i++)
		if (g->tokens[g->count - i].byte != folded((uint8_t)text[size - i], g->flags))
			return false;
	return true;
}

/* Where to go on when a token does not match. */
struct retry {
	bool is_set;
	size_t token;		/* the one behind the star */
	size_t at;		/* how far the star has taken the text */
};

/* The star takes one character more; false where it cannot. */
static bool star_on(const struct glob *g, struct retry *star, const char *text, size_t size)
{
	uint32_t point;

	if (!star->is_set || star->at == size || glob_is_slash(g, text[star->at]))
		return false;
	star->at += character(text + star->at, size - star->at, &point);
	return true;
}

/* "**" takes one character more, or one folder. */
static bool deep_on(const struct glob *g, struct retry *deep, const char *text, size_t size)
{
	const char *slash;
	uint32_t point;

	if (!deep->is_set || deep->at == size)
		return false;
	if (g->tokens[deep->token - 1].kind == TOKEN_DEEP) {
		deep->at += character(text + deep->at, size - deep->at, &point);
		return true;
	}
	slash = memchr(text + deep->at, '/', size - deep->at);
	if (slash == NULL)
		return false;
	deep->at = (size_t)(slash - text) + 1;
	return true;
}

/*
 * Only the newest star of each kind is ever taken up again.  What stands before a
 * "**" matched as short as it can, and "**" makes up for any difference; a "*" ends
 * at the "/" at the latest, so an earlier one has no other way to get behind it.
 */
bool glob_match(const struct glob *g, const char *text, size_t size)
{
	struct retry star = { 0 }, deep = { 0 };
	size_t token = g->head, at = g->head;

	if (!is_end_possible(g, text, size))
		return false;
	for (;;) {
		const struct token *t = &g->tokens[token];
		size_t n;

		if (token == g->count && at == size)
			return true;
		if (token < g->count && t->kind >= TOKEN_STAR) {
			struct retry *r = t->kind == TOKEN_STAR ? &star : &deep;

			*r = (struct retry){ true, ++token, at };
			if (r == &deep)
				star.is_set = false;
			continue;
		}
		n = token < g->count && at < size ? taken(g, t, text + at, size - at) : 0;
		if (n > 0) {
			token++;
			at += n;
			continue;
		}
		if (star_on(g, &star, text, size)) {
			token = star.token;
			at = star.at;
		} else if (deep_on(g, &deep, text, size)) {
			star.is_set = false;
			token = deep.token;
			at = deep.at;
		} else {
			return false;
		}
	}
}

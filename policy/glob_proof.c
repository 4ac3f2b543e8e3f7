/*
 * What can be proved of globs from their tokens alone.
 */
#include <string.h>

#include "policy/glob_inside.h"

bool glob_is_everything(const struct glob *g)
{
	return g->count == 1 && g->tokens[0].kind == TOKEN_DEEP;
}

static bool is_same_set(const struct token *a, const struct token *b)
{
	return a->is_negated == b->is_negated && a->range_count == b->range_count &&
	       memcmp(a->ranges, b->ranges, a->range_count * sizeof *a->ranges) == 0;
}

/* Whatever the inner token matches, the outer (not a star) matches too. */
static bool is_token_within(const struct glob *inner, const struct token *i,
			    const struct glob *outer, const struct token *o)
{
	char byte = (char)i->byte;

	if (i->kind == TOKEN_BYTE && o->kind == TOKEN_BYTE)
		return i->byte == o->byte;
	if (i->kind == TOKEN_BYTE)	/* one byte is a character where it is ASCII */
		return i->byte < 0x80 && !glob_is_slash(inner, byte) &&
		       (o->kind == TOKEN_ANY || glob_is_in_set(outer, o, i->byte));
	if (o->kind == TOKEN_ANY)
		return i->kind == TOKEN_ANY || i->kind == TOKEN_SET;
	return i->kind == TOKEN_SET && o->kind == TOKEN_SET && is_same_set(i, o);
}

/* May a star of the outer glob swallow this token of the inner one? */
static bool is_swallowed(const struct glob *inner, const struct token *i, enum token_kind star)
{
	if (star == TOKEN_DEEP)
		return true;
	if (i->kind == TOKEN_DEEP || i->kind == TOKEN_FOLDERS)
		return false;
	return i->kind != TOKEN_BYTE || !glob_is_slash(inner, (char)i->byte);
}

static bool ends_folder(const struct glob *inner, const struct token *i)
{
	return i->kind == TOKEN_FOLDERS ||
	       (i->kind == TOKEN_BYTE && glob_is_slash(inner, (char)i->byte));
}

/* The outer's fixed ends must be the inner's too: most pairs end here. */
static bool are_ends_within(const struct glob *inner, const struct glob *outer)
{
	if (inner->head < outer->head || inner->tail + inner->head < outer->tail)
		return false;
	for (size_t i = 0; i < outer->head; i++)
		if (inner->tokens[i].byte != outer->tokens[i].byte)
			return false;
	for (size_t i = 1; i <= outer->tail; i++) {
		const struct token *t = &inner->tokens[inner->count - i];

		if (t->kind != TOKEN_BYTE || t->byte != outer->tokens[outer->count - i].byte)
			return false;
	}
	return true;
}

/*
 * The outer glob is run over the tokens of the inner one as over a text, in which a
 * star is a letter that only a star as wide swallows.  reached[o]: the inner tokens
 * so far are within the first o tokens of the outer.
 */
bool glob_is_within(const struct glob *inner, const struct glob *outer)
{
	bool reached[GLOB_TEXT_MAX + 1] = { true }, next[GLOB_TEXT_MAX + 1];
	bool is_at_start = true;

	if (glob_is_everything(outer))
		return true;
	if (inner->flags != outer->flags || !are_ends_within(inner, outer))
		return false;
	for (size_t i = 0;; i++) {
		/* Stars may take nothing; FOLDERS only where a component begins. */
		for (size_t o = 0; o < outer->count; o++)
			if (reached[o] && outer->tokens[o].kind >= TOKEN_STAR &&
			    (outer->tokens[o].kind != TOKEN_FOLDERS || is_at_start))
				reached[o + 1] = true;
		if (i == inner->count)
			return reached[outer->count];
		memset(next, 0, sizeof next);
		for (size_t o = 0; o < outer->count; o++) {
			const struct token *in = &inner->tokens[i], *out = &outer->tokens[o];

			if (!reached[o])
				continue;
			if (out->kind == TOKEN_FOLDERS) {
				next[o] = true;		/* inside it, or ... */
				next[o + 1] |= ends_folder(inner, in);
			} else if (out->kind >= TOKEN_STAR) {
				next[o] |= is_swallowed(inner, in, out->kind);
			} else {
				next[o + 1] |= is_token_within(inner, in, outer, out);
			}
		}
		memcpy(reached, next, sizeof reached);
		is_at_start = ends_folder(inner, &inner->tokens[i]);
	}
}

/* A glob without wildcards, against another one. */
static bool is_fixed_apart(const struct glob *fixed, const struct glob *g)
{
	char text[GLOB_TEXT_MAX];

	for (size_t i = 0; i < fixed->count; i++)
		text[i] = (char)fixed->tokens[i].byte;
	return !glob_match(g, text, fixed->count);
}

bool glob_is_apart(const struct glob *a, const struct glob *b)
{
	size_t head = a->head < b->head ? a->head : b->head;
	size_t tail = a->tail < b->tail ? a->tail : b->tail;

	if (a->flags != b->flags)
		return false;
	for (size_t i = 0; i < head; i++)
		if (a->tokens[i].byte != b->tokens[i].byte)
			return true;
	for (size_t i = 1; i <= tail; i++)
		if (a->tokens[a->count - i].byte != b->tokens[b->count - i].byte)
			return true;
	return (a->head == a->count && is_fixed_apart(a, b)) ||
	       (b->head == b->count && is_fixed_apart(b, a));
}

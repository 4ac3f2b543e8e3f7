/*
 * What stands around a candidate: its neighbours, and the words near it.
 *
 * Patterns are only triggers where a value has no fixed shape; these let a check walk
 * from the trigger to both ends without leaving before..after.
 */
#ifndef POLICY_DETECT_AROUND_H
#define POLICY_DETECT_AROUND_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/detect/recogniser.h"

struct span {			/* from .. end, borrowed */
	const char *from, *end;
};

/* ASCII whatever the locale. */
static inline bool around_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool around_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool around_is_alnum(char c)
{
	return around_is_digit(c) || around_is_letter(c);
}

static inline bool around_is_hex(char c)
{
	return around_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline char around_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The byte `back` places before p (1: the neighbour), at or after it; 0 past the ends. */
static inline char around_left(const struct candidate *c, const char *p, size_t back)
{
	return (size_t)(p - c->before) >= back ? p[-(ptrdiff_t)back] : '\0';
}

static inline char around_right(const struct candidate *c, const char *p, size_t ahead)
{
	return (size_t)(c->after - p) > ahead ? p[ahead] : '\0';
}

/* At most `most` bytes before the match, and after it; within the line (or not). */
struct span around_before(const struct candidate *c, size_t most, bool in_line);
struct span around_after(const struct candidate *c, size_t most, bool in_line);

/* The same back from p, and no farther than `digits` digits: what stands before another
 * number belongs to that one. */
struct span around_words_before(const struct candidate *c, const char *p, size_t most,
				size_t digits);

/*
 * Where the last (first) of the words stands in s; false: none does.  Words are lower
 * case, at most 128, ended by NULL.  One that begins or ends with a letter must not go on there,
 * but "_", digits and a change of case part words.  A space in a word stands for
 * nothing, or one of " _-.".
 */
bool around_last_word(struct span s, const char *const *words, struct span *found);
bool around_first_word(struct span s, const char *const *words, struct span *found);
bool around_has_word(struct span s, const char *const *words);
/* In the label over the cell. */
bool around_label_has(const struct candidate *c, const char *const *words);

/* Does s begin with text, case ignored? */
bool around_begins(struct span s, const char *lower_text);
size_t around_count_digits(struct span s);

#endif

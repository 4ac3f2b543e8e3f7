/*
 * How a number is written: the letters and digits of a span without what parts
 * them, what does part them, and the case of its letters.  Much of the weight of
 * a find is in the form: 046-454-286 is meant to be read as a number of that
 * kind, 046454286 may be anything.
 */
#ifndef POLICY_DETECT_WRITTEN_H
#define POLICY_DETECT_WRITTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/detect/recogniser.h"

#define WRITTEN_MAX 40
#define WRITTEN_MIXED '*'	/* "123-45 6789" */

enum written_case { WRITTEN_NO_LETTERS, WRITTEN_UPPER, WRITTEN_LOWER, WRITTEN_BOTH_CASES };

struct written {
	char chars[WRITTEN_MAX + 1];	/* letters raised to upper case; NUL ended */
	size_t count;
	char by;		/* what parts the groups; '\0': nothing does */
	enum written_case letters;
};

/* False for any character that is no ASCII letter or digit nor one of
 * `separators`, and for more than WRITTEN_MAX of them. */
bool written_read(const struct candidate *c, const char *separators, struct written *w);
/* The same, and it has to be just `count` digits. */
bool written_digits(const struct candidate *c, const char *separators, size_t count,
		    struct written *w);

static inline bool written_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool written_is_letter(char c)	/* ASCII */
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The number in `count` (at most 9) digits at text. */
int written_number(const char *text, size_t count);
/* Sum of digit times weight. */
unsigned written_weighed(const char *digits, const unsigned char *weights, size_t count);
bool written_all_same(const char *text, size_t count);

#endif

/*
 * The words of all recognisers, looked for in the few bytes around a value: which
 * recognisers have one near, and how near.
 *
 * A word stands as a word: beside it is no letter, unless case changes there
 * ("homePhone"); "_", "-" and digits part words, a plural s belongs to it.  Chinese,
 * Japanese and Korean words stand anywhere.  A space in a word stands for nothing, or
 * for one of " _-.".
 *
 * Constant once compiled; the scratch belongs to one thread.
 */
#ifndef POLICY_DETECT_DETECT_WORDS_H
#define POLICY_DETECT_DETECT_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "policy/detect/recogniser.h"

struct err;
struct hs_scratch;
struct detect_words;

#define DETECT_RECOGNISERS_MAX 256
#define DETECT_FAR 255		/* no word near */

struct detect_near {
	/* By recogniser: bytes to its nearest word (a word behind the value counts as
	 * further off than one before it, the label as nearly the nearest). */
	uint8_t distance[DETECT_RECOGNISERS_MAX];
};

int detect_words_new(const struct recogniser *const *rows, size_t count,
		     struct detect_words **out, struct err *e);
void detect_words_free(struct detect_words *w);	/* NULL is allowed */
/* Grows *scratch to serve. */
int detect_words_scratch(const struct detect_words *w, struct hs_scratch **scratch,
			 struct err *e);

void detect_near_clear(struct detect_near *near);
/* Before: 100 bytes, this line and the one before it, no blank line between.  After:
 * 50 bytes of the line.  Neither leaves the row.  from..end can be seen. */
void detect_words_around(const struct detect_words *w, struct hs_scratch *scratch,
			 const char *from, const char *value, size_t size, const char *end,
			 struct detect_near *near);
void detect_words_label(const struct detect_words *w, struct hs_scratch *scratch,
			const char *label, struct detect_near *near);

#endif

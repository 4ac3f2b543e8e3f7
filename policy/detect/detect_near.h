/*
 * Which recognisers have a word near a value, or in the label over it, and how near.
 *
 * Words are gathered as they are asked for, stretch by stretch, so that values that
 * stand close together share what was found around them.
 */
#ifndef POLICY_DETECT_DETECT_NEAR_H
#define POLICY_DETECT_DETECT_NEAR_H

#include "policy/detect/detect_words.h"

#define DETECT_RECOGNISERS_MAX 256
#define DETECT_FAR 255		/* no word near */

struct detect_near {
	/* By recogniser: bytes to its nearest word (a word behind the value counts as
	 * further off than one before it, the label as nearly the nearest). */
	uint8_t distance[DETECT_RECOGNISERS_MAX];
};

struct detect_around {
	const struct detect_words *words;
	struct hs_scratch *scratch;	/* owned by the caller */
	struct detect_hits hits;	/* of from..to */
	size_t from, to;
	struct detect_hits label_hits;
};

/* Another text. */
void detect_around_reset(struct detect_around *a);
void detect_around_free(struct detect_around *a);

/* Before: 100 bytes, this line and the one before it, no blank line between.  After:
 * 50 bytes of the line.  Neither leaves the row.  Values must come nearly in order, or
 * what was gathered is gathered again.  label: NULL for none. */
void detect_around_value(struct detect_around *a, const char *text, size_t size, size_t start,
			 size_t end, const char *label, struct detect_near *near);

#endif

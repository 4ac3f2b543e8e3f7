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
	bool has_any;		/* false: none has a word near, and distance is not set */
	/* By recogniser: bytes to its nearest word (a word behind the value counts as
	 * further off than one before it, the label as nearly the nearest). */
	uint8_t distance[DETECT_RECOGNISERS_MAX];
};

/* Columns repeat: the words of the labels that were read last, by the label's hash. */
#define DETECT_LABELS 32
#define DETECT_LABEL_MAX 256	/* of one, so much is read */
struct detect_label {
	char text[DETECT_LABEL_MAX + 1];
	bool is_set;
	uint16_t count;
	uint8_t owners[DETECT_RECOGNISERS_MAX];	/* that have a word in it */
};

struct detect_around {
	const struct detect_words *words;
	struct hs_scratch *scratch;	/* owned by the caller */
	struct detect_hits hits;	/* of from..to */
	size_t from, to;
	size_t first;		/* of the hits: where the last value's began */
	size_t ahead;		/* gathered beyond what is asked for */
	struct detect_hits label_hits;
	struct detect_label *labels;	/* DETECT_LABELS; NULL until there is one */
	bool no_memory;
};

/* Another text. */
void detect_around_reset(struct detect_around *a);
void detect_around_free(struct detect_around *a);
/* Since it was made: there was no memory for what was found. */
bool detect_around_failed(const struct detect_around *a);

/* Before: 100 bytes, this line and the one before it, no blank line between.  After:
 * 50 bytes of the line.  Neither leaves the row.  Values must come nearly in order, or
 * what was gathered is gathered again.  label: NULL for none. */
void detect_around_value(struct detect_around *a, const char *text, size_t size, size_t start,
			 size_t end, const char *label, struct detect_near *near);

#endif

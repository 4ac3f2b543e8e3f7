/*
 * The words of all recognisers, and where they stand in a text.
 *
 * A word stands as a word: beside it is no letter, unless case changes there
 * ("homePhone"); "_", "-" and digits part words, a plural s belongs to it.  Chinese,
 * Japanese and Korean words stand anywhere.  A space in a word stands for nothing, or
 * for one of " _-.".
 *
 * Constant once compiled; scratch and hits belong to one thread.
 */
#ifndef POLICY_DETECT_DETECT_WORDS_H
#define POLICY_DETECT_DETECT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/detect/recogniser.h"

struct err;
struct hs_scratch;
struct detect_words;

struct detect_hit {		/* a word */
	uint32_t start, end;	/* in the text */
	uint16_t word;
};

struct detect_hits {		/* all zeros: none; detect_hits_free() */
	struct detect_hit *rows;	/* in order of ends */
	size_t count, room;
	bool no_memory;
};

int detect_words_new(const struct recogniser *const *rows, size_t count,
		     struct detect_words **out, struct err *e);
void detect_words_free(struct detect_words *w);	/* NULL is allowed */
/* Grows *scratch to serve. */
int detect_words_scratch(const struct detect_words *w, struct hs_scratch **scratch,
			 struct err *e);

/* The recognisers that a word belongs to. */
const uint16_t *detect_words_owners(const struct detect_words *w, unsigned word, size_t *count);

/* Adds the words that end in from..to (behind from); 0..size can be seen. */
void detect_words_find(const struct detect_words *w, struct hs_scratch *scratch,
		       const char *text, size_t size, size_t from, size_t to,
		       struct detect_hits *hits);
void detect_hits_free(struct detect_hits *hits);

#endif

/*
 * Pictures of numbers (recogniser.h) as one automaton: all of them are tried at
 * every word that may begin one, in time that does not grow with their number.
 *
 * Vectorscan looks for fixed characters and has none here; what it does in their
 * stead costs more than everything else together (docs/decisions/0085).  Words that
 * hold a digit near their beginning, or begin with six capitals, are found sixteen
 * bytes at a time; the automaton is walked from there.
 *
 * Constant once compiled: any number of threads.
 */
#ifndef POLICY_DETECT_DETECT_PICTURES_H
#define POLICY_DETECT_DETECT_PICTURES_H

#include <stddef.h>

struct err;
struct detect_pictures;

/* What detect_pictures_scan() reads behind the text, in bytes (any content). */
#define DETECT_PICTURES_PAD 64
/* How far behind a word's first byte a picture may end. */
#define DETECT_PICTURES_REACH 130

struct detect_picture {
	const char *text;
	unsigned owner;		/* told when it is found */
};

/* MUNI_USAGE: a picture that is none; the message says which and why. */
int detect_pictures_new(const struct detect_picture *pictures, size_t count,
			struct detect_pictures **out, struct err *e);
void detect_pictures_free(struct detect_pictures *p);	/* NULL is allowed */

/* Each owner once for each span, in the order of starts, then of ends. */
typedef void detect_pictures_found(void *arg, unsigned owner, size_t start, size_t end);

/* Words that begin in from..to; 0..size can be seen. */
void detect_pictures_scan(const struct detect_pictures *p, const char *text, size_t size,
			  size_t from, size_t to, detect_pictures_found *found, void *arg);

size_t detect_pictures_states(const struct detect_pictures *p);	/* for the bench */

#endif

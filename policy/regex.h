/*
 * Regular expressions of PCRE2 over names, bounded in time and memory.
 *
 * A name that is UTF-8 is matched by characters, any other by bytes.  Matching stops
 * at a fixed number of steps, the same on every machine (so: no JIT).
 */
#ifndef POLICY_REGEX_H
#define POLICY_REGEX_H

#include <stddef.h>

struct err;
struct memory;
struct regex;

#define REGEX_TEXT_MAX 1000

/* MUNI_USAGE: what PCRE2 says; *out lives in m. */
int regex_new(struct memory *m, const char *text, struct regex **out, struct err *e);
const char *regex_text(const struct regex *r);

/* One a thread; made at the first use.  NULL at first; regex_scratch_free() it. */
struct regex_scratch;
void regex_scratch_free(struct regex_scratch *s);	/* NULL is allowed */

/* 1: it stands somewhere in the text; 0: it does not; -1: no answer (over the limits,
 * no memory). */
int regex_find(const struct regex *r, const char *text, size_t size,
	       struct regex_scratch **scratch);

#endif

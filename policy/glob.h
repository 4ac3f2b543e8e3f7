/*
 * Globs over bytes, compiled once.
 *
 *   *      any run of characters within one component (never "/")
 *   **     any run of bytes, "/" too; as a whole component ("a/ ** /b" without the
 *          blanks) no component or any number of them
 *   ?      one character, never "/"
 *   [a-z]  one of them, [!a-z] none of them; never "/"
 *   \x     x itself
 *
 * A character is a valid UTF-8 sequence or, where there is none, a byte.  No locale,
 * no process-wide state; matching takes at most (text x text x glob) steps, and one
 * look at the fixed ends decides most cases.
 */
#ifndef POLICY_GLOB_H
#define POLICY_GLOB_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct glob;
struct memory;

#define GLOB_TEXT_MAX 1000

enum {
	GLOB_ANY_CASE = 1,	/* ASCII letters of either case are one */
	GLOB_FLAT = 2,		/* "/" is a character like any other: for MIME types */
};

/* MUNI_USAGE: what is wrong with it; *out lives in m. */
int glob_new(struct memory *m, const char *text, unsigned flags, struct glob **out,
	     struct err *e);
bool glob_match(const struct glob *g, const char *text, size_t size);
const char *glob_text(const struct glob *g);	/* as it was given */

/* For policy_lint(): proofs, so "false" only means that none was found. */
bool glob_is_everything(const struct glob *g);
bool glob_is_within(const struct glob *inner, const struct glob *outer);
bool glob_is_apart(const struct glob *a, const struct glob *b);	/* no text matches both */

#endif

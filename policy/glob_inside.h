/*
 * A compiled glob, as matching and proofs see it.
 */
#ifndef POLICY_GLOB_INSIDE_H
#define POLICY_GLOB_INSIDE_H

#include <stdint.h>

#include "policy/glob.h"

enum token_kind {
	TOKEN_BYTE,		/* a literal */
	TOKEN_ANY,		/* ? */
	TOKEN_SET,		/* [...] */
	TOKEN_STAR,		/* * */
	TOKEN_DEEP,		/* ** */
	TOKEN_FOLDERS,		/* "**" and "/": nothing, or all up to some "/" */
};

struct range {
	uint32_t first, last;
};

struct token {
	uint8_t kind;		/* enum token_kind */
	uint8_t byte;
	bool is_negated;
	uint16_t range_count;
	struct range *ranges;
};

struct glob {
	char *text;
	unsigned flags;
	struct token *tokens;
	size_t count;
	/* Fixed ends, to refuse quickly: literal bytes before the first and after the
	 * last token that is none. */
	size_t head, tail;
};

/* Does "/" part components in this glob, and is c one? */
bool glob_is_slash(const struct glob *g, char c);
/* Does a TOKEN_SET of the glob hold the character? */
bool glob_is_in_set(const struct glob *g, const struct token *t, uint32_t point);

#endif

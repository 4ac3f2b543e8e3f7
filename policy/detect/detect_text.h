/*
 * Text as the searches need it: valid UTF-8, whatever was fed.  A byte that belongs
 * to no character becomes a form feed: it parts words, and every offset stays.
 */
#ifndef POLICY_DETECT_DETECT_TEXT_H
#define POLICY_DETECT_DETECT_TEXT_H

#include <stddef.h>

/* Copies whole characters up to the first boundary at or behind `want`; returns the
 * bytes of `in` (and of out) that were.  It stops sooner where a character is cut by
 * the end of `in`: three bytes before it at most. */
size_t detect_text_clean(char *out, const void *in, size_t size, size_t want);
/* The same for what is left at the end of a text. */
void detect_text_clean_end(char *out, const void *in, size_t size);
/* Can a character begin at text[0]? */
static inline int detect_text_is_begin(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

#endif

/*
 * Text for tests, made by seeded code: words of several languages, and the bytes
 * that they are in other encodings.
 */
#ifndef TESTS_UNIT_CONTENT_TEXT_SAMPLES_H
#define TESTS_UNIT_CONTENT_TEXT_SAMPLES_H

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)*seed * below) >> 32);
}

/* What cannot be said in the encoding is left out.  malloc'ed, a NUL behind. */
static inline char *encoded(const char *name, const char *utf8, size_t *size)
{
	size_t left = strlen(utf8), room = 4 * left + 16;
	char *out = malloc(room), *to = out, *in = (char *)utf8;
	iconv_t with = iconv_open(name, "UTF-8");

	while (left > 0 && iconv(with, &in, &left, &to, &room) == (size_t)-1) {
		do {	/* to the next character */
			in++;
			left--;
		} while (left > 0 && (*in & 0xc0) == 0x80);
	}
	iconv(with, NULL, NULL, &to, &room);
	iconv_close(with);
	*size = (size_t)(to - out);
	*to = '\0';
	return out;
}

#endif

/*
 * Canonical JSON (RFC 8785): the one form in which what is signed is written, so
 * that equal facts are equal bytes.  jansson's own output escapes controls and
 * orders names in its own way.
 *
 *   C1  No final newline, no white space: signing tools that convert line ends find
 *       nothing to convert.
 *   C2  Numbers are integers within +-(2^53 - 1), which every reader of JSON keeps
 *       exactly; anything else is refused.
 */
#ifndef FS_BASE_CANONICAL_H
#define FS_BASE_CANONICAL_H

#include <stddef.h>

#include <jansson.h>

struct err;

/* *out: malloc'ed UTF-8, a NUL behind it.  MUNI_LIMIT: a number that C2 refuses. */
int canonical_dump(const json_t *value, char **out, size_t *size, struct err *e);
/* Reads a text that must be in this form, byte for byte: MUNI_FORMAT.  *out is a new
 * reference. */
int canonical_load(const void *text, size_t size, json_t **out, struct err *e);

#endif

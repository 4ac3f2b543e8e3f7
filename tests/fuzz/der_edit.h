/*
 * Changes of DER, as the input of a fuzzer asks for them: at a place among the bytes, or at an
 * element, where the lengths of all that it stands in are put right.  A change of bytes alone
 * seldom leaves DER that can be parsed; these come to what is behind the parser.
 */
#ifndef TESTS_FUZZ_DER_EDIT_H
#define TESTS_FUZZ_DER_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DER_MAX (16 * 1024)	/* what would be longer is left as it is */

struct der {
	uint8_t bytes[DER_MAX];
	size_t size;
};

/* A list of changes: 1 byte that says which, 2 bytes of place, 1 byte of size, so many bytes.
 * A place is a byte's offset or an element's number (in the order in which they begin), each
 * modulo what there is; elements inside an OCTET STRING count.  What is cut off is nothing. */
enum der_change {
	DER_BYTES,	/* the bytes, over those that stand there */
	DER_INSERT,	/* the bytes, before the place */
	DER_REMOVE,	/* as many as the size says; it alone has no bytes */
	DER_COPY,	/* 2 bytes of an offset, 1 of a size: those, before the place */
	DER_CONTENT,	/* the bytes, in place of the element's content */
	DER_WITHOUT,	/* the element goes */
	DER_TWICE,	/* the element stands there once more */
	DER_ANOTHER,	/* 2 bytes of an element's number: that one, before this one */
	DER_BEFORE,	/* the bytes, before the element */
	DER_WITHIN,	/* the bytes, behind what stands in the element */
	DER_TAG,	/* 1 byte: the element's tag */
	DER_LONG,	/* its length, in more bytes than it needs */
	DER_CHANGES
};

/* Did all of them leave each byte where it stood? */
bool der_edit(struct der *d, const uint8_t *changes, size_t size);
/* The element that begins last: its number, and the offsets of its content. */
void der_last(const struct der *d, size_t *number, size_t *content, size_t *end);

#endif

/*
 * A set of small numbers (ids of rows), a bit each: of a million of them 125 KiB.
 * Empty is all zeros.
 */
#ifndef FS_BASE_BITS_H
#define FS_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bits {
	uint64_t *words;	/* owned; bits_free() */
	size_t count;		/* of words */
};

/* false: no memory, or n is negative or past 2^36: no table has so many rows. */
bool bits_add(struct bits *b, int64_t n);
void bits_drop(struct bits *b, int64_t n);
void bits_free(struct bits *b);	/* back to empty */

static inline bool bits_has(const struct bits *b, int64_t n)
{
	return n >= 0 && (uint64_t)n / 64 < b->count &&
	       (b->words[(uint64_t)n / 64] >> ((uint64_t)n % 64) & 1);
}

#endif

/*
 * Memory of one policy: many small pieces, freed at once.
 */
#ifndef POLICY_MEMORY_H
#define POLICY_MEMORY_H

#include <stddef.h>

struct memory {			/* all zeros: empty */
	struct memory_block *blocks;
	size_t used, room;	/* of the newest block */
};

/* Zeroed, aligned for any type, never resized; NULL without memory. */
void *memory_new(struct memory *m, size_t count, size_t size);
char *memory_text(struct memory *m, const char *text, size_t size);	/* NUL ended */
void memory_clear(struct memory *m);	/* frees all pieces */

#endif

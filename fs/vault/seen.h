/*
 * A set of the ids of rows: a bit for each, up to the largest.  Not thread-safe.
 */
#ifndef FS_VAULT_SEEN_H
#define FS_VAULT_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {			/* all zeros: empty; free(words) */
	uint64_t *words;	/* owned */
	size_t capacity;
};
bool seen_set(struct seen *s, int64_t id, bool is_there);	/* false: no memory */
bool seen_has(const struct seen *s, int64_t id);

#endif

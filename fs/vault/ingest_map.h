/*
 * A map from two numbers to one, for what an ingest must remember: (device,
 * inode) to a hard-link group or a directory, ids that are taken.  Open
 * addressing at a load of at most 5/8: some 40 bytes an entry.  Not thread-safe.
 */
#ifndef FS_VAULT_INGEST_MAP_H
#define FS_VAULT_INGEST_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t a, b;
	uint64_t value;		/* 0: the slot is free */
};

struct map {			/* all zeros: empty */
	struct map_slot *slots;	/* owned */
	size_t count, capacity;
};

/* 0: not there. */
uint64_t map_get(const struct map *m, uint64_t a, uint64_t b);
/* value may not be 0; replaces.  false: out of memory. */
bool map_put(struct map *m, uint64_t a, uint64_t b, uint64_t value);
void map_remove(struct map *m, uint64_t a, uint64_t b);
void map_free(struct map *m);	/* back to all zeros */

#endif

/*
 * SQLite's heap: pages of the catalogue, keys of blocks and names of files pass
 * through it, so it lies in memory that core dumps leave out and, where
 * RLIMIT_MEMLOCK lets us, swap too.
 *
 *   A1  Every byte handed out lies in a mapping marked MADV_DONTDUMP.
 *   A2  What is freed is reused, and returned to the system but for ARENA_SPARE
 *       bytes; untouched memory of a slab costs nothing.
 *   A3  Thread-safe, without one lock for all.
 *
 * Small requests (up to 32 KiB) are served from slabs of 256 KiB, each cut into
 * pieces of one size; larger ones have a mapping of their own.
 */
#ifndef FS_STORE_ARENA_H
#define FS_STORE_ARENA_H

#include <stddef.h>

#define ARENA_SLAB ((size_t)256 * 1024)
#define ARENA_SPARE (8 * ARENA_SLAB)

struct sqlite3_mem_methods;

/* For sqlite3_config(SQLITE_CONFIG_MALLOC). */
const struct sqlite3_mem_methods *arena_methods(void);

void *arena_new(size_t size);		/* 16-byte aligned, not zeroed; NULL without memory */
void *arena_resize(void *p, size_t size);	/* as realloc() */
void arena_free(void *p);		/* NULL is allowed */
size_t arena_size(const void *p);	/* usable bytes */
size_t arena_mapped(void);		/* bytes of address space held now */

#endif

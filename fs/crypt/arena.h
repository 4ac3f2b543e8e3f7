/*
 * Two heaps that core dumps leave out.  SQLite's: pages of the catalogue, keys of blocks
 * and names of files pass through it; locked in memory as far as RLIMIT_MEMLOCK lets us.
 * And that of keys: OpenSSL's, with the schedules of ciphers and private keys; locked,
 * too, and where that is refused it is told.
 *
 *   A1  Every byte handed out lies in a mapping marked MADV_DONTDUMP.
 *   A2  What is freed is wiped and reused, and returned to the system but for ARENA_SPARE
 *       bytes, and of ARENA_OWN pieces of each size up to 1 KiB that a thread keeps until
 *       it ends: those it has again without a lock.  Untouched memory of a slab costs
 *       nothing.
 *   A3  Thread-safe, without one lock for all; a forked child may use the heap of keys.
 *
 * Small requests are served from slabs, each cut into pieces of one size; larger ones
 * have a mapping of their own.
 */
#ifndef FS_CRYPT_ARENA_H
#define FS_CRYPT_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#define ARENA_SLAB ((size_t)256 * 1024)
#define ARENA_SMALL ((size_t)32 * 1024)
#define ARENA_SPARE (8 * ARENA_SLAB)
#define ARENA_OWN 4	/* of SQLite's heap only: a query asks for two or three */

void *arena_new(size_t size);		/* 16-byte aligned, not zeroed; NULL without memory */
void *arena_new_zeroed(size_t size);	/* a large one costs no memory until it is touched */
void *arena_resize(void *p, size_t size);	/* as realloc() */
void arena_free(void *p);		/* NULL is allowed */
size_t arena_size(const void *p);	/* usable bytes */
size_t arena_round_up(size_t size);	/* what a request of this size will get */
size_t arena_mapped(void);		/* bytes of address space held now */

void *arena_key_new(size_t size);
void *arena_key_resize(void *p, size_t size);
void arena_key_free(void *p);
void arena_keys_lock_again(void);	/* in a forked child, whom locks do not follow */
bool arena_keys_are_locked(void);	/* all that the heap of keys ever had */

#endif

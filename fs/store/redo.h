/*
 * The catalogue's second home: sealed pages as they stand in the catalogue,
 * in objects of kind "cat": a base copy, then redo objects with the pages that
 * changed, in order.  Base and redo rebuild the catalogue byte for byte, block
 * keys included: so they are copies of keys and die with their epoch.
 *
 * Every object carries its own parity (20+1 over its own columns), its epoch,
 * sequence number, page count, and the digest over all page tags that holds
 * once it has been applied.
 *
 *   R1  After redo_append() returns, base and redo give the catalogue as it
 *       stood after the last TRUNCATE checkpoint.
 *   R2  A full base replaces base and redo when redo exceeds half the
 *       catalogue, or when the chain does not lead to `before` (a crash, a
 *       repair): the new base is durable before the old goes.
 */
#ifndef FS_STORE_REDO_H
#define FS_STORE_REDO_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/crypt/digest.h"

struct err;
struct objects;
struct sqlite3;

/* db is checkpointed (TRUNCATE) and idle.  before: the digest at which this
 * writer found the catalogue; pages: pagevfs_dirty(). */
int redo_append(struct objects *o, struct sqlite3 *db, const uint8_t archive_id[16],
		uint64_t epoch, const struct digest *before, const struct digest *after,
		const uint64_t *pages, uint64_t count, struct err *e);

/* Writes catalogue file `name` under dirfd anew from base and redo of epoch;
 * MUNI_DAMAGED if they do not lead to a whole catalogue.  *reached: the digest. */
int redo_rebuild(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		 int dirfd, const char *name, struct digest *reached, struct err *e);
/* Every object checked through its checksums, no key needed; bad objects are
 * named through found(). *last: digest at the end of the chain (zeros: none). */
int redo_check(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
	       int (*found)(void *arg, const uint8_t uid[16], const char *what),
	       void *arg, struct digest *last, struct err *e);
/* Removes every object of epochs below `epoch`. */
int redo_drop_before(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		     struct err *e);

#endif

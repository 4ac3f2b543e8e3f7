/*
 * The catalogue's second home, in objects of kind "cat": a base copy, then redo
 * objects with the pages that changed, in order.  Pages are compressed, and sealed
 * under a key that is derived from the epoch's.  Base and redo rebuild the catalogue
 * byte for byte, block keys included: so they are copies of keys and die with their
 * epoch.
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

/*
 * db is checkpointed (TRUNCATE) and idle.  before: the digest at which this
 * writer found the catalogue (or that it gave as `after` last time); pages:
 * pagevfs_dirty().  Nothing to do when before == after and the chain leads there.
 *
 * For repair: `before` all zeros forces a fresh base, which supersedes whatever
 * was damaged; count may then be 0.  MUNI_DAMAGED if a page of the catalogue is
 * itself damaged: it is never copied over what is good.
 */
int redo_append(struct objects *o, struct sqlite3 *db, const uint8_t archive_id[16],
		uint64_t epoch, const struct digest *before, const struct digest *after,
		const uint64_t *pages, uint64_t count, struct err *e);

/* Writes catalogue file `name` under dirfd anew from base and redo of epoch,
 * under key_id, through a draft that is renamed over it, and removes its -wal and -shm (they
 * belong to other pages): nobody may have it open.  MUNI_DAMAGED if base and redo
 * do not lead to a whole catalogue: then nothing was touched.  *reached: the
 * digest; the caller compares it with the signed head, for a lost last set or a
 * crashed append cannot be told apart here. */
int redo_rebuild(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		 unsigned key_id, int dirfd, const char *name, struct digest *reached,
		 struct err *e);
/* Every object checked through its checksums, no key needed (key_id 0); under a key the
 * chain is opened as well, as rebuilding would.  Bad objects are
 * named through found(), with a uid of zeros what concerns no single one.  It
 * returns 0 to go on.  *last: digest at the end of the chain, as far as it holds
 * (zeros: none). */
int redo_check(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
	       unsigned key_id, int (*found)(void *arg, const uint8_t uid[16], const char *what),
	       void *arg, struct digest *last, struct err *e);
/* From the heads of objects alone: where base and redo of epoch lead (zeros: nowhere), and
 * the greatest epoch of which there is a whole base, if it is above `epoch` (0: none). */
int redo_reaches(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		 struct digest *after, uint64_t *later, struct err *e);
/* Removes every object of epochs below `epoch`, and those that cannot say of
 * which they are. */
int redo_drop_before(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		     struct err *e);
/* Removes every object of epochs above `epoch`: of a switch that was taken back. */
int redo_drop_after(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		    struct err *e);

#endif

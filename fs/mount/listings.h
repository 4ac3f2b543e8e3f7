/*
 * Listings made ahead.  A walk asks for one directory after the other and waits for
 * each; its order is known (family.h), so while the kernel digests one reply, threads
 * of ours make the next few.
 *
 *   G1  What is made ahead is what would be made now: listings_clear() comes before
 *       the kernel is told that something went, and nothing made before it is served.
 *   G2  Only who walks is helped: a directory that was listed without one that it
 *       follows costs nothing more.
 *   G3  At most LISTINGS_MAX replies are kept, each no larger than the kernel asked.
 *
 * The threads take readers from the mount's pool, so that who shuts it waits for them.
 */
#ifndef FS_MOUNT_LISTINGS_H
#define FS_MOUNT_LISTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/mount/listing.h"

struct err;
struct listings;
struct mount;

#define LISTINGS_MAX 32
#define LISTINGS_THREADS 2

struct listings *listings_new(struct mount *m);	/* NULL without memory */
int listings_start(struct listings *l, struct err *e);	/* the threads */
void listings_stop(struct listings *l);	/* NULL is allowed */
void listings_free(struct listings *l);

/* One that stands ready, or will in a moment; it is the caller's then. */
bool listings_take(struct listings *l, uint64_t ino, uint64_t offset, size_t size,
		   struct listing *out);
/* This reply was given; *was_ready as listings_take() said.  What follows is begun. */
void listings_given(struct listings *l, uint64_t ino, uint64_t offset, size_t size,
		    const struct listing *given, bool was_ready);
void listings_clear(struct listings *l);
/* How much a listing of ino tells: less (LOOK_GLANCE) until a second directory is asked
 * for, which is what tells a walk from one look. */
enum look_depth listings_depth(struct listings *l, uint64_t ino);

#endif

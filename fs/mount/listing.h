/*
 * One reply to a request for entries, as the kernel takes it.
 */
#ifndef FS_MOUNT_LISTING_H
#define FS_MOUNT_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/mount/look.h"

struct catalogue;
struct err;
struct mount;

struct listing {
	char *buffer;		/* owned; NULL: nothing follows */
	size_t used;
	uint64_t next;		/* the offset that goes on from here */
	bool is_all;		/* nothing follows */
};

/* Entries of ino from `offset` on, as many as fit into `size` bytes. */
int listing_make(struct mount *m, struct catalogue *c, uint64_t ino, uint64_t offset,
		 size_t size, enum look_depth depth, struct listing *out, struct err *e);
/* Wipes: names may go one day. */
void listing_free(struct listing *l);

#endif

/*
 * Where a depth-first export stands in the target: a stack of directories,
 * entered by name from the one above, links never followed, so that no path
 * is ever too long.  Only the deepest are kept open.
 */
#ifndef FS_VAULT_EXPORT_PLACE_H
#define FS_VAULT_EXPORT_PLACE_H

#include "fs/vault/export_inside.h"

#define PLACE_OPEN_MAX 64

struct place_level {
	int fd;			/* -1: closed for now */
	struct export_item *item;	/* owned; its name is the directory's */
};

struct place {
	struct place_level *levels;	/* level 0 is the root, always open */
	size_t depth, room;
};

/* rootfd becomes the place's. */
int place_open(struct place *p, int rootfd, struct export_item *root, struct err *e);
void place_close(struct place *p);
/* The present directory; borrowed. -1 if it cannot be opened again. */
int place_fd(struct place *p, struct err *e);
const struct export_item *place_item(const struct place *p);
/* Into a directory of the present one; item becomes the place's, on failure too. */
int place_enter(struct place *p, struct export_item *item, struct err *e);
void place_leave(struct place *p);

/* openat() of a directory that is ours, without following; where its mode keeps
 * us out it is made 0700. */
int place_open_dir(int dirfd, const char *name, struct err *e);

#endif

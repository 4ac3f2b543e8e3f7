/*
 * Empty directories that are records: a set of them, and all nodes that each had while it
 * stood empty, for its attributes may have changed from version to version.
 */
#ifndef FS_VAULT_EMPTIES_H
#define FS_VAULT_EMPTIES_H

#include "fs/store/catalogue_retention.h"

struct empty {
	int64_t id;		/* of the directory */
	int64_t first, last;	/* versions of the record */
};

struct empties {		/* {0}: none; owned */
	struct empty *list;
	size_t count, room;
};

void empties_free(struct empties *s);
/* A record that is a directory. */
int empties_add(struct empties *s, struct catalogue *c, const struct record *r, struct err *e);
/* Their nodes, by one walk over all directories.  row(): 0, or -1: its own error. */
int empties_nodes(struct empties *s, struct catalogue *c, int (*row)(void *arg, int64_t node),
		  void *arg, struct err *e);

#endif

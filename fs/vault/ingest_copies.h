/*
 * Further names of a file for which an archive has the data once more, as cpio's older forms
 * write it with each name.  Damaged, or packed while somebody wrote, they are not the same;
 * which is right nobody can tell.
 *
 *   C1  What differs from the first name's data or attributes becomes a file of its own, and
 *       is told as a problem: both are kept, and the version is not whole.
 */
#ifndef FS_VAULT_INGEST_COPIES_H
#define FS_VAULT_INGEST_COPIES_H

#include <stdbool.h>
#include <stddef.h>

#include "fs/vault/ingest_intake.h"

struct copy {
	struct tree_node *node;		/* the further name */
	struct inode *first, *again;	/* what it is a name of; what came with it */
};

struct copies {
	struct copy *list;		/* owned */
	size_t count, capacity;
};

/* `again` came under `node`, which is put as a name of `first`. */
int copies_add(struct copies *c, struct tree_node *node, struct inode *first,
	       struct inode *again, struct err *e);
/* In mode, owner and time, as far as both are known? */
bool copies_agree(const struct meta *a, const struct meta *b);
/* C1, once every content is there. */
int copies_settle(struct copies *c, struct ingest *g, struct err *e);
void copies_clear(struct copies *c);

#endif

/*
 * Descriptors of directories that walkers and their tasks share, and the way down a tree
 * and up again that neither the depth nor the number of descriptors bounds.
 */
#ifndef FS_VAULT_HANDLE_H
#define FS_VAULT_HANDLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/err.h"

struct handle {
	atomic_uint refs;
	int fd;
};
struct handle *handle_new(int fd);	/* takes fd; NULL without memory (fd closed) */
struct handle *handle_ref(struct handle *h);
void handle_unref(struct handle *h);	/* NULL is allowed */

/* The directory above, found through "..".  0: *out is the caller's; 1: what is there now
 * is not the one of these numbers, or is out of reach; -1: nothing more can be opened. */
int handle_above(const struct handle *below, uint64_t device, uint64_t inode,
		 struct handle **out, struct err *e);

/* ---- down and up -------------------------------------------------------------------- */

struct dir_level {
	struct handle *handle;	/* NULL: given up, to be found again through ".." */
	uint64_t device, inode;
	char **children;	/* names of sub-directories, in the order of their adding */
	size_t count, capacity, next;
	size_t path_size;	/* of the walker's path up to here */
	void *own;		/* the walker's, who frees it before the level goes */
};

struct dir_descent {		/* all zero: at no directory */
	struct dir_level *levels;
	size_t depth, capacity;
};

/* Takes h, also when it fails; the level is the descent's until the next push or pop.
 * Of levels far above the descriptors are given up. */
struct dir_level *descent_push(struct dir_descent *d, struct handle *h, uint64_t device,
			       uint64_t inode, size_t path_size, struct err *e);
/* Out of the last level.  1: the one above was moved meanwhile, and its children that
 * are left will not be found; it gives no more of them. */
int descent_pop(struct dir_descent *d, struct err *e);
void descent_free(struct dir_descent *d);

int dir_level_add(struct dir_level *l, const char *name, struct err *e);
/* The next child's name, the caller's; NULL: there is none left. */
char *dir_level_take(struct dir_level *l);

#endif

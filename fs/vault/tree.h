/*
 * Walking a version's tree: for ls, find, cat, stat, export, verify.
 * Paths here are bytes relative to the system's root, without a leading "/";
 * "" is the root itself.
 */
#ifndef FS_VAULT_TREE_H
#define FS_VAULT_TREE_H

#include "fs/vault/vault.h"

/* MUNI_NOT_FOUND names the component that is not there. Symlinks are not
 * followed.  The root's entry has an empty name.  node: with its digest. */
int tree_find(struct catalogue *c, const struct version *v, const void *path,
	      size_t path_size, struct entry *entry, struct node *node, struct err *e);

/* The same, and what is barred (R1) is not there; NULL: nothing is. */
struct barred;
int tree_find_shown(struct catalogue *c, const struct version *v, const void *path,
		    size_t path_size, const struct barred *barred, struct entry *entry,
		    struct node *node, struct err *e);

struct tree_item {
	const char *path;	/* bytes, NUL ended; borrowed until row() returns */
	size_t path_size;
	const struct entry *entry;
	const struct node *node;
};

/*
 * Depth first, a directory before its content, names in byte order; starts
 * below `directory`, with "PREFIX/" in front of paths unless prefix is "".
 * Memory is bounded by depth, not by size.  Nodes come without digests.  row()
 * may ask the catalogue itself: 0 go on, 1 stop all, 2 do not enter this
 * directory, -1 error in e (the caller's own).  A stop returns 0.
 */
int tree_walk(struct catalogue *c, const struct version *v, int64_t directory,
	      const char *prefix, int (*row)(void *arg, const struct tree_item *item),
	      void *arg, struct err *e);

#endif

/*
 * What changed between two versions of a system: by ranges of entries, so that
 * unchanged directories (equal Merkle roots) are not entered.
 */
#ifndef FS_VAULT_DIFF_H
#define FS_VAULT_DIFF_H

#include "fs/vault/vault.h"

enum diff_kind { DIFF_ADDED, DIFF_REMOVED, DIFF_CHANGED, DIFF_MOVED };

struct diff_item {
	enum diff_kind kind;
	const char *path;	/* new path; for REMOVED the old one */
	size_t path_size;
	const char *old_path;	/* MOVED only, else NULL */
	size_t old_path_size;
	const struct node *before;	/* NULL for ADDED */
	const struct node *after;	/* NULL for REMOVED */
	bool content_changed;
	bool metadata_changed;	/* mode, owner, mtime, xattrs, link target */
};

/*
 * In path order (bytes).  MOVED: a file with the same content, or anything with
 * the same source inode, that left one path and came at another; or a directory
 * that kept its id: then what is in it is compared, and told under its new path
 * (what went from it under its old one).  A directory's mtime is metadata only
 * where nothing below it changed.  Times of access and change, link counts and
 * classes are no change.  The topmost directory's path is "".  row(): 0 go on, 1
 * stop, -1 error (the caller's own).
 */
int vault_diff(struct catalogue *c, const struct version *a, const struct version *b,
	       int (*row)(void *arg, const struct diff_item *item), void *arg,
	       struct err *e);

#endif

/*
 * What scan_walk.c (down and up the tree) and scan_walk_dir.c (one directory) share.
 */
#ifndef FS_VAULT_SCAN_WALK_INSIDE_H
#define FS_VAULT_SCAN_WALK_INSIDE_H

#include "fs/base/bytes.h"
#include "fs/vault/handle.h"
#include "fs/vault/scan_inside.h"

struct scan_walker {
	struct scanning *s;
	struct dir_descent descent;
	struct names names;
	struct buffer path;	/* of the directory at work, then of the name in it */
	struct scan_batch *batch;	/* in the making */
	dev_t archive_device;
	ino_t archive_inode;
};

static inline const char *path_of(const struct scan_walker *w)
{
	return (const char *)w->path.data;
}

/* w->path: of a name in the directory of l; NUL ended. */
int scan_walk_path(struct scan_walker *w, const struct dir_level *l, const char *name,
		   struct err *e);
/* An item under w->path.  why: it cannot be looked into; NULL: it can. */
int scan_walk_add(struct scan_walker *w, struct handle *dir, const char *name,
		  const struct statx *sx, const char *why, struct err *e);
/* A directory whose entries are out of reach (why: an errno): an item, a problem. */
int scan_walk_unread(struct scan_walker *w, const struct statx *sx, int why,
		     struct err *e);
/* Items go, sub-directories stay with l.  sx: the directory's own. */
int scan_walk_directory(struct scan_walker *w, struct dir_level *l,
			const struct statx *sx, struct err *e);
/* What is in the making goes to the workers. */
int scan_walk_send(struct scan_walker *w, struct err *e);

#endif

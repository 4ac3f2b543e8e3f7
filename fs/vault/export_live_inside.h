/*
 * What the walk over a live source (export_live_walk.c) and its look at single items
 * (export_live_item.c) share.
 */
#ifndef FS_VAULT_EXPORT_LIVE_INSIDE_H
#define FS_VAULT_EXPORT_LIVE_INSIDE_H

#include "fs/base/bytes.h"
#include "fs/vault/export_live.h"
#include "fs/vault/handle.h"

struct live_walker {
	struct live *live;
	struct export_walk *walk;
	enum export_pass pass;
	struct catalogue *catalogue;	/* the walker's own */
	struct capture *capture;
	/* own: struct export_item of the directory, until something in it goes. */
	struct dir_descent descent;
	struct names names;
	struct buffer path;	/* of what is looked at; NUL ended */
	struct buffer lost;	/* directories that could not be entered, NUL ended each */
	struct map ids;		/* (device, inode) of files with several names -> id */
	int64_t last_id;
	struct err failure;	/* while attributes were captured */
};

static inline const char *live_path(const struct live_walker *w)
{
	return (const char *)w->path.data;
}

/* Of the path at hand, or of another. */
int live_problem(struct live_walker *w, struct err *e, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int live_problem_at(struct live_walker *w, const void *path, size_t size, const char *what,
		    struct err *e);

/* What stands at the path at hand, no directory: counted, and given if it is to go. */
int live_take(struct live_walker *w, const struct dir_level *l, const char *name,
	      const struct statx *sx, struct err *e);
/* A directory that is an item itself: nothing is in it, or nothing in it was scanned.
 * The level's pending entry is given if it is to go. */
int live_take_directory(struct live_walker *w, const struct statx *sx, struct err *e);
/* A directory that cannot be entered: why. */
int live_lose_directory(struct live_walker *w, const struct statx *sx, int why,
			struct err *e);
/* The inventory's row of the path at hand is there, whatever becomes of it. */
int live_meet(struct live_walker *w, struct err *e);
/* The source itself, which always goes. */
int live_give_top(struct live_walker *w, struct err *e);
/* A directory as an entry. */
int live_directory_entry(struct live_walker *w, int fd, const struct statx *sx,
			 struct export_item **out, struct err *e);

#endif

/*
 * What walk.c (down and up the tree) and walk_dir.c (one directory) share.
 */
#ifndef FS_VAULT_WALK_INSIDE_H
#define FS_VAULT_WALK_INSIDE_H

#include "fs/vault/walk.h"

#define FORMER_MAX 16

struct child {			/* a sub-directory that waits for its turn */
	char *name;		/* owned */
	size_t name_size;
	struct prior prior;
	/* Of prior's node, when it is a directory's: */
	uint64_t device, inode;
	struct stamp mtime, ctime;
};

struct level {
	struct dir *dir;
	struct handle *handle;	/* NULL: closed, to be found again through ".." */
	uint64_t device, inode;
	struct child *children;	/* owned, in byte order of names */
	size_t count, capacity, next;
};

struct walker {
	struct ingest *g;
	struct capture *capture;
	struct catalogue *catalogue;	/* NULL: there is no version before */
	struct prior_list *priors;
	struct names names;
	uint64_t top_device;
	uint64_t former[FORMER_MAX];	/* numbers that the top's device had in versions
					 * before */
	size_t former_count;
	uint64_t archive_device, archive_inode;
	bool has_inodes;
	struct map inodes;	/* of the version before: (device, inode) -> directory */
	struct level *levels;
	size_t depth, capacity;
	/* The run and the batch in the making: */
	struct run *run;
	struct task *batch;
	uint64_t batch_bytes;
	int64_t class_id;	/* of the item at hand */
	bool is_known_class;	/* a decision gave it: an unchanged item may move */
};

/* Reads dir's names (none when level->handle is NULL), holds them against the
 * version before, sends runs, collects sub-directories in the level. */
int walk_directory(struct walker *w, struct level *level, struct err *e);

/* The run that takes the next entry; NULL without memory. */
struct run *walk_open_run(struct walker *w, struct level *level);
/* The run and the batch in the making go. */
void walk_send_run(struct walker *w, struct level *level);
/* The item's content is to be read by somebody. */
int walk_send_item(struct walker *w, struct level *level, struct item *item,
		   struct err *e);

/*
 * Is `before`, a device number in the version before, the device that is `now`?
 * Numbers are given out anew at a boot: the top directory's inode, the same in
 * every version, tells what its device was called in each.
 */
bool walk_is_device(const struct walker *w, uint64_t before, uint64_t now);
/* Was it changed so late that it may have changed again behind the same times? */
bool walk_is_racy(const struct ingest *g, const struct stamp *ctime);

#endif

/*
 * What the files of the walk share.
 *
 *   walk.c        down and up the tree, in one order, on the walker's thread
 *   walk_dir.c    what was seen of one directory becomes runs: the same thread
 *   walk_look.c   looking: names, numbers, the version before; any thread
 *   walk_numbers.c  a directory of which all numbers are those of the version before
 *   walk_ahead.c  threads that look at directories before the walker is there
 *
 * What is seen is acted upon by the walker alone, in the order of the tree: which
 * directory keeps which id, and which name of an inode comes first, never depends
 * on who was faster.
 */
#ifndef FS_VAULT_WALK_INSIDE_H
#define FS_VAULT_WALK_INSIDE_H

#include "fs/base/bytes.h"
#include "fs/vault/walk.h"

#define FORMER_MAX 16
#define LOOK_ENTRIES 4096	/* seen of a directory at a time */

/* Where a walk looks from: constant once the top was looked at. */
struct vantage {
	struct ingest *g;
	uint64_t top_device;
	uint64_t former[FORMER_MAX];	/* numbers that the top's device had in versions
					 * before */
	size_t former_count;
	uint64_t archive_device, archive_inode;
};

/*
 * Is `before`, a device number in the version before, the device that is `now`?
 * Numbers are given out anew at a boot; the top directory's inode, the same in
 * every version, tells what its device was called in each.
 */
bool walk_is_device(const struct vantage *v, uint64_t before, uint64_t now);
/* Was it changed so late that it may have changed again behind the same times? */
bool walk_is_racy(const struct ingest *g, const struct stamp *ctime);
static inline bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->seconds == b->seconds && a->ns == b->ns;
}

/* ---- looking ---------------------------------------------------------------------- */

struct look;
struct brood;

struct child {			/* a sub-directory that waits for its turn */
	struct prior prior;
	/* Of prior's node, when it is a directory's: */
	uint64_t device, inode;
	struct stamp mtime, ctime;
	/* protected by the lock of struct ahead, while it is in its line: */
	enum { CHILD_ALONE, CHILD_WAITS, CHILD_IS_LOOKED_AT, CHILD_IS_SEEN } state;
	struct child *before, *after;
	struct brood *brood;
	struct look *look;	/* CHILD_IS_SEEN; NULL: it could not be opened or read */
	size_t name_size;
	char name[];
};

enum sight_kind {
	SIGHT_ITEM,		/* new, changed, or one of several names */
	SIGHT_GONE,		/* an entry of the version before that is no more */
	SIGHT_UNREADABLE,	/* why: errno */
	SIGHT_LONG_NAME,
	SIGHT_ARCHIVE,		/* the archive itself */
};

struct sight {
	enum sight_kind kind;
	uint32_t name_at;	/* in look.text */
	uint16_t name_size;
	bool is_same;		/* as in the version before, class included */
	int why;
	struct prior prior;
	int64_t class_id;
	int64_t keeps;		/* the node, where nothing but its class changed; else 0 */
	struct statx sx;
};

/* What is seen of a directory, up to LOOK_ENTRIES names at a time. */
struct look {
	struct handle *handle;	/* a reference; NULL: nothing below it is taken in */
	struct statx self;
	int64_t directory;	/* of the version before, that it is held against */
	char *path;		/* where names are chosen by paths, else NULL; owned */
	struct names names;
	size_t next;		/* of them, to be looked at */
	int names_why;		/* errno of reading them */
	bool is_restless;	/* it changed each time its names were read */
	bool is_end;		/* all names and all rows were seen */
	char after[CATALOGUE_NAME_MAX + 1];	/* the last name that was seen */
	/* of the names seen last: */
	struct sight *sights;	/* owned, in byte order of names */
	size_t sight_count, sight_capacity;
	struct buffer text;	/* names of the sights, NUL ended */
	struct child **children;	/* owned */
	size_t child_count, child_capacity;
	bool has_numbers;	/* of the whole directory ... */
	bool are_numbers_known;	/* ... and the version before has the same */
	struct numbers numbers;
	uint64_t unchanged;	/* entries that cost nothing ... */
	struct tally kept;	/* ... what they are ... */
	uint64_t kept_held;	/* ... and the bytes that the file system holds of them */
	struct left_out left_out;
};

/* Buffers and a connection of one thread. */
struct looker {
	const struct vantage *vantage;
	struct catalogue *catalogue;	/* NULL: there is no version before */
	struct prior_list *priors;
	struct seen *seen;	/* LOOK_ENTRIES of them */
	size_t seen_count;
};

struct seen {			/* of a name, by statx() */
	int why;		/* errno; 0: sx is filled */
	struct statx sx;
};

int looker_open(struct looker *l, const struct vantage *v, struct err *e);
void looker_close(struct looker *l);

/* Looks at the directory, up to the first LOOK_ENTRIES names; takes a reference of
 * handle (NULL: of its names none is taken in) and path.  NULL: e is filled. */
struct look *look_new(struct looker *l, struct handle *handle, const struct statx *self,
		      int64_t directory, char *path, struct err *e);
/* The next names, in place of those seen last; not at the end. */
int look_on(struct looker *l, struct look *look, struct err *e);
void look_free(struct look *look);	/* no child of it is in line; NULL is allowed */

/* A directory of files alone, of which all names are in l->seen: their numbers as one
 * digest, if that can be believed; and where the version before has the same, counts of
 * all of them, and the look is at its end. */
int look_numbers(const struct looker *l, struct look *look, struct err *e);
void look_count(struct look *look, const struct meta *m);	/* one that is unchanged */

/* ---- looking ahead ------------------------------------------------------------------ */

/*
 * Threads that look at directories ahead of the walker, in the order in which it
 * will come to them, and no further ahead than bounded memory and descriptors
 * allow.  What they cannot open or read they leave to the walker.
 */
struct ahead;
int ahead_start(const struct vantage *v, unsigned threads, struct ahead **out, struct err *e);
/* Children of a directory that is next in order, behind `before`, one of its children that
 * were added already (NULL: these are the first); path as in struct look. */
void ahead_add(struct ahead *a, struct child *before, struct handle *parent,
	       const char *path, struct child **children, size_t count);
/* What was seen of c, which leaves the line: the caller's; NULL: nobody looked.
 * Waits where somebody is at it. */
struct look *ahead_take(struct ahead *a, struct child *c);
/* Out of the line, with all that was seen below it; frees c. */
void ahead_drop(struct ahead *a, struct child *c);
/* Frees look, whose children were taken, and gives the reference of handle back, now or
 * later; either may be NULL, and so may a. */
void ahead_spend(struct ahead *a, struct look *look, struct handle *handle);
void ahead_stop(struct ahead *a);	/* no child is in line; NULL is allowed */

/* ---- the walker ----------------------------------------------------------------------- */

struct level {
	struct dir *dir;
	struct handle *handle;	/* NULL: closed, to be found again through ".." */
	uint64_t device, inode;
	struct child **children;	/* owned, in byte order of names */
	size_t count, capacity, next;
};

#define LISTED_AT_ONCE 64

struct walker {
	struct ingest *g;
	struct vantage vantage;
	struct looker looker;
	struct ahead *ahead;
	struct capture *capture;
	bool has_inodes;
	struct map inodes;	/* of the version before: (device, inode) -> directory */
	struct level *levels;
	size_t depth, capacity;
	struct dir *listed;	/* told of with the next event; */
	size_t listed_count;	/* so many */
	/* The run and the batch in the making: */
	struct run *run;
	struct task *batch;
	uint64_t batch_bytes;
	/* Batches that one worker is to take: */
	struct task *span, *span_end;
	uint64_t span_bytes, span_most;
	size_t span_items;
	unsigned span_handles, span_handles_most;
};

/* Acts upon what is seen of level's directory, sends runs, collects sub-directories
 * in the level.  look: seen before, or NULL; taken.  *is_empty: it has no names. */
int walk_directory(struct walker *w, struct level *level, struct look *look,
		   const struct statx *self, bool *is_empty, struct err *e);
/* With what was seen below it; NULL is allowed. */
void walk_drop_look(struct walker *w, struct look *look);
/* d's totals are final. */
void walk_tell_listed(struct walker *w, struct dir *d);
void walk_send_listed(struct walker *w);

/* The run that takes the next entry; NULL without memory. */
struct run *walk_open_run(struct walker *w, struct level *level);
/* The run and the batch in the making go. */
void walk_send_run(struct walker *w, struct level *level);
/* Before the first item; after the last. */
void walk_prepare_spans(struct walker *w);
void walk_send_span(struct walker *w);
/* The item's content is to be read by somebody. */
int walk_send_item(struct walker *w, struct level *level, struct item *item,
		   struct err *e);

#endif

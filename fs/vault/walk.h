/*
 * Reading a live directory tree.
 *
 *   W1  Links in the source are never followed, and nothing in it is written;
 *       access times stay as they were where the system lets us (O_NOATIME).
 *   W2  Depth is not bounded by PATH_MAX, nor by the number of descriptors.
 *   W3  Memory is bounded by the largest directory's names and a constant for what is
 *       looked at ahead, not by the tree.
 */
#ifndef FS_VAULT_WALK_H
#define FS_VAULT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "fs/vault/ingest_inside.h"

/* ---- metadata ---------------------------------------------------------------- */

/* Buffers of one thread. */
struct capture;
struct capture *capture_new(void);	/* NULL without memory */
void capture_free(struct capture *c);

#define WALK_STATX_MASK (STATX_BASIC_STATS | STATX_BTIME)
uint64_t walk_device(const struct statx *sx);
uint64_t walk_held(const struct statx *sx);	/* bytes that are no hole, about */
/* Numbers and times alone: all that deciding "unchanged" needs. */
void walk_numbers(const struct statx *sx, struct meta *out);

/* Who is told what could not be read, in the thread that captures. */
struct capture_ear {
	void (*problem)(void *arg, const char *what);	/* a sentence without the name */
	void (*fail)(void *arg, const struct err *e);	/* no memory: the work is over */
	void *arg;
};

/*
 * Everything about dirfd/name, or about fd itself when name is NULL; *out was
 * empty.  Attributes that cannot be read are told to ear.
 * -1: errno says why the item itself is out of reach.
 */
int capture_item(struct capture *c, struct ingest_accounts *accounts,
		 const struct capture_ear *ear, int fd, const char *name,
		 const struct statx *sx, struct meta *out);
/* The same; they are problems of d/label. */
int ingest_capture(struct ingest *g, struct capture *c, const struct dir *d,
		   const char *label, int fd, const char *name, const struct statx *sx,
		   struct meta *out);

/* Opens for reading without a trace; errno on -1. */
int walk_open(int dirfd, const char *name, int flags);
/* The target of a symlink, into out->target and out->size; errno on -1. */
int walk_target(int dirfd, const char *name, struct meta *out);

/* ---- names ------------------------------------------------------------------- */

struct names {
	char *text;		/* NUL ended names, one after the other */
	size_t used, size;
	const char **list;	/* in byte order */
	size_t count, capacity;
};
/* All names of a directory but . and .., sorted.  -1: errno. */
int names_read(int fd, struct names *out);
void names_free(struct names *n);

/* ---- what is left out ---------------------------------------------------------- */

/* path: below the source.  A pattern with a "/" in it is held against the whole
 * path, others against the name too; one that ends in "/" means directories. */
bool walk_is_excluded(const struct ingest_options *o, const char *path,
		      const char *name, bool is_directory);

/* The same for a path out of an archive, with all directories on its way: 1, or 0. */
int walk_path_is_excluded(const struct ingest_options *o, const char *path,
			  bool is_directory, struct err *e);

/* How much there is below the directory fd: for progress alone, what it cannot
 * reach it leaves out.  false: is_over() said so first. */
bool walk_count(int fd, const struct ingest_options *o, bool (*is_over)(void *arg), void *arg,
		uint64_t *items, uint64_t *bytes);

/* ---- the version before ----------------------------------------------------------- */

/* One directory's entries in the version before, in byte order, page by page. */
struct prior_list;
struct prior_list *prior_list_new(void);	/* NULL without memory */
void prior_list_free(struct prior_list *p);
/* directory 0: an empty list.  c: borrowed until the next start.  From the name that
 * follows `after` on; "": all. */
void prior_list_start(struct prior_list *p, struct catalogue *c, int64_t version,
		      int64_t directory, const char *after);
/* *entry NULL at the end; node goes with it. */
int prior_list_peek(struct prior_list *p, const struct entry **entry,
		    const struct node **node, struct err *e);
void prior_list_next(struct prior_list *p);

#endif

/*
 * The tree of a mount: what has which name, what stands under which node id.
 *
 * Above the versions (look_above.c) things come and go, and the kernel may
 * keep them for a second; below a version (look_within.c) nothing ever changes
 * but by events that we announce, and it may keep them for ever.
 */
#ifndef FS_MOUNT_LOOK_H
#define FS_MOUNT_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "fs/mount/place.h"

struct catalogue;
struct err;
struct mount;
struct node;
struct recent_node;

#define LOOK_FOREVER 1e9	/* seconds; the kernel cuts it at what it can hold */
#define LOOK_MOMENT 1.0

struct found {
	uint64_t ino;		/* 0: there is none, and that may be kept */
	struct stat st;
	double entry_timeout, attr_timeout;
};

/* MUNI_NOT_FOUND: no such name, and that may not be kept; found with ino 0: no
 * such name below a version. */
int look_up(struct mount *m, struct catalogue *c, uint64_t parent, const char *name,
	    struct found *out, struct err *e);
/* MUNI_NOT_FOUND: no such node, or not for this mount. */
int look_at(struct mount *m, struct catalogue *c, uint64_t ino, struct found *out,
	    struct err *e);
int look_parent(struct mount *m, struct catalogue *c, uint64_t ino, uint64_t *out,
		struct err *e);

struct look_row {
	const char *name;
	uint64_t next;		/* the offset behind this entry */
	mode_t type;
	uint64_t ino;
	const struct found *found;	/* NULL unless asked for, and for . and .. */
	bool is_bare;		/* a directory whose attributes were left out */
};

enum look_depth {
	LOOK_NAMES,
	LOOK_ATTRS,
	/* With attributes, but of directories only the first LOOK_DIRECTORIES: each
	 * child's stand somewhere else in the catalogue, and who only wants names shall
	 * not wait for thousands.  All of them where anything may be hidden. */
	LOOK_GLANCE,
};
#define LOOK_DIRECTORIES 32

/* Entries from `offset` on, "." and ".." first.  row(): 0 go on, 1 it did not
 * fit: stop. */
int look_list(struct mount *m, struct catalogue *c, uint64_t ino, uint64_t offset,
	      enum look_depth depth, int (*row)(void *arg, const struct look_row *r), void *arg,
	      struct err *e);

/* malloc'ed. */
int look_link(struct mount *m, struct catalogue *c, uint64_t ino, char **out,
	      struct err *e);
/* The numbers of a node below a version; MUNI_NOT_FOUND also for what is ours. */
int look_node(struct mount *m, struct catalogue *c, uint64_t ino,
	      struct recent_node *out, struct err *e);

/* ---- between the look_*.c files ------------------------------------------------ */

/* The root stands for a system's folder or a version's top in some mounts. */
bool look_place(const struct mount *m, uint64_t ino, struct place *out);
bool look_ino(const struct mount *m, const struct place *p, uint64_t *out);

int above_up(struct mount *m, struct catalogue *c, const struct place *parent,
	     const char *name, struct found *out, struct err *e);
int above_at(struct mount *m, struct catalogue *c, const struct place *p,
	     struct found *out, struct err *e);
int above_list(struct mount *m, struct catalogue *c, const struct place *p, uint64_t offset,
	       bool with_attrs, int (*row)(void *arg, const struct look_row *r), void *arg,
	       struct err *e);
int above_link(struct mount *m, struct catalogue *c, const struct place *p, char **out,
	       struct err *e);

int within_up(struct mount *m, struct catalogue *c, const struct place *parent,
	      const char *name, struct found *out, struct err *e);
int within_at(struct mount *m, struct catalogue *c, const struct place *p,
	      struct found *out, struct err *e);
int within_list(struct mount *m, struct catalogue *c, const struct place *p, uint64_t offset,
		enum look_depth depth, int (*row)(void *arg, const struct look_row *r), void *arg,
		struct err *e);
/* MUNI_NOT_FOUND for a class that is not shown. */
int within_node(struct mount *m, struct catalogue *c, const struct place *p,
		struct node *out, struct err *e);
/* Into the table of recent nodes; out may be NULL. */
void within_note(struct mount *m, uint64_t ino, const struct node *n,
		 struct recent_node *out);
int within_parent(struct mount *m, struct catalogue *c, const struct place *p,
		  struct place *out, struct err *e);

#endif

/*
 * What this mount shows: which classes, which versions, how much in all.  Read
 * from the catalogue at start and whenever it changed.  Thread-safe.
 *
 *   W1  A restricted class is never shown.
 *   W2  Where other users may enter (allow_other), a class with an access list
 *       is shown only to the audience that the mount was given.
 *   W3  A class that the view does not know (yet) is not shown.
 *   W4  No count that the mount gives has what is not shown in it.
 */
#ifndef FS_MOUNT_VIEW_H
#define FS_MOUNT_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/mount/hidden.h"

struct catalogue;
struct err;
struct mount;
struct node;
struct view;

struct view_change {
	bool is_first;		/* nothing was known before */
	bool is_shrunk;		/* a version or class is gone, or shows otherwise */
	int64_t newest_before;	/* versions with higher ids are new */
	struct node_set nodes;	/* shown now and not before, or the other way round; owned */
};

struct view_version {
	int64_t id, system, root;
	int64_t ingested;
};

struct view_totals {
	uint64_t bytes, nodes;
};

struct view *view_new(const struct mount *m);	/* m borrowed; NULL without memory */
void view_free(struct view *v);
/* what->nodes is the caller's to free.  The first time it also checks that every class
 * named by classes= exists (MUNI_USAGE). */
int view_refresh(struct view *v, struct catalogue *c, struct view_change *what,
		 struct err *e);

/* Every class of the node has to be shown.  A directory has none, unless it was a record
 * itself, an empty one. */
bool view_shows(struct view *v, const struct node *n);
/* Every class of the catalogue, as it is now, is shown: so is every node. */
int view_hides_nothing(const struct mount *m, struct catalogue *c, bool *out, struct err *e);
/* A sealed version.  Looks into the catalogue before it says no. */
bool view_version(struct view *v, struct catalogue *c, int64_t id, struct view_version *out);
/* The newest of a system (0: of all); false if there is none. */
bool view_newest(struct view *v, int64_t system, struct view_version *out);
/* Calls row for each version with id above `after`, oldest first. */
void view_each(struct view *v, int64_t after,
	       void (*row)(void *arg, const struct view_version *version), void *arg);

/* Whether something that stands in the directory is not shown, in some version: then
 * what its source said of links and size would tell of it. */
bool view_hides_in(struct view *v, int64_t directory);
/* Counts what is not shown: the first who asks after a change pays for a walk over the
 * catalogue, where there is anything to hide. */
int view_count(struct view *v, struct catalogue *c, struct err *e);
/* What is shown, in all; false: view_count() first. */
bool view_totals(struct view *v, struct view_totals *out);
/* The same of one version's counts: what of them is not shown. */
bool view_left_out(struct view *v, int64_t version, struct hidden_counts *out);

#endif

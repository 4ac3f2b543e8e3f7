/*
 * What view.c and view_count.c share.  Only these include it.
 */
#ifndef FS_MOUNT_VIEW_INSIDE_H
#define FS_MOUNT_VIEW_INSIDE_H

#include <pthread.h>

#include "fs/mount/view.h"
#include "fs/store/catalogue.h"

#define UNCLASSIFIED 1		/* the class of what nobody classified */

struct shown_class {
	int64_t id;
	bool is_shown;
	bool is_restricted;
	char code[sizeof ((struct record_class *)0)->code];
};

struct state {			/* one reading of the catalogue */
	struct shown_class *classes;
	size_t class_count;
	struct view_version *versions;	/* by id */
	size_t version_count;
	struct view_totals all;	/* of the versions, with what is not shown */
	struct node_set hidden;	/* nodes of restricted classes */
	struct node_set beside;	/* of classes that are not shown, besides one that is */
	struct node_set folders;	/* directories that hidden ones stand in */
	bool hides_classes;	/* also others than restricted ones are not shown */
	/* protected by the view's `counting` */
	struct hidden_counts *left_out;	/* one a version; NULL: not yet counted */
};

struct view {
	const struct mount *m;	/* borrowed */
	pthread_mutex_t counting;	/* taken before lock */
	pthread_rwlock_t lock;	/* protects state */
	struct state state;
	bool is_read;
};

/* By id; NULL: no such version in it. */
const struct view_version *view_find_version(const struct state *s, int64_t id);

#endif

/*
 * A step of the start that is done beside others, by a thread of its own which is over
 * before the sandbox closes.
 */
#ifndef FS_MOUNT_BESIDE_H
#define FS_MOUNT_BESIDE_H

#include <pthread.h>
#include <stdbool.h>

#include "fs/base/err.h"

struct mount;

struct beside {			/* the caller's; zeros: nothing was begun */
	struct mount *m;
	int (*step)(struct mount *m, struct err *e);
	pthread_t thread;
	bool has_thread;	/* not yet joined */
	int rc;
	struct err e;
};

/* Without a thread to be had the step is done at once. */
void beside_start(struct beside *b, int (*step)(struct mount *m, struct err *e),
		  struct mount *m);
/* Waits; what the step said.  May be called again. */
int beside_finish(struct beside *b, struct err *e);

#endif

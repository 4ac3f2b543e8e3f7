/*
 * Workers that fill or check one file each, while the caller's thread goes
 * through the tree.  At most a few files a worker are under way.
 */
#ifndef FS_VAULT_EXPORT_CREW_H
#define FS_VAULT_EXPORT_CREW_H

#include "fs/crypt/digest.h"
#include "fs/vault/export_inside.h"

struct crew;

struct crew_hand {		/* what a worker has for its own */
	struct export_content *content;
	struct hasher *hasher;
	uint8_t *buffer;	/* EXPORT_PIECE */
};

struct crew_task {
	int fd;			/* owned by the crew */
	struct export_item *item;	/* owned by the crew */
	bool is_existing;	/* the file was there from an earlier run */
	bool was_kept;		/* out: and was whole */
	uint32_t lost;		/* out: bits of enum export_loss */
	struct err failure;	/* out */
	struct crew_task *next;
};

/* Runs in a worker. */
typedef void (*crew_work)(struct crew_hand *hand, struct crew_task *task);
/* Runs in the caller's thread, for each finished task.  -1: stop (e filled). */
typedef int (*crew_settle)(void *arg, struct crew_task *task, struct err *e);

int crew_start(struct export *x, crew_work work, crew_settle settle, void *arg,
	       struct crew **out, struct err *e);
/* fd and item become the crew's, on failure too.  Waits while too many are under
 * way; settles what is finished. */
int crew_give(struct crew *c, int fd, struct export_item *item, bool is_existing,
	      struct err *e);
/* Waits for all and settles them. */
int crew_finish(struct crew *c, struct err *e);
void crew_stop(struct crew *c);	/* NULL is allowed */

#endif

/*
 * Going with the archive into its next epoch while the mount serves (design 3.5, step 6;
 * 3.6): no request is told anything of the old one once this has returned 0, the kernel
 * keeps nothing of what went, and its key is wiped.
 */
#ifndef FS_MOUNT_FOLLOW_H
#define FS_MOUNT_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

struct catalogue;
struct err;
struct mount;
struct node_set;
struct vault_epoch;

struct follow {
	struct vault_epoch *old;	/* owned; what it told is not all taken back yet */
	bool shows_otherwise;	/* nodes came or went by their class, too, on the way */
};

/*
 * *mine: the caller's own connection, which is closed and opened anew.  key: 32 bytes,
 * borrowed; NULL is an error unless the mount has moved already.  A call that failed
 * may be given again, for the same epoch.
 */
int follow_epoch(struct mount *m, struct follow *f, struct catalogue **mine, uint64_t epoch,
		 const uint8_t *key, struct err *e);
/* In the present epoch: the view was read anew, and these nodes show otherwise. */
int follow_nodes(struct mount *m, struct catalogue *mine, const struct node_set *nodes,
		 struct err *e);
/* A switch went by without us: takes all back, so that the caller can end the mount. */
/*
 * Reads the archive from now on as one that is not on a full disk, where that has room again
 * (fs/vault/frozen.h).  *mine: the caller's connection, as in follow_epoch(); NULL on return:
 * the mount has to end.
 */
int follow_room(struct mount *m, struct catalogue **mine, struct err *e);
void follow_is_lost(struct mount *m, struct catalogue *mine);
void follow_close(struct follow *f);

#endif

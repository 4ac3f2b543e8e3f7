/*
 * A thread that waits for news of the archive (presence, and the catalogue's
 * own counter every second, should the news not come) and takes back from the
 * kernel what is no longer true.
 *
 * From a thread of its own, because the kernel may hold, while it drops an
 * entry, what a request being answered needs.
 */
#ifndef FS_MOUNT_WATCH_H
#define FS_MOUNT_WATCH_H

struct err;
struct mount;
struct watch;

int watch_start(struct mount *m, struct watch **out, struct err *e);
void watch_stop(struct watch *w);	/* joins; NULL is allowed */

#endif

/*
 * The session with the kernel: mount, loop, end.
 */
#ifndef FS_MOUNT_SESSION_H
#define FS_MOUNT_SESSION_H

#include <stdbool.h>

struct err;
struct fuse_session;
struct mount;

/* Mounts; m->session is set. */
int session_open(struct mount *m, struct err *e);
/* Until unmounted or, then *was_signalled, stopped by SIGHUP, SIGINT, SIGTERM. */
int session_loop(struct fuse_session *s, unsigned threads, bool *was_signalled,
		 struct err *e);
/* After the unmounting, which is not done here (unmounter.h). */
void session_close(struct fuse_session *s);

#endif

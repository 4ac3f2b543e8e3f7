/*
 * Unmounting is more than a sandboxed program may do, so a helper forked before
 * does it: when it is told to, and when its munifs dies without a word, so that
 * a killed mount leaves no dead mountpoint behind.
 */
#ifndef FS_MOUNT_UNMOUNTER_H
#define FS_MOUNT_UNMOUNTER_H

#include <stdbool.h>

struct err;

/* Forks the helper for this (absolute) mountpoint.  Returns a descriptor: the
 * helper lives until it is closed. */
int unmounter_start(const char *mountpoint, struct err *e);
/* Unmounts, lazily, and waits until it is done; ends the helper, closes *fd. */
void unmounter_unmount(int *fd);
/* There is nothing (left) to unmount; ends the helper, closes *fd. */
void unmounter_dismiss(int *fd);

/* At once, in this process. */
void unmounter_now(const char *mountpoint);
/* Whether a mount stood there whose program is gone; it is taken away then, and that very
 * one: not what somebody mounts on the same place in the same moment. */
bool unmounter_take_dead(const char *mountpoint);
/* Path of fusermount3; NULL if it is not installed. */
const char *unmounter_fusermount(void);

#endif

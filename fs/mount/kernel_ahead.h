/*
 * How far the kernel itself asks ahead of who reads a file from front to back: its 128 KiB
 * are one request on its way at a time.  A file system may only make it less; root can say more,
 * for this mount, in sysfs (Documentation/ABI/testing/sysfs-class-bdi of the kernel).
 */
#ifndef FS_MOUNT_KERNEL_AHEAD_H
#define FS_MOUNT_KERNEL_AHEAD_H

#include <stddef.h>

/* What it is said by, for who is mounted there: a descriptor (owned by the caller), before the
 * sandbox; -1: this user, or this system, cannot.  Asks the mount nothing. */
int kernel_ahead_open(const char *mountpoint);
/* Closes *fd.  bytes: what the handshake is to say besides; 0: it was not taken. */
size_t kernel_ahead_set(int *fd, size_t bytes);

#endif

/*
 * What can be seen to be wrong before anything is mounted, each with a sentence
 * that says what to do.
 */
#ifndef FS_MOUNT_CHECKS_H
#define FS_MOUNT_CHECKS_H

struct err;
struct mount_options;

/* Makes archive, mountpoint and key paths absolute: a daemon leaves its folder.
 * A dead mount found on the mountpoint (its munifs was killed) is unmounted. */
int checks_before(struct mount_options *o, struct err *e);

#endif

/*
 * The process that writes for an audited mount.
 */
#ifndef FS_MOUNT_RECORDER_H
#define FS_MOUNT_RECORDER_H

struct err;
struct mount_options;

/* Forks it; returns a SOCK_SEQPACKET socket, one JSON object a message.  It ends,
 * having written everything, when the last copy of the socket is closed. */
int recorder_start(const struct mount_options *o, struct err *e);

#endif

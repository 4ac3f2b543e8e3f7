/*
 * The kernel's end of the mount, as we write to it.
 *
 *   D1  A reply that cannot be written is written again where that may help; else the
 *       kernel is told EIO for it in 16 bytes, so that whoever waits is not left waiting.
 *       The mount goes on.
 *   D2  A notification (what is to be dropped) that the kernel did not take is counted:
 *       who must know that it was told compares device_untold() before and after.
 *   D3  The first reply is to the handshake.  Once the kernel has it the mount serves
 *       (on_ready); where it is an error, or could not be written, the kernel refuses all
 *       that follows and asks nothing more: the session ends, and was_refused says why.
 */
#ifndef FS_MOUNT_DEVICE_H
#define FS_MOUNT_DEVICE_H

struct err;
struct mount;

/* After fuse_session_mount(): m->session writes through us. */
int device_attach(struct mount *m, struct err *e);
unsigned long device_untold(const struct mount *m);

#endif

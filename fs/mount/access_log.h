/*
 * Who opened what: on an audited mount every open goes, with time, uid, pid,
 * version and path, into the archive's log.
 *
 * The mount itself may only read.  So a recorder process, forked before the
 * sandbox closed, writes for it: it gathers opens for a few seconds and appends
 * them as one entry.  While another writer holds the archive it waits, and
 * keeps what it was told.
 *
 *   A1  An open succeeds only once the recorder has been told of it.
 *   A2  Without its recorder the mount opens nothing more (EIO).
 *   A3  At unmount what was gathered is written before the recorder ends.
 */
#ifndef FS_MOUNT_ACCESS_LOG_H
#define FS_MOUNT_ACCESS_LOG_H

#include <stdint.h>

struct access_log;
struct catalogue;
struct err;
struct fuse_ctx;
struct mount;
struct mount_options;
struct place;

/* Forks: before any thread, before any connection to the catalogue. */
int access_log_start(const struct mount_options *o, struct access_log **out, struct err *e);
/* By which name a node was found last; the open that follows means that one. */
void access_log_note(struct access_log *a, uint64_t ino, const struct place *parent,
		     const char *name);
int access_log_open(struct access_log *a, struct mount *m, struct catalogue *c, uint64_t ino,
		    const struct fuse_ctx *who, struct err *e);
/* Wipes the names that it remembers. */
void access_log_forget(struct access_log *a);
void access_log_stop(struct access_log *a);	/* NULL is allowed; A3 is the recorder's */

#endif

/*
 * What the parts of munifs share about the one mount that a process serves.
 */
#ifndef FS_MOUNT_MOUNT_H
#define FS_MOUNT_MOUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fs/mount/options.h"
#include "fs/vault/reader.h"
#include "fs/vault/vault.h"

struct access_log;
struct ahead;
struct cursors;
struct family;
struct fuse_session;
struct listings;
struct messages;
struct pool;
struct presence;
struct recent;
struct status;
struct view;

enum mount_shape {
	MOUNT_ARCHIVE,		/* /SYSTEM/versions/LABEL/... and /.muniment */
	MOUNT_SYSTEM,		/* system=: the system's folder is the root */
	MOUNT_VERSION,		/* system=,version=: the version's tree is the root */
};

struct mount {
	struct mount_options o;
	enum mount_shape shape;
	struct system system;	/* MOUNT_SYSTEM, MOUNT_VERSION */
	struct version version;	/* MOUNT_VERSION */
	uint32_t owner_uid, owner_gid;	/* of what is ours: folders above versions */

	struct vault *vault;		/* owned by main() */
	struct block_cache *blocks;
	struct pool *pool;
	struct view *view;
	struct recent *recent;
	struct cursors *cursors;
	struct family *family;
	struct listings *listings;
	struct ahead *ahead;
	struct status *status;
	struct messages *messages;
	struct access_log *access_log;	/* NULL unless audited */
	struct presence *presence;	/* NULL where registering failed */
	atomic_llong shown_since;	/* ns since 1970: the mount shows other things than
					 * before (attr.h); 0: it never did */
	uint64_t generation;		/* of the catalogue when the view was first read */
	struct fuse_session *session;
	atomic_ulong untold;		/* notifications that the kernel did not take (device.h) */
	atomic_bool has_replied, was_refused;	/* the handshake (device.h) */
	int folder;			/* the archive's */

	/* Set by the handshake, before any other request. */
	bool can_no_open, can_no_opendir;
	void (*on_ready)(struct mount *m);	/* the mount serves from here */
	int kernel_ahead_fd;		/* kernel_ahead.h; -1 */
	size_t kernel_readahead;	/* as it was said; 0: the kernel's own */
	int ready_fd;			/* for on_ready: who waits for the news; -1 */
	int null_fd;			/* /dev/null, to leave the terminal with */
	unsigned helpers;		/* threads that decode ahead */
};

#define MOUNT_MAX_READ (1024u * 1024)

#endif

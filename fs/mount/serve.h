/*
 * One mount from an unlocked archive to the last request.
 */
#ifndef FS_MOUNT_SERVE_H
#define FS_MOUNT_SERVE_H

struct access_log;
struct err;
struct mount_options;

struct serve_ends {		/* descriptors; -1: there is none */
	int ready;		/* one byte is written here once the mount serves */
	int unmounter;
	struct access_log *access_log;	/* borrowed; NULL unless audited */
};

/* Returns when it was unmounted or told to stop by a signal. */
int serve(const struct mount_options *o, struct serve_ends *ends, struct err *e);

#endif

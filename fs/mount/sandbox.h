/*
 * The sandbox that munifs closes around itself before it decodes the first
 * byte: no new privileges, no dumps, a list of system calls (seccomp), and where
 * the kernel has Landlock no file but the archive's, read-only, except the
 * catalogue's WAL and its index, and the run folder.  A bug in a decoder then
 * reaches nothing but what the mount shows anyway.
 */
#ifndef FS_MOUNT_SANDBOX_H
#define FS_MOUNT_SANDBOX_H

struct err;

struct sandbox_paths {
	const char *archive;
	int run;		/* the run folder (borrowed); -1: there is none */
};

/* Before any thread that lasts is started; they inherit it. */
int sandbox_enter(const struct sandbox_paths *paths, struct err *e);

#endif

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
struct sandbox_filter;

struct sandbox_paths {
	const char *archive;
	int run;		/* the run folder (borrowed); -1: there is none */
};

/* The list of calls, made before it is needed; NULL without memory. */
struct sandbox_filter *sandbox_filter_new(void);
void sandbox_filter_free(struct sandbox_filter *f);	/* NULL is allowed */

/* Before any thread that lasts is started; they inherit it.  f: NULL: it is made now. */
int sandbox_enter(const struct sandbox_paths *paths, struct sandbox_filter *f, struct err *e);

#endif

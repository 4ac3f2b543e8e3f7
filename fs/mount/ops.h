/*
 * What the kernel asks and how it is answered.  Each operation: take a reader,
 * one question to look.h or the vault, give the reader back, reply.
 */
#ifndef FS_MOUNT_OPS_H
#define FS_MOUNT_OPS_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

struct err;
struct mount;
struct vault_reader;

/* The session's userdata is the struct mount. */
extern const struct fuse_lowlevel_ops mount_ops;


/* ---- between the ops*.c files --------------------------------------------------- */

struct mount *ops_mount(fuse_req_t req);
/* NULL: the request was answered with an error. */
struct vault_reader *ops_begin(fuse_req_t req);
/* After the answer, for who waits until all readers are back (pool_shut()) relies on it
 * that nothing said from them is still to come.  Takes the mount, not the request: an
 * answered request is gone. */
void ops_end(struct mount *m, struct vault_reader *r);
/* Before ops_end(): wipes a name where it stands, in libfuse's buffer of the request, which
 * stays as it is while its thread has nothing to do: what is destroyed then would be left. */
void ops_forget_name(const char *name);
/* Replies with the errno that e->code stands for; tells of damage. */
void ops_fail(fuse_req_t req, uint64_t ino, const struct err *e);
/* The same where the node itself was asked for: one that is gone is stale. */
void ops_fail_node(fuse_req_t req, uint64_t ino, const struct err *e);

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi);
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
	     struct fuse_file_info *fi);
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
	      struct fuse_file_info *fi);
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);

#endif

#include "fs/mount/ops.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/mount/kernel_ahead.h"
#include "fs/mount/look.h"
#include "fs/mount/messages.h"
#include "fs/mount/mount.h"
#include "fs/mount/pool.h"
#include "fs/mount/view.h"

#define STATFS_BLOCK 4096u
#define BACKGROUND 64

struct mount *ops_mount(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* The one table from our codes to errno. */
static int errno_of(enum muni_code code)
{
	switch (code) {
	case MUNI_NOT_FOUND:	return ENOENT;
	case MUNI_NO_MEMORY:	return ENOMEM;
	case MUNI_LIMIT:	return EOVERFLOW;
	case MUNI_UNSUPPORTED:	return EOPNOTSUPP;
	case MUNI_BUSY:		return EAGAIN;
	case MUNI_REFUSED:	return EACCES;
	default:		return EIO;
	}
}

void ops_fail(fuse_req_t req, uint64_t ino, const struct err *e)
{
	if (e->code != MUNI_NOT_FOUND)
		messages_say(ops_mount(req)->messages, "node %llx: %s",
			     (unsigned long long)ino, e->text);
	fuse_reply_err(req, errno_of(e->code));
}

void ops_fail_node(fuse_req_t req, uint64_t ino, const struct err *e)
{
	if (e->code == MUNI_NOT_FOUND)
		fuse_reply_err(req, ESTALE);
	else
		ops_fail(req, ino, e);
}

struct vault_reader *ops_begin(fuse_req_t req)
{
	struct vault_reader *r;
	struct err e = ERR_NONE;

	if (pool_take(ops_mount(req)->pool, &r, &e) == 0)
		return r;
	ops_fail(req, 0, &e);
	return NULL;
}

void ops_end(struct mount *m, struct vault_reader *r)
{
	pool_give(m->pool, r);
}

/* ---- the handshake ---------------------------------------------------------------- */

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct mount *m = userdata;
	const unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
				FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_EXPORT_SUPPORT |
				FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_READDIRPLUS;

	conn->want |= conn->capable & wanted;
	/* Else the kernel takes an open that is "not implemented" for a file cut to nothing,
	 * where somebody remounted for writing. */
	conn->want &= ~(unsigned)FUSE_CAP_ATOMIC_O_TRUNC;
	conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
	/* Without this the kernel reads only mode bits, and a mask in an ACL makes
	 * those of the group look like more than the source gave. */
	conn->want |= conn->capable & FUSE_CAP_POSIX_ACL;
	conn->max_background = BACKGROUND;
	conn->congestion_threshold = BACKGROUND * 3 / 4;
	conn->max_read = MOUNT_MAX_READ;	/* must equal the mount option */
	conn->time_gran = 1;
	if (m->o.kernel_readahead > 0)
		m->kernel_readahead = kernel_ahead_set(&m->kernel_ahead_fd,
						       m->o.kernel_readahead);
	if (m->kernel_readahead > 0)
		conn->max_readahead = (unsigned)m->kernel_readahead;
	m->can_no_open = conn->capable & FUSE_CAP_NO_OPEN_SUPPORT;
	m->can_no_opendir = conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT;
}

/* ---- names and attributes ---------------------------------------------------------- */

void ops_forget_name(const char *name)
{
	explicit_bzero((char *)(uintptr_t)name, strlen(name));
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct mount *m = ops_mount(req);
	struct vault_reader *r = ops_begin(req);
	struct fuse_entry_param entry = { 0 };
	struct err e = ERR_NONE;
	struct found f;

	if (!r)
		return;
	if (strlen(name) > CATALOGUE_NAME_MAX) {
		fuse_reply_err(req, ENAMETOOLONG);
	} else if (look_up(m, vault_reader_catalogue(r), parent, name, &f, &e) < 0) {
		ops_fail(req, parent, &e);
	} else {
		entry.ino = f.ino;
		entry.attr = f.st;
		entry.entry_timeout = f.entry_timeout;
		entry.attr_timeout = f.attr_timeout;
		fuse_reply_entry(req, &entry);
	}
	ops_forget_name(name);
	ops_end(m, r);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mount *m = ops_mount(req);
	struct vault_reader *r = ops_begin(req);
	struct err e = ERR_NONE;
	struct found f;

	(void)fi;
	if (!r)
		return;
	if (look_at(m, vault_reader_catalogue(r), ino, &f, &e) < 0)
		ops_fail_node(req, ino, &e);
	else
		fuse_reply_attr(req, &f.st, f.attr_timeout);
	ops_end(m, r);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct mount *m = ops_mount(req);
	struct vault_reader *r = ops_begin(req);
	struct err e = ERR_NONE;
	char *target;

	if (!r)
		return;
	if (look_link(m, vault_reader_catalogue(r), ino, &target, &e) < 0)
		ops_fail_node(req, ino, &e);
	else if (strlen(target) >= PATH_MAX)	/* the kernel makes EIO of a longer reply */
		fuse_reply_err(req, ENAMETOOLONG);
	else
		fuse_reply_readlink(req, target);
	if (target)	/* what is destroyed later must not lie about in free memory */
		explicit_bzero(target, strlen(target));
	free(target);
	ops_end(m, r);
}

/* Logical bytes and nodes, nothing free. */
static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct mount *m = ops_mount(req);
	struct view_totals totals;
	struct err e = ERR_NONE;
	struct statvfs st = { .f_bsize = STATFS_BLOCK, .f_frsize = STATFS_BLOCK,
			      .f_namemax = CATALOGUE_NAME_MAX };

	while (!view_totals(m->view, &totals)) {
		struct vault_reader *r = ops_begin(req);
		if (!r)
			return;
		int rc = view_count(m->view, vault_reader_catalogue(r), &e);
		if (rc < 0)
			ops_fail(req, ino, &e);
		ops_end(m, r);
		if (rc < 0)
			return;
	}
	st.f_blocks = totals.bytes / STATFS_BLOCK + (totals.bytes % STATFS_BLOCK != 0);
	st.f_files = totals.nodes;
	fuse_reply_statfs(req, &st);
}

/* There is nothing to forget: ids are keys, not pointers. */
static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	(void)ino;
	(void)count;
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	(void)count;
	(void)forgets;
	fuse_reply_none(req);
}

/* "Not implemented" is remembered by the kernel: no opendir is sent again, and
 * directories are cached as if each had asked for it. */
static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	if (ops_mount(req)->can_no_opendir) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	fi->keep_cache = 1;
	fi->cache_readdir = 1;
	fuse_reply_open(req, fi);
}

/* ---- every write -------------------------------------------------------------------- */

/* The kernel refuses for us while the mount is read-only; these answer for one
 * that somebody remounted read-write. */
static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set,
		       struct fuse_file_info *fi)
{
	(void)ino; (void)st; (void)to_set; (void)fi;
	fuse_reply_err(req, EROFS);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		     dev_t rdev)
{
	(void)parent; (void)name; (void)mode; (void)rdev;
	fuse_reply_err(req, EROFS);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)parent; (void)name; (void)mode;
	fuse_reply_err(req, EROFS);
}

static void op_remove(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent; (void)name;
	fuse_reply_err(req, EROFS);
}

static void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	(void)link; (void)parent; (void)name;
	fuse_reply_err(req, EROFS);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		      fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
	(void)parent; (void)name; (void)new_parent; (void)new_name; (void)flags;
	fuse_reply_err(req, EROFS);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino; (void)parent; (void)name;
	fuse_reply_err(req, EROFS);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size,
		     off_t offset, struct fuse_file_info *fi)
{
	(void)ino; (void)data; (void)size; (void)offset; (void)fi;
	fuse_reply_err(req, EROFS);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	(void)parent; (void)name; (void)mode; (void)fi;
	fuse_reply_err(req, EROFS);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
			size_t size, int flags)
{
	(void)ino; (void)name; (void)value; (void)size; (void)flags;
	fuse_reply_err(req, EROFS);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino; (void)name;
	fuse_reply_err(req, EROFS);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset,
			 off_t length, struct fuse_file_info *fi)
{
	(void)ino; (void)mode; (void)offset; (void)length; (void)fi;
	fuse_reply_err(req, EROFS);
}

static void op_copy_file_range(fuse_req_t req, fuse_ino_t in, off_t in_offset,
			       struct fuse_file_info *in_fi, fuse_ino_t out,
			       off_t out_offset, struct fuse_file_info *out_fi, size_t size,
			       int flags)
{
	(void)in; (void)in_offset; (void)in_fi; (void)out; (void)out_offset; (void)out_fi;
	(void)size; (void)flags;
	fuse_reply_err(req, EROFS);
}

const struct fuse_lowlevel_ops mount_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.open = op_open,
	.read = op_read,
	.lseek = op_lseek,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.statfs = op_statfs,
	.setattr = op_setattr,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_remove,
	.rmdir = op_remove,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.write = op_write,
	.create = op_create,
	.setxattr = op_setxattr,
	.removexattr = op_removexattr,
	.fallocate = op_fallocate,
	.copy_file_range = op_copy_file_range,
};

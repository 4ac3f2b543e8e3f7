/*
 * The order counts: owner first (it clears setuid and capabilities), then
 * attributes while our own mode still lets us, then the mode, then the access
 * list (whose mask is the mode's group bits), and times last.
 */
#include "fs/vault/export_meta.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/base/text.h"
#include "fs/store/xattrs.h"

#define ACL_PREFIX "system.posix_acl_"

/* One thing in the target: by descriptor, or by name below one. */
struct object {
	int fd;			/* -1: by name */
	int dirfd;
	const char *name;
	char path[300];		/* by name: through /proc, not followed at its end */
	const struct export_item *item;
	uint32_t *lost;
};

static void lose(const struct object *o, enum export_loss kind)
{
	*o->lost |= 1u << kind;
}

static bool is_refusal(int error)
{
	return error == EPERM || error == EACCES || error == EOPNOTSUPP || error == EINVAL ||
	       error == ENOSYS || error == EROFS;
}

static int failed(const struct object *o, const char *what, struct err *e)
{
	return err_errno(e, "setting %s of %s", what,
			 text_printable_n(o->item->path, o->item->path_size));
}

static int set_owner(const struct object *o, struct err *e)
{
	const struct node *n = &o->item->node;
	int rc = o->fd >= 0 ? fchown(o->fd, n->uid, n->gid)
			    : fchownat(o->dirfd, o->name, n->uid, n->gid, AT_SYMLINK_NOFOLLOW);

	if (rc < 0 && !is_refusal(errno))
		return failed(o, "the owner", e);
	if (rc < 0)
		lose(o, LOSS_OWNER);
	return 0;
}

struct setting {
	const struct object *object;
	bool is_acl;		/* set access lists; else all others */
};

static int set_one(void *arg, const struct xattr *x)
{
	const struct setting *s = arg;
	const struct object *o = s->object;
	bool is_acl = !strncmp(x->name, ACL_PREFIX, strlen(ACL_PREFIX));
	int rc;

	if (is_acl != s->is_acl)
		return 0;
	rc = o->fd >= 0 ? fsetxattr(o->fd, x->name, x->value, x->size, 0)
			: lsetxattr(o->path, x->name, x->value, x->size, 0);
	/* Too large for this file system is a loss too: ext4 says ENOSPC for it. */
	if (rc < 0)
		lose(o, is_acl ? LOSS_ACL
			: !strncmp(x->name, "user.", 5) ? LOSS_XATTR : LOSS_TRUSTED);
	return 0;
}

static int set_xattrs(const struct object *o, bool is_acl, struct err *e)
{
	struct setting s = { o, is_acl };

	if (!o->item->xattrs)
		return 0;
	return xattrs_each(o->item->xattrs, o->item->xattrs_size, set_one, &s, e);
}

static int set_mode(const struct object *o, struct err *e)
{
	const struct node *n = &o->item->node;
	int rc;

	if (n->kind == NODE_SYMLINK)
		return 0;	/* Linux keeps none for them */
	rc = o->fd >= 0 ? fchmod(o->fd, n->mode & 07777)
			: fchmodat(o->dirfd, o->name, n->mode & 07777, 0);
	if (rc < 0 && !is_refusal(errno))
		return failed(o, "the mode", e);
	if (rc < 0)
		lose(o, LOSS_MODE);
	return 0;
}

static int set_times(const struct object *o, struct err *e)
{
	const struct node *n = &o->item->node;
	const struct timespec times[2] = {
		{ n->atime.seconds, n->atime.ns }, { n->mtime.seconds, n->mtime.ns },
	};
	int rc = o->fd >= 0 ? futimens(o->fd, times)
			    : utimensat(o->dirfd, o->name, times, AT_SYMLINK_NOFOLLOW);

	if (rc < 0 && !is_refusal(errno))
		return failed(o, "the times", e);
	if (rc < 0)
		lose(o, LOSS_TIME_RANGE);
	return 0;
}

/* File systems clamp times and drop bits without a word. */
static int look_again(const struct object *o, struct err *e)
{
	const struct node *n = &o->item->node;
	struct stat st;
	int rc = o->fd >= 0 ? fstat(o->fd, &st)
			    : fstatat(o->dirfd, o->name, &st, AT_SYMLINK_NOFOLLOW);

	if (rc < 0)
		return failed(o, "attributes", e);
	if (st.st_mtim.tv_sec != n->mtime.seconds ||
	    (uint32_t)st.st_mtim.tv_nsec != n->mtime.ns)
		lose(o, st.st_mtim.tv_sec == n->mtime.seconds ? LOSS_TIME : LOSS_TIME_RANGE);
	if (st.st_uid != n->uid || st.st_gid != n->gid)
		lose(o, LOSS_OWNER);
	if (n->kind != NODE_SYMLINK && (st.st_mode & 07777) != (n->mode & 07777))
		lose(o, LOSS_MODE);
	lose(o, LOSS_CTIME);
	if (n->has_btime)
		lose(o, LOSS_BTIME);
	return 0;
}

static int apply(const struct object *o, struct err *e)
{
	if (set_owner(o, e) < 0 || set_xattrs(o, false, e) < 0 || set_mode(o, e) < 0 ||
	    set_xattrs(o, true, e) < 0 || set_times(o, e) < 0)
		return -1;
	return look_again(o, e);
}

int export_meta_fd(int fd, const struct export_item *item, uint32_t *lost, struct err *e)
{
	const struct object o = { .fd = fd, .item = item, .lost = lost };

	return apply(&o, e);
}

int export_meta_at(int dirfd, const char *name, const struct export_item *item,
		   uint32_t *lost, struct err *e)
{
	struct object o = { .fd = -1, .dirfd = dirfd, .name = name, .item = item,
			    .lost = lost };

	snprintf(o.path, sizeof o.path, "/proc/self/fd/%d/%s", dirfd, name);
	return apply(&o, e);
}

void export_meta_disinherit(int dirfd)
{
	(void)fremovexattr(dirfd, "system.posix_acl_default");
	(void)fremovexattr(dirfd, "system.posix_acl_access");
	(void)fchmod(dirfd, 0700);
}

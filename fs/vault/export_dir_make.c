/* The first pass: every entry made, every file given to a worker to be filled. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/export_dir_inside.h"
#include "fs/vault/export_meta.h"

static int made(const struct export_item *item, int rc, struct err *e)
{
	return rc < 0 ? err_errno(e, "making %s",
				  text_printable_n(item->path, item->path_size)) : 0;
}

/* Whatever stands under the name goes. */
static int clear_name(struct dir_export *d, int dirfd, const struct export_item *item,
		      struct err *e)
{
	if (discard_name(dirfd, item->name, d->target.workfd, e) == 0)
		return 0;
	return err_wrap(e, "%s", text_printable_n(item->path, item->path_size));
}

void export_dir_anchor(const struct export_item *item, char out[32])
{
	snprintf(out, 32, "n%lld", (long long)item->node.id);
}


static bool has_names(const struct export_item *item)
{
	return item->node.links > 1;
}

/* Another name of what was made before.  1: linked; 0: it has to be made. */
static int link_again(struct dir_export *d, int dirfd, const struct export_item *item,
		      struct err *e)
{
	char anchor[32];

	if (!has_names(item) || !export_links_find(&d->links, item->node.id))
		return 0;
	if (d->has_no_links) {
		export_lose(d->x, LOSS_LINK, item);
		return 0;
	}
	export_dir_anchor(item, anchor);
	if (clear_name(d, dirfd, item, e) < 0)
		return -1;
	if (linkat(d->target.workfd, anchor, dirfd, item->name, 0) == 0)
		return 1;
	if (errno == EMLINK) {
		export_lose(d->x, LOSS_LINK, item);
		return 0;
	}
	return made(item, -1, e);
}

/* The first of several names: kept at hand for the others. */
static int remember(struct dir_export *d, int dirfd, const struct export_item *item,
		    struct err *e)
{
	char anchor[32];

	if (!has_names(item) || export_links_find(&d->links, item->node.id))
		return 0;
	export_dir_anchor(item, anchor);
	if (file_remove(d->target.workfd, anchor, e) < 0)
		return -1;
	if (linkat(dirfd, item->name, d->target.workfd, anchor, 0) < 0) {
		if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
			return made(item, -1, e);
		d->has_no_links = true;
	}
	return export_links_add(&d->links, item->node.id, item->path, e);
}

/* Takes the item. */
static int make_file(struct dir_export *d, int dirfd, struct export_item *item, struct err *e)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	bool is_existing = false;
	struct stat st;
	int fd = -1;

	if (d->target.is_resumed)
		fd = openat(dirfd, item->name, flags);
	if (fd >= 0)
		is_existing = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
			(st.st_nlink == 1 || !d->x->live);	/* another's name, maybe */
	if (!is_existing) {
		file_close(&fd);
		if (clear_name(d, dirfd, item, e) < 0)
			goto bad;
		fd = openat(dirfd, item->name, flags | O_CREAT | O_EXCL, 0600);
		if (fd < 0) {
			made(item, -1, e);
			goto bad;
		}
	}
	if (remember(d, dirfd, item, e) < 0)
		goto bad;
	return crew_give(d->crew, fd, item, is_existing, e);
bad:
	file_close(&fd);
	export_item_free(item);
	return -1;
}

static mode_t type_of(enum node_kind kind)
{
	switch (kind) {
	case NODE_FIFO:
		return S_IFIFO;
	case NODE_SOCKET:
		return S_IFSOCK;
	case NODE_CHAR:
		return S_IFCHR;
	case NODE_BLOCK:
		return S_IFBLK;
	default:
		return S_IFREG;
	}
}

enum export_loss export_dir_loss_of(enum node_kind kind)
{
	switch (kind) {
	case NODE_SYMLINK:
		return LOSS_SYMLINK;
	case NODE_FIFO:
		return LOSS_FIFO;
	case NODE_SOCKET:
		return LOSS_SOCKET;
	default:
		return LOSS_DEVICE;
	}
}

static int make_special(struct dir_export *d, int dirfd, const struct export_item *item,
			struct err *e)
{
	const struct node *n = &item->node;
	int rc;

	if (d->target.is_resumed && clear_name(d, dirfd, item, e) < 0)
		return -1;
	if (n->kind == NODE_SYMLINK)
		rc = symlinkat(item->symlink, dirfd, item->name);
	else
		rc = mknodat(dirfd, item->name, type_of(n->kind) | 0600,
			     makedev(n->rdev_major, n->rdev_minor));
	/* Links out of an archive may be longer than any file system's. */
	if (rc < 0 && (errno == EPERM || errno == EOPNOTSUPP || errno == EINVAL ||
		       (errno == ENAMETOOLONG && n->kind == NODE_SYMLINK &&
			strlen(item->symlink) >= PATH_MAX))) {
		export_lose(d->x, export_dir_loss_of(n->kind), item);
		return 0;
	}
	if (made(item, rc, e) < 0)
		return -1;
	return remember(d, dirfd, item, e);
}

static int make_or_find(struct dir_export *d, int dirfd, const struct export_item *item,
			struct err *e)
{
	struct stat st;

	if (mkdirat(dirfd, item->name, 0700) == 0)
		return 0;
	if (errno != EEXIST || fstatat(dirfd, item->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return made(item, -1, e);
	if (S_ISDIR(st.st_mode))
		return 0;
	if (clear_name(d, dirfd, item, e) < 0)
		return -1;
	return made(item, mkdirat(dirfd, item->name, 0700), e);
}

static int make_directory(struct dir_export *d, int dirfd, struct export_item *item,
			  struct err *e)
{
	if (make_or_find(d, dirfd, item, e) < 0) {
		export_item_free(item);
		return -1;
	}
	if (place_enter(&d->place, item, e) < 0)
		return -1;
	if (d->target.is_resumed)
		export_meta_disinherit(place_fd(&d->place, e));
	return 0;
}

/* First pass.  Takes the item. */
int export_dir_make(struct dir_export *d, struct export_item *item, struct err *e)
{
	int dirfd = place_fd(&d->place, e), linked = 0, rc;

	if (dirfd < 0)
		goto bad;
	export_count(d->x, item);
	if (item->node.kind == NODE_DIRECTORY)
		return make_directory(d, dirfd, item, e);
	linked = link_again(d, dirfd, item, e);
	if (linked < 0)
		goto bad;
	if (linked == 0 && item->node.kind == NODE_FILE)
		return make_file(d, dirfd, item, e);
	rc = linked == 0 ? make_special(d, dirfd, item, e) : 0;
	export_item_free(item);
	return rc;
bad:
	export_item_free(item);
	return -1;
}

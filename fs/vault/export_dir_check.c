/* The second pass: what was made is read back and gets its attributes. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/export_dir_inside.h"
#include "fs/vault/export_meta.h"

void export_dir_lose(struct dir_export *d, uint32_t lost, const struct export_item *item)
{
	for (int kind = 0; kind < LOSS_COUNT; kind++)
		if (lost & 1u << kind)
			export_lose(d->x, (enum export_loss)kind, item);
}

/* For reading it back; our own file, even where its mode says that we may not. */
static int open_again(int dirfd, const struct export_item *item, struct err *e)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd = openat(dirfd, item->name, flags);

	if (fd < 0 && errno == EACCES && fchmodat(dirfd, item->name, 0600, 0) == 0)
		fd = openat(dirfd, item->name, flags);
	if (fd < 0)
		return err_errno(e, "reading %s back",
				 text_printable_n(item->path, item->path_size));
	return fd;
}

/* Another name of what was checked; not so where it had to become a copy. */
static bool is_checked(const struct dir_export *d, int dirfd, const struct export_item *item)
{
	struct stat first, this;
	char anchor[32];

	export_dir_anchor(item, anchor);
	return export_links_find(&d->links, item->node.id) &&
	       fstatat(d->target.workfd, anchor, &first, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(dirfd, item->name, &this, AT_SYMLINK_NOFOLLOW) == 0 &&
	       first.st_ino == this.st_ino && first.st_dev == this.st_dev;
}

/* What was made is looked at again and gets its attributes.  Takes the item. */
static int check_file(struct dir_export *d, int dirfd, struct export_item *item, struct err *e)
{
	int fd = open_again(dirfd, item, e);

	if (fd < 0)
		goto bad;
	if (d->bag && bag_add(d->bag, item, fd, e) < 0)
		goto bad;
	/* One name of several answers for all. */
	if (item->node.links > 1) {
		if (is_checked(d, dirfd, item)) {
			file_close(&fd);
			export_item_free(item);
			return 0;
		}
		if (!export_links_find(&d->links, item->node.id) &&
		    export_links_add(&d->links, item->node.id, item->path, e) < 0)
			goto bad;
	}
	return crew_give(d->crew, fd, item, true, e);
bad:
	file_close(&fd);
	export_item_free(item);
	return -1;
}

static int check_special(struct dir_export *d, int dirfd, const struct export_item *item,
			 struct err *e)
{
	uint32_t lost = 0;
	struct stat st;

	if (fstatat(dirfd, item->name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;	/* the target cannot hold it: told in the first pass */
	if (export_meta_at(dirfd, item->name, item, &lost, e) < 0)
		return -1;
	export_dir_lose(d, lost, item);
	return 0;
}

/* Filled in vain: it was counted, and stands under its name.  Takes the item. */
static int take_back(struct dir_export *d, int dirfd, struct export_item *item, struct err *e)
{
	struct export_result *r = d->x->result;
	int rc = discard_name(dirfd, item->name, d->target.workfd, e);

	r->files--;
	r->bytes -= item->node.size;
	export_item_free(item);
	return rc;
}

/* Second pass.  Takes the item. */
int export_dir_check(struct dir_export *d, struct export_item *item, struct err *e)
{
	int dirfd = place_fd(&d->place, e), rc = -1;

	if (dirfd >= 0 && item->is_dropped)
		return take_back(d, dirfd, item, e);
	if (dirfd >= 0 && item->node.kind == NODE_DIRECTORY)
		return place_enter(&d->place, item, e);
	if (dirfd >= 0 && item->node.kind == NODE_FILE)
		return check_file(d, dirfd, item, e);
	if (dirfd >= 0)
		rc = check_special(d, dirfd, item, e);
	export_item_free(item);
	return rc;
}

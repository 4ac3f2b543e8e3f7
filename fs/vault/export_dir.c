/*
 * Export to a directory, and to a bag, which is one.
 *
 * Twice through the tree.  First everything is made and filled, with our own
 * modes.  Then, all of it being on disk, every file is read back and compared,
 * and gets its attributes; a directory gets its own when it is left.  So what
 * has its final attributes was verified, and times are not disturbed by it.
 *
 * NAME.partial.work keeps a name of each file that has several, made after the
 * first of them, for the others to link to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/export_bag.h"
#include "fs/vault/export_crew.h"
#include "fs/vault/export_files.h"
#include "fs/vault/export_meta.h"
#include "fs/vault/export_place.h"
#include "fs/vault/export_target.h"

#define PAYLOAD "data"

struct dir_export {
	struct export *x;
	struct target target;
	bool is_bag;
	struct bag *bag;
	struct place place;
	struct crew *crew;
	struct export_links links;
	bool is_second;		/* pass */
	bool has_no_links;	/* the target's file system has no hard links */
	uint64_t unreadable, different;
	struct err first_failure;
};

/* ---- in the caller's thread --------------------------------------------------------- */

static void lose_all(struct dir_export *d, uint32_t lost, const struct export_item *item)
{
	for (int kind = 0; kind < LOSS_COUNT; kind++)
		if (lost & 1u << kind)
			export_lose(d->x, (enum export_loss)kind, item);
}

static void tell(struct dir_export *d, const char *sentence)
{
	const struct vault_monitor *m = d->x->monitor;

	if (m && m->notice)
		m->notice(m->arg, sentence);
}

/* A file that cannot be had is named; the others go on. */
static int settle(void *arg, struct crew_task *t, struct err *e)
{
	struct dir_export *d = arg;

	if (t->failure.code == MUNI_DAMAGED) {
		if (d->is_second)
			d->different++;
		else
			d->unreadable++;
		if (d->first_failure.code == MUNI_OK)
			d->first_failure = t->failure;
		tell(d, t->failure.text);
		return 0;
	}
	if (t->failure.code != MUNI_OK) {
		*e = t->failure;
		return -1;
	}
	if (t->was_kept)
		d->x->result->resumed++;
	lose_all(d, t->lost, t->item);
	return 0;
}

static int made(const struct export_item *item, int rc, struct err *e)
{
	return rc < 0 ? err_errno(e, "making %s",
				  text_printable_n(item->path, item->path_size)) : 0;
}

/* Whatever stands under the name, but a directory, goes. */
static int clear_name(int dirfd, const struct export_item *item, struct err *e)
{
	if (unlinkat(dirfd, item->name, 0) == 0 || errno == ENOENT)
		return 0;
	return err_errno(e, "removing what stood in the place of %s",
			 text_printable_n(item->path, item->path_size));
}

static void anchor_name(const struct export_item *item, char out[32])
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
	anchor_name(item, anchor);
	if (clear_name(dirfd, item, e) < 0)
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
	anchor_name(item, anchor);
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
		is_existing = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (!is_existing) {
		file_close(&fd);
		if (clear_name(dirfd, item, e) < 0)
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

static enum export_loss loss_of(enum node_kind kind)
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

	if (d->target.is_resumed && clear_name(dirfd, item, e) < 0)
		return -1;
	if (n->kind == NODE_SYMLINK)
		rc = symlinkat(item->symlink, dirfd, item->name);
	else
		rc = mknodat(dirfd, item->name, type_of(n->kind) | 0600,
			     makedev(n->rdev_major, n->rdev_minor));
	if (rc < 0 && (errno == EPERM || errno == EOPNOTSUPP || errno == EINVAL)) {
		export_lose(d->x, loss_of(n->kind), item);
		return 0;
	}
	if (made(item, rc, e) < 0)
		return -1;
	return remember(d, dirfd, item, e);
}

static int make_directory(struct dir_export *d, int dirfd, struct export_item *item,
			  struct err *e)
{
	if (mkdirat(dirfd, item->name, 0700) < 0 && errno != EEXIST) {
		made(item, -1, e);
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
static int make_item(struct dir_export *d, struct export_item *item, struct err *e)
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

	anchor_name(item, anchor);
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
	if (has_names(item)) {
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
	lose_all(d, lost, item);
	return 0;
}

/* Second pass.  Takes the item. */
static int check_item(struct dir_export *d, struct export_item *item, struct err *e)
{
	int dirfd = place_fd(&d->place, e), rc = -1;

	if (dirfd >= 0 && item->node.kind == NODE_DIRECTORY)
		return place_enter(&d->place, item, e);
	if (dirfd >= 0 && item->node.kind == NODE_FILE)
		return check_file(d, dirfd, item, e);
	if (dirfd >= 0)
		rc = check_special(d, dirfd, item, e);
	export_item_free(item);
	return rc;
}

/* Up to where an item of this depth belongs. */
static int leave_to(struct dir_export *d, size_t depth, struct err *e)
{
	while (d->place.depth > depth) {
		if (d->is_second) {
			const struct export_item *item = place_item(&d->place);
			int fd = place_fd(&d->place, e);
			uint32_t lost = 0;

			if (fd < 0 || export_meta_fd(fd, item, &lost, e) < 0)
				return -1;
			lose_all(d, lost, item);
		}
		place_leave(&d->place);
	}
	return 0;
}

/* Takes the item; sets *is_taken where it is no business of the target's. */
static int filter(struct dir_export *d, struct export_item *item, bool *is_taken, struct err *e)
{
	bool has_memory, was_changed;

	*is_taken = false;
	if (!d->is_bag)
		return 0;
	if (item->node.kind != NODE_FILE && item->node.kind != NODE_DIRECTORY) {
		if (!d->is_second)
			export_lose(d->x, loss_of(item->node.kind), item);
		export_item_free(item);
		*is_taken = true;
		return 0;
	}
	was_changed = bag_make_name_text(item, &has_memory);
	if (was_changed && !d->is_second)
		export_lose(d->x, LOSS_NAME, item);
	if (!has_memory) {
		export_item_free(item);
		return err_set(e, MUNI_NO_MEMORY, "no memory for a name");
	}
	return 0;
}

static int open_payload(struct dir_export *d, struct export_item *root, struct err *e)
{
	int fd;

	if (d->is_bag && file_make_dir(d->target.root, PAYLOAD, 0700, e) < 0)
		goto bad;
	fd = d->is_bag ? place_open_dir(d->target.root, PAYLOAD, e)
		       : fcntl(d->target.root, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		err_errno(e, "opening the target");
		goto bad;
	}
	if (!d->is_second) {
		export_meta_disinherit(fd);
		export_count(d->x, root);
	}
	return place_open(&d->place, fd, root, e);
bad:
	export_item_free(root);
	return -1;
}

static int one_item(struct dir_export *d, struct export_item *item, struct err *e)
{
	bool is_taken;

	if (filter(d, item, &is_taken, e) < 0)
		return -1;
	if (is_taken)
		return 0;
	if (item->depth == 0)
		return open_payload(d, item, e);
	if (d->place.depth < item->depth || leave_to(d, item->depth, e) < 0) {
		if (d->place.depth < item->depth)
			err_set(e, MUNI_DAMAGED, "the catalogue's tree has a gap before %s",
				text_printable_n(item->path, item->path_size));
		export_item_free(item);
		return -1;
	}
	return d->is_second ? check_item(d, item, e) : make_item(d, item, e);
}

static int pass(struct dir_export *d, bool is_second, struct err *e)
{
	struct export_walk *walk = NULL;
	struct export_item *item;
	int rc = -1;

	d->is_second = is_second;
	export_links_free(&d->links);
	export_stage(d->x, is_second ? "verifying" : "writing");
	if (crew_start(d->x, is_second ? export_check_file : export_fill_file, settle, d, &d->crew, e) < 0 ||
	    export_walk_start(d->x, false, &walk, e) < 0)
		goto out;
	for (;;) {
		if (export_walk_next(walk, &item, e) < 0)
			goto out;
		if (!item)
			break;
		if (export_step(d->x, 1, item->node.kind == NODE_FILE ? item->node.size : 0, e) < 0) {
			export_item_free(item);
			goto out;
		}
		if (one_item(d, item, e) < 0)
			goto out;
	}
	/* A directory's attributes come after all that is in it. */
	if (crew_finish(d->crew, e) < 0 || leave_to(d, 0, e) < 0)
		goto out;
	rc = 0;
out:
	export_walk_stop(walk);
	crew_stop(d->crew);
	d->crew = NULL;
	place_close(&d->place);
	return rc;
}

static int give_up(struct dir_export *d, struct err *e)
{
	char count_text[TEXT_COUNT_MAX];

	if (d->unreadable)
		return err_set(e, MUNI_DAMAGED, "%s files could not be read from the archive "
			       "(the first: %.400s); all else is in %s: run muni repair, then "
			       "the same export again", text_count(d->unreadable, count_text),
			       d->first_failure.text, text_printable(d->target.partial));
	if (d->different)
		return err_set(e, MUNI_DAMAGED, "%s files read back differently (the first: "
			       "%.400s)", text_count(d->different, count_text),
			       d->first_failure.text);
	return 0;
}

static int sync_target(const struct dir_export *d, struct err *e)
{
	if (syncfs(d->target.root) < 0)
		return err_errno(e, "writing out the target");
	return 0;
}

int export_dir(struct export *x, struct err *e)
{
	struct dir_export d = { .x = x, .is_bag = x->options->format == EXPORT_BAGIT };
	int rc = -1;

	if (target_open_dir(&d.target, x, e) < 0 || pass(&d, false, e) < 0 ||
	    give_up(&d, e) < 0 || sync_target(&d, e) < 0)
		goto out;
	if (d.is_bag && bag_open(d.target.root, &d.bag, e) < 0)
		goto out;
	if (pass(&d, true, e) < 0 || give_up(&d, e) < 0)
		goto out;
	if (d.bag && bag_finish(d.bag, x, e) < 0)
		goto out;
	if (d.is_bag && fchmod(d.target.root, 0755) < 0) {
		err_errno(e, "setting the mode of the bag");
		goto out;
	}
	if (sync_target(&d, e) < 0)
		goto out;
	rc = target_finish(&d.target, e);
out:
	bag_close(d.bag);
	export_links_free(&d.links);
	target_close(&d.target);
	return rc;
}

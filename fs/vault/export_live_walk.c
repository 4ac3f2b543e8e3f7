/*
 * Through a live source in one order: a directory's own items by their names, then
 * its sub-directories.  At the end the inventory is asked for what was not met.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/store/catalogue_decisions.h"
#include "fs/vault/classify.h"
#include "fs/vault/export_live_inside.h"

#define CACHE ((size_t)16 << 20)	/* of the catalogue */

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

/* ---- paths ---------------------------------------------------------------------- */

static int set_path(struct live_walker *w, size_t above, const char *name, struct err *e)
{
	w->path.size = above;
	if (above > 0)
		buffer_u8(&w->path, '/');
	buffer_append(&w->path, name, strlen(name) + 1);
	if (w->path.failed)
		return no_memory(e);
	w->path.size--;
	return 0;
}

/* Back to a directory's own. */
static void cut_path(struct live_walker *w, const struct dir_level *l)
{
	w->path.size = l->path_size;
	w->path.data[l->path_size] = '\0';
}

/* ---- one directory ---------------------------------------------------------------- */

static int take_name(struct live_walker *w, struct dir_level *l, const char *name,
		     struct err *e)
{
	struct statx sx;

	if (statx(l->handle->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, WALK_STATX_MASK,
		  &sx) < 0) {
		/* What vanished is named at the end, if it was to go. */
		if (errno == ENOENT)
			return 0;
		int why = errno;

		return live_meet(w, e) < 0 ? -1 :
			live_problem(w, e, "it cannot be looked at: %s", strerror(why));
	}
	if ((sx.stx_mode & S_IFMT) != S_IFDIR)
		return live_take(w, l, name, &sx, e);
	/* The archive itself is no part of any system. */
	if (sx.stx_ino == w->live->archive_inode && walk_device(&sx) == w->live->archive_device)
		return 0;
	return dir_level_add(l, name, e);
}

/* Items go, sub-directories stay with l.  sx: the directory's own. */
static int read_directory(struct live_walker *w, struct dir_level *l, const struct statx *sx,
			  struct err *e)
{
	w->names.count = 0;
	if (names_read(l->handle->fd, &w->names) < 0)
		return l->path_size > 0 ? live_lose_directory(w, sx, errno, e)
					: err_errno(e, "reading the source's entries");
	if (w->names.count == 0 && l->path_size > 0)
		return live_take_directory(w, sx, e);
	/* It may have been empty when it was scanned: it is there, and no item. */
	if (l->own && live_meet(w, e) < 0)
		return -1;
	for (size_t i = 0; i < w->names.count; i++)
		if (set_path(w, l->path_size, w->names.list[i], e) < 0 ||
		    take_name(w, l, w->names.list[i], e) < 0)
			return -1;
	return 0;
}

/* ---- down and up -------------------------------------------------------------------- */

static struct dir_level *push_level(struct live_walker *w, struct handle *h,
				    const struct statx *sx, struct err *e)
{
	struct dir_level *l = descent_push(&w->descent, h, walk_device(sx), sx->stx_ino,
					   w->path.size, e);
	struct export_item *item = NULL;

	/* The top goes always, others where something below them may. */
	if (l && (w->descent.depth == 1 ||
		  selection_leads_to(w->live->selection, w->path.data, w->path.size,
				     w->live->wanted)) &&
	    live_directory_entry(w, h->fd, sx, &item, e) < 0)
		return NULL;
	if (l)
		l->own = item;
	return l;
}

static int pop_level(struct live_walker *w, struct err *e)
{
	int rc;

	export_item_free(w->descent.levels[w->descent.depth - 1].own);
	rc = descent_pop(&w->descent, e);
	if (rc != 1)
		return rc;
	cut_path(w, &w->descent.levels[w->descent.depth - 1]);
	return live_problem(w, e, "it was moved while it was migrated; some of its "
			    "sub-directories were not seen");
}

static int enter(struct live_walker *w, struct handle *parent, uint64_t device,
		 const char *name, struct err *e)
{
	int fd = walk_open(parent->fd, name, O_DIRECTORY), why;
	struct dir_level *l;
	struct handle *h;
	struct statx sx;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &sx) < 0) {
		why = errno;
		if (fd >= 0)
			close(fd);
		if (why == ENOENT || why == ENOTDIR || why == ELOOP ||
		    statx(parent->fd, name, AT_SYMLINK_NOFOLLOW, WALK_STATX_MASK, &sx) < 0)
			return 0;	/* what was in it is named at the end */
		return live_lose_directory(w, &sx, why, e);
	}
	h = handle_new(fd);
	l = h ? push_level(w, h, &sx, e) : NULL;
	if (!l)
		return h ? -1 : no_memory(e);
	/* Where the scan kept to one file system, a mount point is an item. */
	if (walk_device(&sx) != device &&
	    selection_of(w->live->selection, w->path.data, w->path.size, 0,
			 (struct stamp){ sx.stx_mtime.tv_sec, sx.stx_mtime.tv_nsec })
		.is_decided)
		return live_take_directory(w, &sx, e);
	return read_directory(w, l, &sx, e);
}

static int descend(struct live_walker *w, struct err *e)
{
	struct dir_level *parent = &w->descent.levels[w->descent.depth - 1];
	struct handle *h = handle_ref(parent->handle);	/* entering may give it up */
	uint64_t device = parent->device;
	char *name = dir_level_take(parent);
	int rc = set_path(w, parent->path_size, name, e);

	if (rc == 0)
		rc = enter(w, h, device, name, e);
	handle_unref(h);
	free(name);
	return rc;
}

static int start(struct live_walker *w, struct err *e)
{
	int fd = fcntl(w->live->fd, F_DUPFD_CLOEXEC, 3);
	struct handle *h = fd < 0 ? NULL : handle_new(fd);
	struct dir_level *l;
	struct statx sx;

	if (fd < 0)
		return err_errno(e, "looking at the source");
	if (!h || statx(h->fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &sx) < 0) {
		handle_unref(h);
		return h ? err_errno(e, "looking at the source") : no_memory(e);
	}
	l = push_level(w, h, &sx, e);
	if (!l)
		return -1;
	if (live_give_top(w, e) < 0)
		return -1;
	return read_directory(w, l, &sx, e);
}

/* ---- what was not met -------------------------------------------------------------------- */

struct missing {
	struct live_walker *w;
	struct err *e;
};

/* Below a directory that could not be entered? */
static bool is_lost(const struct live_walker *w, const void *path, size_t size)
{
	const char *at = (const char *)w->lost.data, *end = at + w->lost.size;

	for (; at < end; at += strlen(at) + 1) {
		size_t above = strlen(at);

		if (above < size && memcmp(path, at, above) == 0 &&
		    ((const char *)path)[above] == '/')
			return true;
	}
	return false;
}

static int on_decided(void *arg, const struct decided_row *r)
{
	struct missing *m = arg;
	struct live_walker *w = m->w;
	const struct item_row *item = r->item;

	if (!is_decided(r) || decided_decision(r) != w->live->wanted ||
	    seen_has(&w->live->seen, item->id))
		return 0;
	w->live->left_out.missing++;
	return live_problem_at(w, item->path, item->path_size,
			       is_lost(w, item->path, item->path_size) ?
			       "it is out of reach: a directory on its way cannot be read" :
			       "it is no longer there", m->e);
}

/* ---- the whole --------------------------------------------------------------------------- */

static int walk(struct live_walker *w, struct err *e)
{
	struct missing m = { w, e };

	buffer_u8(&w->path, 0);
	w->path.size = 0;
	w->capture = capture_new();
	if (w->path.failed || !w->capture)
		return no_memory(e);
	if (start(w, e) < 0)
		return -1;
	while (w->descent.depth > 0) {
		const struct dir_level *top = &w->descent.levels[w->descent.depth - 1];

		if (top->next == top->count ? pop_level(w, e) < 0 : descend(w, e) < 0)
			return -1;
	}
	return catalogue_decided(w->catalogue, w->live->system, NULL, 0, on_decided, &m, e);
}

int live_walk(struct export *x, struct export_walk *to, enum export_pass pass, struct err *e)
{
	struct live_walker w = { .live = x->live, .walk = to, .pass = pass };
	int rc = -1;

	if (vault_connect(x->vault, CACHE, &w.catalogue, e) == 0) {
		rc = walk(&w, e);
		catalogue_close(w.catalogue);
	}
	for (size_t i = 0; i < w.descent.depth; i++)
		export_item_free(w.descent.levels[i].own);
	descent_free(&w.descent);
	capture_free(w.capture);
	names_free(&w.names);
	buffer_free(&w.path);
	buffer_free(&w.lost);
	map_free(&w.ids);
	return rc;
}

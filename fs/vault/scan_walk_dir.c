/*
 * One directory of a live tree: its items go to the workers in batches.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/scan_walk_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

/* ---- paths --------------------------------------------------------------------- */

int scan_walk_path(struct scan_walker *w, const struct dir_level *l, const char *name,
		   struct err *e)
{
	w->path.size = l->path_size;
	if (l->path_size > 0)
		buffer_u8(&w->path, '/');
	buffer_append(&w->path, name, strlen(name) + 1);
	if (w->path.failed)
		return no_memory(e);
	w->path.size--;
	return 0;
}

/* ---- items ----------------------------------------------------------------------- */

int scan_walk_send(struct scan_walker *w, struct err *e)
{
	struct scan_batch *b = w->batch;

	w->batch = NULL;
	return b ? scan_send(w->s, b, e) : 0;
}

static int add(struct scan_walker *w, struct scan_item *i, struct err *e)
{
	if (!w->batch)
		w->batch = scan_batch_new();
	if (!w->batch) {
		scan_item_free(i);
		return no_memory(e);
	}
	scan_batch_add(w->batch, i);
	w->batch->bytes += i->meta.kind == NODE_FILE ? i->meta.held : 0;
	if (w->batch->count < SCAN_BATCH_ITEMS && w->batch->bytes < SCAN_BATCH_BYTES)
		return 0;
	return scan_walk_send(w, e);
}

/* The other names of its inode.  With the last name the map forgets the group. */
static int join_group(struct scan_walker *w, struct scan_item *i, struct err *e)
{
	const struct meta *m = &i->meta;
	struct scan_group *g;

	if (m->kind != NODE_FILE || m->links < 2)
		return 0;
	g = (struct scan_group *)(uintptr_t)map_get(&w->s->groups, m->device, m->inode);
	if (!g) {
		g = scan_group_new();
		if (!g || !map_put(&w->s->groups, m->device, m->inode, (uintptr_t)g)) {
			scan_group_unref(g);
			return no_memory(e);
		}
		i->is_leader = true;
	}
	i->group = g;
	atomic_fetch_add(&g->refs, 1);
	if (++g->seen >= m->links) {
		map_remove(&w->s->groups, m->device, m->inode);
		scan_group_unref(g);
	}
	return 0;
}

int scan_walk_add(struct scan_walker *w, struct handle *dir, const char *name,
		    const struct statx *sx, const char *why, struct err *e)
{
	struct scan_item *i = scan_item_new(SCAN_ITEM, path_of(w), w->path.size);

	if (!i)
		return no_memory(e);
	walk_numbers(sx, &i->meta);
	if (ingest_accounts_name(&w->s->accounts, &i->meta, e) < 0) {
		scan_item_free(i);
		return -1;
	}
	if (i->meta.kind != NODE_FILE)
		i->meta.size = 0;
	if (i->meta.kind == NODE_SYMLINK && walk_target(dir->fd, name, &i->meta) < 0) {
		scan_problem(w->s, path_of(w), w->path.size, errno == ENOENT ?
			     "it vanished while it was scanned" :
			     "its target cannot be read: %s", strerror(errno));
		scan_item_free(i);
		return 0;
	}
	i->dir = dir ? handle_ref(dir) : NULL;
	i->content = why ? content_unread(why) : NULL;
	if ((why && !i->content) || join_group(w, i, e) < 0) {
		scan_item_free(i);
		return no_memory(e);
	}
	return add(w, i, e);
}

/* ---- names -------------------------------------------------------------------------- */

/* Is it to be taken at all?  Says why not where that is a problem. */
static bool is_taken(struct scan_walker *w, const struct dir_level *l, const char *name,
		     struct statx *sx)
{
	bool is_directory;

	if (w->path.size > ITEM_PATH_MAX) {
		scan_problem(w->s, path_of(w), 200, "(and so on): its path is longer than "
			     "%u bytes", ITEM_PATH_MAX);
		return false;
	}
	if (statx(l->handle->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  WALK_STATX_MASK, sx) < 0) {
		scan_problem(w->s, path_of(w), w->path.size, errno == ENOENT ?
			     "it vanished while it was scanned" :
			     "it cannot be looked at: %s", strerror(errno));
		return false;
	}
	is_directory = (sx->stx_mode & S_IFMT) == S_IFDIR;
	if (is_directory && sx->stx_ino == w->archive_inode &&
	    walk_device(sx) == w->archive_device) {
		scan_notice(w->s, "%s is this archive itself and was left out",
			    text_printable(path_of(w)));
		return false;
	}
	return w->s->left_out.exclude_count == 0 ||
		!walk_is_excluded(&w->s->left_out, path_of(w), name, is_directory);
}

/* The names as they stood at one moment, as far as the directory's times tell.
 * false: *why, an errno. */
static bool read_names(struct scan_walker *w, const struct dir_level *l, int *why)
{
	int fd = l->handle->fd;
	struct statx before, after;

	w->names.count = 0;
	for (unsigned i = 0; i < SCAN_READ_TRIES; i++) {
		if (statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &before) < 0 ||
		    names_read(fd, &w->names) < 0 ||
		    statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &after) < 0) {
			*why = errno;
			w->names.count = 0;
			return false;
		}
		if (memcmp(&before.stx_mtime, &after.stx_mtime, sizeof before.stx_mtime) == 0 &&
		    memcmp(&before.stx_ctime, &after.stx_ctime, sizeof before.stx_ctime) == 0)
			return true;
	}
	w->path.data[l->path_size] = '\0';
	scan_problem(w->s, path_of(w), l->path_size, "it changed while its names were read, "
		     "%d times", SCAN_READ_TRIES);
	return true;
}

int scan_walk_unread(struct scan_walker *w, const struct statx *sx, int why,
			    struct err *e)
{
	char reason[200];

	if (scan_want(path_of(w), w->path.size, "its entries cannot be read", why, e) < 0)
		return -1;
	snprintf(reason, sizeof reason, "its entries cannot be read: %s", strerror(why));
	scan_problem(w->s, path_of(w), w->path.size, "%s", reason);
	return scan_walk_add(w, NULL, NULL, sx, reason, e);
}

int scan_walk_directory(struct scan_walker *w, struct dir_level *l, const struct statx *sx,
			  struct err *e)
{
	bool is_empty = true, is_top = w->descent.depth == 1;
	int why = 0;

	if (!read_names(w, l, &why)) {
		w->path.data[l->path_size] = '\0';
		w->path.size = l->path_size;
		if (is_top) {
			errno = why;
			return err_errno(e, "reading the source's entries");
		}
		return scan_walk_unread(w, sx, why, e);
	}
	for (size_t i = 0; i < w->names.count; i++) {
		const char *name = w->names.list[i];
		struct statx child;

		if (scan_is_stopped(w->s))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (scan_walk_path(w, l, name, e) < 0)
			return -1;
		if (!is_taken(w, l, name, &child))
			continue;
		is_empty = false;
		if ((child.stx_mode & S_IFMT) == S_IFDIR ? dir_level_add(l, name, e) < 0 :
		    scan_walk_add(w, l->handle, name, &child, NULL, e) < 0)
			return -1;
	}
	if (!is_empty || is_top)
		return 0;
	w->path.size = l->path_size;
	w->path.data[l->path_size] = '\0';
	return scan_walk_add(w, NULL, NULL, sx, NULL, e);
}

/*
 * Through a live tree in one order: a directory's own items by their names, then
 * its sub-directories.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/vault/scan_walk_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

/* ---- down and up ------------------------------------------------------------------- */

static int pop_level(struct scan_walker *w, struct err *e)
{
	const struct dir_level *parent;
	int rc = descent_pop(&w->descent, e);

	if (rc != 1)
		return rc;
	/* It was moved meanwhile: what is left below it is out of reach. */
	parent = &w->descent.levels[w->descent.depth - 1];
	w->path.data[parent->path_size] = '\0';
	scan_problem(w->s, path_of(w), parent->path_size, "it was moved while it was scanned; "
		     "some of its sub-directories were not seen");
	return 0;
}

/* Why a directory that has a name cannot be entered; 0: it is there no more. */
static int refusal_of(struct handle *parent, const char *name, struct statx *sx)
{
	int why = errno;

	if (why == ENOENT || why == ENOTDIR || why == ELOOP ||
	    statx(parent->fd, name, AT_SYMLINK_NOFOLLOW, WALK_STATX_MASK, sx) < 0 ||
	    (sx->stx_mode & S_IFMT) != S_IFDIR)
		return 0;
	return why;
}

static int enter(struct scan_walker *w, struct handle *parent, const char *name, struct err *e)
{
	int fd = walk_open(parent->fd, name, O_DIRECTORY), why;
	struct handle *h;
	struct statx sx;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &sx) < 0) {
		why = refusal_of(parent, name, &sx);
		if (fd >= 0)
			close(fd);
		if (why)
			return scan_walk_unread(w, &sx, why, e);
		scan_problem(w->s, path_of(w), w->path.size,
			     "it vanished while it was scanned");
		return 0;
	}
	if (w->s->options->one_file_system &&
	    walk_device(&sx) != walk_device(&w->s->source_sx)) {
		close(fd);
		return scan_walk_add(w, NULL, NULL, &sx, NULL, e);
	}
	h = handle_new(fd);
	struct dir_level *l = h ? descent_push(&w->descent, h, walk_device(&sx), sx.stx_ino,
					      w->path.size, e) : NULL;
	if (!l)
		return h ? -1 : no_memory(e);
	return scan_walk_directory(w, l, &sx, e);
}

static int descend(struct scan_walker *w, struct err *e)
{
	struct dir_level *parent = &w->descent.levels[w->descent.depth - 1];
	struct handle *h = handle_ref(parent->handle);	/* entering may give it up */
	char *name = dir_level_take(parent);
	int rc = scan_walk_path(w, parent, name, e);

	if (rc == 0)
		rc = enter(w, h, name, e);
	handle_unref(h);
	free(name);
	return rc;
}

static int start(struct scan_walker *w, struct err *e)
{
	struct scanning *s = w->s;
	struct stat st;
	struct handle *h;
	int fd;

	if (fstat(s->vault->dirfd, &st) < 0)
		return err_errno(e, "looking at the archive");
	w->archive_device = st.st_dev;
	w->archive_inode = st.st_ino;
	buffer_u8(&w->path, 0);
	w->path.size = 0;
	if (w->path.failed)
		return no_memory(e);
	fd = fcntl(s->source_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err_errno(e, "looking at the source");
	h = handle_new(fd);
	struct dir_level *l = h ? descent_push(&w->descent, h, walk_device(&s->source_sx),
					      s->source_sx.stx_ino, w->path.size, e) : NULL;
	if (!l)
		return h ? -1 : no_memory(e);
	return scan_walk_directory(w, l, &s->source_sx, e);
}

static int walk(struct scan_walker *w, struct err *e)
{
	if (start(w, e) < 0)
		return -1;
	while (w->descent.depth > 0) {
		const struct dir_level *top = &w->descent.levels[w->descent.depth - 1];

		if (scan_is_stopped(w->s))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (top->next == top->count ? pop_level(w, e) < 0 : descend(w, e) < 0)
			return -1;
	}
	return scan_walk_send(w, e);
}

void *scan_walk_thread(void *arg)
{
	struct scan_walker w = { .s = arg };
	struct err e = ERR_NONE;

	if (walk(&w, &e) < 0)
		scan_fail(w.s, &e);
	atomic_store(&w.s->is_walked, true);
	scan_flow_done(w.s->flow);	/* the walker's own hold */
	descent_free(&w.descent);
	scan_batch_free(w.batch);
	names_free(&w.names);
	buffer_free(&w.path);
	return NULL;
}

static bool is_over(void *arg)
{
	struct scanning *s = arg;

	return scan_is_stopped(s) || atomic_load(&s->is_walked);
}

void *scan_census_thread(void *arg)
{
	struct scanning *s = arg;
	uint64_t items, bytes;

	if (walk_count(s->source_fd, &s->left_out, is_over, s, &items, &bytes)) {
		atomic_store(&s->items_total, items);
		atomic_store(&s->bytes_total, bytes);
	}
	return NULL;
}

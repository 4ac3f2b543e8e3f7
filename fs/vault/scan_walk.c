/*
 * Through a live tree in one order: a directory's own items by their names, then
 * its sub-directories.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/text.h"
#include "fs/vault/scan_inside.h"

#define OPEN_LEVELS 128		/* descriptors that the walker holds, at most */

struct level {
	struct handle *handle;	/* NULL: given up, to be found again through ".." */
	uint64_t device, inode;
	char **children;	/* names of sub-directories, in byte order; owned */
	size_t count, capacity, next;
	size_t path_size;	/* of walker.path up to here */
};

struct walker {
	struct scanning *s;
	struct level *levels;	/* owned */
	size_t depth, capacity;
	struct names names;
	struct buffer path;	/* of the directory at work, then of the name in it */
	struct scan_batch *batch;	/* in the making */
	dev_t archive_device;
	ino_t archive_inode;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

/* ---- paths --------------------------------------------------------------------- */

/* The path of a name in the directory of l; NUL ended. */
static int set_path(struct walker *w, const struct level *l, const char *name, struct err *e)
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

static const char *path_of(const struct walker *w)
{
	return (const char *)w->path.data;
}

/* ---- items ----------------------------------------------------------------------- */

static int send(struct walker *w, struct err *e)
{
	struct scan_batch *b = w->batch;

	w->batch = NULL;
	return b ? scan_send(w->s, b, e) : 0;
}

static int add(struct walker *w, struct scan_item *i, struct err *e)
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
	return send(w, e);
}

/* The other names of its inode.  With the last name the map forgets the group. */
static int join_group(struct walker *w, struct scan_item *i, struct err *e)
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

static void name_owners(struct walker *w, struct meta *m)
{
	m->owner = ingest_accounts_user(&w->s->accounts, m->uid);
	m->group = ingest_accounts_group(&w->s->accounts, m->gid);
}

/* why: it cannot be looked into; NULL: it can. */
static int add_item(struct walker *w, struct handle *dir, const char *name,
		    const struct statx *sx, const char *why, struct err *e)
{
	struct scan_item *i = scan_item_new(SCAN_ITEM, path_of(w), w->path.size);

	if (!i)
		return no_memory(e);
	walk_numbers(sx, &i->meta);
	name_owners(w, &i->meta);
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

static int add_child(struct level *l, const char *name, struct err *e)
{
	if (l->count == l->capacity) {
		size_t more = l->capacity ? l->capacity * 2 : 8;
		char **grown = reallocarray(l->children, more, sizeof *grown);

		if (!grown)
			return no_memory(e);
		l->children = grown;
		l->capacity = more;
	}
	l->children[l->count] = strdup(name);
	if (!l->children[l->count])
		return no_memory(e);
	l->count++;
	return 0;
}

/* Is it to be taken at all?  Says why not where that is a problem. */
static bool is_taken(struct walker *w, const struct level *l, const char *name,
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
static bool read_names(struct walker *w, const struct level *l, int *why)
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

static int unread_directory(struct walker *w, const struct statx *sx, int why,
			    struct err *e)
{
	char reason[200];

	snprintf(reason, sizeof reason, "its entries cannot be read: %s", strerror(why));
	scan_problem(w->s, path_of(w), w->path.size, "%s", reason);
	return add_item(w, NULL, NULL, sx, reason, e);
}

/* Items go, sub-directories stay with l.  sx: the directory's own. */
static int read_directory(struct walker *w, struct level *l, const struct statx *sx,
			  struct err *e)
{
	bool is_empty = true, is_top = w->depth == 1;
	int why = 0;

	if (!read_names(w, l, &why)) {
		w->path.data[l->path_size] = '\0';
		w->path.size = l->path_size;
		if (is_top) {
			errno = why;
			return err_errno(e, "reading the source's entries");
		}
		return unread_directory(w, sx, why, e);
	}
	for (size_t i = 0; i < w->names.count; i++) {
		const char *name = w->names.list[i];
		struct statx child;

		if (scan_is_stopped(w->s))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (set_path(w, l, name, e) < 0)
			return -1;
		if (!is_taken(w, l, name, &child))
			continue;
		is_empty = false;
		if ((child.stx_mode & S_IFMT) == S_IFDIR ? add_child(l, name, e) < 0 :
		    add_item(w, l->handle, name, &child, NULL, e) < 0)
			return -1;
	}
	if (!is_empty || is_top)
		return 0;
	w->path.size = l->path_size;
	w->path.data[l->path_size] = '\0';
	return add_item(w, NULL, NULL, sx, NULL, e);
}

/* ---- down and up ------------------------------------------------------------------- */

static void level_clear(struct level *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->children[i]);
	free(l->children);
	handle_unref(l->handle);
}

/* Takes h. */
static struct level *push_level(struct walker *w, struct handle *h, const struct statx *sx)
{
	if (w->depth == w->capacity) {
		size_t more = w->capacity ? w->capacity * 2 : 32;
		struct level *grown = reallocarray(w->levels, more, sizeof *grown);

		if (!grown) {
			handle_unref(h);
			return NULL;
		}
		w->levels = grown;
		w->capacity = more;
	}
	if (w->depth >= OPEN_LEVELS) {
		struct level *far = &w->levels[w->depth - OPEN_LEVELS];

		handle_unref(far->handle);
		far->handle = NULL;
	}
	w->levels[w->depth] = (struct level){ .handle = h, .device = walk_device(sx),
					      .inode = sx->stx_ino,
					      .path_size = w->path.size };
	return &w->levels[w->depth++];
}

/* The parent's descriptor was given up on the way down: back through "..". */
static void find_parent(struct walker *w, const struct level *below, struct level *parent)
{
	int fd = openat(below->handle->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statx sx;

	if (fd >= 0 && statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &sx) == 0 &&
	    sx.stx_ino == parent->inode && walk_device(&sx) == parent->device) {
		parent->handle = handle_new(fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	/* It was moved meanwhile: what is left below it is out of reach. */
	w->path.data[parent->path_size] = '\0';
	scan_problem(w->s, path_of(w), parent->path_size, "it was moved while it was scanned; "
		     "some of its sub-directories were not seen");
	parent->next = parent->count;
}

static void pop_level(struct walker *w)
{
	struct level *l = &w->levels[--w->depth];

	if (w->depth > 0 && !l[-1].handle && l->handle)
		find_parent(w, l, &l[-1]);
	level_clear(l);
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

static int enter(struct walker *w, struct handle *parent, const char *name, struct err *e)
{
	int fd = walk_open(parent->fd, name, O_DIRECTORY), why;
	struct handle *h;
	struct statx sx;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &sx) < 0) {
		why = refusal_of(parent, name, &sx);
		if (fd >= 0)
			close(fd);
		if (why)
			return unread_directory(w, &sx, why, e);
		scan_problem(w->s, path_of(w), w->path.size,
			     "it vanished while it was scanned");
		return 0;
	}
	if (w->s->options->one_file_system &&
	    walk_device(&sx) != walk_device(&w->s->source_sx)) {
		close(fd);
		return add_item(w, NULL, NULL, &sx, NULL, e);
	}
	h = handle_new(fd);
	struct level *l = h ? push_level(w, h, &sx) : NULL;
	if (!l)
		return no_memory(e);
	return read_directory(w, l, &sx, e);
}

static int descend(struct walker *w, struct err *e)
{
	struct level *parent = &w->levels[w->depth - 1];
	struct handle *h = parent->handle;
	char *name = parent->children[parent->next];
	int rc;

	parent->children[parent->next++] = NULL;
	rc = set_path(w, parent, name, e);
	if (rc == 0 && h) {
		handle_ref(h);	/* entering may give it up */
		rc = enter(w, h, name, e);
		handle_unref(h);
	}
	free(name);
	return rc;
}

static int start(struct walker *w, struct err *e)
{
	struct scanning *s = w->s;
	struct stat st;
	struct handle *h;

	if (fstat(s->vault->dirfd, &st) < 0)
		return err_errno(e, "looking at the archive");
	w->archive_device = st.st_dev;
	w->archive_inode = st.st_ino;
	buffer_u8(&w->path, 0);
	w->path.size = 0;
	if (w->path.failed)
		return no_memory(e);
	h = handle_new(fcntl(s->source_fd, F_DUPFD_CLOEXEC, 3));
	struct level *l = h ? push_level(w, h, &s->source_sx) : NULL;
	if (!l)
		return no_memory(e);
	return read_directory(w, l, &s->source_sx, e);
}

static int walk(struct walker *w, struct err *e)
{
	if (start(w, e) < 0)
		return -1;
	while (w->depth > 0) {
		const struct level *top = &w->levels[w->depth - 1];

		if (scan_is_stopped(w->s))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (top->next == top->count)
			pop_level(w);
		else if (descend(w, e) < 0)
			return -1;
	}
	return send(w, e);
}

void *scan_walk_thread(void *arg)
{
	struct walker w = { .s = arg };
	struct err e = ERR_NONE;

	if (walk(&w, &e) < 0)
		scan_fail(w.s, &e);
	atomic_store(&w.s->is_walked, true);
	scan_flow_done(w.s->flow);	/* the walker's own hold */
	while (w.depth > 0)
		level_clear(&w.levels[--w.depth]);
	free(w.levels);
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

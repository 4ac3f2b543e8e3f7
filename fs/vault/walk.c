/*
 * Down and up the tree, depth first, a directory's own entries before its
 * sub-directories'.
 */
#include "fs/vault/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/vault/walk_inside.h"

#define OPEN_LEVELS 128		/* descriptors that the walker holds, at most */

/* ---- directory ids ------------------------------------------------------------ */

static int keep_inode(void *arg, int64_t id, uint64_t device, uint64_t inode)
{
	struct walker *w = arg;

	if (inode != 0 && !map_put(&w->inodes, device, inode, (uint64_t)id))
		return -1;
	return 0;
}

/* Where the version before had this inode: a directory that was renamed. */
static int claim_by_inode(struct walker *w, const struct meta *m, int64_t *out,
			  struct err *e)
{
	int64_t id;
	bool is_first;

	*out = 0;
	if (!w->looker.catalogue)
		return 0;
	if (!w->has_inodes) {
		*e = ERR_NONE;
		if (catalogue_directory_inodes(w->looker.catalogue, w->g->version.previous,
					       keep_inode, w, e) < 0)
			return e->code ? -1 : err_set(e, MUNI_NO_MEMORY, "out of memory "
						      "for the directories of the "
						      "version before");
		w->has_inodes = true;
	}
	id = (int64_t)map_get(&w->inodes, m->device, m->inode);
	for (size_t i = 0; id == 0 && m->device == w->vantage.top_device &&
	     i < w->vantage.former_count; i++)
		id = (int64_t)map_get(&w->inodes, w->vantage.former[i], m->inode);
	if (ingest_claim(w->g, id, &is_first, e) < 0)
		return -1;
	*out = is_first ? id : 0;
	return 0;
}

/* ---- levels ---------------------------------------------------------------------- */

static void level_clear(struct walker *w, struct level *l)
{
	for (size_t i = l->next; i < l->count; i++)
		ahead_drop(w->ahead, l->children[i]);
	free(l->children);
	ahead_spend(w->ahead, NULL, l->handle);
}

static struct level *push_level(struct walker *w, struct dir *d, struct handle *h)
{
	if (w->depth == w->capacity) {
		size_t more = w->capacity ? w->capacity * 2 : 32;
		struct level *list = realloc(w->levels, more * sizeof *list);

		if (!list)
			return NULL;
		w->levels = list;
		w->capacity = more;
	}
	if (w->depth >= OPEN_LEVELS) {
		struct level *far = &w->levels[w->depth - OPEN_LEVELS];

		handle_unref(far->handle);
		far->handle = NULL;
	}
	w->levels[w->depth] = (struct level){ .dir = d, .handle = h,
		.device = d->meta.device, .inode = d->meta.inode };
	return &w->levels[w->depth++];
}

static int pop_level(struct walker *w, struct err *e)
{
	struct level *l = &w->levels[--w->depth];
	int rc = 0;

	if (w->depth > 0 && !l[-1].handle && l->handle)
		rc = handle_above(l->handle, l[-1].device, l[-1].inode, &l[-1].handle, e);
	level_clear(w, l);
	/* It was moved meanwhile: what is left below it is out of reach. */
	if (rc == 1)
		ingest_problem(w->g, l[-1].dir, NULL, "it was moved while it was ingested; "
			       "some of its sub-directories were not taken in");
	return rc < 0 ? -1 : 0;
}

/* ---- one directory ------------------------------------------------------------------ */

static bool is_meta_same(const struct walker *w, const struct child *c,
			 const struct meta *m)
{
	return !w->g->options->reread && c->inode != 0 && c->inode == m->inode &&
	       walk_is_device(&w->vantage, c->device, m->device) && stamp_equal(&c->mtime, &m->mtime) &&
	       stamp_equal(&c->ctime, &m->ctime) && !walk_is_racy(w->g, &m->ctime);
}

/* d's metadata; its id's claim. -1 only for what ends the ingest. */
static int identify(struct walker *w, struct dir *d, const struct child *c, int fd,
		    const char *name, const struct statx *sx, struct err *e)
{
	struct ingest *g = w->g;
	bool is_first = false;

	walk_numbers(sx, &d->meta);
	d->prior = c->prior;
	if (c->prior.is_there && ingest_claim(g, c->prior.directory, &is_first, e) < 0)
		return -1;
	if (is_first) {
		d->prior_id = c->prior.directory;
		d->is_meta_same = is_meta_same(w, c, &d->meta);
	} else if (claim_by_inode(w, &d->meta, &d->prior_id, e) < 0) {
		return -1;
	}
	if (!d->is_meta_same &&
	    ingest_capture(g, w->capture, d, NULL, fd, name, sx, &d->meta) < 0)
		ingest_refused(g, d, NULL, "its attributes cannot be read", errno);
	return 0;
}

static void give_up(struct walker *w, struct dir *d, const struct child *c)
{
	d->prior = c->prior;
	d->is_gone = true;
	walk_tell_listed(w, d);
}

/* Opens the sub-directory.  *handle NULL: it cannot be read, but is there.  1: it is there no
 * more; -1: e. */
static int open_child(struct walker *w, struct level *parent, struct dir *d,
		      const struct child *c, struct handle **handle, struct statx *sx,
		      struct err *e)
{
	int at = parent->handle->fd;
	int fd = walk_open(at, c->name, O_DIRECTORY);

	*handle = NULL;
	if (fd >= 0 && statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, sx) < 0) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0) {
		*handle = handle_new(fd);
		return *handle ? 0 : err_set(e, MUNI_NO_MEMORY,
					     "out of memory for a directory");
	}
	int why = errno;

	if (why == ENOENT || why == ENOTDIR || why == ELOOP ||
	    statx(at, c->name, AT_SYMLINK_NOFOLLOW, WALK_STATX_MASK, sx) < 0 ||
	    (sx->stx_mode & S_IFMT) != S_IFDIR) {
		ingest_problem(w->g, d, NULL, "it vanished while it was ingested");
		return 1;
	}
	ingest_refused(w->g, d, NULL, "it cannot be opened, so its entries are missing", why);
	return 0;
}

/*
 * A directory with nothing to be archived in it is none of the version's; it is
 * walked all the same, so that what is new in it is counted.
 */
static void pass_through(struct walker *w, struct dir *d, const struct child *c)
{
	struct ingest *g = w->g;
	size_t size;
	char *path = g->selection ? ingest_path(d, NULL, &size) : NULL;

	if (d->parent && d->parent->is_gone)
		d->is_gone = true;	/* its entry goes with its parent's */
	else if (path && !selection_leads_to(g->selection, path, size, DECISION_ARCHIVE)) {
		d->is_gone = true;
		d->prior = c->prior;
	}
	free(path);
}

/* A directory with nothing in it is an item of its own. */
static void count_empty(struct walker *w, const struct dir *d)
{
	struct ingest *g = w->g;
	size_t size;
	char *path = g->selection ? ingest_path(d, NULL, &size) : NULL;

	if (path)
		ingest_select(g, path, size, &d->meta, true, &g->left_out);
	free(path);
}

/* From the parent's next child to its entries.  h: NULL: none of them is taken in.
 * look: what was seen of it already, or NULL; taken, as h is. */
static int enter(struct walker *w, struct dir *d, const struct child *c, struct handle *h,
		 const struct statx *sx, struct look *look, struct err *e)
{
	const struct level *parent = &w->levels[w->depth - 1];
	struct level *level;
	bool is_empty;

	pass_through(w, d, c);
	if (d->is_gone) {
		walk_numbers(sx, &d->meta);
	} else if (identify(w, d, c, h ? h->fd : parent->handle->fd, h ? NULL : c->name, sx,
			    e) < 0) {
		goto fail;
	}
	if (w->g->options->one_file_system && walk_device(sx) != w->vantage.top_device) {
		handle_unref(h);
		h = NULL;
	}
	level = push_level(w, d, h);
	if (!level) {
		err_set(e, MUNI_NO_MEMORY, "out of memory for a directory");
		goto fail;
	}
	if (walk_directory(w, level, look, sx, &is_empty, e) < 0)
		return -1;
	if (h && is_empty)
		count_empty(w, d);
	d->child_total = level->count;
	walk_tell_listed(w, d);
	return 0;
fail:
	handle_unref(h);
	walk_drop_look(w, look);
	return -1;
}

static int descend(struct walker *w, struct err *e)
{
	struct level *parent = &w->levels[w->depth - 1];
	struct child *c = parent->children[parent->next++];
	struct look *look = ahead_take(w->ahead, c);
	struct dir *d = dir_new(w->g, parent->dir, c->name, c->name_size);
	struct handle *h = NULL;
	struct statx sx;
	int rc = 0;

	if (!d) {
		rc = err_set(e, MUNI_NO_MEMORY, "out of memory for a directory");
		walk_drop_look(w, look);
	} else if (look) {
		sx = look->self;
		rc = enter(w, d, c, handle_ref(look->handle), &sx, look, e);
	} else {
		rc = parent->handle ? open_child(w, parent, d, c, &h, &sx, e) : 1;
		if (rc == 1)
			give_up(w, d, c);
		rc = rc != 0 ? rc : enter(w, d, c, h, &sx, NULL, e);
	}
	free(c);
	return rc < 0 ? -1 : 0;
}

/* ---- the top ------------------------------------------------------------------------ */

struct former {
	struct walker *w;
	uint64_t inode;		/* of the top */
	struct err *e;
};

static int add_former(void *arg, const struct version *v)
{
	struct former *f = arg;
	struct walker *w = f->w;
	struct directory d;
	struct node n;

	if (catalogue_directory(w->looker.catalogue, v->id, v->root, &d, f->e) < 0 ||
	    catalogue_node(w->looker.catalogue, d.node, false, &n, f->e) < 0)
		return -1;
	if (n.source_inode != f->inode || n.source_device == 0 ||
	    walk_is_device(&w->vantage, n.source_device, w->vantage.top_device))
		return 0;
	w->vantage.former[w->vantage.former_count++] = n.source_device;
	return w->vantage.former_count == FORMER_MAX;
}

static int find_former(struct walker *w, uint64_t inode, struct err *e)
{
	struct former f = { w, inode, e };

	if (catalogue_versions(w->looker.catalogue, w->g->version.system, add_former, &f, e) < 0)
		return err_wrap(e, "reading the versions before");
	return 0;
}

static int start_at_top(struct walker *w, struct err *e)
{
	struct ingest *g = w->g;
	struct dir *d = dir_new(g, NULL, "", 0);
	int fd = fcntl(g->source_fd, F_DUPFD_CLOEXEC, 3);
	struct handle *h = fd < 0 ? NULL : handle_new(fd);
	struct child c = { .prior = { .is_there = g->version.previous != 0,
				      .kind = NODE_DIRECTORY,
				      .directory = g->version.root } };
	struct level *level = d && h ? push_level(w, d, h) : NULL;
	struct statx sx;
	bool is_empty;

	if (fd < 0)
		return err_errno(e, "looking at the source");
	if (!level) {
		handle_unref(h);
		return err_set(e, MUNI_NO_MEMORY, "out of memory for a directory");
	}
	if (statx(h->fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &sx) < 0)
		return err_errno(e, "looking at the source");
	w->vantage.top_device = walk_device(&sx);
	if (w->looker.catalogue && find_former(w, sx.stx_ino, e) < 0)
		return -1;
	if (identify(w, d, &c, h->fd, NULL, &sx, e) < 0)
		return -1;
	level->device = d->meta.device;
	level->inode = d->meta.inode;
	d->id = g->version.root;
	if (ahead_start(&w->vantage, g->workers, &w->ahead, e) < 0 ||
	    walk_directory(w, level, NULL, &sx, &is_empty, e) < 0)
		return -1;
	d->child_total = level->count;
	walk_tell_listed(w, d);
	return 0;
}

static int walk(struct walker *w, struct err *e)
{
	if (start_at_top(w, e) < 0)
		return -1;
	while (w->depth > 0) {
		const struct level *top = &w->levels[w->depth - 1];

		if (ingest_is_stopped(w->g))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (top->next == top->count ? pop_level(w, e) < 0 : descend(w, e) < 0)
			return -1;
	}
	walk_send_span(w);
	return 0;
}

static int prepare(struct walker *w, struct err *e)
{
	struct ingest *g = w->g;
	struct stat st;

	w->capture = capture_new();
	if (!w->capture)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for walking the source");
	if (fstat(g->vault->dirfd, &st) < 0)
		return err_errno(e, "looking at the archive");
	w->vantage.g = g;
	w->vantage.archive_device = st.st_dev;
	w->vantage.archive_inode = st.st_ino;
	walk_prepare_spans(w);
	return looker_open(&w->looker, &w->vantage, e);
}

void *walk_thread(void *arg)
{
	struct walker w = { .g = arg };
	struct err e = ERR_NONE;

	if (prepare(&w, &e) < 0 || walk(&w, &e) < 0)
		ingest_fail(w.g, &e);
	walk_send_listed(&w);
	atomic_store(&w.g->is_walked, true);
	while (w.depth > 0)
		level_clear(&w, &w.levels[--w.depth]);
	free(w.levels);
	ahead_stop(w.ahead);
	task_free(w.batch);
	task_free(w.span);
	map_free(&w.inodes);
	capture_free(w.capture);
	looker_close(&w.looker);
	return NULL;
}

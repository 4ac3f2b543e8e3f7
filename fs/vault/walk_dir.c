/*
 * One directory: its names against the version before, in runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/text.h"
#include "fs/vault/walk_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

static int stopped(struct err *e)
{
	return err_set(e, MUNI_CANCELLED, "stopped, because another part failed");
}

static bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->seconds == b->seconds && a->ns == b->ns;
}

/* A file that changed in the very second in which the version before began may
 * have changed again behind the same times: its content is looked at. */
bool walk_is_racy(const struct ingest *g, const struct stamp *ctime)
{
	return ctime->seconds >= g->prior_ingested;
}

bool walk_is_device(const struct walker *w, uint64_t before, uint64_t now)
{
	if (before == now)
		return true;
	for (size_t i = 0; now == w->top_device && i < w->former_count; i++)
		if (w->former[i] == before)
			return true;
	return false;
}

static bool is_unchanged(const struct walker *w, const struct node *n, const struct meta *m)
{
	return !w->g->options->reread && n->kind == m->kind && !n->is_unstable &&
	       n->source_inode != 0 && n->source_inode == m->inode &&
	       walk_is_device(w, n->source_device, m->device) && n->mode == m->mode &&
	       n->uid == m->uid && n->gid == m->gid && n->links == m->links &&
	       (m->kind != NODE_FILE || n->size == m->size) &&
	       stamp_equal(&n->mtime, &m->mtime) && stamp_equal(&n->ctime, &m->ctime) &&
	       !walk_is_racy(w->g, &m->ctime);
}

/* ---- items ------------------------------------------------------------------------ */

static void count_kept(struct walker *w, struct run *r, const struct meta *m,
		       bool is_first_name)
{
	r->unchanged++;
	if (m->kind == NODE_FILE) {
		r->kept.files++;
		if (is_first_name) {
			r->kept.bytes += m->size;
			atomic_fetch_add(&w->g->bytes_kept, m->held);
		}
	} else {
		r->kept.others++;
	}
	atomic_fetch_add(&w->g->items_done, 1);
}

/* The body that other names of this inode use already; NULL: this is the first.
 * With the last name the map forgets it: *last is the map's reference. */
static struct body *other_name(struct walker *w, const struct meta *m, struct body **last)
{
	struct map *map = &w->g->links.bodies;
	struct body *b;

	*last = NULL;
	if (m->links < 2)
		return NULL;
	b = (struct body *)(uintptr_t)map_get(map, m->device, m->inode);
	if (b && ++b->seen >= m->links) {
		map_remove(map, m->device, m->inode);
		*last = b;
	}
	return b;
}

static int remember(struct walker *w, const struct meta *m, struct body *b, struct err *e)
{
	b->is_shared = true;
	b->seen = 1;
	if (!map_put(&w->g->links.bodies, m->device, m->inode, (uintptr_t)b))
		return no_memory(e);
	atomic_fetch_add(&b->refs, 1);
	return 0;
}

/* Another name of a body whose content somebody else reads, or has read. */
static int join(struct walker *w, struct item *item, struct err *e)
{
	struct ingest *g = w->g;
	struct body *b = item->body;
	int rc = 0;

	pthread_mutex_lock(&g->links.lock);
	if (!b->is_ready) {
		struct run **list = realloc(b->waiters,
					    (b->waiter_count + 1) * sizeof *list);

		if (list) {
			b->waiters = list;
			list[b->waiter_count++] = item->run;
			atomic_fetch_add(&item->run->pending, 1);
		} else {
			rc = no_memory(e);
		}
	}
	pthread_mutex_unlock(&g->links.lock);
	return rc;
}

/* The first (or only) name of an unchanged inode. */
static int keep_known(struct walker *w, struct run *r, const struct node *node,
		      const struct meta *m, struct err *e)
{
	struct body *b;
	int rc;

	count_kept(w, r, m, true);
	if (m->links < 2)
		return 0;
	b = body_new();
	if (!b)
		return no_memory(e);
	b->meta.kind = m->kind;
	b->is_known = b->is_ready = b->is_counted = true;
	b->node = node->id;
	rc = remember(w, m, b, e);
	body_unref(b);
	return rc;
}

/* keeps: the node before, where nothing but its class changed; else 0. */
static int add_first(struct walker *w, struct level *level, struct run *r,
		     const char *name, const struct prior *prior,
		     const struct statx *sx, int64_t keeps, struct err *e)
{
	struct ingest *g = w->g;
	struct body *b = body_new();
	struct item *item;

	if (!b)
		return no_memory(e);
	b->class_id = w->class_id;
	b->keeps = keeps;
	if (ingest_capture(g, w->capture, level->dir, name, level->handle->fd, name, sx,
			 &b->meta) < 0) {
		ingest_problem(g, level->dir, name, "it vanished while it was ingested");
		b->is_failed = true;
	}
	if (b->meta.links > 1 && remember(w, &b->meta, b, e) < 0) {
		body_unref(b);
		return -1;
	}
	item = run_add(r, name, strlen(name), prior, b);
	if (!item)
		return no_memory(e);
	item->is_reader = true;
	if (b->meta.kind == NODE_FILE && b->meta.size > 0 && !b->is_failed && !keeps)
		return walk_send_item(w, level, item, e);
	if (b->meta.kind == NODE_FILE)
		b->digest = digest_of("", 0);
	atomic_fetch_add(&g->items_done, 1);
	if (b->is_shared) {
		pthread_mutex_lock(&g->links.lock);
		b->is_ready = true;
		pthread_mutex_unlock(&g->links.lock);
	}
	return 0;
}

/* An entry that is no directory. node: of prior, NULL if there is none. */
static int take_item(struct walker *w, struct level *level, const char *name,
		     const struct statx *sx, const struct prior *prior,
		     const struct node *node, struct err *e)
{
	struct meta m = { .kind = 0 };
	struct run *r = walk_open_run(w, level);
	struct body *b, *last;
	struct item *item;
	int rc = 0;

	if (!r)
		return no_memory(e);
	walk_numbers(sx, &m);
	bool is_same = node && is_unchanged(w, node, &m);
	/* Re-classified: another node, the same content. */
	int64_t keeps = is_same && w->is_known_class &&
		ingest_class_base(w->g, node->class_id) != w->class_id ? node->id : 0;

	is_same = is_same && !keeps;
	b = other_name(w, &m, &last);
	if (!b && is_same) {
		rc = keep_known(w, r, node, &m, e);
	} else if (!b) {
		rc = add_first(w, level, r, name, prior, sx, keeps, e);
	} else if (is_same && b->is_known && b->node == node->id) {
		count_kept(w, r, &m, false);
	} else {
		atomic_fetch_add(&b->refs, 1);
		atomic_fetch_add(&w->g->items_done, 1);
		item = run_add(r, name, strlen(name), prior, b);
		if (item)
			item->class_id = w->class_id;
		rc = item ? join(w, item, e) : no_memory(e);
	}
	body_unref(last);
	return rc;
}

/* ---- sub-directories ---------------------------------------------------------------- */

static int take_directory(struct level *level, const char *name, const struct prior *prior,
			  const struct node *node, struct err *e)
{
	struct child *c;

	if (level->count == level->capacity) {
		size_t more = level->capacity ? level->capacity * 2 : 8;
		struct child *list = realloc(level->children, more * sizeof *list);

		if (!list)
			return no_memory(e);
		level->children = list;
		level->capacity = more;
	}
	c = &level->children[level->count];
	*c = (struct child){ .name_size = strlen(name), .prior = *prior };
	c->name = strdup(name);
	if (!c->name)
		return no_memory(e);
	if (node) {
		c->device = node->source_device;
		c->inode = node->source_inode;
		c->mtime = node->mtime;
		c->ctime = node->ctime;
	}
	level->count++;
	return 0;
}

/* ---- names against the version before ------------------------------------------------- */

static struct prior prior_of(const struct entry *entry)
{
	return (struct prior){ .is_there = true, .kind = entry->kind,
			       .first = entry->first, .node = entry->node,
			       .directory = entry->directory };
}

static int remove_prior(struct walker *w, struct level *level, const struct entry *entry,
			struct err *e)
{
	struct run *r = walk_open_run(w, level);
	struct prior prior = prior_of(entry);

	if (!r || !run_remove(r, entry->name, entry->name_size, &prior))
		return no_memory(e);
	return 0;
}

/* Was it decided that it is archived?  Then w->class_id says as what. */
static bool is_selected(struct walker *w, const char *path, size_t path_size,
			const struct statx *sx)
{
	struct meta m = { .kind = 0 };

	walk_numbers(sx, &m);
	struct selected s = ingest_select(w->g, path, path_size, &m, true);
	w->class_id = s.class_id;
	return s.decision == DECISION_ARCHIVE;
}

/* Is it to be taken in at all? Says why not where that is a problem. */
static bool look_at(struct walker *w, struct level *level, const char *name,
		    struct statx *sx)
{
	const struct ingest *g = w->g;
	bool is_directory;
	char *path;
	size_t size;

	if (strlen(name) > CATALOGUE_NAME_MAX) {	/* some file systems have them */
		ingest_problem(w->g, level->dir, name, "its name is longer than %d bytes",
			       CATALOGUE_NAME_MAX);
		return false;
	}
	if (statx(level->handle->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  WALK_STATX_MASK, sx) < 0) {
		ingest_problem(w->g, level->dir, name, errno == ENOENT ?
			       "it vanished while it was ingested" :
			       "it cannot be looked at: %s", strerror(errno));
		return false;
	}
	is_directory = (sx->stx_mode & S_IFMT) == S_IFDIR;
	if (is_directory && sx->stx_ino == w->archive_inode &&
	    walk_device(sx) == w->archive_device) {
		ingest_notice(w->g, "%s is this archive itself and was left out",
			      text_printable(name));
		return false;
	}
	if (g->options->exclude_count == 0 && !g->selection)
		return true;
	path = ingest_path(level->dir, name, &size);
	bool is_wanted = path && !walk_is_excluded(g->options, path, name, is_directory);
	if (is_wanted && g->selection && !is_directory)
		is_wanted = is_selected(w, path, size, sx);
	free(path);
	return is_wanted;
}

static int take_name(struct walker *w, struct level *level, const char *name,
		     const struct entry *entry, const struct node *node, struct err *e)
{
	struct prior prior = { .is_there = false };
	struct statx sx;
	bool is_directory;

	if (!look_at(w, level, name, &sx))
		return entry ? remove_prior(w, level, entry, e) : 0;
	is_directory = (sx.stx_mode & S_IFMT) == S_IFDIR;
	/* A directory and another kind under one name: one goes, the other comes. */
	if (entry && (entry->kind == NODE_DIRECTORY) != is_directory) {
		if (remove_prior(w, level, entry, e) < 0)
			return -1;
		entry = NULL;
		node = NULL;
	}
	if (entry)
		prior = prior_of(entry);
	return is_directory ? take_directory(level, name, &prior, node, e)
			    : take_item(w, level, name, &sx, &prior, node, e);
}

static int merge(struct walker *w, struct level *level, struct err *e)
{
	const struct entry *entry;
	const struct node *node;
	size_t i = 0;

	for (;;) {
		const char *name = i < w->names.count ? w->names.list[i] : NULL;
		int order;

		if (ingest_is_stopped(w->g))
			return stopped(e);
		if (prior_list_peek(w->priors, &entry, &node, e) < 0)
			return -1;
		if (!name && !entry)
			return 0;
		order = !name ? 1 : !entry ? -1 : strcmp(name, entry->name);
		if (order > 0 && remove_prior(w, level, entry, e) < 0)
			return -1;
		if (order <= 0 && take_name(w, level, name, order == 0 ? entry : NULL,
					    order == 0 ? node : NULL, e) < 0)
			return -1;
		if (order >= 0)
			prior_list_next(w->priors);
		i += order <= 0;
	}
}

/* The names as they stood at one moment, as far as the directory's times tell. */
static void read_names(struct walker *w, struct level *level)
{
	struct dir *d = level->dir;
	struct statx before, after;
	int fd = level->handle->fd;

	for (unsigned i = 0; i < READ_TRIES; i++) {
		if (statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &before) < 0 ||
		    names_read(fd, &w->names) < 0 ||
		    statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &after) < 0) {
			ingest_problem(w->g, d, NULL, "its names cannot be read: %s",
				       strerror(errno));
			return;
		}
		if (memcmp(&before.stx_mtime, &after.stx_mtime,
			   sizeof before.stx_mtime) == 0 &&
		    memcmp(&before.stx_ctime, &after.stx_ctime,
			   sizeof before.stx_ctime) == 0)
			return;
	}
	ingest_problem(w->g, d, NULL, "it changed while its names were read, %d times",
		       READ_TRIES);
}

int walk_directory(struct walker *w, struct level *level, struct err *e)
{
	int rc;

	w->names.count = 0;
	if (level->handle)
		read_names(w, level);
	prior_list_start(w->priors, w->catalogue, w->g->version.previous,
			 w->catalogue ? level->dir->prior_id : 0);
	rc = merge(w, level, e);
	walk_send_run(w, level);
	return rc;
}

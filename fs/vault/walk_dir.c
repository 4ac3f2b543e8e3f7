/*
 * What was seen of one directory becomes runs of entries.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/vault/walk_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

static int stopped(struct err *e)
{
	return err_set(e, MUNI_CANCELLED, "stopped, because another part failed");
}

/* ---- items ------------------------------------------------------------------------ */

static void count_kept(struct walker *w, struct dir *d, const struct meta *m,
		       bool is_first_name)
{
	d->unchanged++;
	if (m->kind == NODE_FILE) {
		d->kept.files++;
		if (is_first_name) {
			total_add(&d->kept.bytes, m->size);
			atomic_fetch_add(&w->g->bytes_kept, m->held);
		}
	} else {
		d->kept.others++;
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
static int keep_known(struct walker *w, struct dir *d, int64_t node, const struct meta *m,
		      struct err *e)
{
	struct body *b;
	int rc;

	count_kept(w, d, m, true);
	b = body_new();
	if (!b)
		return no_memory(e);
	b->meta.kind = m->kind;
	b->is_known = b->is_ready = b->is_counted = true;
	b->node = node;
	rc = remember(w, m, b, e);
	body_unref(b);
	return rc;
}

/* The item's body, with what the source says of it.  What is read is asked for its
 * attributes by whoever has it open. */
static int describe(struct walker *w, struct level *level, const char *name,
		    const struct sight *s, struct body *b, bool is_read, struct err *e)
{
	struct ingest *g = w->g;

	b->class_id = s->class_id;
	b->keeps = s->keeps;
	if (is_read) {
		walk_numbers(&s->sx, &b->meta);
		b->wants_capture = true;
	} else if (ingest_capture(g, w->capture, level->dir, name, level->handle->fd, name,
				  &s->sx, &b->meta) < 0) {
		ingest_problem(g, level->dir, name, "it vanished while it was ingested");
		b->is_failed = true;
	}
	return b->meta.links > 1 ? remember(w, &b->meta, b, e) : 0;
}

static int add_first(struct walker *w, struct level *level, struct run *r,
		     const char *name, const struct sight *s, struct err *e)
{
	bool is_read = S_ISREG(s->sx.stx_mode) && s->sx.stx_size > 0 && !s->keeps;
	struct ingest *g = w->g;
	struct body *b = body_new();
	struct item *item;

	if (!b)
		return no_memory(e);
	if (describe(w, level, name, s, b, is_read, e) < 0) {
		body_unref(b);
		return -1;
	}
	item = run_add(r, name, s->name_size, &s->prior, b);
	if (!item)
		return no_memory(e);
	item->is_reader = true;
	if (is_read)
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

/* An entry that is no directory. */
static int take_item(struct walker *w, struct level *level, const char *name,
		     const struct sight *s, struct err *e)
{
	struct meta m = { .kind = 0 };
	struct body *b, *last;
	struct item *item;
	struct run *r;
	int rc = 0;

	walk_numbers(&s->sx, &m);
	b = other_name(w, &m, &last);
	if (!b && s->is_same) {
		rc = keep_known(w, level->dir, s->prior.node, &m, e);
		goto out;
	}
	if (s->is_same && b->is_known && b->node == s->prior.node) {
		count_kept(w, level->dir, &m, false);
		goto out;
	}
	r = walk_open_run(w, level);
	if (!r) {
		rc = no_memory(e);
	} else if (!b) {
		rc = add_first(w, level, r, name, s, e);
	} else {
		atomic_fetch_add(&b->refs, 1);
		atomic_fetch_add(&w->g->items_done, 1);
		item = run_add(r, name, s->name_size, &s->prior, b);
		if (item)
			item->class_id = s->class_id;
		rc = item ? join(w, item, e) : no_memory(e);
	}
out:
	body_unref(last);
	return rc;
}

/* ---- sights ---------------------------------------------------------------------------- */

static int remove_prior(struct walker *w, struct level *level, const char *name,
			const struct sight *s, struct err *e)
{
	struct run *r = walk_open_run(w, level);

	if (!r || !run_remove(r, name, s->name_size, &s->prior))
		return no_memory(e);
	return 0;
}

static int take_sight(struct walker *w, struct level *level, const struct look *k,
		      const struct sight *s, struct err *e)
{
	const char *name = (const char *)k->text.data + s->name_at;
	struct dir *d = level->dir;

	switch (s->kind) {
	case SIGHT_ITEM:
		return take_item(w, level, name, s, e);
	case SIGHT_GONE:
		return remove_prior(w, level, name, s, e);
	case SIGHT_UNREADABLE:
		if (s->why == ENOENT)
			ingest_problem(w->g, d, name, "it vanished while it was ingested");
		else
			ingest_refused(w->g, d, name, "it cannot be looked at", s->why);
		break;
	case SIGHT_LONG_NAME:
		ingest_problem(w->g, d, name, "its name is longer than %d bytes",
			       CATALOGUE_NAME_MAX);
		break;
	case SIGHT_ARCHIVE:
		ingest_notice(w->g, "%s is this archive itself and was left out",
			      text_printable(name));
		break;
	}
	return 0;
}

/* The children are the level's from now on. */
static int take_children(struct level *level, struct look *k, struct err *e)
{
	size_t count = level->count + k->child_count;

	if (count > level->capacity) {
		size_t more = count > level->capacity * 2 ? count : level->capacity * 2;
		struct child **list = realloc(level->children, more * sizeof *list);

		if (!list)
			return no_memory(e);
		level->children = list;
		level->capacity = more;
	}
	if (k->child_count > 0)
		memcpy(level->children + level->count, k->children,
		       k->child_count * sizeof *k->children);
	level->count = count;
	k->child_count = 0;
	return 0;
}

/* What was seen last, in the order of names. */
static int take_look(struct walker *w, struct level *level, struct look *k, struct err *e)
{
	struct ingest *g = w->g;
	struct dir *d = level->dir;

	if (take_children(level, k, e) < 0)
		return -1;
	d->unchanged += k->unchanged;
	d->kept.files += k->kept.files;
	d->kept.others += k->kept.others;
	total_add(&d->kept.bytes, k->kept.bytes);
	atomic_fetch_add(&g->items_done, k->unchanged);
	atomic_fetch_add(&g->bytes_kept, k->kept_held);
	left_out_add(&g->left_out, &k->left_out);
	for (size_t i = 0; i < k->sight_count; i++) {
		if (ingest_is_stopped(g))
			return stopped(e);
		if (take_sight(w, level, k, &k->sights[i], e) < 0)
			return -1;
	}
	return 0;
}

static void tell_names(struct walker *w, struct dir *d, const struct look *k)
{
	if (k->names_why != 0)
		ingest_refused(w->g, d, NULL, "its names cannot be read", k->names_why);
	else if (k->is_restless)
		ingest_problem(w->g, d, NULL, "it changed while its names were read, %d "
			       "times", READ_TRIES);
}

/* ---- a directory ------------------------------------------------------------------------- */

void walk_drop_look(struct walker *w, struct look *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->child_count; i++)
		ahead_drop(w->ahead, k->children[i]);
	k->child_count = 0;
	ahead_spend(w->ahead, k, NULL);
}

static void add_ahead(struct walker *w, const struct level *level, const struct look *k)
{
	struct child *before = level->count ? level->children[level->count - 1] : NULL;

	if (level->handle && w->ahead)
		ahead_add(w->ahead, before, level->handle, k->path, k->children,
			  k->child_count);
}

/* Looks now, and lets others look at what is below. */
static int look_now(struct walker *w, struct level *level, const struct statx *self,
		    struct look **out, struct err *e)
{
	const struct ingest *g = w->g;
	char *path = NULL;
	size_t size;

	if (g->selection || g->options->exclude_count > 0) {
		path = ingest_path(level->dir, NULL, &size);
		if (!path)
			return no_memory(e);
	}
	*out = look_new(&w->looker, level->handle, self, level->dir->prior_id, path, e);
	if (!*out)
		return -1;
	add_ahead(w, level, *out);
	return 0;
}

int walk_directory(struct walker *w, struct level *level, struct look *look,
		   const struct statx *self, bool *is_empty, struct err *e)
{
	int rc = 0;

	/* Its rows were those of another directory, or nobody looked. */
	if (look && (look->handle != level->handle || look->directory !=
		     (w->looker.catalogue ? level->dir->prior_id : 0))) {
		walk_drop_look(w, look);
		look = NULL;
	}
	if (!look && look_now(w, level, self, &look, e) < 0)
		return -1;
	*is_empty = look->names.count == 0;
	level->dir->has_numbers = look->has_numbers && !look->are_numbers_known;
	level->dir->numbers = look->numbers;
	tell_names(w, level->dir, look);
	rc = take_look(w, level, look, e);
	while (rc == 0 && !look->is_end) {
		rc = look_on(&w->looker, look, e);
		if (rc == 0)
			add_ahead(w, level, look);
		if (rc == 0)
			rc = take_look(w, level, look, e);
	}
	walk_send_run(w, level);
	walk_drop_look(w, look);
	return rc;
}

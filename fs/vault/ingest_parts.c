/*
 * The small things that travel between the threads of an ingest: made, joined,
 * freed.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/total.h"
#include "fs/vault/ingest_tree.h"

void meta_clear(struct meta *m)
{
	free(m->xattrs);
	free(m->target);
	*m = (struct meta){ .kind = 0 };
}

/* ---- bodies ------------------------------------------------------------------- */

struct body *body_new(void)
{
	struct body *b = calloc(1, sizeof *b);

	if (b) {
		atomic_init(&b->refs, 1);
		b->class_id = 1;
	}
	return b;
}

void body_unref(struct body *b)
{
	if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	meta_clear(&b->meta);
	free(b->extents);
	free(b->waiters);
	free(b);
}

bool body_extend(struct body *b, uint64_t offset, const struct chunk_place *p)
{
	struct extent *last = b->extent_count ? &b->extents[b->extent_count - 1] : NULL;

	b->allocated += p->size;
	if (last && last->block == p->block && last->at + last->size == p->at &&
	    last->offset + last->size == offset && p->size <= BLOCK_RAW_MAX - last->size) {
		last->size += p->size;
		return true;
	}
	if (b->extent_count == b->extent_capacity) {
		size_t more = b->extent_capacity ? b->extent_capacity * 2 : 1;
		struct extent *list = realloc(b->extents, more * sizeof *list);

		if (!list)
			return false;
		b->extents = list;
		b->extent_capacity = more;
	}
	b->extents[b->extent_count++] = (struct extent){
		.offset = offset, .size = p->size, .block = p->block, .at = p->at };
	return true;
}

void body_done(struct ingest *g, struct body *b, struct run *r)
{
	struct run **waiters = NULL;
	size_t count = 0;
	struct err e = ERR_NONE;

	if (!r) {
		if (inode_set_content(b->inode, b, &e) < 0)
			ingest_fail(g, &e);
		body_unref(b);
		loose_done(g);
		return;
	}
	if (b->is_shared) {
		pthread_mutex_lock(&g->links.lock);
		b->is_ready = true;
		waiters = b->waiters;
		count = b->waiter_count;
		b->waiters = NULL;
		b->waiter_count = 0;
		pthread_mutex_unlock(&g->links.lock);
	}
	/* The body may be gone once its own run is released. */
	for (size_t i = 0; i < count; i++)
		run_release(g, waiters[i]);
	free(waiters);
	run_release(g, r);
}

int64_t ingest_class_base(const struct ingest *g, int64_t class_id)
{
	for (size_t i = 0; i < g->restricted_count; i++)
		if (g->restricted[i].id == class_id)
			return g->restricted[i].base;
	return class_id;
}

struct selected ingest_select(const struct ingest *g, const void *path, size_t path_size,
			      const struct meta *m, bool is_exact, struct left_out *out)
{
	uint64_t bytes = m->kind == NODE_FILE ? m->size : 0;
	struct selected s = is_exact ?
		selection_of(g->selection, path, path_size, bytes, m->mtime) :
		selection_by_path(g->selection, path, path_size);

	out->undecided += !s.is_decided;
	if (s.decision == DECISION_ARCHIVE) {
		out->taken++;
	} else {
		out->by[s.decision].items++;
		total_add(&out->by[s.decision].bytes, bytes);
	}
	return s;
}

void left_out_add(struct left_out *sum, const struct left_out *more)
{
	for (size_t i = 0; i < sizeof sum->by / sizeof sum->by[0]; i++) {
		sum->by[i].items += more->by[i].items;
		total_add(&sum->by[i].bytes, more->by[i].bytes);
	}
	sum->undecided += more->undecided;
	sum->taken += more->taken;
}

int ingest_claim(struct ingest *g, int64_t id, bool *is_first, struct err *e)
{
	*is_first = id != 0 && map_get(&g->claimed, (uint64_t)id, 0) == 0;
	if (!*is_first || map_put(&g->claimed, (uint64_t)id, 0, 1))
		return 0;
	return err_set(e, MUNI_NO_MEMORY, "no memory for the directories of this version");
}

/* ---- what is on its way ----------------------------------------------------------- */

void loose_add(struct ingest *g)
{
	pthread_mutex_lock(&g->loose_lock);
	g->loose++;
	pthread_mutex_unlock(&g->loose_lock);
}

void loose_done(struct ingest *g)
{
	pthread_mutex_lock(&g->loose_lock);
	if (--g->loose == 0)
		pthread_cond_broadcast(&g->loose_none);
	pthread_mutex_unlock(&g->loose_lock);
}

int loose_wait(struct ingest *g, struct err *e)
{
	pthread_mutex_lock(&g->loose_lock);
	while (g->loose > 0 && !ingest_is_stopped(g))
		pthread_cond_wait(&g->loose_none, &g->loose_lock);
	pthread_mutex_unlock(&g->loose_lock);
	return ingest_is_stopped(g) ? err_set(e, MUNI_CANCELLED, "stopped") : 0;
}

/* ---- runs ---------------------------------------------------------------------- */

struct run *run_new(struct ingest *g, struct dir *d)
{
	struct run *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->dir = d;
	r->last = &r->first;
	atomic_init(&r->pending, 1);
	pthread_mutex_lock(&g->alive_lock);
	r->after = g->runs;
	if (g->runs)
		g->runs->before = r;
	g->runs = r;
	pthread_mutex_unlock(&g->alive_lock);
	return r;
}

static char *copy_name(const char *name, size_t size)
{
	char *copy = malloc(size + 1);

	if (copy) {
		memcpy(copy, name, size);
		copy[size] = 0;
	}
	return copy;
}

struct item *run_add(struct run *r, const char *name, size_t name_size,
		     const struct prior *prior, struct body *body)
{
	struct item *item = calloc(1, sizeof *item);
	char *copy = copy_name(name, name_size);

	if (!item || !copy || !body) {
		free(item);
		free(copy);
		body_unref(body);
		return NULL;
	}
	item->name = copy;
	item->name_size = (uint16_t)name_size;
	item->prior = *prior;
	item->body = body;
	item->run = r;
	*r->last = item;
	r->last = &item->next;
	r->item_count++;
	return item;
}

bool run_remove(struct run *r, const char *name, size_t name_size,
		const struct prior *prior)
{
	if (r->removal_count == r->removal_capacity) {
		size_t more = r->removal_capacity ? r->removal_capacity * 2 : 16;
		struct removal *list = realloc(r->removals, more * sizeof *list);

		if (!list)
			return false;
		r->removals = list;
		r->removal_capacity = more;
	}
	char *copy = copy_name(name, name_size);

	if (!copy)
		return false;
	r->removals[r->removal_count++] = (struct removal){
		.name = copy, .name_size = (uint16_t)name_size, .prior = *prior };
	return true;
}

void run_release(struct ingest *g, struct run *r)
{
	if (atomic_fetch_sub(&r->pending, 1) == 1)
		events_push(g->events, (struct event){ EVENT_RUN, .run = r });
}

void run_free(struct ingest *g, struct run *r)
{
	pthread_mutex_lock(&g->alive_lock);
	if (r->before)
		r->before->after = r->after;
	else
		g->runs = r->after;
	if (r->after)
		r->after->before = r->before;
	pthread_mutex_unlock(&g->alive_lock);
	for (struct item *item = r->first, *next; item; item = next) {
		next = item->next;
		body_unref(item->body);
		free(item->name);
		free(item);
	}
	for (size_t i = 0; i < r->removal_count; i++)
		free(r->removals[i].name);
	free(r->removals);
	free(r);
}

/* ---- directories ------------------------------------------------------------------ */

struct dir *dir_new(struct ingest *g, struct dir *parent, const char *name,
		    size_t name_size)
{
	struct dir *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->parent = parent;
	d->name_size = (uint16_t)name_size;
	d->name = copy_name(name, name_size);
	if (!d->name) {
		free(d);
		return NULL;
	}
	pthread_mutex_lock(&g->alive_lock);
	d->after = g->dirs;
	if (g->dirs)
		g->dirs->before = d;
	g->dirs = d;
	pthread_mutex_unlock(&g->alive_lock);
	return d;
}

void dir_free(struct ingest *g, struct dir *d)
{
	pthread_mutex_lock(&g->alive_lock);
	if (d->before)
		d->before->after = d->after;
	else
		g->dirs = d->after;
	if (d->after)
		d->after->before = d->before;
	pthread_mutex_unlock(&g->alive_lock);
	meta_clear(&d->meta);
	free(d->leaves);
	free(d->name);
	free(d);
}

char *ingest_path(const struct dir *d, const char *name, size_t *size)
{
	size_t total = name ? strlen(name) : 0;
	char *path, *at;

	for (const struct dir *p = d; p && p->parent; p = p->parent)
		total += (size_t)p->name_size + (total > 0);
	path = malloc(total + 1);
	if (!path)
		return NULL;
	at = path + total;
	*at = 0;
	if (name) {
		at -= strlen(name);
		memcpy(at, name, strlen(name));
	}
	for (const struct dir *p = d; p && p->parent; p = p->parent) {
		if (*at != 0)
			*--at = '/';
		at -= p->name_size;
		memcpy(at, p->name, p->name_size);
	}
	*size = total;
	return path;
}

/* ---- tasks ----------------------------------------------------------------------- */

void large_file_free(void *file)
{
	struct large_file *f = file;

	handle_unref(f->handle);
	free(f);
}

/* ---- buffers -------------------------------------------------------------------- */

#define POOL_KEEPS 64

struct ingest_pool {
	size_t size;
	pthread_mutex_t lock;
	void *kept[POOL_KEEPS];	/* protected by lock, as is count */
	size_t count;
};

struct ingest_pool *ingest_pool_new(size_t size)
{
	struct ingest_pool *p = calloc(1, sizeof *p);

	if (p) {
		p->size = size;
		pthread_mutex_init(&p->lock, NULL);
	}
	return p;
}

void *ingest_pool_get(struct ingest_pool *p)
{
	void *buffer = NULL;

	pthread_mutex_lock(&p->lock);
	if (p->count > 0)
		buffer = p->kept[--p->count];
	pthread_mutex_unlock(&p->lock);
	return buffer ? buffer : malloc(p->size);
}

void ingest_pool_put(struct ingest_pool *p, void *buffer)
{
	pthread_mutex_lock(&p->lock);
	if (buffer && p->count < POOL_KEEPS) {
		p->kept[p->count++] = buffer;
		buffer = NULL;
	}
	pthread_mutex_unlock(&p->lock);
	free(buffer);
}

void ingest_pool_free(struct ingest_pool *p)
{
	if (!p)
		return;
	while (p->count > 0)
		free(p->kept[--p->count]);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/*
 * Items, batches of them, and the groups of an inode's names.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/vault/scan_inside.h"

struct scan_item *scan_item_new(enum scan_outcome outcome, const char *path, size_t size)
{
	struct scan_item *i = calloc(1, sizeof *i);

	if (!i)
		return NULL;
	i->outcome = outcome;
	i->fd = -1;
	if (!path)
		return i;
	i->path = malloc(size + 1);
	if (!i->path) {
		free(i);
		return NULL;
	}
	memcpy(i->path, path, size);
	i->path[size] = '\0';
	i->path_size = size;
	const char *slash = memrchr(i->path, '/', size);
	i->name = slash ? slash + 1 : i->path;
	return i;
}

static void disband(struct scan_group *g);

void scan_item_free(struct scan_item *i)
{
	if (!i)
		return;
	if (i->fd >= 0)
		close(i->fd);
	pour_unref(i->pour);
	handle_unref(i->dir);
	if (i->is_leader)
		disband(i->group);
	scan_group_unref(i->group);
	content_unref(i->content);
	meta_clear(&i->meta);
	free(i->data);
	free(i->text);
	free(i->path);
	free(i);
}

struct scan_batch *scan_batch_new(void)
{
	struct scan_batch *b = calloc(1, sizeof *b);

	if (b)
		b->last = &b->first;
	return b;
}

void scan_batch_add(struct scan_batch *b, struct scan_item *i)
{
	i->next = NULL;
	*b->last = i;
	b->last = &i->next;
	b->count++;
}

void scan_batch_free(void *batch)
{
	struct scan_batch *b = batch;
	struct scan_item *next;

	if (!b)
		return;
	for (struct scan_item *i = b->first; i; i = next) {
		next = i->next;
		scan_item_free(i);
	}
	free(b);
}

/* ---- names of one inode ----------------------------------------------------------- */

struct scan_group *scan_group_new(void)
{
	struct scan_group *g = calloc(1, sizeof *g);

	if (g) {
		atomic_init(&g->refs, 1);
		pthread_mutex_init(&g->lock, NULL);
		g->last_waiter = &g->waiters;
	}
	return g;
}

void scan_group_unref(struct scan_group *g)
{
	if (!g || atomic_fetch_sub(&g->refs, 1) != 1)
		return;
	content_unref(g->content);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* With the lock held. */
static struct scan_item *take_waiters(struct scan_group *g)
{
	struct scan_item *list = g->waiters;

	g->waiters = NULL;
	g->last_waiter = &g->waiters;
	return list;
}

enum scan_place scan_group_join(struct scan_item *i)
{
	struct scan_group *g = i->group;
	enum scan_place place = SCAN_WAITS;

	pthread_mutex_lock(&g->lock);
	if (g->content) {
		i->content = content_ref(g->content);
		place = SCAN_KNOWN;
	} else if (g->is_lost) {
		g->is_lost = false;
		i->is_leader = true;
		place = SCAN_LEADS;
	} else {
		i->next = NULL;
		*g->last_waiter = i;
		g->last_waiter = &i->next;
	}
	pthread_mutex_unlock(&g->lock);
	return place;
}

struct scan_item *scan_group_lead(struct scan_group *g, struct content *c)
{
	struct scan_item *list;

	pthread_mutex_lock(&g->lock);
	g->content = content_ref(c);
	list = take_waiters(g);
	pthread_mutex_unlock(&g->lock);
	for (struct scan_item *i = list; i; i = i->next)
		i->content = content_ref(c);
	return list;
}

struct scan_item *scan_group_hand_on(struct scan_group *g)
{
	struct scan_item *i;

	pthread_mutex_lock(&g->lock);
	i = g->waiters;
	if (i) {
		g->waiters = i->next;
		if (!g->waiters)
			g->last_waiter = &g->waiters;
		i->is_leader = true;
	} else {
		g->is_lost = true;
	}
	pthread_mutex_unlock(&g->lock);
	return i;
}

/* A leader goes before it has read: the scan was stopped.  So go those that wait. */
static void disband(struct scan_group *g)
{
	struct scan_item *list, *next;

	pthread_mutex_lock(&g->lock);
	g->is_lost = g->content == NULL;
	list = take_waiters(g);
	pthread_mutex_unlock(&g->lock);
	for (; list; list = next) {
		next = list->next;
		scan_item_free(list);
	}
}

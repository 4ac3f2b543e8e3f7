/*
 * Open descriptors of objects, in small sets with a lock each: a get holds a
 * lock for a few comparisons, never during a read.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/file.h"
#include "fs/store/objects_inside.h"

#define SETS 32
#define WAYS 4			/* SETS * WAYS descriptors at most, and one a thread */

struct objects_handle {
	struct object_name name;
	int fd;			/* owned */
	unsigned users;		/* the set's own slot counts as one; protected by
				 * the set's lock */
};

struct set {
	pthread_mutex_t lock;
	uint64_t clock;				/* protected by lock */
	struct objects_handle *handles[WAYS];	/* protected by lock; NULL free */
	uint64_t used[WAYS];			/* protected by lock */
};

struct objects_cache {
	struct set sets[SETS];
};

static bool is_same(const struct object_name *a, const struct object_name *b)
{
	return a->kind == b->kind && memcmp(a->uid, b->uid, sizeof a->uid) == 0;
}

static struct set *set_of(struct objects_cache *c, const struct object_name *name)
{
	/* uids are random: any byte spreads evenly. */
	return &c->sets[(name->uid[15] + (unsigned)name->kind) % SETS];
}

/* The set's lock is held. */
static void unref(struct objects_handle *h)
{
	if (--h->users > 0)
		return;
	file_close(&h->fd);
	free(h);
}

struct objects_cache *objects_cache_new(void)
{
	struct objects_cache *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	for (size_t i = 0; i < SETS; i++)
		pthread_mutex_init(&c->sets[i].lock, NULL);
	return c;
}

void objects_cache_free(struct objects_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < SETS; i++) {
		for (size_t k = 0; k < WAYS; k++)
			if (c->sets[i].handles[k] != NULL)
				unref(c->sets[i].handles[k]);
		pthread_mutex_destroy(&c->sets[i].lock);
	}
	free(c);
}

void objects_cache_clear(struct objects_cache *c)
{
	for (size_t i = 0; i < SETS; i++) {
		struct set *set = &c->sets[i];
		pthread_mutex_lock(&set->lock);
		for (size_t k = 0; k < WAYS; k++) {
			if (set->handles[k] != NULL)
				unref(set->handles[k]);
			set->handles[k] = NULL;
		}
		pthread_mutex_unlock(&set->lock);
	}
}

struct objects_handle *objects_cache_take(struct objects_cache *c,
					  const struct object_name *name)
{
	struct set *set = set_of(c, name);
	struct objects_handle *found = NULL;

	pthread_mutex_lock(&set->lock);
	for (size_t k = 0; k < WAYS && found == NULL; k++) {
		struct objects_handle *h = set->handles[k];

		if (h == NULL || !is_same(&h->name, name))
			continue;
		h->users++;
		set->used[k] = ++set->clock;
		found = h;
	}
	pthread_mutex_unlock(&set->lock);
	return found;
}

struct objects_handle *objects_cache_add(struct objects_cache *c,
					 const struct object_name *name, int fd)
{
	struct set *set = set_of(c, name);
	struct objects_handle *h = malloc(sizeof *h);
	size_t slot = 0;

	if (h == NULL) {
		file_close(&fd);
		return NULL;
	}
	*h = (struct objects_handle){ .name = *name, .fd = fd, .users = 2 };

	pthread_mutex_lock(&set->lock);
	for (size_t k = 0; k < WAYS; k++) {
		/* Another thread may have opened the same object meanwhile. */
		if (set->handles[k] == NULL || is_same(&set->handles[k]->name, name)) {
			slot = k;
			break;
		}
		if (set->used[k] < set->used[slot])
			slot = k;
	}
	if (set->handles[slot] != NULL)
		unref(set->handles[slot]);
	set->handles[slot] = h;
	set->used[slot] = ++set->clock;
	pthread_mutex_unlock(&set->lock);
	return h;
}

int objects_handle_fd(const struct objects_handle *h)
{
	return h->fd;
}

void objects_cache_release(struct objects_cache *c, struct objects_handle *h)
{
	struct set *set = set_of(c, &h->name);

	pthread_mutex_lock(&set->lock);
	unref(h);
	pthread_mutex_unlock(&set->lock);
}

void objects_cache_drop(struct objects_cache *c, const struct object_name *name)
{
	struct set *set = set_of(c, name);

	pthread_mutex_lock(&set->lock);
	for (size_t k = 0; k < WAYS; k++) {
		if (set->handles[k] == NULL || !is_same(&set->handles[k]->name, name))
			continue;
		unref(set->handles[k]);
		set->handles[k] = NULL;
		set->used[k] = 0;
	}
	pthread_mutex_unlock(&set->lock);
}

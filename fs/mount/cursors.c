#include "fs/mount/cursors.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SETS 64
#define WAYS 16

struct set {
	unsigned next;		/* the way that goes next */
	struct cursor ways[WAYS];	/* ino 0: free */
};

struct cursors {
	atomic_uint_fast64_t first;	/* count before the first entry */
	pthread_mutex_t lock;	/* protects sets */
	struct set sets[SETS];
};

static struct set *set_of(struct cursors *c, uint64_t ino)
{
	return &c->sets[(ino * 0x9e3779b97f4a7c15u) >> 58];
}

struct cursors *cursors_new(void)
{
	struct cursors *c = calloc(1, sizeof *c);

	if (c)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

void cursors_free(struct cursors *c)
{
	if (c)
		pthread_mutex_destroy(&c->lock);
	free(c);
}

void cursors_put(struct cursors *c, const struct cursor *at)
{
	pthread_mutex_lock(&c->lock);
	struct set *s = set_of(c, at->ino);
	unsigned way = s->next++ % WAYS;
	for (unsigned i = 0; i < WAYS; i++)
		if (s->ways[i].ino == at->ino && s->ways[i].count == at->count)
			way = i;
	s->ways[way] = *at;
	pthread_mutex_unlock(&c->lock);
}

void cursors_get(struct cursors *c, uint64_t ino, uint64_t count, struct cursor *out)
{
	*out = (struct cursor){ .ino = ino, .count = count >> CURSORS_GENERATION
							   << CURSORS_GENERATION };
	pthread_mutex_lock(&c->lock);
	struct set *s = set_of(c, ino);
	for (unsigned i = 0; i < WAYS; i++) {
		const struct cursor *w = &s->ways[i];
		if (w->ino == ino && w->count <= count && w->count > out->count)
			*out = *w;
	}
	pthread_mutex_unlock(&c->lock);
}

uint64_t cursors_first(struct cursors *c)
{
	return atomic_load(&c->first);
}

void cursors_renew(struct cursors *c, void (*mend)(void *arg, struct cursor *at), void *arg)
{
	atomic_fetch_add(&c->first, UINT64_C(1) << CURSORS_GENERATION);
	pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < SETS; i++)
		for (unsigned k = 0; k < WAYS; k++)
			if (c->sets[i].ways[k].ino != 0)
				mend(arg, &c->sets[i].ways[k]);
	pthread_mutex_unlock(&c->lock);
}

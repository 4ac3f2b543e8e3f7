#include "fs/mount/cursors.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SETS 64
#define WAYS 16

struct set {
	unsigned next;		/* the way that goes next */
	struct cursor ways[WAYS];	/* ino 0: free */
};

struct lost {
	int64_t directory;
	uint64_t generation;	/* the newest in which it lost something */
};

struct cursors {
	atomic_uint_fast64_t first;	/* count before the first entry */
	pthread_mutex_t lock;	/* protects all below */
	struct set sets[SETS];
	struct lost *lost;	/* owned; once settled: by directory, each once */
	size_t lost_count, lost_room;
	uint64_t known_from;	/* what was lost since this generation is noted */
	bool is_settled;	/* in the present one, too */
};

static struct set *set_of(struct cursors *c, uint64_t ino)
{
	return &c->sets[(ino * 0x9e3779b97f4a7c15u) >> 58];
}

struct cursors *cursors_new(void)
{
	struct cursors *c = calloc(1, sizeof *c);

	if (c) {
		pthread_mutex_init(&c->lock, NULL);
		c->is_settled = true;
	}
	return c;
}

void cursors_free(struct cursors *c)
{
	if (c) {
		pthread_mutex_destroy(&c->lock);
		free(c->lost);
	}
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

/* ---- what was lost ---------------------------------------------------------------- */

static uint64_t generation_of(uint64_t count)
{
	return count >> CURSORS_GENERATION;
}

/* Under the lock, as all of these.  Numbers of before the present generation are void. */
static void know_nothing(struct cursors *c)
{
	free(c->lost);
	c->lost = NULL;
	c->lost_count = c->lost_room = 0;
	c->known_from = generation_of(atomic_load(&c->first));
}

/* By directory, the newest first. */
static int lost_order(const void *a, const void *b)
{
	const struct lost *x = a, *y = b;

	if (x->directory != y->directory)
		return x->directory < y->directory ? -1 : 1;
	return (x->generation < y->generation) - (x->generation > y->generation);
}

static int lost_place(const void *a, const void *b)
{
	const struct lost *x = a, *y = b;

	return (x->directory > y->directory) - (x->directory < y->directory);
}

static bool make_room(struct cursors *c)
{
	size_t room = c->lost_room ? 2 * c->lost_room : 64;
	struct lost *more;

	if (c->lost_count < c->lost_room)
		return true;
	more = room <= CURSORS_LOST_MAX ? realloc(c->lost, room * sizeof *more) : NULL;
	if (more) {
		c->lost = more;
		c->lost_room = room;
	}
	return more != NULL;
}

void cursors_note_lost(struct cursors *c, int64_t directory)
{
	uint64_t generation;

	pthread_mutex_lock(&c->lock);
	generation = generation_of(atomic_load(&c->first));
	c->is_settled = false;
	if (c->known_from <= generation && !make_room(c)) {
		know_nothing(c);
		c->known_from = generation + 1;	/* nor is this one known as a whole */
	}
	if (c->known_from <= generation)
		c->lost[c->lost_count++] = (struct lost){ directory, generation };
	pthread_mutex_unlock(&c->lock);
}

void cursors_settle(struct cursors *c)
{
	size_t kept = 0;

	pthread_mutex_lock(&c->lock);
	if (c->lost_count > 1)
		qsort(c->lost, c->lost_count, sizeof *c->lost, lost_order);
	for (size_t i = 0; i < c->lost_count; i++)
		if (kept == 0 || c->lost[kept - 1].directory != c->lost[i].directory)
			c->lost[kept++] = c->lost[i];
	c->lost_count = kept;
	c->is_settled = true;
	pthread_mutex_unlock(&c->lock);
}

uint64_t cursors_now(struct cursors *c, int64_t directory, uint64_t count)
{
	const struct lost wanted = { .directory = directory };
	const struct lost *at = NULL;

	pthread_mutex_lock(&c->lock);
	uint64_t first = atomic_load(&c->first), from = generation_of(count);
	if (c->lost_count > 0 && c->is_settled)
		at = bsearch(&wanted, c->lost, c->lost_count, sizeof *c->lost, lost_place);
	if (c->is_settled && from >= c->known_from && from < generation_of(first) &&
	    (!at || at->generation <= from))
		count += first - (from << CURSORS_GENERATION);
	pthread_mutex_unlock(&c->lock);
	return count;
}

void cursors_renew(struct cursors *c, void (*mend)(void *arg, struct cursor *at), void *arg)
{
	pthread_mutex_lock(&c->lock);
	atomic_fetch_add(&c->first, UINT64_C(1) << CURSORS_GENERATION);
	if (!c->is_settled)
		know_nothing(c);
	c->is_settled = false;
	for (unsigned i = 0; i < SETS; i++)
		for (unsigned k = 0; k < WAYS; k++)
			if (c->sets[i].ways[k].ino != 0)
				mend(arg, &c->sets[i].ways[k]);
	pthread_mutex_unlock(&c->lock);
}

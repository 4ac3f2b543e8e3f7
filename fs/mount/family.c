#include "fs/mount/family.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS 1024		/* power of two */
#define WAYS 8
#define DEPTH 64		/* levels that a walk is followed up */

struct member {
	uint64_t ino;		/* 0: free */
	uint64_t parent, next;	/* beside it; 0: unknown */
	uint64_t first, last;	/* inside it; last: so far */
};

struct family {
	pthread_mutex_t lock;	/* protects all below */
	unsigned next_way;
	struct member sets[SETS][WAYS];
};

struct family *family_new(void)
{
	struct family *f = calloc(1, sizeof *f);

	if (f)
		pthread_mutex_init(&f->lock, NULL);
	return f;
}

void family_free(struct family *f)
{
	if (f)
		pthread_mutex_destroy(&f->lock);
	free(f);
}

/* ---- under the lock -------------------------------------------------------------- */

static struct member *set_of(struct family *f, uint64_t ino)
{
	return f->sets[(ino * 0x9e3779b97f4a7c15u) >> 32 & (SETS - 1)];
}

static struct member *find(struct family *f, uint64_t ino)
{
	struct member *set = set_of(f, ino);

	for (unsigned i = 0; ino != 0 && i < WAYS; i++)
		if (set[i].ino == ino)
			return &set[i];
	return NULL;
}

static struct member *find_or_make(struct family *f, uint64_t ino)
{
	struct member *set = set_of(f, ino), *m = find(f, ino);

	for (unsigned i = 0; !m && i < WAYS; i++)
		if (set[i].ino == 0)
			m = &set[i];
	if (!m)
		m = &set[f->next_way++ % WAYS];
	if (m->ino != ino)
		*m = (struct member){ .ino = ino };
	return m;
}

/* ---- from outside ------------------------------------------------------------------ */

void family_begin(struct family *f, uint64_t parent)
{
	pthread_mutex_lock(&f->lock);
	struct member *p = find(f, parent);
	if (p)
		p->first = p->last = 0;
	pthread_mutex_unlock(&f->lock);
}

void family_add(struct family *f, uint64_t parent, uint64_t child)
{
	pthread_mutex_lock(&f->lock);
	struct member *c = find_or_make(f, child);
	c->parent = parent;
	c->next = 0;
	/* Making one may have driven another out: each is sought anew. */
	uint64_t before = find_or_make(f, parent)->last;
	struct member *b = find(f, before), *p = find_or_make(f, parent);
	if (b && b != p && b->parent == parent && before != child)
		b->next = child;
	if (p->first == 0)
		p->first = child;
	p->last = child;
	pthread_mutex_unlock(&f->lock);
}

uint64_t family_next(struct family *f, uint64_t ino)
{
	uint64_t found = 0;

	pthread_mutex_lock(&f->lock);
	const struct member *m = find(f, ino);
	if (m)
		found = m->first;
	for (unsigned up = 0; m && found == 0 && up < DEPTH; up++) {
		found = m->next;
		m = find(f, m->parent);
	}
	pthread_mutex_unlock(&f->lock);
	return found;
}

void family_clear(struct family *f)
{
	pthread_mutex_lock(&f->lock);
	memset(f->sets, 0, sizeof f->sets);
	pthread_mutex_unlock(&f->lock);
}

/*
 * Directories are looked at by several threads before the walker comes to them.
 *
 * All that wait stand in one line, in the order in which the walker will come:
 * what is found in a directory goes behind it at once.  The walker takes from the
 * head, the threads take the first that nobody looks at.
 *
 * The walker is one, so its time is what counts: the threads free what it has done
 * with (closing a directory takes as long as opening it), and nobody is woken for nothing.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/vault/walk_inside.h"

#define THREADS_MAX 8
#define WORTH_A_THREAD 4	/* directories in line, for each that is at work */
#define SEEN_MAX 128		/* directories that wait to be taken; each an open descriptor */
#define ENTRIES_MAX 32768	/* of theirs, in memory */
#define ROOM_AGAIN 8		/* of SEEN_MAX, before anybody is woken for it */
#define BROODS_MAX 192		/* directories with children in line: a descriptor each */
#define SPENT_MAX 48		/* what is to be freed; a descriptor each, at most */
#define SPENT_AT_ONCE 16	/* of it, from the walker */

struct brood {			/* what the children of one directory share */
	struct handle *handle;
	char *path;		/* as in struct look; owned */
	size_t count;		/* of them in line */
};

struct spent {			/* either may be NULL */
	struct look *look;
	struct handle *handle;
};

struct ahead {
	const struct vantage *vantage;
	struct spent mine[SPENT_AT_ONCE];	/* the walker's alone */
	size_t mine_count;
	pthread_t threads[THREADS_MAX];
	unsigned limit;
	pthread_mutex_t lock;
	pthread_cond_t has_work;	/* something waits, and there is room */
	pthread_cond_t is_seen;		/* what was looked at */
	/* all below: protected by lock */
	unsigned thread_count;
	unsigned idle;		/* of the threads */
	size_t waiting;		/* in line, not yet looked at */
	const struct child *wanted;	/* what the walker waits for */
	struct child *first, *last;
	size_t seen, entries, broods;
	bool is_full;		/* until there is room for some, not for one */
	struct spent spent[SPENT_MAX];
	size_t spent_count;
	bool is_over;
};

/* ---- the line, with the lock held ---------------------------------------------------- */

static void put_behind(struct ahead *a, struct child *before, struct child *c)
{
	c->before = before;
	c->after = before ? before->after : a->first;
	*(before ? &before->after : &a->first) = c;
	*(c->after ? &c->after->before : &a->last) = c;
}

static void leave_line(struct ahead *a, struct child *c)
{
	*(c->before ? &c->before->after : &a->first) = c->after;
	*(c->after ? &c->after->before : &a->last) = c->before;
	c->before = c->after = NULL;
}

/* It needs its parent no longer.  What is returned (NULL: nothing) goes without the lock. */
static struct brood *leave_brood(struct ahead *a, struct child *c)
{
	struct brood *b = c->brood;

	c->brood = NULL;
	if (!b || --b->count > 0)
		return NULL;
	a->broods--;
	return b;
}

static void brood_free(struct brood *b)
{
	if (!b)
		return;
	handle_unref(b->handle);
	free(b->path);
	free(b);
}

/* Each costs who wakes it some microseconds. */
static void wake(struct ahead *a, size_t count)
{
	if (count >= a->idle)
		pthread_cond_broadcast(&a->has_work);
	else
		while (count-- > 0)
			pthread_cond_signal(&a->has_work);
}

static void *look_ahead(void *arg);

/* hands: how many of them the caller looks at next. */
static void add_behind(struct ahead *a, struct child *before, struct handle *parent,
		       const char *path, struct child **children, size_t count, size_t hands)
{
	struct brood *b;

	if (count == 0 || a->broods == BROODS_MAX || a->limit == 0)
		return;
	b = calloc(1, sizeof *b);
	if (b && path)
		b->path = strdup(path);
	if (!b || (path && !b->path)) {
		free(b);
		return;		/* the walker looks for itself */
	}
	b->handle = handle_ref(parent);
	b->count = count;
	a->broods++;
	for (size_t i = 0; i < count; i++) {
		children[i]->state = CHILD_WAITS;
		children[i]->brood = b;
		put_behind(a, before, children[i]);
		before = children[i];
	}
	a->waiting += count;
	while (a->thread_count < a->limit &&
	       a->waiting >= (size_t)a->thread_count * WORTH_A_THREAD) {
		if (pthread_create(&a->threads[a->thread_count], NULL, look_ahead, a) != 0)
			a->limit = a->thread_count;
		else
			a->thread_count++;
	}
	if (!a->is_full && count > hands)
		wake(a, count - hands);
}

static size_t weight(const struct look *k)
{
	return k ? k->names.count + k->sight_count : 0;
}

static struct child *first_waiting(struct ahead *a)
{
	struct child *c = a->first;

	if (a->seen >= SEEN_MAX || a->entries >= ENTRIES_MAX)
		a->is_full = true;
	if (a->is_full)
		return NULL;
	while (c && c->state != CHILD_WAITS)
		c = c->after;
	return c;
}

/* ---- what is done with ---------------------------------------------------------------- */

static void free_spent(const struct spent *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		look_free(list[i].look);
		handle_unref(list[i].handle);
	}
}

/* With the lock held. */
static size_t take_spent(struct ahead *a, struct spent out[SPENT_MAX])
{
	size_t count = a->spent_count;

	memcpy(out, a->spent, count * sizeof *out);
	a->spent_count = 0;
	return count;
}

void ahead_spend(struct ahead *a, struct look *look, struct handle *handle)
{
	size_t given = 0;

	if (!a) {
		free_spent(&(struct spent){ look, handle }, 1);
		return;
	}
	a->mine[a->mine_count++] = (struct spent){ look, handle };
	if (a->mine_count < SPENT_AT_ONCE)
		return;
	pthread_mutex_lock(&a->lock);
	while (a->spent_count < SPENT_MAX && given < a->mine_count)
		a->spent[a->spent_count++] = a->mine[given++];
	pthread_mutex_unlock(&a->lock);
	free_spent(a->mine + given, a->mine_count - given);
	a->mine_count = 0;
}

/* ---- the threads ------------------------------------------------------------------------ */

static struct look *look_at(struct looker *l, const struct child *c)
{
	const struct ingest_options *o = l->vantage->g->options;
	int fd = walk_open(c->brood->handle->fd, c->name, O_DIRECTORY);
	struct handle *h = NULL;
	struct err ignored = ERR_NONE;
	struct look *k = NULL;
	struct statx sx;
	char *path = NULL;

	if (fd < 0)
		return NULL;
	h = handle_new(fd);
	if (!h || statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &sx) < 0 ||
	    (o->one_file_system && walk_device(&sx) != l->vantage->top_device))
		goto out;
	if (c->brood->path && asprintf(&path, "%s%s%s", c->brood->path,
				       *c->brood->path ? "/" : "", c->name) < 0)
		goto out;
	k = look_new(l, h, &sx, c->prior.directory, path, &ignored);
out:
	handle_unref(h);
	return k;
}

/* With the lock held, but for the looking itself. */
static void look_at_next(struct ahead *a, struct looker *l, struct child *c)
{
	struct brood *b;
	struct look *k;

	c->state = CHILD_IS_LOOKED_AT;
	a->waiting--;
	pthread_mutex_unlock(&a->lock);
	k = look_at(l, c);
	pthread_mutex_lock(&a->lock);
	c->look = k;
	c->state = CHILD_IS_SEEN;
	b = leave_brood(a, c);
	a->seen++;
	a->entries += weight(k);
	if (k)
		add_behind(a, c, k->handle, k->path, k->children, k->child_count, 1);
	if (a->wanted == c)
		pthread_cond_signal(&a->is_seen);
	if (b) {
		pthread_mutex_unlock(&a->lock);
		brood_free(b);
		pthread_mutex_lock(&a->lock);
	}
}

static void work(struct ahead *a, struct looker *l)
{
	struct spent spent[SPENT_MAX];
	struct child *c;
	size_t count;

	while (!a->is_over) {
		c = first_waiting(a);
		if (c) {
			look_at_next(a, l, c);
		} else if (a->spent_count == 0) {
			a->idle++;
			pthread_cond_wait(&a->has_work, &a->lock);
			a->idle--;
			continue;
		}
		count = take_spent(a, spent);
		if (count > 0) {
			pthread_mutex_unlock(&a->lock);
			free_spent(spent, count);
			pthread_mutex_lock(&a->lock);
		}
	}
}

static void *look_ahead(void *arg)
{
	struct ahead *a = arg;
	struct err ignored = ERR_NONE;
	struct looker l;

	/* Without a connection of its own a thread is of no use; the walker is not. */
	if (looker_open(&l, a->vantage, &ignored) == 0) {
		pthread_mutex_lock(&a->lock);
		work(a, &l);
		pthread_mutex_unlock(&a->lock);
	}
	looker_close(&l);
	return NULL;
}

/* ---- the walker's side -------------------------------------------------------------------- */

int ahead_start(const struct vantage *v, unsigned threads, struct ahead **out, struct err *e)
{
	struct ahead *a = calloc(1, sizeof *a);

	*out = a;
	if (!a)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for walking the source");
	a->vantage = v;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->has_work, NULL);
	pthread_cond_init(&a->is_seen, NULL);
	a->limit = threads < THREADS_MAX ? threads : THREADS_MAX;
	return 0;
}

void ahead_add(struct ahead *a, struct child *before, struct handle *parent,
	       const char *path, struct child **children, size_t count)
{
	pthread_mutex_lock(&a->lock);
	add_behind(a, before && before->state != CHILD_ALONE ? before : NULL, parent, path,
		   children, count, 0);
	pthread_mutex_unlock(&a->lock);
}

struct look *ahead_take(struct ahead *a, struct child *c)
{
	struct brood *b = NULL;
	struct look *k = NULL;

	pthread_mutex_lock(&a->lock);
	a->wanted = c;
	while (c->state == CHILD_IS_LOOKED_AT)
		pthread_cond_wait(&a->is_seen, &a->lock);
	a->wanted = NULL;
	if (c->state != CHILD_ALONE) {
		if (c->state == CHILD_IS_SEEN) {
			k = c->look;
			c->look = NULL;
			a->seen--;
			a->entries -= weight(k);
		} else {
			a->waiting--;
		}
		leave_line(a, c);
		b = leave_brood(a, c);
		c->state = CHILD_ALONE;
		if (a->is_full && a->seen <= SEEN_MAX - ROOM_AGAIN &&
		    a->entries <= ENTRIES_MAX - ENTRIES_MAX / 8) {
			a->is_full = false;
			wake(a, ROOM_AGAIN);
		}
	}
	pthread_mutex_unlock(&a->lock);
	brood_free(b);
	return k;
}

void ahead_drop(struct ahead *a, struct child *c)
{
	struct look *k = a ? ahead_take(a, c) : NULL;

	for (size_t i = 0; k && i < k->child_count; i++)
		ahead_drop(a, k->children[i]);
	if (k)
		k->child_count = 0;
	look_free(k);
	free(c);
}

void ahead_stop(struct ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->is_over = true;
	pthread_cond_broadcast(&a->has_work);
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < a->thread_count; i++)
		pthread_join(a->threads[i], NULL);
	free_spent(a->mine, a->mine_count);
	free_spent(a->spent, a->spent_count);
	pthread_cond_destroy(&a->is_seen);
	pthread_cond_destroy(&a->has_work);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

#include "fs/mount/listings.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/mount/family.h"
#include "fs/mount/mount.h"
#include "fs/mount/pool.h"

#define LEAD_FIRST 2u		/* replies ahead, once a walk is seen */
#define LEAD_MAX 8u
/* Replies to who lists one directory and no other, before any is made ahead: a thread that
 * makes one takes the only reader that stands ready from whom it is made for, who then
 * waits for another to be opened, longer than for all of these. */
#define ALONE_MAX 24u
/* A catalogue up to this (of some two million files) is read ahead once a walk is seen:
 * a tenth of a second of a disk; of a larger one a walk may want a small part. */
#define WARM_MAX (UINT64_C(384) << 20)

enum stage {
	FREE,
	EXPECTED,		/* who asks for it walks */
	WANTED,			/* no thread has it yet */
	MAKING,
	READY,
};

struct place_ahead {		/* where a reply begins */
	uint64_t ino, offset;
};

struct slot {
	enum stage stage;
	struct place_ahead at;
	size_t size;		/* what the kernel takes at once */
	unsigned lead;		/* replies that should stand ready from here on */
	uint64_t since;		/* for the oldest to go first */
	struct listing made;	/* READY */
};

struct listings {
	struct mount *m;	/* borrowed */
	pthread_mutex_t lock;	/* protects all below */
	pthread_cond_t work, done;
	struct slot slots[LISTINGS_MAX];
	uint64_t clock;
	uint64_t generation;	/* G1 */
	uint64_t first;		/* the directory that was asked for first; 0: none was */
	bool is_walked;		/* another one was, too */
	unsigned alone;		/* replies given before it was */
	unsigned wanted;	/* slots that are WANTED */
	enum { COLD, WARMING, WARM } catalogue;	/* WARMING: a thread should see to it */
	bool is_stopping;
	unsigned threads;
	pthread_t thread[LISTINGS_THREADS];
};

/* ---- slots, under the lock ---------------------------------------------------------- */

static struct slot *find(struct listings *l, struct place_ahead at)
{
	for (unsigned i = 0; i < LISTINGS_MAX; i++) {
		struct slot *s = &l->slots[i];
		if (s->stage != FREE && s->at.ino == at.ino && s->at.offset == at.offset)
			return s;
	}
	return NULL;
}

static void release(struct listings *l, struct slot *s)
{
	l->wanted -= s->stage == WANTED;
	listing_free(&s->made);
	*s = (struct slot){ .stage = FREE };
}

/* The oldest goes, but what a thread is at stays its own. */
static struct slot *make_slot(struct listings *l, struct place_ahead at, size_t size)
{
	struct slot *oldest = NULL;

	for (unsigned i = 0; i < LISTINGS_MAX; i++) {
		struct slot *s = &l->slots[i];
		if (s->stage != MAKING && (!oldest || s->stage == FREE ||
					   (oldest->stage != FREE && s->since < oldest->since)))
			oldest = s;
	}
	if (!oldest)
		return NULL;
	release(l, oldest);
	oldest->at = at;
	oldest->size = size;
	oldest->since = ++l->clock;
	return oldest;
}

/* Where a walk goes on behind a reply; ino 0: nobody knows. */
static struct place_ahead behind(struct listings *l, uint64_t ino, const struct listing *made)
{
	if (!made->is_all)
		return (struct place_ahead){ ino, made->next };
	return (struct place_ahead){ family_next(l->m->family, ino), 0 };
}

/* Whoever gets all of a directory asks once more, to hear that it was all. */
static void note_end(struct listings *l, uint64_t ino, const struct listing *made, size_t size)
{
	struct place_ahead at = { ino, made->next };
	struct slot *s;

	if (!made->is_all || made->used == 0 || find(l, at))
		return;
	s = make_slot(l, at, size);
	if (s) {
		s->stage = READY;
		s->made = (struct listing){ .next = made->next, .is_all = true };
	}
}

static void want(struct listings *l, struct place_ahead at, size_t size, unsigned lead)
{
	struct slot *s = find(l, at);

	if (!s)
		s = make_slot(l, at, size);
	if (!s)
		return;
	if (l->catalogue == COLD && l->is_walked) {
		l->catalogue = WARMING;
		pthread_cond_signal(&l->work);
	}
	s->lead = lead;
	if (s->stage == FREE || s->stage == EXPECTED) {
		s->stage = WANTED;
		l->wanted++;
		pthread_cond_signal(&l->work);
	}
}

/* Whoever asks for it walks. */
static void expect(struct listings *l, struct place_ahead at, size_t size)
{
	struct slot *s = find(l, at) ? NULL : make_slot(l, at, size);

	if (s)
		s->stage = EXPECTED;
}

static enum look_depth depth_of(const struct listings *l, uint64_t ino)
{
	return l->is_walked || (l->first != 0 && l->first != ino) ? LOOK_ATTRS : LOOK_GLANCE;
}

/* From `at` on `lead` replies should stand ready: has the first that does not be made. */
static void lead_on(struct listings *l, struct place_ahead at, size_t size, unsigned lead)
{
	for (unsigned i = lead; i > 0 && at.ino != 0; i--) {
		struct slot *s = find(l, at);
		if (!l->is_walked && at.ino != l->first) {
			expect(l, at, size);
			return;
		}
		if (!s || s->stage != READY) {
			want(l, at, size, i);
			return;
		}
		at = behind(l, at.ino, &s->made);
	}
}

/* ---- the threads ----------------------------------------------------------------------- */

static struct slot *next_wanted(struct listings *l)
{
	struct slot *first = NULL;

	for (unsigned i = 0; i < LISTINGS_MAX; i++) {
		struct slot *s = &l->slots[i];
		if (s->stage == WANTED && (!first || s->since < first->since))
			first = s;
	}
	return first;
}

/* Under the lock, but for the making itself.  A slot that is being made is not moved
 * or taken, so it is still ours afterwards. */
static void make(struct listings *l, struct slot *s, struct vault_reader *r)
{
	uint64_t generation = l->generation;
	enum look_depth depth = depth_of(l, s->at.ino);
	struct listing made;
	struct err ignored = ERR_NONE;

	s->stage = MAKING;
	l->wanted--;
	pthread_mutex_unlock(&l->lock);
	int rc = listing_make(l->m, vault_reader_catalogue(r), s->at.ino, s->at.offset, s->size,
			      depth, &made, &ignored);
	pthread_mutex_lock(&l->lock);
	if (rc < 0 || generation != l->generation) {
		if (rc == 0)
			listing_free(&made);
		release(l, s);	/* who needs it meets the error, or what is new */
	} else {
		s->stage = READY;
		s->made = made;
		if (s->lead > 1)
			lead_on(l, behind(l, s->at.ino, &made), s->size, s->lead - 1);
	}
	pthread_cond_broadcast(&l->done);
}

/* With a reader, under the lock but for the work itself. */
static void work_off(struct listings *l, struct vault_reader *r)
{
	struct slot *s;

	while (!l->is_stopping && (s = next_wanted(l)) != NULL)
		make(l, s, r);
	if (l->is_stopping || l->catalogue != WARMING)
		return;
	l->catalogue = WARM;
	pthread_mutex_unlock(&l->lock);
	catalogue_warm(vault_reader_catalogue(r), WARM_MAX);
	pthread_mutex_lock(&l->lock);
}

/* Without a reader nothing can be made: who needs it meets the error. */
static void give_up(struct listings *l)
{
	struct slot *s;

	while ((s = next_wanted(l)) != NULL)
		release(l, s);
	l->catalogue = WARM;
}

/* No reader is held while there is nothing to do: who shuts the pool waits for it. */
static void *work(void *arg)
{
	struct listings *l = arg;
	struct vault_reader *r;
	struct err ignored = ERR_NONE;

	pthread_mutex_lock(&l->lock);
	while (!l->is_stopping) {
		if (l->wanted == 0 && l->catalogue != WARMING) {
			pthread_cond_wait(&l->work, &l->lock);
			continue;
		}
		pthread_mutex_unlock(&l->lock);
		bool has_reader = pool_take(l->m->pool, &r, &ignored) == 0;
		pthread_mutex_lock(&l->lock);
		if (has_reader)
			work_off(l, r);
		else
			give_up(l);
		pthread_mutex_unlock(&l->lock);
		if (has_reader)
			pool_give(l->m->pool, r);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* ---- who asks ---------------------------------------------------------------------------- */

bool listings_take(struct listings *l, uint64_t ino, uint64_t offset, size_t size,
		   struct listing *out)
{
	struct place_ahead at = { ino, offset };
	bool is_taken = false;

	pthread_mutex_lock(&l->lock);
	struct slot *s = find(l, at);
	while (s && s->stage == MAKING) {
		pthread_cond_wait(&l->done, &l->lock);
		s = find(l, at);
	}
	if (s && s->stage == READY && s->made.used <= size) {
		*out = s->made;
		s->made = (struct listing){ .buffer = NULL };
		release(l, s);
		is_taken = true;
	} else if (s && s->stage == WANTED) {
		l->wanted--;
		s->stage = EXPECTED;	/* faster than to wait for a thread */
	}
	pthread_mutex_unlock(&l->lock);
	return is_taken;
}

void listings_given(struct listings *l, uint64_t ino, uint64_t offset, size_t size,
		    const struct listing *given, bool was_ready)
{
	struct place_ahead at = { ino, offset };

	pthread_mutex_lock(&l->lock);
	if (l->first == 0)
		l->first = ino;
	else if (ino != l->first)
		l->is_walked = true;
	struct slot *s = find(l, at);
	l->alone += !l->is_walked && l->alone < ALONE_MAX;
	bool walks = was_ready || (offset != 0 && (l->is_walked || l->alone == ALONE_MAX)) ||
		     (s && s->stage == EXPECTED && l->is_walked);
	if (s && s->stage != MAKING)
		release(l, s);
	note_end(l, ino, given, size);
	struct place_ahead next = behind(l, ino, given);
	if (given->used == 0 || next.ino == 0) {
		;		/* an end was asked for: what follows it was begun before */
	} else if (walks) {
		lead_on(l, next, size, was_ready ? LEAD_MAX : LEAD_FIRST);
	} else {
		expect(l, next, size);
	}
	pthread_mutex_unlock(&l->lock);
}

enum look_depth listings_depth(struct listings *l, uint64_t ino)
{
	pthread_mutex_lock(&l->lock);
	enum look_depth depth = depth_of(l, ino);
	pthread_mutex_unlock(&l->lock);
	return depth;
}

void listings_clear(struct listings *l)
{
	pthread_mutex_lock(&l->lock);
	l->generation++;
	for (unsigned i = 0; i < LISTINGS_MAX; i++)
		if (l->slots[i].stage != MAKING)
			release(l, &l->slots[i]);
	pthread_mutex_unlock(&l->lock);
	family_clear(l->m->family);
}

/* ---- the whole --------------------------------------------------------------------------- */

struct listings *listings_new(struct mount *m)
{
	struct listings *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->m = m;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->work, NULL);
	pthread_cond_init(&l->done, NULL);
	return l;
}

int listings_start(struct listings *l, struct err *e)
{
	sigset_t all, before;

	sigfillset(&all);	/* signals are the main thread's business */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (l->threads < LISTINGS_THREADS &&
	       pthread_create(&l->thread[l->threads], NULL, work, l) == 0)
		l->threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return l->threads > 0 ? 0 : err_set(e, MUNI_NO_MEMORY, "no thread to list ahead");
}

void listings_stop(struct listings *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->is_stopping = true;
	pthread_cond_broadcast(&l->work);
	pthread_mutex_unlock(&l->lock);
	for (unsigned i = 0; i < l->threads; i++)
		pthread_join(l->thread[i], NULL);
	l->threads = 0;
}

void listings_free(struct listings *l)
{
	if (!l)
		return;
	listings_stop(l);
	for (unsigned i = 0; i < LISTINGS_MAX; i++)
		listing_free(&l->slots[i].made);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->work);
	pthread_cond_destroy(&l->done);
	free(l);
}

#include "fs/crypt/arena.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fs/base/spin.h"
#include "fs/crypt/secret.h"

#define CLASS_COUNT 72		/* 8 up to 128 bytes, then 8 a doubling up to ARENA_SMALL */
#define HEAD_SIZE ((size_t)64)	/* of every mapping; keeps what follows aligned */
#define LARGE CLASS_COUNT	/* class of a mapping of its own */
#define SPARE_COUNT (ARENA_SPARE / ARENA_SLAB)
#define KEY_SPARES 24		/* OpenSSL has as many when a program has started */
#define SPARES_MAX KEY_SPARES
_Static_assert(SPARE_COUNT <= SPARES_MAX, "slabs has no room for them");
#define SHARDS 4		/* threads on a connection each ask for the same few sizes */
/* Keys have little slabs: a few hundred pieces of many sizes, and what is locked counts
 * whole against RLIMIT_MEMLOCK. */
#define KEY_SLAB ((size_t)32 * 1024)
#define KEY_SMALL ((size_t)4 * 1024)
#define CACHE_LINE 64
#define OWN_CLASSES 32		/* pieces of up to 1 KiB a thread keeps some of */

/* At the start of every mapping, which is aligned to the size of a slab: so an address
 * within the first so many bytes leads here. */
struct region {
	struct region *next, *previous;	/* slabs with room, of one class */
	struct region *also;		/* of the arena's all */
	size_t size;			/* of the mapping */
	void *free;			/* pieces given back, linked through their first word */
	bool is_locked;
	uint32_t class;
	uint32_t used;			/* pieces handed out */
	uint32_t fresh;			/* pieces never handed out begin here */
	uint32_t count;			/* pieces in all */
	uint32_t shard;			/* whose class it serves */
};
_Static_assert(sizeof(struct region) <= HEAD_SIZE, "the head has grown");

/* Two do not share a cache line: it would go from thread to thread as the lock did. */
struct class {
	_Alignas(CACHE_LINE) pthread_mutex_t lock;
	struct region *with_room;	/* protected by lock */
};

/* Order of locks: a class's, then growing, then spare. */
struct arena {
	size_t slab, small;	/* bytes of a slab; the largest piece that stands in one */
	unsigned shards, spares;
	struct class classes[SHARDS][CLASS_COUNT];
	/* Who finds none spare waits for who maps a run of them: else each maps one, and most of
	 * it is given back. */
	pthread_mutex_t growing;
	struct {
		pthread_mutex_t lock;
		struct region *slabs[SPARES_MAX];	/* protected by lock */
		unsigned count;
	} spare;
	atomic_size_t mapped, locked;
	size_t lock_limit;
	atomic_bool is_unlocked;	/* something that it has could not be locked */
	struct region *all;		/* protected by spare.lock */
};

/* SQLite and OpenSSL have one allocator a process each. */
static struct arena pages = { .slab = ARENA_SLAB, .small = ARENA_SMALL, .shards = SHARDS,
			      .spares = SPARE_COUNT };
static struct arena keys = { .slab = KEY_SLAB, .small = KEY_SMALL, .shards = 1,
			     .spares = KEY_SPARES };

/* What a thread gave back last, and will ask for next, without a lock: SQLite asks for the
 * same few pieces at every step. */
struct own {
	void *first[OWN_CLASSES];	/* linked through their first word */
	uint8_t count[OWN_CLASSES];
	bool is_known, is_over;		/* its end will be heard of; was */
};

static _Thread_local struct own own;
static pthread_key_t own_key;
static bool has_own;		/* there was a key; set once */
static atomic_uint threads_met;
static _Thread_local unsigned thread_number;	/* its shard and 1; 0: not met yet */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up_one(struct arena *a, size_t lock_limit)
{
	a->lock_limit = lock_limit;
	spin_mutex_init(&a->spare.lock);
	pthread_mutex_init(&a->growing, NULL);
	for (unsigned s = 0; s < a->shards; s++)
		for (unsigned i = 0; i < CLASS_COUNT; i++)
			spin_mutex_init(&a->classes[s][i].lock);
}

/* 16, 32 ... 128, then eight even steps to each next power of two. */
static unsigned class_of(size_t size)
{
	if (size <= 128)
		return size ? (unsigned)((size - 1) / 16) : 0;
	unsigned log = 63 - (unsigned)__builtin_clzl(size - 1);	/* 2^log < size <= 2^(log+1) */
	return (log - 6) * 8 + (unsigned)(((size - 1) >> (log - 3)) & 7);
}

/* A child of a process with threads may compute with keys, too: key derivation does. */
static void before_fork(void)
{
	for (unsigned i = 0; i <= class_of(KEY_SMALL); i++)	/* larger pieces have no slab */
		pthread_mutex_lock(&keys.classes[0][i].lock);
	pthread_mutex_lock(&keys.spare.lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&keys.spare.lock);
	for (unsigned i = class_of(KEY_SMALL) + 1; i-- > 0;)
		pthread_mutex_unlock(&keys.classes[0][i].lock);
}

static void give_own_back(void *arg);

/* Of what may be locked half is left to the keys, which need it more. */
static void set_up(void)
{
	struct rlimit limit;
	size_t for_pages = 0;

	if (geteuid() == 0)
		for_pages = SIZE_MAX;
	else if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		for_pages = (size_t)limit.rlim_cur / 2;
	set_up_one(&pages, for_pages);
	set_up_one(&keys, SIZE_MAX);
	has_own = pthread_key_create(&own_key, give_own_back) == 0;
	(void)pthread_atfork(before_fork, after_fork, after_fork);
}

static unsigned shard_of_thread(const struct arena *a)
{
	if (thread_number == 0)
		thread_number = atomic_fetch_add(&threads_met, 1) % SHARDS + 1;
	return (thread_number - 1) % a->shards;
}

/* ---- sizes ------------------------------------------------------------------ */

static size_t class_size(unsigned class)
{
	if (class < 8)
		return ((size_t)class + 1) * 16;
	unsigned log = class / 8 + 6;
	return ((size_t)1 << log) + ((size_t)(class % 8) + 1) * ((size_t)1 << (log - 3));
}

/* ---- mappings ---------------------------------------------------------------- */

/* Page by page as they are touched: the unused part of a slab must not count as memory. */
static bool lock_in_memory(struct arena *a, void *start, size_t size)
{
	if (atomic_fetch_add(&a->locked, size) + size <= a->lock_limit &&
	    mlock2(start, size, MLOCK_ONFAULT) == 0)
		return true;
	atomic_fetch_sub(&a->locked, size);
	return false;
}

/* Aligned to the size of a slab; out of dumps. */
static uint8_t *map_aligned(const struct arena *a, size_t size)
{
	size_t asked = size + a->slab;
	uint8_t *at = mmap(NULL, asked, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return NULL;
	uint8_t *start = (uint8_t *)(((uintptr_t)at + a->slab - 1) & ~(a->slab - 1));
	if (start > at)
		munmap(at, (size_t)(start - at));
	if (start + size < at + asked)
		munmap(start + size, (size_t)(at + asked - (start + size)));
	if (madvise(start, size, MADV_DONTDUMP) < 0) {
		munmap(start, size);
		return NULL;
	}
	return start;
}

/* Best effort. */
static struct region *enter(struct arena *a, uint8_t *start, size_t size, bool is_locked)
{
	struct region *r = (struct region *)start;

	if (!is_locked && !lock_in_memory(a, start, size))
		atomic_store(&a->is_unlocked, true);
	else
		is_locked = true;
	r->size = size;
	r->is_locked = is_locked;
	atomic_fetch_add(&a->mapped, size);
	pthread_mutex_lock(&a->spare.lock);
	r->also = a->all;
	a->all = r;
	pthread_mutex_unlock(&a->spare.lock);
	return r;
}

static struct region *map(struct arena *a, size_t size)
{
	uint8_t *start = map_aligned(a, size);

	return start ? enter(a, start, size, false) : NULL;
}

static void unmap(struct arena *a, struct region *r)
{
	struct region **link = &a->all;

	pthread_mutex_lock(&a->spare.lock);
	while (*link != r)
		link = &(*link)->also;
	*link = r->also;
	pthread_mutex_unlock(&a->spare.lock);
	atomic_fetch_sub(&a->mapped, r->size);
	if (r->is_locked)
		atomic_fetch_sub(&a->locked, r->size);
	munmap(r, r->size);
}

static void slab_give_back(struct arena *a, struct region *r)
{
	bool is_kept = false;

	pthread_mutex_lock(&a->spare.lock);
	if (a->spare.count < a->spares) {
		a->spare.slabs[a->spare.count++] = r;
		is_kept = true;
	}
	pthread_mutex_unlock(&a->spare.lock);
	if (!is_kept)
		unmap(a, r);
}

/* A run of them, as many as may be spare: one after the other they were a fifth of all calls
 * of a program that starts.  Where not all may be locked they are locked one by one; keys, which
 * take all that may be, are given one: spare ones would take the room of those in use. */
static struct region *slabs_map(struct arena *a)
{
	size_t size = a->slab * a->spares;
	uint8_t *start = map_aligned(a, size);

	if (!start)
		return map(a, a->slab);
	bool is_locked = lock_in_memory(a, start, size);
	if (!is_locked && a->lock_limit == SIZE_MAX) {
		munmap(start + a->slab, size - a->slab);
		size = a->slab;
	}
	for (size_t at = a->slab; at < size; at += a->slab)
		slab_give_back(a, enter(a, start + at, a->slab, is_locked));
	return enter(a, start, a->slab, is_locked);
}

static struct region *spare_take(struct arena *a)
{
	struct region *r = NULL;

	pthread_mutex_lock(&a->spare.lock);
	if (a->spare.count > 0)
		r = a->spare.slabs[--a->spare.count];
	pthread_mutex_unlock(&a->spare.lock);
	return r;
}

static struct region *slab_take(struct arena *a)
{
	struct region *r = spare_take(a);

	if (r)
		return r;
	pthread_mutex_lock(&a->growing);
	r = spare_take(a);
	if (!r)
		r = slabs_map(a);
	pthread_mutex_unlock(&a->growing);
	return r;
}

static struct region *region_of(const struct arena *a, const void *p)
{
	return (struct region *)((uintptr_t)p & ~(a->slab - 1));
}

/* ---- slabs -------------------------------------------------------------------- */

static void link_first(struct class *c, struct region *r)
{
	r->previous = NULL;
	r->next = c->with_room;
	if (r->next)
		r->next->previous = r;
	c->with_room = r;
}

static void unlink_from(struct class *c, struct region *r)
{
	if (r->previous)
		r->previous->next = r->next;
	else
		c->with_room = r->next;
	if (r->next)
		r->next->previous = r->previous;
}

static void slab_prepare(const struct arena *a, struct region *r, unsigned shard,
			 unsigned class)
{
	r->free = NULL;
	r->shard = shard;
	r->class = class;
	r->used = 0;
	r->fresh = 0;
	r->count = (uint32_t)((a->slab - HEAD_SIZE) / class_size(class));
}

static void *slab_piece(struct region *r)
{
	void *p = r->free;

	if (p)
		memcpy(&r->free, p, sizeof r->free);
	else
		p = (uint8_t *)r + HEAD_SIZE + r->fresh++ * class_size(r->class);
	r->used++;
	return p;
}

/* NULL: it has none. */
static void *take_own(unsigned class)
{
	void *p = class < OWN_CLASSES ? own.first[class] : NULL;

	if (p) {
		memcpy(&own.first[class], p, sizeof p);
		own.count[class]--;
	}
	return p;
}

/* false: it has enough of them. */
static bool keep_own(unsigned class, void *p)
{
	if (class >= OWN_CLASSES || own.count[class] == ARENA_OWN || own.is_over || !has_own)
		return false;
	if (!own.is_known && pthread_setspecific(own_key, &own) != 0)
		return false;
	own.is_known = true;
	memcpy(p, &own.first[class], sizeof p);
	own.first[class] = p;
	own.count[class]++;
	return true;
}

static void *new_small(struct arena *a, size_t size)
{
	unsigned class = class_of(size), shard = shard_of_thread(a);
	struct class *c = &a->classes[shard][class];
	void *p = a == &pages ? take_own(class) : NULL;

	if (p)
		return p;
	pthread_mutex_lock(&c->lock);
	if (!c->with_room) {
		struct region *r = slab_take(a);
		if (!r)
			goto out;
		slab_prepare(a, r, shard, class);
		link_first(c, r);
	}
	struct region *r = c->with_room;
	p = slab_piece(r);
	if (r->used == r->count)
		unlink_from(c, r);
out:
	pthread_mutex_unlock(&c->lock);
	return p;
}

/* It was wiped. */
static void give_back(struct arena *a, struct region *r, void *p)
{
	struct class *c = &a->classes[r->shard][r->class];
	bool is_empty;

	pthread_mutex_lock(&c->lock);
	assert(r->used > 0);
	if (r->used == r->count)
		link_first(c, r);
	memcpy(p, &r->free, sizeof r->free);
	r->free = p;
	r->used--;
	is_empty = r->used == 0;
	if (is_empty)
		unlink_from(c, r);
	pthread_mutex_unlock(&c->lock);
	if (is_empty)
		slab_give_back(a, r);
}

static void free_small(struct arena *a, struct region *r, void *p)
{
	/* Pages of the catalogue were in it, keys of blocks among them. */
	secret_wipe(p, class_size(r->class));
	if (a != &pages || !keep_own(r->class, p))
		give_back(a, r, p);
}

/* At the end of a thread. */
static void give_own_back(void *arg)
{
	void *p;

	(void)arg;
	own.is_over = true;
	for (unsigned class = 0; class < OWN_CLASSES; class++)
		while ((p = take_own(class)) != NULL)
			give_back(&pages, region_of(&pages, p), p);
}

/* ---- the interface -------------------------------------------------------------- */

static void *new_large(struct arena *a, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (size > SIZE_MAX / 2)
		return NULL;
	struct region *r = map(a, (size + HEAD_SIZE + page - 1) & ~(page - 1));
	if (!r)
		return NULL;
	r->class = LARGE;
	return (uint8_t *)r + HEAD_SIZE;
}

static void *new_piece(struct arena *a, size_t size)
{
	pthread_once(&once, set_up);
	return size <= a->small ? new_small(a, size) : new_large(a, size);
}

static void free_piece(struct arena *a, void *p)
{
	if (!p)
		return;
	struct region *r = region_of(a, p);
	if (r->class == LARGE)
		unmap(a, r);
	else
		free_small(a, r, p);
}

static size_t size_of_piece(const struct arena *a, const void *p)
{
	if (!p)
		return 0;
	const struct region *r = region_of(a, p);
	return r->class == LARGE ? r->size - HEAD_SIZE : class_size(r->class);
}

static void *resize_piece(struct arena *a, void *p, size_t size)
{
	size_t old = size_of_piece(a, p);

	if (p && size <= old && size > old / 2)
		return p;
	void *fresh = new_piece(a, size);
	if (fresh && p) {
		memcpy(fresh, p, old < size ? old : size);
		free_piece(a, p);
	}
	return fresh;
}

void *arena_new(size_t size)
{
	return new_piece(&pages, size);
}

void *arena_new_zeroed(size_t size)
{
	void *p = arena_new(size);

	if (p && size <= ARENA_SMALL)	/* a mapping of its own is */
		memset(p, 0, size);
	return p;
}

void arena_free(void *p)
{
	free_piece(&pages, p);
}

size_t arena_size(const void *p)
{
	return size_of_piece(&pages, p);
}

void *arena_resize(void *p, size_t size)
{
	return resize_piece(&pages, p, size);
}

size_t arena_round_up(size_t size)
{
	return size <= ARENA_SMALL ? class_size(class_of(size)) : (size + 7) & ~(size_t)7;
}

size_t arena_mapped(void)
{
	return atomic_load(&pages.mapped);
}

void *arena_key_new(size_t size)
{
	return new_piece(&keys, size);
}

void *arena_key_resize(void *p, size_t size)
{
	return resize_piece(&keys, p, size);
}

void arena_key_free(void *p)
{
	free_piece(&keys, p);
}

void arena_keys_lock_again(void)
{
	pthread_once(&once, set_up);
	pthread_mutex_lock(&keys.spare.lock);
	for (struct region *r = keys.all; r; r = r->also)
		if (mlock2(r, r->size, MLOCK_ONFAULT) < 0)
			atomic_store(&keys.is_unlocked, true);
	pthread_mutex_unlock(&keys.spare.lock);
}

bool arena_keys_are_locked(void)
{
	return !atomic_load(&keys.is_unlocked);
}

#include "fs/store/arena.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sqlite3.h>

#include "fs/crypt/secret.h"

#define SMALL_MAX ((size_t)32 * 1024)
#define CLASS_COUNT 72		/* 8 up to 128 bytes, then 8 a doubling up to 32 KiB */
#define HEAD_SIZE ((size_t)64)	/* of every mapping; keeps what follows aligned */
#define LARGE CLASS_COUNT	/* class of a mapping of its own */
#define SPARE_COUNT (ARENA_SPARE / ARENA_SLAB)
#define SHARDS 4		/* threads on a connection each ask for the same few sizes */
#define CACHE_LINE 64

/* At the start of every mapping, which is aligned to ARENA_SLAB: so an address
 * within the first ARENA_SLAB bytes leads here. */
struct region {
	struct region *next, *previous;	/* slabs with room, of one class */
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

/* SQLite has one allocator a process. Order of locks: a class's, then spare. */
static struct class classes[SHARDS][CLASS_COUNT];
static atomic_uint threads_met;
static _Thread_local unsigned thread_number;	/* its shard and 1; 0: not met yet */
static struct {
	pthread_mutex_t lock;
	struct region *slabs[SPARE_COUNT];	/* protected by lock */
	unsigned count;
} spare = { .lock = PTHREAD_MUTEX_INITIALIZER };
static atomic_size_t mapped, locked;
static size_t lock_limit;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Half of what may be locked is left to the keys, which need it more. */
static void set_up(void)
{
	struct rlimit limit;

	if (geteuid() == 0)
		lock_limit = SIZE_MAX;
	else if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		lock_limit = (size_t)limit.rlim_cur / 2;
	for (unsigned s = 0; s < SHARDS; s++)
		for (unsigned i = 0; i < CLASS_COUNT; i++)
			pthread_mutex_init(&classes[s][i].lock, NULL);
}

static unsigned shard_of_thread(void)
{
	if (thread_number == 0)
		thread_number = atomic_fetch_add(&threads_met, 1) % SHARDS + 1;
	return thread_number - 1;
}

/* ---- sizes ------------------------------------------------------------------ */

/* 16, 32 ... 128, then eight even steps to each next power of two. */
static unsigned class_of(size_t size)
{
	if (size <= 128)
		return size ? (unsigned)((size - 1) / 16) : 0;
	unsigned log = 63 - (unsigned)__builtin_clzl(size - 1);	/* 2^log < size <= 2^(log+1) */
	return (log - 6) * 8 + (unsigned)(((size - 1) >> (log - 3)) & 7);
}

static size_t class_size(unsigned class)
{
	if (class < 8)
		return ((size_t)class + 1) * 16;
	unsigned log = class / 8 + 6;
	return ((size_t)1 << log) + ((size_t)(class % 8) + 1) * ((size_t)1 << (log - 3));
}

/* ---- mappings ---------------------------------------------------------------- */

/* Best effort, and page by page as they are touched: the unused part of a slab
 * must not count as memory. */
static bool lock_in_memory(void *start, size_t size)
{
	if (atomic_fetch_add(&locked, size) + size <= lock_limit &&
	    mlock2(start, size, MLOCK_ONFAULT) == 0)
		return true;
	atomic_fetch_sub(&locked, size);
	return false;
}

static struct region *map(size_t size)
{
	size_t asked = size + ARENA_SLAB;
	uint8_t *at = mmap(NULL, asked, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return NULL;
	uint8_t *start = (uint8_t *)(((uintptr_t)at + ARENA_SLAB - 1) & ~(ARENA_SLAB - 1));
	if (start > at)
		munmap(at, (size_t)(start - at));
	if (start + size < at + asked)
		munmap(start + size, (size_t)(at + asked - (start + size)));

	if (madvise(start, size, MADV_DONTDUMP) < 0) {
		munmap(start, size);
		return NULL;
	}
	struct region *r = (struct region *)start;
	r->size = size;
	r->is_locked = lock_in_memory(start, size);
	atomic_fetch_add(&mapped, size);
	return r;
}

static void unmap(struct region *r)
{
	atomic_fetch_sub(&mapped, r->size);
	if (r->is_locked)
		atomic_fetch_sub(&locked, r->size);
	munmap(r, r->size);
}

static struct region *slab_take(void)
{
	struct region *r = NULL;

	pthread_mutex_lock(&spare.lock);
	if (spare.count > 0)
		r = spare.slabs[--spare.count];
	pthread_mutex_unlock(&spare.lock);
	return r ? r : map(ARENA_SLAB);
}

static void slab_give_back(struct region *r)
{
	bool is_kept = false;

	pthread_mutex_lock(&spare.lock);
	if (spare.count < SPARE_COUNT) {
		spare.slabs[spare.count++] = r;
		is_kept = true;
	}
	pthread_mutex_unlock(&spare.lock);
	if (!is_kept)
		unmap(r);
}

static struct region *region_of(const void *p)
{
	return (struct region *)((uintptr_t)p & ~(ARENA_SLAB - 1));
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

static void slab_prepare(struct region *r, unsigned shard, unsigned class)
{
	r->free = NULL;
	r->shard = shard;
	r->class = class;
	r->used = 0;
	r->fresh = 0;
	r->count = (uint32_t)((ARENA_SLAB - HEAD_SIZE) / class_size(class));
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

static void *new_small(size_t size)
{
	unsigned class = class_of(size), shard = shard_of_thread();
	struct class *c = &classes[shard][class];
	void *p = NULL;

	pthread_mutex_lock(&c->lock);
	if (!c->with_room) {
		struct region *r = slab_take();
		if (!r)
			goto out;
		slab_prepare(r, shard, class);
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

static void free_small(struct region *r, void *p)
{
	struct class *c = &classes[r->shard][r->class];
	bool is_empty;

	/* Pages of the catalogue were in it, keys of blocks among them. */
	secret_wipe(p, class_size(r->class));
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
		slab_give_back(r);
}

/* ---- the interface -------------------------------------------------------------- */

static void *new_large(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (size > SIZE_MAX / 2)
		return NULL;
	struct region *r = map((size + HEAD_SIZE + page - 1) & ~(page - 1));
	if (!r)
		return NULL;
	r->class = LARGE;
	return (uint8_t *)r + HEAD_SIZE;
}

void *arena_new(size_t size)
{
	pthread_once(&once, set_up);
	return size <= SMALL_MAX ? new_small(size) : new_large(size);
}

void arena_free(void *p)
{
	if (!p)
		return;
	struct region *r = region_of(p);
	if (r->class == LARGE)
		unmap(r);
	else
		free_small(r, p);
}

size_t arena_size(const void *p)
{
	if (!p)
		return 0;
	const struct region *r = region_of(p);
	return r->class == LARGE ? r->size - HEAD_SIZE : class_size(r->class);
}

void *arena_resize(void *p, size_t size)
{
	size_t old = arena_size(p);

	if (p && size <= old && size > old / 2)
		return p;
	void *fresh = arena_new(size);
	if (fresh && p) {
		memcpy(fresh, p, old < size ? old : size);
		arena_free(p);
	}
	return fresh;
}

size_t arena_mapped(void)
{
	return atomic_load(&mapped);
}

/* ---- SQLite's view of it ---------------------------------------------------------- */

static void *method_malloc(int size)
{
	return arena_new((size_t)size);
}

static void *method_realloc(void *p, int size)
{
	return arena_resize(p, (size_t)size);
}

static int method_size(void *p)
{
	return (int)arena_size(p);
}

/* What a request of this size will get: SQLite uses it all. */
static int method_roundup(int size)
{
	if ((size_t)size <= SMALL_MAX)
		return (int)class_size(class_of((size_t)size));
	return size > INT_MAX - 8 ? size : (size + 7) & ~7;
}

static int method_init(void *unused)
{
	(void)unused;
	return SQLITE_OK;
}

static void method_shutdown(void *unused)
{
	(void)unused;
}

const struct sqlite3_mem_methods *arena_methods(void)
{
	static const struct sqlite3_mem_methods methods = {
		.xMalloc = method_malloc,
		.xFree = arena_free,
		.xRealloc = method_realloc,
		.xSize = method_size,
		.xRoundup = method_roundup,
		.xInit = method_init,
		.xShutdown = method_shutdown,
	};
	return &methods;
}

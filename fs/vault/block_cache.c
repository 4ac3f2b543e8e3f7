#include "fs/vault/block_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/spin.h"
#include "fs/crypt/secret.h"
#include "fs/vault/block_pages.h"
#include "fs/vault/reader_helpers.h"
#include "fs/vault/reader_near.h"
#include "fs/vault/reader_rows.h"

#define SHARDS 8
#define BUCKETS 512		/* a shard */
#define LATELY 16		/* reads */
#define LOOK_US 150		/* for a block that somebody decodes: it takes 50 */
#define LOOKS_MAX 4		/* what lands meanwhile may be another one */

struct shard {
	pthread_mutex_t lock;
	pthread_cond_t landed;	/* a flight ended */
	struct cached_block *buckets[BUCKETS];
	struct cached_block *newest, *oldest;
	struct flight *flights;
	atomic_uint landings;
};

struct block_cache {
	size_t limit;		/* for blocks alone: what rows may take is off already */
	size_t asked;		/* the limit that was asked for */
	atomic_size_t used;
	atomic_uint next_victim;	/* shard to evict from next */
	atomic_uint readers;	/* that are at it now */
	atomic_uint most;	/* of them at a time, of late */
	atomic_uint below;	/* reads since there were so many */
	atomic_uint_fast64_t hits, misses, failures;
	struct block_pages *pages;	/* owned */
	struct row_cache *rows;		/* owned */
	struct near *near;		/* owned */
	struct helpers *helpers;	/* owned; NULL until started */
	struct shard shards[SHARDS];
};

static uint64_t mix(int64_t id)
{
	uint64_t h = (uint64_t)id * 0x9e3779b97f4a7c15u;	/* 2^64 / golden ratio */

	return h ^ (h >> 32);
}

static struct shard *shard_of(struct block_cache *c, int64_t id)
{
	return &c->shards[mix(id) % SHARDS];
}

static struct cached_block **bucket_of(struct shard *s, int64_t id)
{
	return &s->buckets[mix(id) / SHARDS % BUCKETS];
}

static size_t cost_of(const struct cached_block *b)
{
	return sizeof *b + b->page_count * (BLOCK_PAGE + sizeof b->pages[0]) +
	       16;	/* malloc's own */
}

/* ---- under the shard's lock -------------------------------------------------- */

static struct cached_block *find(struct shard *s, int64_t id)
{
	struct cached_block *b = *bucket_of(s, id);

	while (b && b->id != id)
		b = b->next;
	return b;
}

static void list_push(struct shard *s, struct cached_block *b)
{
	b->newer = NULL;
	b->older = s->newest;
	if (s->newest)
		s->newest->newer = b;
	else
		s->oldest = b;
	s->newest = b;
}

static void list_cut(struct shard *s, struct cached_block *b)
{
	*(b->newer ? &b->newer->older : &s->newest) = b->older;
	*(b->older ? &b->older->newer : &s->oldest) = b->newer;
}

static void release(struct block_cache *c, struct cached_block *b)
{
	atomic_fetch_sub(&c->used, cost_of(b));
	block_pages_give(c->pages, b->pages, b->page_count);
	free(b);
}

/* Out of table and list; freed now, or with its last pin. */
static void unlist(struct block_cache *c, struct shard *s, struct cached_block *b)
{
	struct cached_block **link = bucket_of(s, b->id);

	while (*link != b)
		link = &(*link)->next;
	*link = b->next;
	list_cut(s, b);
	b->is_listed = false;
	if (b->pins == 0)
		release(c, b);
}

static struct flight *flying(struct shard *s, int64_t id)
{
	struct flight *f = s->flights;

	while (f && f->id != id)
		f = f->next;
	return f;
}

static void land(struct shard *s, struct flight *flight)
{
	struct flight **link = &s->flights;

	while (*link != flight)
		link = &(*link)->next;
	*link = flight->next;
	pthread_cond_broadcast(&s->landed);
}

/* ---- what readers call --------------------------------------------------------- */

/* Under the lock, which is free meanwhile.  false: sleep. */
static bool look(struct shard *s)
{
	unsigned seen = atomic_load(&s->landings);
	enum spin how;

	pthread_mutex_unlock(&s->lock);
	how = spin_while(&s->landings, seen, LOOK_US);
	pthread_mutex_lock(&s->lock);
	return how == SPIN_CHANGED;
}

bool block_cache_pin(struct block_cache *c, int64_t id, uint32_t wanted, bool may_look,
		     struct flight *flight, struct cached_block **out)
{
	struct shard *s = shard_of(c, id);
	unsigned looks = may_look ? LOOKS_MAX : 0;
	struct cached_block *b;

	*out = NULL;
	pthread_mutex_lock(&s->lock);
	for (;;) {
		b = find(s, id);
		if (b && b->valid >= wanted)
			break;
		if (!flying(s, id)) {
			*flight = (struct flight){ .id = id, .had_part = b != NULL,
						   .next = s->flights };
			s->flights = flight;
			pthread_mutex_unlock(&s->lock);
			atomic_fetch_add(&c->misses, 1);
			return false;
		}
		if (looks > 0)
			looks = look(s) ? looks - 1 : 0;
		else
			pthread_cond_wait(&s->landed, &s->lock);
	}
	b->pins++;
	if (s->newest != b) {
		list_cut(s, b);
		list_push(s, b);
	}
	pthread_mutex_unlock(&s->lock);
	atomic_fetch_add(&c->hits, 1);
	*out = b;
	return true;
}

/* From the shards in turn, oldest first; what is pinned stays.  Gives up after
 * one round in which nothing could go. */
static void evict(struct block_cache *c, size_t limit)
{
	unsigned fruitless = 0;

	while (atomic_load(&c->used) > limit && fruitless < SHARDS) {
		struct shard *s = &c->shards[atomic_fetch_add(&c->next_victim, 1) % SHARDS];

		pthread_mutex_lock(&s->lock);
		struct cached_block *b = s->oldest;
		while (b && b->pins > 0)
			b = b->newer;
		if (b) {
			unlist(c, s, b);
			fruitless = 0;
		} else {
			fruitless++;
		}
		pthread_mutex_unlock(&s->lock);
	}
}

struct cached_block *cached_block_new(struct block_cache *c, int64_t id, const void *data,
				      uint32_t valid)
{
	unsigned pages = (valid + BLOCK_PAGE - 1) / BLOCK_PAGE;
	struct cached_block *b = malloc(sizeof *b + pages * sizeof b->pages[0]);
	const uint8_t *from = data;

	if (!b)
		return NULL;
	*b = (struct cached_block){ .id = id, .valid = valid, .page_count = pages };
	/* Room is made before it is taken: there never is more than is counted. */
	atomic_fetch_add(&c->used, cost_of(b));
	evict(c, c->limit);
	if (block_pages_take(c->pages, pages, b->pages) < 0) {
		atomic_fetch_sub(&c->used, cost_of(b));
		free(b);
		return NULL;
	}
	for (unsigned i = 0; i < pages; i++, from += BLOCK_PAGE, valid -= BLOCK_PAGE)
		memcpy(b->pages[i], from, i + 1 < pages ? BLOCK_PAGE : valid);
	return b;
}

void block_cache_publish(struct block_cache *c, struct flight *flight,
			 struct cached_block *fresh)
{
	struct shard *s = shard_of(c, flight->id);

	pthread_mutex_lock(&s->lock);
	struct cached_block *old = find(s, fresh->id);
	if (old)
		unlist(c, s, old);
	struct cached_block **bucket = bucket_of(s, fresh->id);
	fresh->next = *bucket;
	*bucket = fresh;
	fresh->pins = 1;
	fresh->is_listed = true;
	list_push(s, fresh);
	land(s, flight);
	pthread_mutex_unlock(&s->lock);
	atomic_fetch_add(&s->landings, 1);	/* now that the lock is free for who looks */
}

void block_cache_abandon(struct block_cache *c, struct flight *flight)
{
	struct shard *s = shard_of(c, flight->id);

	atomic_fetch_add(&c->failures, 1);
	pthread_mutex_lock(&s->lock);
	land(s, flight);	/* D4: those who wait try for themselves */
	pthread_mutex_unlock(&s->lock);
	atomic_fetch_add(&s->landings, 1);
}

void block_cache_unpin(struct block_cache *c, struct cached_block *b)
{
	struct shard *s = shard_of(c, b->id);
	bool is_over;

	pthread_mutex_lock(&s->lock);
	if (--b->pins == 0 && !b->is_listed)
		release(c, b);
	is_over = atomic_load(&c->used) > c->limit;
	pthread_mutex_unlock(&s->lock);
	if (is_over)
		evict(c, c->limit);
}

void block_cache_count(struct block_cache *c, size_t before, size_t now)
{
	atomic_fetch_add(&c->used, now);
	atomic_fetch_sub(&c->used, before);
	if (now > before) {
		evict(c, c->limit);
		block_pages_shrink(c->pages, now - before);
	}
}

/* ---- what a block has ------------------------------------------------------------ */

/* The bytes from `at` on that lie in one page, `size` of them at most. */
static uint8_t *piece_at(const struct cached_block *b, uint32_t at, size_t size, size_t *piece)
{
	size_t rest = BLOCK_PAGE - at % BLOCK_PAGE;

	*piece = size < rest ? size : rest;
	return b->pages[at / BLOCK_PAGE] + at % BLOCK_PAGE;
}

void cached_block_copy(const struct cached_block *b, uint32_t at, size_t size, void *out)
{
	uint8_t *to = out;
	size_t piece;

	for (; size > 0; size -= piece, to += piece, at += (uint32_t)piece) {
		const uint8_t *from = piece_at(b, at, size, &piece);
		memcpy(to, from, piece);
	}
}

bool cached_block_equals(const struct cached_block *b, uint32_t at, const void *data, size_t size)
{
	const uint8_t *other = data;
	bool is_equal = true;
	size_t piece;

	for (; size > 0 && is_equal; size -= piece, other += piece, at += (uint32_t)piece) {
		const uint8_t *ours = piece_at(b, at, size, &piece);
		is_equal = memcmp(ours, other, piece) == 0;
	}
	return is_equal;
}

bool cached_block_parts(const struct cached_block *b, uint32_t at, size_t size,
			struct iovec *parts, unsigned max, unsigned *count)
{
	unsigned first = *count;
	size_t piece;

	for (; size > 0; size -= piece, at += (uint32_t)piece) {
		uint8_t *start = piece_at(b, at, size, &piece);
		struct iovec *last = *count > first ? &parts[*count - 1] : NULL;
		if (last && (uint8_t *)last->iov_base + last->iov_len == start)
			last->iov_len += piece;
		else if (*count == max)
			return false;
		else
			parts[(*count)++] = (struct iovec){ start, piece };
	}
	return true;
}

bool block_cache_is_coming(struct block_cache *c, int64_t id, uint32_t wanted)
{
	struct shard *s = shard_of(c, id);

	pthread_mutex_lock(&s->lock);
	struct cached_block *b = find(s, id);
	bool is_coming = (b && b->valid >= wanted) || flying(s, id);
	pthread_mutex_unlock(&s->lock);
	return is_coming;
}

unsigned block_cache_enter(struct block_cache *c)
{
	unsigned now = atomic_fetch_add(&c->readers, 1) + 1, most = atomic_load(&c->most);

	if (now >= most) {
		atomic_store(&c->most, now);
		atomic_store(&c->below, 0);
		return now;
	}
	if (atomic_fetch_add(&c->below, 1) + 1 >= LATELY) {
		atomic_store(&c->below, 0);
		atomic_store(&c->most, most - 1);
	}
	return most;
}

void block_cache_leave(struct block_cache *c)
{
	atomic_fetch_sub(&c->readers, 1);
}

struct row_cache *block_cache_rows(struct block_cache *c)
{
	return c->rows;
}

struct near *block_cache_near(struct block_cache *c)
{
	return c->near;
}

struct helpers *block_cache_helpers(struct block_cache *c)
{
	return c->helpers;
}

/* ---- the whole -------------------------------------------------------------------- */

struct block_cache *block_cache_new(size_t limit_bytes)
{
	struct block_cache *c = calloc(1, sizeof *c);
	size_t for_rows = limit_bytes / 12;	/* for 64 MiB: rows of 1.5 GiB */

	if (!c)
		return NULL;
	c->pages = block_pages_new();
	c->rows = row_cache_new(for_rows);
	c->near = near_new();
	if (!c->pages || !c->rows || !c->near) {
		block_pages_free(c->pages);
		row_cache_free(c->rows);
		near_free(c->near);
		free(c);
		return NULL;
	}
	c->asked = limit_bytes;
	c->limit = limit_bytes - for_rows - limit_bytes / 32;	/* tables, and what lies beside blocks */
	for (unsigned i = 0; i < SHARDS; i++) {
		spin_mutex_init(&c->shards[i].lock);
		pthread_cond_init(&c->shards[i].landed, NULL);
	}
	return c;
}

int block_cache_start_helpers(struct block_cache *c, struct vault *v, unsigned count,
			      struct err *e)
{
	return helpers_start(v, c, count, &c->helpers, e);
}

void block_cache_pause(struct block_cache *c)
{
	if (c->helpers)
		helpers_pause(c->helpers);
}

void block_cache_resume(struct block_cache *c)
{
	if (c->helpers)
		helpers_resume(c->helpers);
}

void block_cache_figures(struct block_cache *c, struct block_cache_figures *out)
{
	*out = (struct block_cache_figures){
		.limit = c->asked,
		.used = atomic_load(&c->used) + row_cache_used(c->rows),
		.hits = atomic_load(&c->hits),
		.misses = atomic_load(&c->misses),
		.failures = atomic_load(&c->failures),
	};
}

void block_cache_clear(struct block_cache *c)
{
	evict(c, 0);
	block_pages_wipe(c->pages);	/* P1 */
	row_cache_clear(c->rows);
}

void block_cache_free(struct block_cache *c)
{
	if (!c)
		return;
	helpers_stop(c->helpers);
	block_cache_clear(c);
	block_pages_free(c->pages);
	row_cache_free(c->rows);
	near_free(c->near);
	for (unsigned i = 0; i < SHARDS; i++) {
		pthread_mutex_destroy(&c->shards[i].lock);
		pthread_cond_destroy(&c->shards[i].landed);
	}
	free(c);
}

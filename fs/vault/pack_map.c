#include "fs/vault/pack_map.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 64

struct slot {
	uint8_t name[16];
	int64_t block;		/* 0: the slot is free */
	uint32_t at, size;
};

struct shard {
	pthread_mutex_t lock;
	struct slot *slots;	/* protected by lock, as the rest */
	size_t count, capacity;
	size_t limit;		/* sweep before growing past it */
};

struct pack_map {
	struct shard shards[SHARDS];
	pthread_mutex_t lock;	/* taken inside of a shard's */
	int64_t base;		/* set before threads start: no block is below */
	uint8_t *committed;	/* protected by lock: a bit a block from base on */
	size_t committed_size;
};

struct pack_map *pack_map_new(size_t limit, int64_t base)
{
	struct pack_map *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	pthread_mutex_init(&m->lock, NULL);
	m->base = base;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&m->shards[i].lock, NULL);
		m->shards[i].limit = limit / SHARDS;
	}
	return m;
}

void pack_map_free(struct pack_map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		free(m->shards[i].slots);
		pthread_mutex_destroy(&m->shards[i].lock);
	}
	free(m->committed);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* Names are keyed hashes: any of their bits are as good as a hash. */
static struct shard *shard_of(struct pack_map *m, const uint8_t name[16])
{
	return &m->shards[name[0] % SHARDS];
}

static size_t find(const struct shard *s, const uint8_t name[16])
{
	uint64_t hash;

	memcpy(&hash, name + 8, sizeof hash);
	size_t i = (size_t)hash & (s->capacity - 1);
	while (s->slots[i].block != 0 && memcmp(s->slots[i].name, name, 16) != 0)
		i = (i + 1) & (s->capacity - 1);
	return i;
}

bool pack_map_find(struct pack_map *m, const uint8_t name[16], struct chunk_place *out)
{
	struct shard *s = shard_of(m, name);
	bool is_there = false;

	pthread_mutex_lock(&s->lock);
	if (s->capacity != 0) {
		const struct slot *slot = &s->slots[find(s, name)];

		is_there = slot->block != 0;
		*out = (struct chunk_place){ slot->block, slot->at, slot->size };
	}
	pthread_mutex_unlock(&s->lock);
	return is_there;
}

static bool rebuild(struct shard *s, size_t capacity)
{
	struct shard next = { .capacity = capacity };

	next.slots = calloc(capacity, sizeof *next.slots);
	if (!next.slots)
		return false;
	s->count = 0;
	for (size_t i = 0; i < s->capacity; i++) {
		if (s->slots[i].block == 0)
			continue;
		next.slots[find(&next, s->slots[i].name)] = s->slots[i];
		s->count++;
	}
	free(s->slots);
	s->slots = next.slots;
	s->capacity = capacity;
	return true;
}

static bool is_committed(const struct pack_map *m, int64_t block)
{
	uint64_t bit = (uint64_t)(block - m->base);

	return bit / 8 < m->committed_size &&
	       (m->committed[bit / 8] >> (bit % 8) & 1) != 0;
}

/* Marks what is committed as free; the caller rebuilds the shard. */
static size_t drop_committed(struct pack_map *m, struct shard *s)
{
	size_t left = 0;

	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < s->capacity; i++) {
		struct slot *slot = &s->slots[i];

		if (slot->block == 0)
			continue;
		if (is_committed(m, slot->block))
			slot->block = 0;
		else
			left++;
	}
	pthread_mutex_unlock(&m->lock);
	return left;
}

static bool make_room(struct pack_map *m, struct shard *s)
{
	if (s->count + 1 <= s->capacity / 8 * 5)
		return true;
	if (s->count < s->limit)
		return rebuild(s, s->capacity ? s->capacity * 2 : 256);
	/* What is in flight sets the least size: twice that, so that sweeps
	 * stay rare. */
	size_t left = drop_committed(m, s);
	size_t capacity = s->capacity;

	while (left > capacity / 8 * 5 / 2)
		capacity *= 2;
	return rebuild(s, capacity);
}

enum pack_map_put pack_map_put(struct pack_map *m, const uint8_t name[16],
			       struct chunk_place *place)
{
	struct shard *s = shard_of(m, name);
	enum pack_map_put rc = PACK_MAP_NO_MEMORY;

	pthread_mutex_lock(&s->lock);
	if (make_room(m, s)) {
		struct slot *slot = &s->slots[find(s, name)];

		if (slot->block != 0) {
			*place = (struct chunk_place){ slot->block, slot->at,
						       slot->size };
			rc = PACK_MAP_THERE;
		} else {
			memcpy(slot->name, name, 16);
			slot->block = place->block;
			slot->at = place->at;
			slot->size = place->size;
			s->count++;
			rc = PACK_MAP_NEW;
		}
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

bool pack_map_committed(struct pack_map *m, int64_t block)
{
	uint64_t bit = (uint64_t)(block - m->base);
	bool is_done = true;

	pthread_mutex_lock(&m->lock);
	if (bit / 8 >= m->committed_size) {
		size_t size = (size_t)(bit / 8 + 1) * 2;
		uint8_t *p = realloc(m->committed, size);

		is_done = p != NULL;
		if (p) {
			memset(p + m->committed_size, 0, size - m->committed_size);
			m->committed = p;
			m->committed_size = size;
		}
	}
	if (is_done)
		m->committed[bit / 8] |= (uint8_t)(1u << (bit % 8));
	pthread_mutex_unlock(&m->lock);
	return is_done;
}

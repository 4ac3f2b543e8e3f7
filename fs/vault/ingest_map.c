#include "fs/vault/ingest_map.h"

#include <stdlib.h>

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014) over both numbers. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * 0x9e3779b97f4a7c15u + b;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* The slot of the key, or the free one where it would go. */
static size_t find(const struct map *m, uint64_t a, uint64_t b)
{
	size_t i = (size_t)mix(a, b) & (m->capacity - 1);

	while (m->slots[i].value != 0 && (m->slots[i].a != a || m->slots[i].b != b))
		i = (i + 1) & (m->capacity - 1);
	return i;
}

uint64_t map_get(const struct map *m, uint64_t a, uint64_t b)
{
	return m->capacity == 0 ? 0 : m->slots[find(m, a, b)].value;
}

static bool grow(struct map *m)
{
	struct map bigger = { .capacity = m->capacity ? m->capacity * 2 : 64 };

	bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < m->capacity; i++)
		if (m->slots[i].value != 0)
			bigger.slots[find(&bigger, m->slots[i].a, m->slots[i].b)] =
				m->slots[i];
	bigger.count = m->count;
	free(m->slots);
	*m = bigger;
	return true;
}

bool map_put(struct map *m, uint64_t a, uint64_t b, uint64_t value)
{
	if (m->count + 1 > m->capacity / 8 * 5 && !grow(m))
		return false;
	struct map_slot *slot = &m->slots[find(m, a, b)];

	if (slot->value == 0)
		m->count++;
	*slot = (struct map_slot){ a, b, value };
	return true;
}

void map_remove(struct map *m, uint64_t a, uint64_t b)
{
	size_t i, j;

	if (m->capacity == 0)
		return;
	i = find(m, a, b);
	if (m->slots[i].value == 0)
		return;
	m->count--;
	/* Later slots of the same probe move up, so that no mark is needed for
	 * what was removed (Knuth, 6.4, algorithm R). */
	for (j = (i + 1) & (m->capacity - 1); m->slots[j].value != 0;
	     j = (j + 1) & (m->capacity - 1)) {
		size_t home = (size_t)mix(m->slots[j].a, m->slots[j].b) &
			      (m->capacity - 1);

		if (((j - home) & (m->capacity - 1)) < ((j - i) & (m->capacity - 1)))
			continue;
		m->slots[i] = m->slots[j];
		i = j;
	}
	m->slots[i].value = 0;
}

void map_free(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}

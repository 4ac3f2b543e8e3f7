#include "fs/vault/seen.h"

#include <stdlib.h>
#include <string.h>

bool seen_set(struct seen *s, int64_t id, bool is_there)
{
	size_t word = (size_t)id / 64;

	if (word >= s->capacity) {
		size_t more = word + 1 > s->capacity * 2 ? word + 1 : s->capacity * 2;
		uint64_t *grown = reallocarray(s->words, more, sizeof *grown);

		if (!grown)
			return false;
		memset(grown + s->capacity, 0, (more - s->capacity) * sizeof *grown);
		s->words = grown;
		s->capacity = more;
	}
	if (is_there)
		s->words[word] |= UINT64_C(1) << (id % 64);
	else
		s->words[word] &= ~(UINT64_C(1) << (id % 64));
	return true;
}

bool seen_has(const struct seen *s, int64_t id)
{
	size_t word = (size_t)id / 64;

	return word < s->capacity && (s->words[word] >> (id % 64) & 1) != 0;
}

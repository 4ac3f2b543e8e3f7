#include "policy/memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ROOM (64u << 10)

struct memory_block {
	struct memory_block *next;
	alignas(max_align_t) uint8_t bytes[];
};

void *memory_new(struct memory *m, size_t count, size_t size)
{
	const size_t unit = alignof(max_align_t);
	size_t bytes;

	if (size != 0 && count > SIZE_MAX / 2 / size)
		return NULL;
	bytes = (count * size + unit - 1) / unit * unit;
	if (bytes > m->room - m->used) {
		size_t room = bytes > BLOCK_ROOM ? bytes : BLOCK_ROOM;
		struct memory_block *block = calloc(1, sizeof *block + room);

		if (block == NULL)
			return NULL;
		block->next = m->blocks;
		m->blocks = block;
		m->used = 0;
		m->room = room;
	}
	m->used += bytes;
	return m->blocks->bytes + m->used - bytes;
}

char *memory_text(struct memory *m, const char *text, size_t size)
{
	char *copy = memory_new(m, size + 1, 1);

	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

void memory_clear(struct memory *m)
{
	struct memory_block *next;

	for (struct memory_block *b = m->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	*m = (struct memory){ 0 };
}

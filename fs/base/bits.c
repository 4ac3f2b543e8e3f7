#include "fs/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX ((int64_t)1 << 36)

bool bits_add(struct bits *b, int64_t n)
{
	if (n < 0 || n >= NUMBER_MAX)
		return false;
	size_t word = (size_t)(n / 64);

	if (word >= b->count) {
		size_t more = word + 1 > b->count * 2 ? word + 1 : b->count * 2;
		uint64_t *words = reallocarray(b->words, more, sizeof *words);

		if (!words)
			return false;
		memset(words + b->count, 0, (more - b->count) * sizeof *words);
		b->words = words;
		b->count = more;
	}
	b->words[word] |= (uint64_t)1 << (n % 64);
	return true;
}

void bits_drop(struct bits *b, int64_t n)
{
	if (bits_has(b, n))
		b->words[n / 64] &= ~((uint64_t)1 << (n % 64));
}

void bits_free(struct bits *b)
{
	free(b->words);
	*b = (struct bits){ 0 };
}

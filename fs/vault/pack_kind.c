#include "fs/vault/pack_kind.h"

#include <stdbool.h>
#include <stdint.h>

#define SAMPLE 128

/* Text of any encoding that ASCII is a part of. */
static bool is_text(const uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (at[i] < ' ' && (at[i] < '\t' || at[i] > '\r') && at[i] != 0x1b)
			return false;
	return true;
}

/* The beginning alone would take a PDF for text, the middle alone a program's messages. */
enum pack_kind pack_kind_of(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	size_t sample = size < SAMPLE ? size : SAMPLE;

	return is_text(bytes, sample) && is_text(bytes + (size - sample) / 2, sample) ?
	       PACK_TEXT : PACK_BYTES;
}

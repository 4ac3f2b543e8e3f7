#include "fs/base/zip_end.h"

#include <string.h>

#define RECORD 22
#define LOCATOR 20		/* 4.3.15, right before it */
#define RECORD64 56		/* 4.3.14, right before that */

static uint64_t little(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	while (size-- > 0)
		value = value << 8 | at[size];
	return value;
}

bool zip_end_find(const uint8_t *tail, size_t size, struct zip_end *out)
{
	for (size_t i = size < RECORD ? 0 : size - RECORD + 1; i-- > 0;) {
		const uint8_t *at = tail + i;
		size_t comment;

		if (memcmp(at, "PK\5\6", 4) != 0)
			continue;
		comment = (size_t)little(at + 20, 2);
		if (comment > size - i - RECORD)
			continue;
		*out = (struct zip_end){ .at = i, .size = RECORD + comment,
					 .directory = little(at + 12, 4) + little(at + 16, 4),
					 .entries = little(at + 10, 2) };
		out->is_large = i >= LOCATOR && !memcmp(at - LOCATOR, "PK\6\7", 4);
		if (out->is_large && i >= LOCATOR + RECORD64 &&
		    !memcmp(at - LOCATOR - RECORD64, "PK\6\6", 4)) {
			out->entries = little(at - LOCATOR - RECORD64 + 32, 8);
			out->is_counted = true;
		}
		return true;
	}
	return false;
}

bool zip_end_misses(const struct zip_end *z, uint64_t members)
{
	if (z->is_counted || members < z->entries)
		return members < z->entries;
	/* Without zip64 some writers keep the lowest 16 bits of a count. */
	return members > UINT16_MAX && !z->is_large && (members & UINT16_MAX) < z->entries;
}

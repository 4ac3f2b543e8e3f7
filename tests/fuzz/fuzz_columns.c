/*
 * Pages with their columns apart (fs/store/columns.h).  The input's first byte: even, the
 * rest are streams, as somebody writes them who has the epoch's key; odd, the rest are
 * changes to pages, which must come back as they are.  A change: 2 bytes where, 1 how
 * many bytes follow, these.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/store/columns.h"
#include "tests/fuzz/fuzz.h"

#define PAGES 3u

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void join(const uint8_t *in, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1), *page = malloc(COLUMNS_PAGE);
	bool is_damage;

	MUST(copy && page);
	memcpy(copy, in, size);
	memset(page, 0, COLUMNS_PAGE);
	struct columns_join *j = columns_join_new(copy, size, &is_damage);
	for (uint32_t i = 0; j && i < PAGES && columns_join_page(j, page); i++)
		;
	columns_join_free(j);
	free(copy);
	free(page);
}

/* Leaf pages of a table, of the shortest rows. */
static void fill(uint8_t pages[PAGES * COLUMNS_PAGE])
{
	for (uint32_t p = 0; p < PAGES; p++) {
		uint8_t *page = pages + (size_t)p * COLUMNS_PAGE;
		uint32_t at = COLUMNS_PAGE;

		page[0] = 13;
		page[4] = 50;
		for (uint8_t i = 0; i < page[4]; i++) {
			const uint8_t cell[] = { 8, (uint8_t)(i + 1), 4, 1, 16, 15, i, 'a', 'b', 'c' };
			at -= (uint32_t)sizeof cell;
			page[8 + 2 * i] = (uint8_t)(at >> 8);
			page[9 + 2 * i] = (uint8_t)at;
			memcpy(page + at, cell, sizeof cell);
		}
	}
}

static void split(struct reader *r)
{
	static uint8_t pages[PAGES * COLUMNS_PAGE];
	uint8_t *streams = malloc(columns_room(PAGES));
	size_t size;

	MUST(streams);
	memset(pages, 0, sizeof pages);
	fill(pages);
	while (reader_left(r) > 0) {
		size_t at = reader_u16(r) % sizeof pages, n = reader_u8(r);
		const uint8_t *bytes = reader_view(r, n);
		if (bytes)
			memcpy(pages + at, bytes, n < sizeof pages - at ? n : sizeof pages - at);
	}
	/* It tries that they come back, and gives up where they do not. */
	size = columns_split(pages, PAGES, streams);
	MUST(size > 0 && size <= columns_room(PAGES));
	join(streams, size);
	free(streams);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	uint8_t how = reader_u8(&r);

	if (how & 1)
		split(&r);
	else
		join(data + r.used, size - r.used);
	return 0;
}

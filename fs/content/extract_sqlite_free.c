/*
 * Deleted rows stay in pages of the freelist until those are used again (SQLite
 * file format, 1.5).  Such a page is read as what it mostly was, a leaf of a
 * table: its cells' fields; what does not parse as one, as it stands.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/extract_sqlite_file.h"
#include "fs/content/look.h"

#define PAGE_MAX 65536u
#define HEADER_SIZE 100
#define LEAF_OF_TABLE 0x0d
#define LEAF_HEADER 8

struct free_pages {
	struct look *look;
	struct input *in;
	struct cells *cells;
	uint64_t size;
	uint32_t page_size, page_count;
	uint32_t left;		/* pages that may still be free: no circles */
	uint8_t *trunk, *page;	/* of page_size */
	const char *place;
};

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static size_t be16(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

/* 1 read, 0 there is no such page. */
static int read_page(struct free_pages *f, uint32_t number, uint8_t *out, struct err *e)
{
	ssize_t n;

	if (number == 0 || number > f->page_count || f->left == 0)
		return 0;
	f->left--;
	n = input_at(f->in, (uint64_t)(number - 1) * f->page_size, out, f->page_size, e);
	return n < 0 ? -1 : (size_t)n == f->page_size;
}

/* SQLite's variable-length integer: big-endian, seven bits a byte. */
static uint64_t varint(const uint8_t **at, const uint8_t *end)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 9 && *at < end; i++) {
		uint8_t byte = *(*at)++;

		if (i == 8)
			return value << 8 | byte;
		value = value << 7 | (byte & 0x7f);
		if (!(byte & 0x80))
			break;
	}
	return value;
}

static size_t field_size(uint64_t type)
{
	static const uint8_t sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };

	if (type < sizeof sizes)
		return sizes[type];
	return (type - 12) / 2 < PAGE_MAX ? (size_t)((type - 12) / 2) : PAGE_MAX;
}

static int give(struct free_pages *f, const uint8_t *text, size_t size, struct err *e)
{
	return size > 3 ? cells_add(f->cells, NULL, f->place, text, size, e) : 0;
}

/* How much of a payload stands in the page, and not in others (1.6). */
static size_t local_size(const struct free_pages *f, uint64_t payload)
{
	uint64_t most = f->page_size - 35, least = (f->page_size - 12) * 32 / 255 - 23, local;

	if (payload <= most)
		return (size_t)payload;
	local = least + (payload - least) % (f->page_size - 4);
	return (size_t)(local <= most ? local : least);
}

/* A number as SQLite stores it, big-endian and signed; small ones are no data. */
static int give_number(struct free_pages *f, const uint8_t *field, size_t size, struct err *e)
{
	uint64_t value = field[0] & 0x80 ? UINT64_MAX : 0;
	char text[24];

	for (size_t i = 0; i < size; i++)
		value = value << 8 | field[i];
	snprintf(text, sizeof text, "%" PRId64, (int64_t)value);
	return give(f, (const uint8_t *)text, strlen(text), e);
}

/* The fields of a row, as far as they stand in the page. */
static int give_row(struct free_pages *f, const uint8_t *at, const uint8_t *end,
		    struct err *e)
{
	const uint8_t *types, *types_end, *field;
	uint64_t header;
	size_t payload;

	payload = local_size(f, varint(&at, end));
	(void)varint(&at, end);	/* its number */
	if (payload < (size_t)(end - at))
		end = at + payload;
	types = at;
	header = varint(&types, end);
	if (header > (uint64_t)(end - at))
		return give(f, at, (size_t)(end - at), e);
	types_end = field = at + header;
	while (types < types_end && field < end) {
		uint64_t type = varint(&types, types_end);
		size_t size = field_size(type);

		if (size > (size_t)(end - field))
			size = (size_t)(end - field);
		if (type >= 12 && give(f, field, size, e) < 0)
			return -1;
		if (type >= 4 && type <= 6 && size == field_size(type) &&
		    give_number(f, field, size, e) < 0)
			return -1;
		field += size;
	}
	return cells_row(f->cells, e);
}

static int give_page(struct free_pages *f, const uint8_t *page, struct err *e)
{
	const uint8_t *end = page + f->page_size;
	size_t count = be16(page + 3);

	if (page[0] != LEAF_OF_TABLE || count == 0 || count > f->page_size / 4 ||
	    LEAF_HEADER + 2 * count > f->page_size) {
		if (give(f, page, f->page_size, e) < 0)
			return -1;
		return cells_row(f->cells, e);
	}
	for (size_t i = 0; i < count; i++) {
		size_t at = be16(page + LEAF_HEADER + 2 * i);

		if (at >= LEAF_HEADER && at < f->page_size && give_row(f, page + at, end, e) < 0)
			return -1;
	}
	return 0;
}

static int follow(struct free_pages *f, uint32_t first, struct err *e)
{
	uint32_t number = first;
	int rc;

	while ((rc = read_page(f, number, f->trunk, e)) > 0) {
		uint32_t count = be32(f->trunk + 4);

		if (count > f->page_size / 4 - 2)
			break;
		number = be32(f->trunk);
		/* What the list itself does not cover is left from before. */
		if (give(f, f->trunk + 8 + 4 * (size_t)count,
			 f->page_size - 8 - 4 * (size_t)count, e) < 0)
			return -1;
		for (uint32_t i = 0; i < count; i++) {
			rc = read_page(f, be32(f->trunk + 8 + 4 * (size_t)i), f->page, e);
			if (rc < 0 || (rc > 0 && give_page(f, f->page, e) < 0))
				return -1;
		}
	}
	return rc < 0 ? -1 : 0;
}

static int all(struct free_pages *f, struct err *e)
{
	int rc = 1;

	for (uint32_t number = 1; number <= f->page_count && rc > 0; number++) {
		rc = read_page(f, number, f->page, e);
		if (rc > 0 && give_page(f, f->page, e) < 0)
			rc = -1;
	}
	return rc < 0 ? -1 : 0;
}

static int run(struct look *l, struct input *in, uint64_t size, bool is_all, struct err *e)
{
	struct free_pages f = { .look = l, .in = in, .size = size };
	uint8_t header[HEADER_SIZE];
	ssize_t n = input_at(in, 0, header, sizeof header, e);
	uint32_t first;
	int rc = -1;

	if (n < (ssize_t)sizeof header)
		return n < 0 ? -1 : 0;
	first = be32(header + 32);
	f.place = is_all ? "page" : "free page";
	f.page_size = (uint32_t)be16(header + 16);
	if (f.page_size == 1)
		f.page_size = PAGE_MAX;
	if (f.page_size < 512 || (f.page_size & (f.page_size - 1)) != 0)
		f.page_size = 4096;	/* the commonest */
	if (first == 0 && !is_all)
		return 0;
	f.page_count = f.left = size / f.page_size < UINT32_MAX
		? (uint32_t)(size / f.page_size) : UINT32_MAX;
	f.cells = cells_new(l);
	f.trunk = malloc(f.page_size);
	f.page = malloc(f.page_size);
	if (!f.cells || !f.trunk || !f.page)
		err_set(e, MUNI_NO_MEMORY, "no memory to read free pages");
	else if ((is_all ? all(&f, e) : follow(&f, first, e)) == 0)
		rc = cells_end(f.cells, e);
	cells_free(f.cells);
	free(f.trunk);
	free(f.page);
	return rc;
}

int sqlite_free_pages(struct look *l, struct input *in, uint64_t size, struct err *e)
{
	return run(l, in, size, false, e);
}

int sqlite_all_pages(struct look *l, struct input *in, uint64_t size, struct err *e)
{
	return run(l, in, size, true, e);
}

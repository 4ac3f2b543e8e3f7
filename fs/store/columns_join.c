#include "fs/store/columns_inside.h"

#include <string.h>

#include "fs/base/bytes.h"
#include "fs/crypt/arena.h"

struct group {
	uint32_t columns;
	uint64_t row;				/* the one before */
	uint8_t flags[COLUMNS_OF_ROW];
	uint64_t values[COLUMNS_OF_ROW];	/* whole numbers before */
};

struct columns_join {
	struct reader streams[STREAMS];
	uint32_t groups;
	struct group group[COLUMNS_GROUPS];
	uint32_t child;
	uint8_t used[COLUMNS_PAGE];		/* of the page at hand: 1 where a cell lies */
};

/* ---- the list ------------------------------------------------------------------- */

/* Streams `first` to `first` + `count` that the mask names, in order: their sizes. */
static bool read_sizes(struct columns_join *j, struct reader *list, uint32_t first,
		       uint32_t count)
{
	uint64_t mask = reader_varint(list);

	if (count < 64 && mask >> count != 0)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (mask >> i & 1) {
			uint64_t size = reader_varint(list);

			if (size > list->size)
				return false;
			j->streams[first + i].size = (size_t)size;
		}
	return !list->underflow;
}

static bool read_groups(struct columns_join *j, struct reader *list)
{
	j->groups = reader_u8(list);
	if (j->groups > COLUMNS_GROUPS)
		return false;
	for (uint32_t g = 0; g < j->groups; g++) {
		struct group *group = &j->group[g];

		group->columns = reader_u8(list);
		if (group->columns > COLUMNS_OF_ROW || !read_sizes(j, list, columns_rows(g), 1))
			return false;
		for (uint32_t c = 0; c < group->columns; c++) {
			group->flags[c] = reader_u8(list);
			if (group->flags[c] > COLUMN_FLAGS ||
			    !read_sizes(j, list, columns_slot(g, c, 0), SLOTS))
				return false;
		}
	}
	return true;
}

/* The streams follow the list, each behind the one before, up to the end. */
static bool find_streams(struct columns_join *j, struct reader *list)
{
	for (uint32_t i = 0; i < columns_rows(j->groups); i++) {
		size_t size = j->streams[i].size;

		j->streams[i] = reader_over(reader_view(list, size), size);
		if (list->underflow)
			return false;
	}
	return reader_left(list) == 0;
}

struct columns_join *columns_join_new(const uint8_t *in, size_t size, bool *is_damage)
{
	struct reader list = reader_over(in, size);
	struct columns_join *j = arena_new_zeroed(sizeof *j);

	*is_damage = false;
	if (!j)
		return NULL;
	if (read_sizes(j, &list, 0, STREAM_GROUPS) && read_groups(j, &list) &&
	    find_streams(j, &list))
		return j;
	*is_damage = true;
	columns_join_free(j);
	return NULL;
}

void columns_join_free(struct columns_join *j)
{
	arena_free(j);
}

bool columns_join_is_done(const struct columns_join *j)
{
	for (uint32_t i = 0; i < columns_rows(j->groups); i++)
		if (j->streams[i].underflow || reader_left(&j->streams[i]) != 0)
			return false;
	return true;
}

/* ---- values --------------------------------------------------------------------------- */

static void join_int(struct columns_join *j, uint32_t g, uint32_t c, uint32_t size,
		     struct writer *out)
{
	struct group *group = &j->group[g];
	uint64_t v = 0;

	for (uint32_t k = 0; k < size; k++)
		v |= (uint64_t)reader_u8(&j->streams[columns_slot(g, c, SLOT_INT + k)]) << 8 * k;
	if (group->flags[c] & COLUMN_IS_DIFFERENCE)
		v = group->values[c] + columns_unfold(v);
	group->values[c] = columns_extend(v, size);
	for (uint32_t k = size; k-- > 0;)
		writer_u8(out, (uint8_t)(v >> 8 * k));
}

static void join_bytes(struct columns_join *j, uint32_t g, uint32_t c, uint32_t size,
		       struct writer *out)
{
	struct reader *rest = &j->streams[columns_slot(g, c, SLOT_BYTES)];
	uint32_t i = 0;

	if (j->group[g].flags[c] & COLUMN_IS_APART)
		for (; i < size && i < COLUMNS_PLACES; i++)
			writer_u8(out, reader_u8(&j->streams[columns_slot(g, c, SLOT_PLACES + i)]));
	const uint8_t *bytes = reader_view(rest, size - i);
	if (bytes)
		writer_bytes(out, bytes, size - i);
	else
		writer_zeros(out, size - i);
}

static void join_varint(uint64_t v, struct writer *out)
{
	uint8_t bytes[COLUMNS_VARINT];

	if (v < 0x80)	/* nearly all */
		writer_u8(out, (uint8_t)v);
	else
		writer_bytes(out, bytes, columns_varint_put(bytes, v));
}

static void join_record(struct columns_join *j, uint32_t g, const struct columns_cell *cell,
			struct writer *out)
{
	uint32_t left = cell->local - cell->head;

	join_varint(cell->head, out);
	for (uint32_t c = 0; c < cell->columns; c++)
		join_varint(cell->types[c], out);
	for (uint32_t c = 0; c < cell->columns; c++) {
		uint64_t whole = columns_type_size(cell->types[c]);
		uint32_t size = whole < left ? (uint32_t)whole : left;

		if (columns_type_is_int(cell->types[c]) && size == whole)
			join_int(j, g, c, size, out);
		else
			join_bytes(j, g, c, size, out);
		left -= size;
	}
}

/* ---- pages ----------------------------------------------------------------------------- */

/* What tells how large the next cell is. */
static bool next_cell(struct columns_join *j, uint32_t g, unsigned type,
		      struct columns_cell *cell)
{
	struct group *group = &j->group[g];

	if (columns_is_interior(type))
		cell->child = j->child += (uint32_t)columns_unfold(
			reader_varint(&j->streams[STREAM_CHILDREN]));
	if (columns_is_table(type))
		cell->row = group->row += columns_unfold(
			reader_varint(&j->streams[columns_rows(g)]));
	cell->columns = group->columns;
	for (uint32_t c = 0; c < cell->columns && type != PAGE_TABLE_INTERIOR; c++)
		cell->types[c] = reader_varint(&j->streams[columns_slot(g, c, SLOT_TYPES)]);
	return columns_cell_measure(cell, type);
}

static void join_cell(struct columns_join *j, uint32_t g, unsigned type,
		      const struct columns_cell *cell, uint8_t *to)
{
	struct writer out = writer_over(to, cell->size);

	if (columns_is_interior(type))
		for (int shift = 24; shift >= 0; shift -= 8)
			writer_u8(&out, (uint8_t)(cell->child >> shift));
	if (type != PAGE_TABLE_INTERIOR)
		join_varint(cell->payload, &out);
	if (columns_is_table(type))
		join_varint(cell->row, &out);
	if (type == PAGE_TABLE_INTERIOR)
		return;
	join_record(j, g, cell, &out);
	if (cell->local < cell->payload)
		for (int i = 0; i < 4; i++)
			writer_u8(&out, reader_u8(&j->streams[STREAM_CHAINS]));
}

/* Where no cell lies, from `at` to the page's end. */
static void join_holes(struct columns_join *j, uint32_t at, uint8_t *page)
{
	while (at < COLUMNS_PAGE) {
		const uint8_t *next = memchr(j->used + at, !j->used[at], COLUMNS_PAGE - at);
		uint32_t end = next ? (uint32_t)(next - j->used) : COLUMNS_PAGE;

		if (!j->used[at])
			reader_bytes(&j->streams[STREAM_HOLES], page + at, end - at);
		at = end;
	}
}

static bool join_cells(struct columns_join *j, uint32_t g, uint8_t *page)
{
	unsigned type = page[0];
	uint32_t cells = (uint32_t)page[3] << 8 | page[4], at = columns_head(type);
	uint32_t first = at + 2 * cells, place = COLUMNS_PAGE;

	if (first > COLUMNS_PAGE)
		return false;
	memset(j->used, 0, sizeof j->used);
	for (uint32_t i = 0; i < cells; i++, at += 2) {
		struct columns_cell cell = { 0 };
		uint32_t room, high = reader_u8(&j->streams[STREAM_POINTERS_HIGH]);

		if (!next_cell(j, g, type, &cell))
			return false;
		room = cell.size > COLUMNS_LEAST_CELL ? cell.size : COLUMNS_LEAST_CELL;
		place = (place - room + (high << 8) +
			 reader_u8(&j->streams[STREAM_POINTERS_LOW])) & 0xffff;
		if (place < first || place + cell.size > COLUMNS_PAGE ||
		    memchr(j->used + place, 1, cell.size))
			return false;
		memset(j->used + place, 1, cell.size);
		page[at] = (uint8_t)(place >> 8);
		page[at + 1] = (uint8_t)place;
		join_cell(j, g, type, &cell, page + place);
	}
	join_holes(j, first, page);
	return true;
}

bool columns_join_page(struct columns_join *j, uint8_t *page)
{
	uint8_t kind = reader_u8(&j->streams[STREAM_KINDS]);

	if (kind == 0) {
		reader_bytes(&j->streams[STREAM_WHOLE], page, COLUMNS_PAGE);
		return !j->streams[STREAM_WHOLE].underflow;
	}
	if (kind > j->groups)
		return false;
	reader_bytes(&j->streams[STREAM_HEADS], page, 8);
	if (page[0] != PAGE_INDEX_INTERIOR && page[0] != PAGE_TABLE_INTERIOR &&
	    page[0] != PAGE_INDEX_LEAF && page[0] != PAGE_TABLE_LEAF)
		return false;
	if (columns_is_interior(page[0]))
		reader_bytes(&j->streams[STREAM_HEADS], page + 8, 4);
	return join_cells(j, kind - 1u, page);
}

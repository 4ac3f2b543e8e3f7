#include "fs/store/columns_inside.h"

#include <assert.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/crypt/arena.h"
#include "fs/store/columns_guess.h"

/* Of 24 groups of 24 columns of 42 streams, each with a size of three bytes. */
#define LIST_ROOM 131072u

/* Rows of one kind: as many columns, and values as large where that tells tables apart. */
struct group {
	uint32_t columns;
	uint32_t shape;
	uint64_t row;
	uint8_t flags[COLUMNS_OF_ROW];
	uint64_t values[COLUMNS_OF_ROW];
	struct columns_guess guess[COLUMNS_OF_ROW];
};

/* Pages are gone through twice: for the sizes of streams, and to fill them. */
struct split {
	bool is_filling;
	uint32_t sizes[STREAMS];
	uint32_t at[STREAMS];		/* filling: offset in out */
	uint8_t *out;
	uint8_t kinds[COLUMNS_PAGES];
	uint32_t groups;
	struct group group[COLUMNS_GROUPS];
	uint32_t child;
	uint8_t used[COLUMNS_PAGE];
};

/* ---- cells -------------------------------------------------------------------------- */

static bool parse_record(const uint8_t *p, const uint8_t *end, struct columns_cell *c)
{
	uint64_t head;
	uint32_t n = columns_varint_get(p, end, &head);
	const uint8_t *types_end;

	if (n == 0 || head > (uint64_t)(end - p) || head < n)
		return false;
	types_end = p + head;
	for (c->columns = 0, p += n; p < types_end; c->columns++) {
		if (c->columns == COLUMNS_OF_ROW)
			return false;
		n = columns_varint_get(p, types_end, &c->types[c->columns]);
		if (n == 0)
			return false;
		p += n;
	}
	return true;
}

/* False: it is not as columns_join_page() would write it.  *record: behind the numbers. */
static bool parse_cell(const uint8_t *p, const uint8_t *end, unsigned type,
		       struct columns_cell *c, const uint8_t **record)
{
	uint64_t payload = 0;
	uint32_t n;

	c->child = 0;
	c->row = 0;
	c->columns = 0;
	if (columns_is_interior(type)) {
		if (end - p < 4)
			return false;
		for (int i = 0; i < 4; i++)
			c->child = c->child << 8 | *p++;
	}
	if (type != PAGE_TABLE_INTERIOR) {
		n = columns_varint_get(p, end, &payload);
		if (n == 0)
			return false;
		p += n;
	}
	if (columns_is_table(type)) {
		n = columns_varint_get(p, end, &c->row);
		if (n == 0)
			return false;
		p += n;
	}
	*record = p;
	if (type != PAGE_TABLE_INTERIOR && !parse_record(p, end, c))
		return false;
	return columns_cell_measure(c, type) && c->payload == payload;
}

static uint32_t number16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* Values of 16 and of 32 bytes are told apart by size, and from all others. */
static uint32_t shape_of(const struct columns_cell *c, unsigned type)
{
	uint32_t shape = columns_is_table(type) + 2u * (type == PAGE_TABLE_INTERIOR);

	for (uint32_t i = 0; i < c->columns; i++) {
		uint64_t size = c->types[i] < 12 ? 0 : columns_type_size(c->types[i]);

		shape = shape * 4 + (size == 16 ? 1 : size == 32 ? 2 : 0);
	}
	return shape;
}

/* 0: there are too many. */
static uint8_t group_of(struct split *s, const struct columns_cell *first, unsigned type)
{
	uint32_t shape = shape_of(first, type), g = 0;

	while (g < s->groups &&
	       (s->group[g].columns != first->columns || s->group[g].shape != shape))
		g++;
	if (g == COLUMNS_GROUPS)
		return 0;
	if (g == s->groups) {
		s->group[g].columns = first->columns;
		s->group[g].shape = shape;
		s->groups++;
	}
	return (uint8_t)(g + 1);
}

/* 0: it stands whole; else 1 + its group. */
static uint8_t kind_of(struct split *s, const uint8_t *page)
{
	unsigned type = page[0];
	uint32_t cells = number16(page + 3), first;
	struct columns_cell c, begin = { 0 };
	const uint8_t *record;

	if (type != PAGE_INDEX_INTERIOR && type != PAGE_TABLE_INTERIOR &&
	    type != PAGE_INDEX_LEAF && type != PAGE_TABLE_LEAF)
		return 0;
	first = columns_head(type) + 2 * cells;
	if (cells == 0 || first > COLUMNS_PAGE)
		return 0;
	memset(s->used, 0, sizeof s->used);
	for (uint32_t i = 0; i < cells; i++) {
		uint32_t at = number16(page + columns_head(type) + 2 * i);

		if (at < first || at >= COLUMNS_PAGE ||
		    !parse_cell(page + at, page + COLUMNS_PAGE, type, &c, &record) ||
		    c.size > COLUMNS_PAGE - at || memchr(s->used + at, 1, c.size))
			return 0;
		memset(s->used + at, 1, c.size);
		if (i == 0)
			begin = c;
		else if (c.columns != begin.columns)
			return 0;
	}
	return group_of(s, &begin, type);
}

/* ---- streams ---------------------------------------------------------------------------- */

static void put(struct split *s, uint32_t stream, const uint8_t *bytes, uint32_t size)
{
	if (s->is_filling)
		memcpy(s->out + s->at[stream] + s->sizes[stream], bytes, size);
	s->sizes[stream] += size;
}

static void put_byte(struct split *s, uint32_t stream, uint64_t byte)
{
	if (s->is_filling)
		s->out[s->at[stream] + s->sizes[stream]] = (uint8_t)byte;
	s->sizes[stream]++;
}

static void put_varint(struct split *s, uint32_t stream, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		put_byte(s, stream, v | 0x80);
	put_byte(s, stream, v);
}

static void split_int(struct split *s, uint32_t g, uint32_t c, const uint8_t *p, uint32_t size)
{
	struct group *group = &s->group[g];
	uint64_t v = 0, told;

	for (uint32_t i = 0; i < size; i++)
		v = v << 8 | p[i];
	v = columns_extend(v, size);
	told = columns_fold(columns_extend(v - group->values[c], size));
	if (!s->is_filling)
		columns_guess_int(&group->guess[c], v, told);
	if (!(group->flags[c] & COLUMN_IS_DIFFERENCE))
		told = v;
	group->values[c] = v;
	for (uint32_t k = 0; k < size; k++)
		put_byte(s, columns_slot(g, c, SLOT_INT + k), told >> 8 * k);
}

static void split_bytes(struct split *s, uint32_t g, uint32_t c, const uint8_t *p, uint32_t size)
{
	struct group *group = &s->group[g];
	uint32_t i = 0;

	if (!s->is_filling)
		columns_guess_bytes(&group->guess[c], p, size);
	if (!s->is_filling || group->flags[c] & COLUMN_IS_APART)
		for (; i < size && i < COLUMNS_PLACES; i++)
			put_byte(s, columns_slot(g, c, SLOT_PLACES + i), p[i]);
	put(s, columns_slot(g, c, SLOT_BYTES), p + i, size - i);
}

static void split_record(struct split *s, uint32_t g, const struct columns_cell *cell,
			 const uint8_t *record)
{
	const uint8_t *p = record + cell->head;
	uint32_t left = cell->local - cell->head;

	for (uint32_t c = 0; c < cell->columns; c++)
		put_varint(s, columns_slot(g, c, SLOT_TYPES), cell->types[c]);
	for (uint32_t c = 0; c < cell->columns; c++) {
		uint64_t whole = columns_type_size(cell->types[c]);
		uint32_t size = whole < left ? (uint32_t)whole : left;

		if (columns_type_is_int(cell->types[c]) && size == whole)
			split_int(s, g, c, p, size);
		else
			split_bytes(s, g, c, p, size);
		p += size;
		left -= size;
	}
	if (cell->local < cell->payload)
		put(s, STREAM_CHAINS, p, 4);
}

static void split_holes(struct split *s, uint32_t at, const uint8_t *page)
{
	while (at < COLUMNS_PAGE) {
		const uint8_t *next = memchr(s->used + at, !s->used[at], COLUMNS_PAGE - at);
		uint32_t end = next ? (uint32_t)(next - s->used) : COLUMNS_PAGE;

		if (!s->used[at])
			put(s, STREAM_HOLES, page + at, end - at);
		at = end;
	}
}

static void split_cells(struct split *s, uint32_t g, const uint8_t *page)
{
	struct group *group = &s->group[g];
	unsigned type = page[0];
	uint32_t cells = number16(page + 3), head = columns_head(type), place = COLUMNS_PAGE;

	put(s, STREAM_HEADS, page, head);
	memset(s->used, 0, sizeof s->used);
	for (uint32_t i = 0; i < cells; i++) {
		uint32_t at = number16(page + head + 2 * i), room;
		struct columns_cell c;
		const uint8_t *record;

		(void)parse_cell(page + at, page + COLUMNS_PAGE, type, &c, &record);
		memset(s->used + at, 1, c.size);
		room = c.size > COLUMNS_LEAST_CELL ? c.size : COLUMNS_LEAST_CELL;
		put_byte(s, STREAM_POINTERS_HIGH, (at - (place - room)) >> 8);
		put_byte(s, STREAM_POINTERS_LOW, at - (place - room));
		place = at;
		if (columns_is_interior(type)) {
			int32_t step = (int32_t)(c.child - s->child);
			put_varint(s, STREAM_CHILDREN, columns_fold((uint64_t)(int64_t)step));
			s->child = c.child;
		}
		if (columns_is_table(type)) {
			put_varint(s, columns_rows(g), columns_fold(c.row - group->row));
			group->row = c.row;
		}
		if (type != PAGE_TABLE_INTERIOR)
			split_record(s, g, &c, record);
	}
	split_holes(s, head + 2 * cells, page);
}

static void split_pages(struct split *s, const uint8_t *bodies, uint32_t pages)
{
	for (uint32_t i = 0; i < pages; i++) {
		const uint8_t *page = bodies + (size_t)i * COLUMNS_PAGE;

		put_byte(s, STREAM_KINDS, s->kinds[i]);
		if (s->kinds[i] == 0)
			put(s, STREAM_WHOLE, page, COLUMNS_PAGE);
		else
			split_cells(s, s->kinds[i] - 1u, page);
	}
}

/* ---- the list ------------------------------------------------------------------------- */

static void write_sizes(const struct split *s, struct writer *list, uint32_t first,
			uint32_t count)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < count; i++)
		mask |= (uint64_t)(s->sizes[first + i] != 0) << i;
	writer_varint(list, mask);
	for (uint32_t i = 0; i < count; i++)
		if (s->sizes[first + i] != 0)
			writer_varint(list, s->sizes[first + i]);
}

static void write_list(const struct split *s, struct writer *list)
{
	write_sizes(s, list, 0, STREAM_GROUPS);
	writer_u8(list, (uint8_t)s->groups);
	for (uint32_t g = 0; g < s->groups; g++) {
		const struct group *group = &s->group[g];

		writer_u8(list, (uint8_t)group->columns);
		write_sizes(s, list, columns_rows(g), 1);
		for (uint32_t c = 0; c < group->columns; c++) {
			writer_u8(list, group->flags[c]);
			write_sizes(s, list, columns_slot(g, c, 0), SLOTS);
		}
	}
}

/* How each column is told, from what it was seen to hold; what is not told apart goes into
 * one stream. */
static void choose(struct split *s)
{
	for (uint32_t g = 0; g < s->groups; g++)
		for (uint32_t c = 0; c < s->group[g].columns; c++) {
			struct columns_guess *guess = &s->group[g].guess[c];
			uint32_t bytes = columns_slot(g, c, SLOT_BYTES);

			s->group[g].flags[c] = (uint8_t)columns_guess_end(guess);
			if (s->group[g].flags[c] & COLUMN_IS_APART)
				continue;
			for (uint32_t i = 0; i < COLUMNS_PLACES; i++) {
				uint32_t place = columns_slot(g, c, SLOT_PLACES + i);
				s->sizes[bytes] += s->sizes[place];
				s->sizes[place] = 0;
			}
		}
}

/* Returns the size of all. */
static size_t place(struct split *s, size_t room)
{
	struct writer list = writer_over(s->out, LIST_ROOM);
	size_t at;

	write_list(s, &list);
	assert(!list.overflow);
	at = list.used;
	for (uint32_t i = 0; i < columns_rows(s->groups); i++) {
		s->at[i] = (uint32_t)at;
		at += s->sizes[i];
		s->sizes[i] = 0;
	}
	return at <= room ? at : 0;
}

/* P1 */
static bool comes_back(const uint8_t *bodies, uint32_t pages, const uint8_t *out, size_t size,
		       uint8_t *page)
{
	bool is_damage, is_same = true;
	struct columns_join *j = columns_join_new(out, size, &is_damage);

	if (!j)
		return false;
	for (uint32_t i = 0; i < pages && is_same; i++)
		is_same = columns_join_page(j, page) &&
			  memcmp(page, bodies + (size_t)i * COLUMNS_PAGE, COLUMNS_PAGE) == 0;
	is_same = is_same && columns_join_is_done(j);
	columns_join_free(j);
	return is_same;
}

/* A number of a row takes up to ten bytes for SQLite's nine, pointers of cells as much as
 * they did: a cell of four bytes grows by one at the most. */
size_t columns_room(uint32_t pages)
{
	return LIST_ROOM + (size_t)pages * (COLUMNS_PAGE + COLUMNS_PAGE / 4 + 1);
}

size_t columns_split(const uint8_t *bodies, uint32_t pages, uint8_t *out)
{
	struct split *s = arena_new_zeroed(sizeof *s);
	size_t size;

	assert(pages <= COLUMNS_PAGES);
	if (!s)
		return 0;
	s->out = out;
	for (uint32_t i = 0; i < pages; i++)
		s->kinds[i] = kind_of(s, bodies + (size_t)i * COLUMNS_PAGE);
	split_pages(s, bodies, pages);
	choose(s);
	size = place(s, columns_room(pages));
	if (size > 0) {
		s->is_filling = true;
		s->child = 0;
		for (uint32_t g = 0; g < s->groups; g++) {
			s->group[g].row = 0;
			memset(s->group[g].values, 0, sizeof s->group[g].values);
		}
		split_pages(s, bodies, pages);
		if (!comes_back(bodies, pages, out, size, s->used))
			size = 0;
	}
	for (uint32_t g = 0; g < s->groups; g++)
		for (uint32_t c = 0; c < s->group[g].columns; c++)
			columns_guess_free(&s->group[g].guess[c]);
	arena_free(s);
	return size;
}

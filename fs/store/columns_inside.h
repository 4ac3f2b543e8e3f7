/*
 * What both ways of fs/store/columns.h share: the numbers of streams, and how SQLite lays a
 * cell (https://www.sqlite.org/fileformat2.html, 1.6 and 2.1).
 */
#ifndef FS_STORE_COLUMNS_INSIDE_H
#define FS_STORE_COLUMNS_INSIDE_H

#include "fs/store/columns.h"

#define COLUMNS_GROUPS 24u	/* kinds of rows in one piece */
#define COLUMNS_OF_ROW 24u
#define COLUMNS_INT 8u		/* bytes of the longest whole number */
#define COLUMNS_PLACES 32u	/* of a value whose bytes go apart */
#define COLUMNS_LEAST_CELL 4u	/* SQLite gives none less room */
#define COLUMNS_VARINT 9u	/* bytes of the longest */

enum columns_stream {		/* on disk: never renumber */
	STREAM_KINDS,		/* a byte a page: 0 it stands whole, else 1 + its group */
	STREAM_WHOLE,		/* pages that stand whole */
	STREAM_HEADS,		/* 8 bytes, or 12, of each other page */
	STREAM_POINTERS_HIGH, STREAM_POINTERS_LOW,
	STREAM_CHILDREN,
	STREAM_CHAINS,		/* first overflow pages */
	STREAM_HOLES,
	STREAM_GROUPS,		/* from here on those of groups */
};

enum columns_slot {		/* of a column; on disk: never renumber */
	SLOT_TYPES,
	SLOT_INT,		/* COLUMNS_INT of them, the least significant byte first */
	SLOT_BYTES = SLOT_INT + COLUMNS_INT,
	SLOT_PLACES,		/* COLUMNS_PLACES of them */
	SLOTS = SLOT_PLACES + COLUMNS_PLACES,
};

#define STREAMS_OF_GROUP (1 + COLUMNS_OF_ROW * SLOTS)	/* the first is of row ids */
#define STREAMS (STREAM_GROUPS + COLUMNS_GROUPS * STREAMS_OF_GROUP)

static inline uint32_t columns_rows(uint32_t group)
{
	return STREAM_GROUPS + group * STREAMS_OF_GROUP;
}

static inline uint32_t columns_slot(uint32_t group, uint32_t column, uint32_t slot)
{
	return columns_rows(group) + 1 + column * SLOTS + slot;
}

/* How a group's column is told; on disk. */
#define COLUMN_IS_DIFFERENCE 1u	/* whole numbers, as differences to the one before */
#define COLUMN_IS_APART 2u	/* the first bytes of other values, each in a stream */
#define COLUMN_FLAGS 3u

enum columns_page {		/* SQLite's */
	PAGE_INDEX_INTERIOR = 2,
	PAGE_TABLE_INTERIOR = 5,
	PAGE_INDEX_LEAF = 10,
	PAGE_TABLE_LEAF = 13,
};

static inline bool columns_is_interior(unsigned type)
{
	return type == PAGE_INDEX_INTERIOR || type == PAGE_TABLE_INTERIOR;
}

static inline bool columns_is_table(unsigned type)
{
	return type == PAGE_TABLE_INTERIOR || type == PAGE_TABLE_LEAF;
}

static inline uint32_t columns_head(unsigned type)
{
	return columns_is_interior(type) ? 12 : 8;
}

/* One cell: its parts' sizes follow from types and the two numbers. */
struct columns_cell {
	uint32_t child;			/* interior pages */
	uint64_t row;			/* tables */
	uint64_t payload;		/* bytes; all but the interior pages of tables */
	uint32_t columns;
	uint64_t types[COLUMNS_OF_ROW];
	uint32_t head;			/* bytes of the record's head */
	uint32_t local;			/* of the payload, in the page */
	uint32_t size;			/* of the cell, its overflow page's number included */
};

bool columns_type_is_known(uint64_t type);
static inline bool columns_type_is_int(uint64_t type)
{
	return type >= 1 && type <= 6;
}
/* Bytes of a value. */
static inline uint64_t columns_type_size(uint64_t type)
{
	static const uint8_t sizes[12] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };

	return type < 12 ? sizes[type] : (type - 12) / 2;
}

/* From type of page, types and row: payload, head, local, size.  False: too large. */
bool columns_cell_measure(struct columns_cell *c, unsigned page_type);

/* SQLite's varints.  Returns bytes; get: 0 where it is cut off or not the shortest. */
uint32_t columns_varint_get_long(const uint8_t *p, const uint8_t *end, uint64_t *v);
uint32_t columns_varint_put(uint8_t *p, uint64_t v);

static inline uint32_t columns_varint_size(uint64_t v)
{
	uint32_t bits = 64 - (uint32_t)__builtin_clzll(v | 1);

	return bits > 56 ? COLUMNS_VARINT : (bits + 6) / 7;
}

static inline uint32_t columns_varint_get(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	if (p < end && *p < 0x80) {	/* nearly all */
		*v = *p;
		return 1;
	}
	return columns_varint_get_long(p, end, v);
}

/* A difference of n bytes as a number without a sign, and back. */
static inline uint64_t columns_mask(uint32_t n)
{
	return n >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1;
}

static inline uint64_t columns_extend(uint64_t v, uint32_t n)
{
	uint64_t sign = UINT64_C(1) << (8 * n - 1);

	return ((v & columns_mask(n)) ^ sign) - sign;
}

static inline uint64_t columns_fold(uint64_t v)
{
	return v << 1 ^ (v >> 63 ? UINT64_MAX : 0);
}

static inline uint64_t columns_unfold(uint64_t v)
{
	return v >> 1 ^ (v & 1 ? UINT64_MAX : 0);
}

#endif

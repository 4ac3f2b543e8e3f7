#include "fs/store/columns_inside.h"

#define PAYLOAD_MOST 0x7fffffffu	/* SQLite's own bound */

bool columns_type_is_known(uint64_t type)
{
	return type != 10 && type != 11;
}

/* What stays in the page of a payload, by SQLite's rule (fileformat2, 1.6). */
static uint32_t local_of(uint64_t payload, unsigned page_type)
{
	const uint64_t usable = COLUMNS_PAGE;
	uint64_t most = page_type == PAGE_TABLE_LEAF ? usable - 35 : (usable - 12) * 64 / 255 - 23;
	uint64_t least = (usable - 12) * 32 / 255 - 23;
	uint64_t middle = least + (payload - least) % (usable - 4);

	if (payload <= most)
		return (uint32_t)payload;
	return (uint32_t)(middle <= most ? middle : least);
}

bool columns_cell_measure(struct columns_cell *c, unsigned page_type)
{
	uint64_t types = 0, values = 0;

	c->size = columns_is_interior(page_type) ? 4 : 0;
	if (columns_is_table(page_type))
		c->size += columns_varint_size(c->row);
	c->payload = c->head = c->local = 0;
	if (page_type == PAGE_TABLE_INTERIOR)
		return true;
	for (uint32_t i = 0; i < c->columns; i++) {
		uint64_t size = columns_type_size(c->types[i]);

		if (!columns_type_is_known(c->types[i]) || size > PAYLOAD_MOST)
			return false;
		types += columns_varint_size(c->types[i]);
		values += size;
	}
	c->head = (uint32_t)types + (types + 1 < 128 ? 1 : 2);
	c->payload = c->head + values;
	if (c->payload > PAYLOAD_MOST)
		return false;
	c->local = local_of(c->payload, page_type);
	c->size += columns_varint_size(c->payload) + c->local + (c->local < c->payload ? 4 : 0);
	return c->head <= c->local && c->size <= COLUMNS_PAGE;
}

uint32_t columns_varint_put(uint8_t *p, uint64_t v)
{
	uint32_t n = columns_varint_size(v);

	if (n == COLUMNS_VARINT) {
		p[8] = (uint8_t)v;
		v >>= 8;
		for (int i = 7; i >= 0; i--, v >>= 7)
			p[i] = (uint8_t)(v | 0x80);
		return n;
	}
	for (uint32_t i = n; i-- > 0; v >>= 7)
		p[i] = (uint8_t)(v | 0x80);
	p[n - 1] &= 0x7f;
	return n;
}

uint32_t columns_varint_get_long(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	uint32_t n = 0;

	*v = 0;
	for (; p + n < end && n < 8; n++) {
		*v = *v << 7 | (p[n] & 0x7f);
		if (p[n] < 0x80)
			return columns_varint_size(*v) == ++n ? n : 0;
	}
	if (p + n >= end)
		return 0;
	*v = *v << 8 | p[n++];
	return columns_varint_size(*v) == n ? n : 0;
}

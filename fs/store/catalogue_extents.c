/*
 * A page of extents as bytes: docs/format.md, "Extents".  A file of one chunk,
 * the usual one, takes about ten.
 */
#include "fs/store/catalogue_inside.h"

/* Low bits of an extent's size.  On disk: never renumber, never reuse. */
enum {
	EXTENT_GAP = 1,		/* a hole before it */
	EXTENT_FOLLOWS = 2,	/* goes on where the one before ended in its block */
};

#define OFFSET_MAX ((uint64_t)INT64_MAX)

size_t extents_pack(uint64_t page, const struct extent *extents, unsigned count,
		    bool has_more, uint8_t out[EXTENTS_PACKED_MAX])
{
	struct writer w = writer_over(out, EXTENTS_PACKED_MAX);
	uint64_t end = page;
	int64_t block = 0;
	uint32_t at = 0;

	writer_varint(&w, (uint64_t)count << 1 | has_more);
	for (unsigned i = 0; i < count; i++) {
		const struct extent *x = &extents[i];
		bool follows = i > 0 && x->block == block && x->at == at;

		if (x->offset < end || x->size < 1 || x->size > BLOCK_RAW_MAX ||
		    x->at > BLOCK_RAW_MAX - x->size || x->block < 1 ||
		    x->offset > OFFSET_MAX - x->size)
			return 0;
		writer_varint(&w, (uint64_t)x->size << 2 | (x->offset > end ? EXTENT_GAP : 0) |
			      (follows ? EXTENT_FOLLOWS : 0));
		if (x->offset > end)
			writer_varint(&w, x->offset - end);
		if (!follows) {
			writer_varint(&w, i == 0 ? (uint64_t)x->block :
				      zigzag(x->block - block));
			writer_varint(&w, x->at);
		}
		end = x->offset + x->size;
		block = x->block;
		at = x->at + x->size;
	}
	return w.overflow ? 0 : w.used;
}

/* Every sum is bounded before it is made: offsets below 2^63, blocks positive. */
static bool parse_one(struct reader *r, bool is_first, uint64_t end,
		      const struct extent *before, struct extent *x)
{
	uint64_t head = reader_varint(r);
	uint64_t size = head >> 2;
	uint64_t gap = head & EXTENT_GAP ? reader_varint(r) : 0;

	if (size < 1 || size > BLOCK_RAW_MAX || gap > OFFSET_MAX - end ||
	    size > OFFSET_MAX - end - gap)
		return false;
	x->size = (uint32_t)size;
	x->offset = end + gap;
	if (head & EXTENT_FOLLOWS) {
		if (is_first)
			return false;
		x->block = before->block;
		x->at = before->at + before->size;
	} else {
		uint64_t block = reader_varint(r);
		uint64_t at = reader_varint(r);

		if (at > BLOCK_RAW_MAX)
			return false;
		x->at = (uint32_t)at;
		if (is_first) {
			if (block > INT64_MAX - 1)
				return false;
			x->block = (int64_t)block;
		} else if (__builtin_add_overflow(before->block, unzigzag(block),
						  &x->block)) {
			return false;
		}
	}
	return x->block >= 1 && x->at <= BLOCK_RAW_MAX - x->size;
}

bool extents_parse(uint64_t page, const uint8_t *data, size_t size,
		   struct extent_page *out, bool *has_more)
{
	struct reader r = reader_over(data, size);
	uint64_t head = reader_varint(&r);
	uint64_t end = page;

	out->first = page;
	out->end = UINT64_MAX;
	out->count = 0;
	*has_more = head & 1;
	if (head >> 1 > EXTENTS_A_PAGE || page > OFFSET_MAX ||
	    (*has_more && head >> 1 != EXTENTS_A_PAGE))
		return false;
	for (unsigned i = 0; i < head >> 1; i++) {
		struct extent *x = &out->extents[i];

		if (!parse_one(&r, i == 0, end, i ? x - 1 : NULL, x))
			return false;
		end = x->offset + x->size;
	}
	out->count = (unsigned)(head >> 1);
	return !r.underflow && reader_left(&r) == 0;
}

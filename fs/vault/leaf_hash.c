/*
 * The digest of a file's content, holes included or, where there is too much
 * hole to hash, over its data and their places.
 */
#include <stdlib.h>

#include "fs/base/bytes.h"
#include "fs/vault/leaf.h"

struct content_hash {
	struct hasher *plain;
	struct hasher *placed;
	bool is_plain, is_placed;	/* which of the two run */
	uint64_t end;			/* of the data so far */
	uint64_t holes;			/* so far */
	uint64_t run;			/* where the present run of data began */
};

static const uint8_t zeros[64 * 1024];

struct content_hash *content_hash_new(void)
{
	struct content_hash *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->plain = hasher_new();
	h->placed = hasher_new();
	if (!h->plain || !h->placed) {
		content_hash_free(h);
		return NULL;
	}
	return h;
}

void content_hash_free(struct content_hash *h)
{
	if (!h)
		return;
	hasher_free(h->plain);
	hasher_free(h->placed);
	free(h);
}

void content_hash_start(struct content_hash *h, uint64_t holes)
{
	h->is_plain = holes == CONTENT_HOLES_UNKNOWN || holes <= LEAF_HOLE_MAX;
	h->is_placed = holes > LEAF_HOLE_MAX;
	h->end = h->holes = h->run = 0;
	hasher_reset(h->plain);
	hasher_reset(h->placed);
}

/* The length stands behind the bytes: a stream knows it only then. */
static void end_run(struct content_hash *h)
{
	uint8_t raw[16];
	struct writer w = writer_over(raw, sizeof raw);

	if (!h->is_placed || h->end == h->run)
		return;
	writer_u64(&w, h->run);
	writer_u64(&w, h->end - h->run);
	hasher_update(h->placed, raw, sizeof raw);
}

static void skip_hole(struct content_hash *h, uint64_t to)
{
	uint64_t left = to - h->end;

	h->holes += left;
	if (h->is_plain && h->is_placed && h->holes > LEAF_HOLE_MAX)
		h->is_plain = false;
	while (h->is_plain && left > 0) {
		size_t part = left < sizeof zeros ? (size_t)left : sizeof zeros;

		hasher_update(h->plain, zeros, part);
		left -= part;
	}
	end_run(h);
	h->run = h->end = to;
}

void content_hash_data(struct content_hash *h, uint64_t offset, const void *data,
		       size_t size)
{
	if (offset > h->end)
		skip_hole(h, offset);
	if (h->is_plain)
		hasher_update(h->plain, data, size);
	if (h->is_placed)
		hasher_update(h->placed, data, size);
	h->end += size;
}

struct digest content_hash_finish(struct content_hash *h, uint64_t file_size)
{
	uint8_t raw[16];
	struct writer w = writer_over(raw, sizeof raw);

	if (file_size > h->end)
		skip_hole(h, file_size);
	else
		end_run(h);
	if (h->is_plain)
		return hasher_finish(h->plain);
	writer_u64(&w, file_size);
	writer_u64(&w, UINT64_MAX);
	hasher_update(h->placed, raw, sizeof raw);
	return hasher_finish(h->placed);
}

/*
 * Segments, read.  docs/format.md, "Segment":
 *
 *   head    8 "MUNISEGM" 4 format 4 zero 16 archive 16 segment 16 sum of these 48
 *   blocks  one after the other, from byte 64
 *   footer  an entry a block: 16 block 8 offset 4 stored 16 sum of ciphertext
 *           (format 1: SHA-256, cut; 2: GMAC under a key that is printed)
 *   tail    8 "MUNISEGT" 4 format 4 count 8 footer's offset 8 size of the segment
 *           16 sum of head and footer 16 sum of these 48
 */
#include "fs/store/segment_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/keyed_hash.h"
#include "fs/store/block.h"
#include "fs/store/objects.h"

const uint8_t segment_head_magic[8] = "MUNISEGM";
const uint8_t segment_tail_magic[8] = "MUNISEGT";

void segment_digest(const void *data, size_t size, uint8_t sum[SEGMENT_SUM])
{
	struct digest d = digest_of(data, size);

	memcpy(sum, d.bytes, SEGMENT_SUM);
}

int segment_sums_new(struct keyed_hash **out, struct err *e)
{
	static const uint8_t key[KEYED_HASH_KEY_SIZE] = "muniment sum of a sealed block";

	return keyed_hash_new(key, out, e);
}

int segment_sum(struct keyed_hash *sums, const void *sealed, size_t stored, uint8_t sum[16],
		struct err *e)
{
	_Static_assert(KEYED_HASH_SIZE == SEGMENT_SUM, "a sum is a whole tag");
	return keyed_hash_of(sums, NULL, 0, sealed, stored, sum, e);
}

int segment_sum_ends(const uint8_t *head, const uint8_t *footer, size_t size,
		     uint8_t sum[SEGMENT_SUM], struct err *e)
{
	struct hasher *h = hasher_new();
	struct digest d;

	if (h == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a checksum");
	hasher_update(h, head, SEGMENT_HEAD);
	hasher_update(h, footer, size);
	d = hasher_finish(h);
	hasher_free(h);
	memcpy(sum, d.bytes, SEGMENT_SUM);
	return 0;
}

static int damaged(const struct object_name *name, const char *what, struct err *e)
{
	char text[OBJECT_TEXT_MAX];

	return err_set(e, MUNI_DAMAGED, "%s: %s", object_text(name, text), what);
}

/* Magic, format and own sum of a head or a tail; the reader stands behind them. */
static int check_end(const struct object_name *name, const uint8_t raw[SEGMENT_HEAD],
		     const uint8_t magic[8], const char *which, struct reader *r,
		     uint32_t *format, struct err *e)
{
	char text[OBJECT_TEXT_MAX];
	uint8_t sum[SEGMENT_SUM];

	segment_digest(raw, SEGMENT_SUMMED, sum);
	if (memcmp(raw, magic, 8) != 0 || memcmp(raw + SEGMENT_SUMMED, sum, sizeof sum) != 0)
		return err_set(e, MUNI_DAMAGED, "%s: its %s is not what was written",
			       object_text(name, text), which);
	*r = reader_over(raw, SEGMENT_HEAD);
	reader_view(r, 8);
	*format = reader_u32(r);
	if (*format != SEGMENT_FORMAT && *format != SEGMENT_FORMAT_DIGESTS)
		return err_set(e, MUNI_FORMAT, "%s is of format %u, which this program "
			       "does not know: use a newer one", object_text(name, text),
			       *format);
	return 0;
}

static int check_head(struct objects *o, const struct object_name *name,
		      const uint8_t archive_id[16], uint8_t head[SEGMENT_HEAD],
		      uint32_t *format, struct err *e)
{
	struct reader r;

	if (objects_get(o, name, 0, head, SEGMENT_HEAD, e) < 0 ||
	    check_end(name, head, segment_head_magic, "head", &r, format, e) < 0)
		return -1;
	reader_u32(&r);
	if (memcmp(reader_view(&r, 16), archive_id, 16) != 0)
		return damaged(name, "it belongs to another archive", e);
	if (memcmp(reader_view(&r, 16), name->uid, 16) != 0)
		return damaged(name, "it stands under another segment's name", e);
	return 0;
}

struct tail {
	uint32_t format, count;
	uint64_t footer, size;
	uint8_t sum[SEGMENT_SUM];
};

static int read_tail(struct objects *o, const struct object_name *name, struct tail *t,
		     struct err *e)
{
	uint8_t raw[SEGMENT_TAIL];
	struct reader r;
	uint64_t size;

	if (objects_size(o, name, &size, e) < 0)
		return -1;
	if (size < SEGMENT_HEAD + SEGMENT_ENTRY + SEGMENT_TAIL)
		return damaged(name, "it is too short for a segment", e);
	if (objects_get(o, name, size - SEGMENT_TAIL, raw, sizeof raw, e) < 0 ||
	    check_end(name, raw, segment_tail_magic, "tail", &r, &t->format, e) < 0)
		return -1;
	t->count = reader_u32(&r);
	t->footer = reader_u64(&r);
	t->size = reader_u64(&r);
	reader_bytes(&r, t->sum, sizeof t->sum);
	if (t->size != size || t->footer < SEGMENT_HEAD || t->footer > size ||
	    t->count == 0 || t->count > SEGMENT_BLOCKS_MAX ||
	    size - t->footer != (uint64_t)t->count * SEGMENT_ENTRY + SEGMENT_TAIL)
		return damaged(name, "its tail contradicts its size", e);
	return 0;
}

/* Every byte from head to footer belongs to exactly one block. */
static int parse_footer(const struct object_name *name, const struct tail *t,
			const uint8_t *raw, size_t size, struct segment_entry *entries,
			struct err *e)
{
	struct reader r = reader_over(raw, size);
	uint64_t next = SEGMENT_HEAD;

	for (uint32_t i = 0; i < t->count; i++) {
		struct segment_entry *entry = &entries[i];

		reader_bytes(&r, entry->uid, sizeof entry->uid);
		entry->offset = reader_u64(&r);
		entry->stored = reader_u32(&r);
		reader_bytes(&r, entry->sum, sizeof entry->sum);
		if (entry->offset != next || entry->stored == 0 ||
		    entry->stored > BLOCK_STORED_MAX)
			return damaged(name, "its footer contradicts itself", e);
		next += entry->stored;
	}
	if (r.underflow || next != t->footer)
		return damaged(name, "its footer contradicts its tail", e);
	return 0;
}

static int read_footer(struct objects *o, const struct object_name *name,
		       const uint8_t archive_id[16], struct segment_entry **out,
		       size_t *count, uint32_t *format, struct err *e)
{
	uint8_t head[SEGMENT_HEAD], sum[SEGMENT_SUM];
	struct segment_entry *entries = NULL;
	uint8_t *raw = NULL;
	struct tail t;
	size_t size;
	int rc = -1;

	*out = NULL;
	*count = 0;
	if (check_head(o, name, archive_id, head, format, e) < 0 ||
	    read_tail(o, name, &t, e) < 0)
		return -1;
	if (t.format != *format)
		return damaged(name, "its head and its tail are of two formats", e);
	size = (size_t)t.count * SEGMENT_ENTRY;
	raw = malloc(size);
	entries = calloc(t.count, sizeof *entries);
	if (raw == NULL || entries == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a segment's footer");
		goto out;
	}
	if (objects_get(o, name, t.footer, raw, size, e) < 0 ||
	    segment_sum_ends(head, raw, size, sum, e) < 0)
		goto out;
	if (memcmp(sum, t.sum, sizeof sum) != 0) {
		damaged(name, "its footer is not what was written", e);
		goto out;
	}
	if (parse_footer(name, &t, raw, size, entries, e) < 0)
		goto out;
	*out = entries;
	*count = t.count;
	entries = NULL;
	rc = 0;
out:
	free(raw);
	free(entries);
	return rc;
}

int segment_read_footer(struct objects *o, const struct object_name *name,
			const uint8_t archive_id[16], struct segment_entry **out,
			size_t *count, struct err *e)
{
	uint32_t format;

	return read_footer(o, name, archive_id, out, count, &format, e);
}

static int check_blocks(struct objects *o, const struct object_name *name, uint32_t format,
			const struct segment_entry *entries, size_t count, uint8_t *sealed,
			struct keyed_hash *sums, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct segment_entry *entry = &entries[i];
		uint8_t sum[SEGMENT_SUM];
		char text[OBJECT_TEXT_MAX];

		if (objects_get(o, name, entry->offset, sealed, entry->stored, e) < 0)
			return -1;
		if (format == SEGMENT_FORMAT_DIGESTS)
			segment_digest(sealed, entry->stored, sum);
		else if (segment_sum(sums, sealed, entry->stored, sum, e) < 0)
			return -1;
		if (memcmp(sum, entry->sum, sizeof sum) != 0)
			return err_set(e, MUNI_DAMAGED, "%s: the block at byte %llu is not "
				       "what was written", object_text(name, text),
				       (unsigned long long)entry->offset);
	}
	return 0;
}

int segment_check(struct objects *o, const struct object_name *name,
		  const uint8_t archive_id[16], struct err *e)
{
	struct segment_entry *entries = NULL;
	struct keyed_hash *sums = NULL;
	uint8_t *sealed = NULL;
	size_t count = 0;
	uint32_t format;
	int rc = -1;

	if (read_footer(o, name, archive_id, &entries, &count, &format, e) < 0)
		return -1;
	sealed = malloc(BLOCK_STORED_MAX);
	if (sealed == NULL)
		err_set(e, MUNI_NO_MEMORY, "no memory to check a segment");
	else if (segment_sums_new(&sums, e) == 0)
		rc = check_blocks(o, name, format, entries, count, sealed, sums, e);
	keyed_hash_free(sums);
	free(sealed);
	free(entries);
	return rc;
}

/*
 * Segments.  docs/format.md, "Segment":
 *
 *   head    8 "MUNISEGM" 4 format 4 zero 16 archive 16 segment 16 sum of these 48
 *   blocks  one after the other, from byte 64
 *   footer  an entry a block: 16 block 8 offset 4 stored 16 sum of ciphertext
 *   tail    8 "MUNISEGT" 4 format 4 count 8 footer's offset 8 size of the segment
 *           16 sum of head and footer 16 sum of these 48
 */
#include "fs/store/segment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/store/block.h"
#include "fs/store/objects.h"

#define FORMAT 1
#define HEAD_SIZE 64
#define TAIL_SIZE 64
#define ENTRY_SIZE 44
#define SUM_SIZE 16
#define SUMMED 48		/* of head and tail: what their own sum covers */

static const uint8_t head_magic[8] = "MUNISEGM";
static const uint8_t tail_magic[8] = "MUNISEGT";

struct segment_builder {
	uint8_t archive_id[16];
	uint8_t uid[16];
	uint8_t *blocks;	/* head and blocks */
	size_t used, capacity;
	size_t target;		/* of head and blocks; a single block may pass it */
	struct buffer footer;
	uint32_t count;
};

void segment_sum(const void *sealed, size_t stored, uint8_t sum[16])
{
	struct digest d = digest_of(sealed, stored);

	memcpy(sum, d.bytes, SUM_SIZE);
}

static void write_head(struct segment_builder *b)
{
	struct writer w = writer_over(b->blocks, HEAD_SIZE);
	uint8_t sum[SUM_SIZE];

	writer_bytes(&w, head_magic, sizeof head_magic);
	writer_u32(&w, FORMAT);
	writer_zeros(&w, 4);
	writer_bytes(&w, b->archive_id, 16);
	writer_bytes(&w, b->uid, 16);
	segment_sum(b->blocks, SUMMED, sum);
	writer_bytes(&w, sum, sizeof sum);
	assert(!w.overflow && w.used == HEAD_SIZE);
}

static int start(struct segment_builder *b, struct err *e)
{
	if (random_bytes(b->uid, sizeof b->uid, e) < 0)
		return err_wrap(e, "naming a segment");
	b->used = HEAD_SIZE;
	b->count = 0;
	buffer_reset(&b->footer);
	write_head(b);
	return 0;
}

int segment_builder_new(const uint8_t archive_id[16], size_t capacity,
			struct segment_builder **out, struct err *e)
{
	struct segment_builder *b = calloc(1, sizeof *b);

	*out = NULL;
	if (b == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a segment");
	memcpy(b->archive_id, archive_id, sizeof b->archive_id);
	b->target = capacity;
	b->capacity = capacity;
	if (b->capacity < HEAD_SIZE + BLOCK_STORED_MAX)
		b->capacity = HEAD_SIZE + BLOCK_STORED_MAX;
	b->blocks = malloc(b->capacity);
	if (b->blocks == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a segment of %zu bytes",
			b->capacity);
		goto fail;
	}
	if (start(b, e) < 0)
		goto fail;
	*out = b;
	return 0;
fail:
	segment_builder_free(b);
	return -1;
}

void segment_builder_free(struct segment_builder *b)
{
	if (b == NULL)
		return;
	free(b->blocks);
	buffer_free(&b->footer);
	free(b);
}

const uint8_t *segment_builder_uid(const struct segment_builder *b)
{
	return b->uid;
}

size_t segment_builder_used(const struct segment_builder *b)
{
	return b->used - HEAD_SIZE;
}

int segment_builder_add(struct segment_builder *b, const uint8_t uid[16],
			const void *sealed, uint32_t stored, const uint8_t sum[16],
			uint64_t *offset, struct err *e)
{
	assert(stored > 0 && stored <= BLOCK_STORED_MAX);
	*offset = 0;
	if (b->count > 0 && (b->count == SEGMENT_BLOCKS_MAX || b->used >= b->target ||
			     stored > b->target - b->used))
		return err_set(e, MUNI_LIMIT, "the segment is full");
	*offset = b->used;
	memcpy(b->blocks + b->used, sealed, stored);

	buffer_append(&b->footer, uid, 16);
	buffer_u64(&b->footer, b->used);
	buffer_u32(&b->footer, stored);
	buffer_append(&b->footer, sum, SUM_SIZE);
	if (b->footer.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a segment's footer");
	b->used += stored;
	b->count++;
	return 0;
}

static int sum_head_and_footer(const uint8_t *head, const uint8_t *footer, size_t size,
			       uint8_t sum[SUM_SIZE], struct err *e)
{
	struct hasher *h = hasher_new();
	struct digest d;

	if (h == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a checksum");
	hasher_update(h, head, HEAD_SIZE);
	hasher_update(h, footer, size);
	d = hasher_finish(h);
	hasher_free(h);
	memcpy(sum, d.bytes, SUM_SIZE);
	return 0;
}

int segment_builder_put(struct segment_builder *b, struct objects *o, struct err *e)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	uint8_t tail[TAIL_SIZE], sum[SUM_SIZE];
	struct writer w = writer_over(tail, sizeof tail);
	struct iovec parts[3];

	assert(b->count > 0);
	if (sum_head_and_footer(b->blocks, b->footer.data, b->footer.size, sum, e) < 0)
		return -1;
	writer_bytes(&w, tail_magic, sizeof tail_magic);
	writer_u32(&w, FORMAT);
	writer_u32(&w, b->count);
	writer_u64(&w, b->used);
	writer_u64(&w, b->used + b->footer.size + TAIL_SIZE);
	writer_bytes(&w, sum, sizeof sum);
	segment_sum(tail, SUMMED, sum);
	writer_bytes(&w, sum, sizeof sum);
	assert(!w.overflow && w.used == TAIL_SIZE);

	memcpy(name.uid, b->uid, sizeof name.uid);
	parts[0] = (struct iovec){ .iov_base = b->blocks, .iov_len = b->used };
	parts[1] = (struct iovec){ .iov_base = b->footer.data, .iov_len = b->footer.size };
	parts[2] = (struct iovec){ .iov_base = tail, .iov_len = sizeof tail };
	if (objects_put(o, &name, parts, 3, e) < 0)
		return -1;
	return start(b, e);
}

static int damaged(const struct object_name *name, const char *what, struct err *e)
{
	char text[OBJECT_TEXT_MAX];

	return err_set(e, MUNI_DAMAGED, "%s: %s", object_text(name, text), what);
}

/* Magic, format and own sum of a head or a tail; the reader stands behind them. */
static int check_end(const struct object_name *name, const uint8_t raw[HEAD_SIZE],
		     const uint8_t magic[8], const char *which, struct reader *r,
		     struct err *e)
{
	char text[OBJECT_TEXT_MAX];
	uint8_t sum[SUM_SIZE];
	uint32_t format;

	segment_sum(raw, SUMMED, sum);
	if (memcmp(raw, magic, 8) != 0 || memcmp(raw + SUMMED, sum, sizeof sum) != 0)
		return err_set(e, MUNI_DAMAGED, "%s: its %s is not what was written",
			       object_text(name, text), which);
	*r = reader_over(raw, HEAD_SIZE);
	reader_view(r, 8);
	format = reader_u32(r);
	if (format != FORMAT)
		return err_set(e, MUNI_FORMAT, "%s is of format %u, which this program "
			       "does not know: use a newer one", object_text(name, text),
			       format);
	return 0;
}

static int check_head(struct objects *o, const struct object_name *name,
		      const uint8_t archive_id[16], uint8_t head[HEAD_SIZE], struct err *e)
{
	struct reader r;

	if (objects_get(o, name, 0, head, HEAD_SIZE, e) < 0 ||
	    check_end(name, head, head_magic, "head", &r, e) < 0)
		return -1;
	reader_u32(&r);
	if (memcmp(reader_view(&r, 16), archive_id, 16) != 0)
		return damaged(name, "it belongs to another archive", e);
	if (memcmp(reader_view(&r, 16), name->uid, 16) != 0)
		return damaged(name, "it stands under another segment's name", e);
	return 0;
}

struct tail {
	uint32_t count;
	uint64_t footer, size;
	uint8_t sum[SUM_SIZE];
};

static int read_tail(struct objects *o, const struct object_name *name, struct tail *t,
		     struct err *e)
{
	uint8_t raw[TAIL_SIZE];
	struct reader r;
	uint64_t size;

	if (objects_size(o, name, &size, e) < 0)
		return -1;
	if (size < HEAD_SIZE + ENTRY_SIZE + TAIL_SIZE)
		return damaged(name, "it is too short for a segment", e);
	if (objects_get(o, name, size - TAIL_SIZE, raw, sizeof raw, e) < 0 ||
	    check_end(name, raw, tail_magic, "tail", &r, e) < 0)
		return -1;
	t->count = reader_u32(&r);
	t->footer = reader_u64(&r);
	t->size = reader_u64(&r);
	reader_bytes(&r, t->sum, sizeof t->sum);
	if (t->size != size || t->footer < HEAD_SIZE || t->footer > size ||
	    t->count == 0 || t->count > SEGMENT_BLOCKS_MAX ||
	    size - t->footer != (uint64_t)t->count * ENTRY_SIZE + TAIL_SIZE)
		return damaged(name, "its tail contradicts its size", e);
	return 0;
}

/* Every byte from head to footer belongs to exactly one block. */
static int parse_footer(const struct object_name *name, const struct tail *t,
			const uint8_t *raw, size_t size, struct segment_entry *entries,
			struct err *e)
{
	struct reader r = reader_over(raw, size);
	uint64_t next = HEAD_SIZE;

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

int segment_read_footer(struct objects *o, const struct object_name *name,
			const uint8_t archive_id[16], struct segment_entry **out,
			size_t *count, struct err *e)
{
	uint8_t head[HEAD_SIZE], sum[SUM_SIZE];
	struct segment_entry *entries = NULL;
	uint8_t *raw = NULL;
	struct tail t;
	size_t size;
	int rc = -1;

	*out = NULL;
	*count = 0;
	if (check_head(o, name, archive_id, head, e) < 0 || read_tail(o, name, &t, e) < 0)
		return -1;
	size = (size_t)t.count * ENTRY_SIZE;
	raw = malloc(size);
	entries = calloc(t.count, sizeof *entries);
	if (raw == NULL || entries == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a segment's footer");
		goto out;
	}
	if (objects_get(o, name, t.footer, raw, size, e) < 0 ||
	    sum_head_and_footer(head, raw, size, sum, e) < 0)
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

int segment_check(struct objects *o, const struct object_name *name,
		  const uint8_t archive_id[16], struct err *e)
{
	struct segment_entry *entries = NULL;
	uint8_t *sealed = NULL;
	size_t count = 0;
	int rc = -1;

	if (segment_read_footer(o, name, archive_id, &entries, &count, e) < 0)
		return -1;
	sealed = malloc(BLOCK_STORED_MAX);
	if (sealed == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory to check a segment");
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		const struct segment_entry *entry = &entries[i];
		uint8_t sum[SUM_SIZE];
		char text[OBJECT_TEXT_MAX];

		if (objects_get(o, name, entry->offset, sealed, entry->stored, e) < 0)
			goto out;
		segment_sum(sealed, entry->stored, sum);
		if (memcmp(sum, entry->sum, sizeof sum) == 0)
			continue;
		err_set(e, MUNI_DAMAGED, "%s: the block at byte %llu is not what was "
			"written", object_text(name, text),
			(unsigned long long)entry->offset);
		goto out;
	}
	rc = 0;
out:
	free(sealed);
	free(entries);
	return rc;
}

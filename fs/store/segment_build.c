/*
 * Segments in the making: what stands around the blocks, and a builder that
 * keeps a whole one in memory.
 */
#include "fs/store/segment_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/store/block.h"
#include "fs/store/objects.h"

/* ---- the plan -------------------------------------------------------------------- */

static void write_head(struct segment_plan *p, const uint8_t archive_id[16])
{
	struct writer w = writer_over(p->head, SEGMENT_HEAD);
	uint8_t sum[SEGMENT_SUM];

	writer_bytes(&w, segment_head_magic, sizeof segment_head_magic);
	writer_u32(&w, SEGMENT_FORMAT);
	writer_zeros(&w, 4);
	writer_bytes(&w, archive_id, 16);
	writer_bytes(&w, p->uid, 16);
	segment_digest(p->head, SEGMENT_SUMMED, sum);
	writer_bytes(&w, sum, sizeof sum);
	assert(!w.overflow && w.used == SEGMENT_HEAD);
}

int segment_plan_start(struct segment_plan *p, const uint8_t archive_id[16],
		       struct err *e)
{
	if (random_bytes(p->uid, sizeof p->uid, e) < 0)
		return err_wrap(e, "naming a segment");
	p->used = SEGMENT_HEAD;
	p->count = 0;
	buffer_reset(&p->footer);
	write_head(p, archive_id);
	return 0;
}

bool segment_plan_fits(const struct segment_plan *p, uint64_t target, uint32_t stored)
{
	return p->count == 0 || (p->count < SEGMENT_BLOCKS_MAX && p->used < target &&
				 stored <= target - p->used);
}

int segment_plan_add(struct segment_plan *p, const uint8_t uid[16], uint32_t stored,
		     const uint8_t sum[16], uint64_t *offset, struct err *e)
{
	assert(stored > 0 && stored <= BLOCK_STORED_MAX);
	*offset = p->used;
	buffer_append(&p->footer, uid, 16);
	buffer_u64(&p->footer, p->used);
	buffer_u32(&p->footer, stored);
	buffer_append(&p->footer, sum, SEGMENT_SUM);
	if (p->footer.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a segment's footer");
	p->used += stored;
	p->count++;
	return 0;
}

int segment_plan_end(struct segment_plan *p, struct err *e)
{
	uint8_t tail[SEGMENT_TAIL], sum[SEGMENT_SUM];
	struct writer w = writer_over(tail, sizeof tail);

	assert(p->count > 0);
	if (segment_sum_ends(p->head, p->footer.data, p->footer.size, sum, e) < 0)
		return -1;
	writer_bytes(&w, segment_tail_magic, sizeof segment_tail_magic);
	writer_u32(&w, SEGMENT_FORMAT);
	writer_u32(&w, p->count);
	writer_u64(&w, p->used);
	writer_u64(&w, p->used + p->footer.size + SEGMENT_TAIL);
	writer_bytes(&w, sum, sizeof sum);
	segment_digest(tail, SEGMENT_SUMMED, sum);
	writer_bytes(&w, sum, sizeof sum);
	assert(!w.overflow && w.used == SEGMENT_TAIL);
	buffer_append(&p->footer, tail, sizeof tail);
	if (p->footer.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a segment's footer");
	return 0;
}

void segment_plan_free(struct segment_plan *p)
{
	buffer_free(&p->footer);
}

/* ---- a whole one in memory --------------------------------------------------------- */

struct segment_builder {
	uint8_t archive_id[16];
	struct segment_plan plan;
	uint8_t *blocks;	/* head and blocks; owned */
	size_t capacity;
	size_t target;		/* of head and blocks; a single block may pass it */
};

static int start(struct segment_builder *b, struct err *e)
{
	if (segment_plan_start(&b->plan, b->archive_id, e) < 0)
		return -1;
	memcpy(b->blocks, b->plan.head, SEGMENT_HEAD);
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
	if (b->capacity < SEGMENT_HEAD + BLOCK_STORED_MAX)
		b->capacity = SEGMENT_HEAD + BLOCK_STORED_MAX;
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
	segment_plan_free(&b->plan);
	free(b);
}

const uint8_t *segment_builder_uid(const struct segment_builder *b)
{
	return b->plan.uid;
}

size_t segment_builder_used(const struct segment_builder *b)
{
	return (size_t)b->plan.used - SEGMENT_HEAD;
}

int segment_builder_add(struct segment_builder *b, const uint8_t uid[16],
			const void *sealed, uint32_t stored, const uint8_t sum[16],
			uint64_t *offset, struct err *e)
{
	*offset = 0;
	if (!segment_plan_fits(&b->plan, b->target, stored))
		return err_set(e, MUNI_LIMIT, "the segment is full");
	if (segment_plan_add(&b->plan, uid, stored, sum, offset, e) < 0)
		return -1;
	memcpy(b->blocks + *offset, sealed, stored);
	return 0;
}

int segment_builder_put(struct segment_builder *b, struct objects *o, struct err *e)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct iovec parts[2];

	parts[0] = (struct iovec){ .iov_base = b->blocks, .iov_len = (size_t)b->plan.used };
	if (segment_plan_end(&b->plan, e) < 0)
		return -1;
	memcpy(name.uid, b->plan.uid, sizeof name.uid);
	parts[1] = (struct iovec){ .iov_base = b->plan.footer.data,
				   .iov_len = b->plan.footer.size };
	if (objects_put(o, &name, parts, 2, e) < 0)
		return -1;
	return start(b, e);
}

#include "fs/vault/traces.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"

#define TRACES_FORMAT 1
#define TRACES_ALL_MAX (16 * TRACES_MAX)

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the traces of what is destroyed");
}

static void *grow(void *list, size_t count, size_t *capacity, size_t size)
{
	size_t more = *capacity > 0 ? *capacity * 2 : 64;
	void *grown = count < *capacity ? list : realloc(list, more * size);

	if (grown != NULL && count == *capacity)
		*capacity = more;
	return grown;
}

int traces_add(struct traces *t, enum trace_kind kind, const void *secret, size_t size,
	       struct err *e)
{
	struct trace *list = grow(t->list, t->count, &t->capacity, sizeof *list);

	if (list == NULL)
		return no_memory(e);
	t->list = list;
	list[t->count] = (struct trace){ .kind = (uint8_t)kind, .size = (uint8_t)size,
					 .hash = digest_of(secret, size) };
	memcpy(list[t->count++].lead, secret, 2);
	return 0;
}

int traces_add_block(struct traces *t, const struct trace_block *b, struct err *e)
{
	struct trace_block *blocks = grow(t->blocks, t->block_count, &t->block_capacity,
					  sizeof *blocks);

	if (blocks == NULL)
		return no_memory(e);
	t->blocks = blocks;
	blocks[t->block_count++] = *b;
	return 0;
}

void traces_clear(struct traces *t)
{
	free(t->list);
	free(t->blocks);
	*t = (struct traces){ .list = NULL };
}

/* ---- stored -------------------------------------------------------------------------- */

int traces_pack(const struct traces *t, uint8_t **out, size_t *size, struct err *e)
{
	struct buffer b = { 0 };

	buffer_u32(&b, TRACES_FORMAT);
	buffer_u32(&b, (uint32_t)t->count);
	buffer_u32(&b, (uint32_t)t->block_count);
	for (size_t i = 0; i < t->count; i++) {
		buffer_u8(&b, t->list[i].kind);
		buffer_u8(&b, t->list[i].size);
		buffer_append(&b, t->list[i].lead, 2);
		buffer_append(&b, t->list[i].hash.bytes, DIGEST_SIZE);
	}
	for (size_t i = 0; i < t->block_count; i++) {
		buffer_append(&b, t->blocks[i].uid, 16);
		buffer_append(&b, t->blocks[i].segment, 16);
		buffer_u64(&b, t->blocks[i].offset);
		buffer_u32(&b, t->blocks[i].stored);
	}
	if (b.failed) {
		buffer_free(&b);
		return no_memory(e);
	}
	*out = b.data;
	*size = b.size;
	return 0;
}

static int damaged(struct traces *t, struct err *e)
{
	traces_clear(t);
	return err_set(e, MUNI_DAMAGED, "the traces of what was destroyed do not read");
}

int traces_unpack(const void *data, size_t size, struct traces *out, struct err *e)
{
	struct reader r = reader_over(data, size);
	uint32_t format = reader_u32(&r), count = reader_u32(&r), blocks = reader_u32(&r);

	*out = (struct traces){ .list = NULL };
	if (r.underflow || format != TRACES_FORMAT || count > TRACES_ALL_MAX ||
	    blocks > TRACES_ALL_MAX)
		return damaged(out, e);
	out->list = calloc(count + 1, sizeof *out->list);
	out->blocks = calloc(blocks + 1, sizeof *out->blocks);
	if (out->list == NULL || out->blocks == NULL) {
		traces_clear(out);
		return no_memory(e);
	}
	out->count = out->capacity = count;
	out->block_count = out->block_capacity = blocks;
	for (size_t i = 0; i < count; i++) {
		struct trace *t = &out->list[i];

		t->kind = reader_u8(&r);
		t->size = reader_u8(&r);
		reader_bytes(&r, t->lead, 2);
		reader_bytes(&r, t->hash.bytes, DIGEST_SIZE);
		if (t->size != 16 && t->size != 32)
			return damaged(out, e);
	}
	for (size_t i = 0; i < blocks; i++) {
		reader_bytes(&r, out->blocks[i].uid, 16);
		reader_bytes(&r, out->blocks[i].segment, 16);
		out->blocks[i].offset = reader_u64(&r);
		out->blocks[i].stored = reader_u32(&r);
	}
	if (r.underflow || reader_left(&r) != 0)
		return damaged(out, e);
	return 0;
}

/* ---- searched ---------------------------------------------------------------------------- */

struct trace_search {
	const struct traces *traces;
	uint32_t heads[65536];	/* index + 1 of the first trace with this lead */
	uint32_t *next;		/* index + 1 of the next with the same */
};

static unsigned lead_of(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

struct trace_search *trace_search_new(const struct traces *t)
{
	struct trace_search *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->traces = t;
	s->next = calloc(t->count + 1, sizeof *s->next);
	if (s->next == NULL) {
		free(s);
		return NULL;
	}
	for (size_t i = 0; i < t->count; i++) {
		unsigned lead = lead_of(t->list[i].lead);

		s->next[i] = s->heads[lead];
		s->heads[lead] = (uint32_t)i + 1;
	}
	return s;
}

void trace_search_free(struct trace_search *s)
{
	if (s == NULL)
		return;
	free(s->next);
	free(s);
}

void trace_search(const struct trace_search *s, const void *data, size_t size,
		  void (*found)(void *arg, size_t trace, size_t offset), void *arg)
{
	const uint8_t *p = data;

	for (size_t at = 0; at + 16 <= size; at++) {
		for (uint32_t i = s->heads[lead_of(p + at)]; i != 0; i = s->next[i - 1]) {
			const struct trace *t = &s->traces->list[i - 1];
			struct digest hash;

			if (at + t->size > size)
				continue;
			hash = digest_of(p + at, t->size);
			if (digest_equal(&hash, &t->hash))
				found(arg, i - 1, at);
		}
	}
}

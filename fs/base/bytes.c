#include "fs/base/bytes.h"

#include <stdlib.h>
#include <string.h>

struct reader reader_over(const void *data, size_t size)
{
	return (struct reader){ .data = data, .size = size };
}

const uint8_t *reader_view(struct reader *r, size_t size)
{
	const uint8_t *view;

	if (r->underflow || size > r->size - r->used) {
		r->underflow = true;
		return NULL;
	}
	view = r->data + r->used;
	r->used += size;
	return view;
}

static uint64_t read_little_endian(struct reader *r, size_t size)
{
	const uint8_t *p = reader_view(r, size);
	uint64_t v = 0;

	if (p == NULL)
		return 0;
	for (size_t i = size; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

uint16_t reader_u16(struct reader *r)
{
	return (uint16_t)read_little_endian(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
	return (uint32_t)read_little_endian(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
	return read_little_endian(r, 8);
}

uint64_t reader_varint_long(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = reader_u8(r);

		if (r->underflow)
			return 0;
		/* The tenth byte holds the one bit that is left. */
		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return v;
	}
	r->underflow = true;
	return 0;
}

void reader_bytes(struct reader *r, void *out, size_t size)
{
	const uint8_t *p = reader_view(r, size);

	if (size == 0)
		return;
	if (p != NULL)
		memcpy(out, p, size);
	else
		memset(out, 0, size);
}

size_t reader_left(const struct reader *r)
{
	return r->underflow ? 0 : r->size - r->used;
}

struct writer writer_over(void *data, size_t size)
{
	return (struct writer){ .data = data, .size = size };
}

static uint8_t *writer_room(struct writer *w, size_t size)
{
	uint8_t *room;

	if (w->overflow || size > w->size - w->used) {
		w->overflow = true;
		return NULL;
	}
	room = w->data + w->used;
	w->used += size;
	return room;
}

static void put_little_endian(uint8_t *p, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

static void write_little_endian(struct writer *w, uint64_t v, size_t size)
{
	uint8_t *p = writer_room(w, size);

	if (p != NULL)
		put_little_endian(p, v, size);
}

void writer_u16(struct writer *w, uint16_t v)
{
	write_little_endian(w, v, 2);
}

void writer_u32(struct writer *w, uint32_t v)
{
	write_little_endian(w, v, 4);
}

void writer_u64(struct writer *w, uint64_t v)
{
	write_little_endian(w, v, 8);
}

#define VARINT_MAX 10

static size_t put_varint(uint8_t out[VARINT_MAX], uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		out[n++] = (uint8_t)(v | 0x80);
	out[n++] = (uint8_t)v;
	return n;
}

void writer_varint(struct writer *w, uint64_t v)
{
	uint8_t raw[VARINT_MAX];

	writer_bytes(w, raw, put_varint(raw, v));
}

void writer_bytes(struct writer *w, const void *data, size_t size)
{
	uint8_t *p = writer_room(w, size);

	if (p != NULL && size > 0)
		memcpy(p, data, size);
}

void writer_zeros(struct writer *w, size_t size)
{
	uint8_t *p = writer_room(w, size);

	if (p != NULL && size > 0)
		memset(p, 0, size);
}

static bool buffer_grow(struct buffer *b, size_t more)
{
	size_t capacity = b->capacity > 0 ? b->capacity : 256;
	uint8_t *data;

	if (b->failed || more > SIZE_MAX / 2 - b->size) {
		b->failed = true;
		return false;
	}
	if (b->size + more <= b->capacity)
		return true;
	while (capacity < b->size + more)
		capacity *= 2;
	data = realloc(b->data, capacity);
	if (data == NULL) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->capacity = capacity;
	return true;
}

void buffer_append(struct buffer *b, const void *data, size_t size)
{
	if (size == 0 || !buffer_grow(b, size))
		return;
	memcpy(b->data + b->size, data, size);
	b->size += size;
}

static void buffer_little_endian(struct buffer *b, uint64_t v, size_t size)
{
	uint8_t raw[8];

	put_little_endian(raw, v, size);
	buffer_append(b, raw, size);
}

void buffer_u8(struct buffer *b, uint8_t v)
{
	buffer_little_endian(b, v, 1);
}

void buffer_u16(struct buffer *b, uint16_t v)
{
	buffer_little_endian(b, v, 2);
}

void buffer_u32(struct buffer *b, uint32_t v)
{
	buffer_little_endian(b, v, 4);
}

void buffer_u64(struct buffer *b, uint64_t v)
{
	buffer_little_endian(b, v, 8);
}

void buffer_varint(struct buffer *b, uint64_t v)
{
	uint8_t raw[VARINT_MAX];

	buffer_append(b, raw, put_varint(raw, v));
}

void buffer_reset(struct buffer *b)
{
	b->size = 0;
	b->failed = false;
}

void buffer_free(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}

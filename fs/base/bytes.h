/*
 * Bounded bytes in and out: every number on disk is little-endian.
 *
 *   B1  A reader never reads past its end: past it, it returns zeros and sets
 *       `underflow`, tested once after a block, before any field is believed.
 *   B2  A writer never writes past its end: past it, it drops the bytes and
 *       sets `overflow`.
 */
#ifndef FS_BASE_BYTES_H
#define FS_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *data;	/* borrowed */
	size_t size;
	size_t used;
	bool underflow;
};

struct writer {
	uint8_t *data;		/* borrowed */
	size_t size;
	size_t used;
	bool overflow;
};

struct reader reader_over(const void *data, size_t size);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
uint64_t reader_varint_long(struct reader *r);	/* any; reader_varint() calls it */
void reader_bytes(struct reader *r, void *out, size_t size);
/* Borrowed view of the next size bytes; NULL (and underflow) if not there. */
const uint8_t *reader_view(struct reader *r, size_t size);
size_t reader_left(const struct reader *r);

/* Here, because rows and columns are read byte by byte. */
static inline uint8_t reader_u8(struct reader *r)
{
	if (r->underflow || r->used == r->size) {
		r->underflow = true;
		return 0;
	}
	return r->data[r->used++];
}

/* LEB128, at most 10 bytes; nearly all have one. */
static inline uint64_t reader_varint(struct reader *r)
{
	if (!r->underflow && r->used < r->size && r->data[r->used] < 0x80)
		return r->data[r->used++];
	return reader_varint_long(r);
}

struct writer writer_over(void *data, size_t size);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_varint(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *data, size_t size);
void writer_zeros(struct writer *w, size_t size);

static inline void writer_u8(struct writer *w, uint8_t v)
{
	if (w->overflow || w->used == w->size)
		w->overflow = true;
	else
		w->data[w->used++] = v;
}

/* A growing buffer; grow failures set `failed` and later calls do nothing. */
struct buffer {
	uint8_t *data;		/* owned; buffer_free() */
	size_t size;
	size_t capacity;
	bool failed;
};

void buffer_append(struct buffer *b, const void *data, size_t size);
void buffer_u8(struct buffer *b, uint8_t v);
void buffer_u16(struct buffer *b, uint16_t v);
void buffer_u32(struct buffer *b, uint32_t v);
void buffer_u64(struct buffer *b, uint64_t v);
void buffer_varint(struct buffer *b, uint64_t v);
void buffer_reset(struct buffer *b);	/* size 0, memory kept */
void buffer_free(struct buffer *b);	/* back to all zeros */

#endif

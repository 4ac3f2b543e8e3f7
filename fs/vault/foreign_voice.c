#include "fs/vault/foreign_voice.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PENDING_MAX (64u << 10)
#define SMALL (16u << 10)


static void write_all(int fd, struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t n = writev(fd, parts, count);

		if (n < 0 && errno != EINTR)
			_exit(FOREIGN_EXIT_UNHEARD);
		while (count > 0 && n >= 0 && (size_t)n >= parts->iov_len) {
			n -= (ssize_t)parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0 && n > 0) {
			parts->iov_base = (uint8_t *)parts->iov_base + n;
			parts->iov_len -= (size_t)n;
		}
	}
}

void voice_flush(struct voice *v)
{
	struct iovec all = { v->pending.data, v->pending.size };

	if (v->pending.failed)
		_exit(FOREIGN_EXIT_UNHEARD);
	if (v->pending.size > 0)
		write_all(v->fd, &all, 1);
	buffer_reset(&v->pending);
}

static void head(struct voice *v, enum wire_type type, size_t size)
{
	if (v->pending.size >= PENDING_MAX)
		voice_flush(v);
	buffer_u8(&v->pending, (uint8_t)type);
	buffer_u32(&v->pending, (uint32_t)size);
}

void voice_say(struct voice *v, enum wire_type type, const void *data, size_t size)
{
	head(v, type, size);
	buffer_append(&v->pending, data, size);
}

void voice_number(struct voice *v, enum wire_type type, uint64_t n)
{
	head(v, type, 8);
	buffer_u64(&v->pending, n);
}

void voice_text(struct voice *v, enum wire_type type, const char *text)
{
	voice_say(v, type, text, strnlen(text, WIRE_TEXT_MAX));
}

void voice_failure(struct voice *v, enum wire_type type, enum muni_code code,
		   const char *text)
{
	size_t size = strnlen(text, WIRE_TEXT_MAX);

	head(v, type, 1 + size);
	buffer_u8(&v->pending, (uint8_t)code);
	buffer_append(&v->pending, text, size);
}

void voice_entry(struct voice *v, const struct wire_entry *w)
{
	struct buffer frame = { .data = NULL };

	wire_put_entry(&frame, w);
	if (frame.failed)
		_exit(FOREIGN_EXIT_UNHEARD);
	voice_say(v, WIRE_ENTRY, frame.data, frame.size);
	buffer_free(&frame);
}

void voice_data(struct voice *v, uint64_t offset, const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size > 0) {
		size_t n = size < WIRE_DATA_MAX ? size : WIRE_DATA_MAX;
		struct iovec parts[2];

		head(v, WIRE_DATA, 8 + n);
		buffer_u64(&v->pending, offset);
		if (n <= SMALL) {
			buffer_append(&v->pending, at, n);
		} else {
			if (v->pending.failed)
				_exit(FOREIGN_EXIT_UNHEARD);
			parts[0] = (struct iovec){ v->pending.data, v->pending.size };
			parts[1] = (struct iovec){ (void *)(uintptr_t)at, n };
			write_all(v->fd, parts, 2);
			buffer_reset(&v->pending);
		}
		offset += n;
		at += n;
		size -= n;
	}
}

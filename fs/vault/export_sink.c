#include "fs/vault/export_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/base/queue.h"
#include "fs/crypt/digest.h"

#define CHUNK ((size_t)1 << 20)
#define CHUNKS 8
#define WRITE_OUT_EVERY ((uint64_t)64 << 20)
#define READ_AHEAD ((uint64_t)32 << 20)	/* asked of the disk while what came before is hashed */

struct chunk {
	size_t size;
	uint8_t data[CHUNK];
};

struct sink {
	int fd;			/* borrowed */
	bool is_stream;
	struct chunk *filling;	/* the caller's; NULL: take one from `empty` */
	uint64_t given;
	struct queue *full, *empty;
	pthread_t thread;
	bool is_started;
	/* The thread's, read after it has ended: */
	struct hasher *hasher;
	struct digest digest;
	uint64_t written, kept, had;	/* had: bytes of an earlier run */
	bool is_same;		/* so far, all was as the earlier run had it */
	uint8_t *old;		/* CHUNK */
	struct err failure;
};

/* ---- the writing thread ------------------------------------------------------- */

static int write_stream(struct sink *s, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(s->fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(&s->failure, "writing to standard output");
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* How much of the chunk an earlier run has written already. */
static size_t same_prefix(struct sink *s, const struct chunk *c)
{
	uint64_t left = s->written < s->had ? s->had - s->written : 0;
	size_t size = left < c->size ? (size_t)left : c->size, same = 0;
	struct err ignored = ERR_NONE;

	if (!s->is_same || size == 0 ||
	    file_read_at(s->fd, s->written, s->old, size, &ignored) < 0)
		return 0;
	if (memcmp(s->old, c->data, size) == 0)
		return size;
	while (s->old[same] == c->data[same])
		same++;
	return same;
}

static int put(struct sink *s, const struct chunk *c)
{
	size_t same = 0;

	/* Nobody reads a stream back: its sum would be compared with nothing. */
	if (!s->is_stream)
		hasher_update(s->hasher, c->data, c->size);
	if (s->is_stream) {
		if (write_stream(s, c->data, c->size) < 0)
			return -1;
	} else {
		same = same_prefix(s, c);
		if (same < c->size)
			s->is_same = false;
		if (same < c->size && file_write_at(s->fd, s->written + same, c->data + same,
						    c->size - same, &s->failure) < 0)
			return -1;
	}
	/* The disk works while we do, not only at the end. */
	if (!s->is_stream && (s->written + c->size) / WRITE_OUT_EVERY !=
				     s->written / WRITE_OUT_EVERY)
		(void)sync_file_range(s->fd, 0, (off_t)(s->written + c->size),
				      SYNC_FILE_RANGE_WRITE);
	s->kept += same;
	s->written += c->size;
	return 0;
}

static void *sink_thread(void *arg)
{
	struct sink *s = arg;
	void *p;

	while (queue_pop(s->full, &p)) {
		struct chunk *c = p;
		int rc = put(s, c);

		c->size = 0;
		(void)queue_push(s->empty, c);	/* has room for all */
		if (rc < 0) {
			queue_cancel(s->full);
			queue_close(s->empty);	/* what waits for one learns of it */
			break;
		}
	}
	s->digest = hasher_finish(s->hasher);
	return NULL;
}

/* ---- the caller ------------------------------------------------------------------ */

static int prepare(struct sink *s, struct err *e)
{
	s->full = queue_new(CHUNKS);
	s->empty = queue_new(CHUNKS);
	s->hasher = hasher_new();
	s->old = malloc(CHUNK);
	if (!s->full || !s->empty || !s->hasher || !s->old)
		return err_set(e, MUNI_NO_MEMORY, "no memory to write");
	for (unsigned i = 0; i < CHUNKS; i++) {
		struct chunk *c = malloc(sizeof *c);

		if (!c)
			return err_set(e, MUNI_NO_MEMORY, "no memory to write");
		c->size = 0;
		(void)queue_push(s->empty, c);
	}
	if (!s->is_stream && file_size(s->fd, &s->had, e) < 0)
		return -1;
	return 0;
}

int sink_open(int fd, bool is_stream, struct sink **out, struct err *e)
{
	struct sink *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return err_set(e, MUNI_NO_MEMORY, "no memory to write");
	s->fd = fd;
	s->is_stream = is_stream;
	s->is_same = true;
	if (prepare(s, e) < 0)
		goto bad;
	if (pthread_create(&s->thread, NULL, sink_thread, s) != 0) {
		err_set(e, MUNI_NO_MEMORY, "no thread to write");
		goto bad;
	}
	s->is_started = true;
	*out = s;
	return 0;
bad:
	sink_close(s);
	return -1;
}

static int join(struct sink *s, struct err *e)
{
	if (s->is_started)
		pthread_join(s->thread, NULL);
	s->is_started = false;
	if (s->failure.code == MUNI_OK)
		return 0;
	*e = s->failure;
	return -1;
}

static int thread_failed(struct sink *s, struct err *e)
{
	return join(s, e) < 0 ? -1 : err_set(e, MUNI_IO, "writing stopped");
}

static int pass_on(struct sink *s, struct err *e)
{
	if (!s->filling || s->filling->size == 0)
		return 0;
	if (!queue_push(s->full, s->filling))
		return thread_failed(s, e);
	s->filling = NULL;
	return 0;
}

/* Room in the present chunk. */
static int make_room(struct sink *s, struct err *e)
{
	void *p;

	if (s->filling && s->filling->size == CHUNK && pass_on(s, e) < 0)
		return -1;
	if (s->filling)
		return 0;
	if (!queue_pop(s->empty, &p))
		return thread_failed(s, e);
	s->filling = p;
	return 0;
}

/* data NULL: zeros. */
static int give(struct sink *s, const uint8_t *data, uint64_t size, struct err *e)
{
	while (size > 0) {
		size_t n;

		if (make_room(s, e) < 0)
			return -1;
		n = CHUNK - s->filling->size;
		if (n > size)
			n = (size_t)size;
		if (data)
			memcpy(s->filling->data + s->filling->size, data, n);
		else
			memset(s->filling->data + s->filling->size, 0, n);
		s->filling->size += n;
		s->given += n;
		size -= n;
		data = data ? data + n : NULL;
	}
	return 0;
}

int sink_write(struct sink *s, const void *data, size_t size, struct err *e)
{
	return give(s, data, size, e);
}

int sink_zeros(struct sink *s, uint64_t size, struct err *e)
{
	return give(s, NULL, size, e);
}

uint64_t sink_size(const struct sink *s)
{
	return s->given;
}

uint64_t sink_kept(const struct sink *s)
{
	return s->kept;
}

int sink_finish(struct sink *s, struct err *e)
{
	if (pass_on(s, e) < 0)
		return -1;
	queue_close(s->full);
	if (join(s, e) < 0 || s->is_stream)
		return s->failure.code == MUNI_OK ? 0 : -1;
	if (ftruncate(s->fd, (off_t)s->written) < 0)
		return err_errno(e, "cutting off what an earlier run left");
	return file_sync(s->fd, e);
}

int sink_verify(struct sink *s, int (*step)(void *arg, uint64_t bytes, struct err *e),
		void *arg, struct err *e)
{
	struct digest found;

	if (s->is_stream)
		return 0;
	/* From the disk, not from the memory that it was written from. */
	(void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_DONTNEED);
	(void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	(void)posix_fadvise(s->fd, 0, (off_t)READ_AHEAD, POSIX_FADV_WILLNEED);
	hasher_reset(s->hasher);
	for (uint64_t at = 0; at < s->written;) {
		size_t n = s->written - at < CHUNK ? (size_t)(s->written - at) : CHUNK;

		(void)posix_fadvise(s->fd, (off_t)(at + READ_AHEAD), (off_t)CHUNK,
				    POSIX_FADV_WILLNEED);
		if (file_read_at(s->fd, at, s->old, n, e) < 0)
			return err_wrap(e, "reading it back");
		hasher_update(s->hasher, s->old, n);
		at += n;
		if (step && step(arg, n, e) < 0)
			return -1;
	}
	found = hasher_finish(s->hasher);
	if (!digest_equal(&found, &s->digest))
		return err_set(e, MUNI_DAMAGED, "what was written reads back differently; the "
			       "target's disk may be failing");
	return 0;
}

void sink_close(struct sink *s)
{
	struct err ignored = ERR_NONE;

	if (!s)
		return;
	if (s->full)
		queue_cancel(s->full);
	(void)join(s, &ignored);
	if (s->full)
		queue_free(s->full, free);
	if (s->empty)
		queue_free(s->empty, free);
	free(s->filling);
	hasher_free(s->hasher);
	free(s->old);
	free(s);
}

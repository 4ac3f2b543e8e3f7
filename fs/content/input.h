/*
 * The bytes of one item, whether a file, a member of an archive or an attachment:
 * read once from front to back, or, where a format needs it, from anywhere.
 */
#ifndef FS_CONTENT_INPUT_H
#define FS_CONTENT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct input;

#define INPUT_HEAD_SIZE (256u << 10)	/* input_head() gives at most this */
#define INPUT_WHOLE_MAX (24u << 20)	/* of what must be held in memory to be read */

/* A regular file: fd is borrowed, read with pread(), to `size` at most (what is
 * appended meanwhile is left alone). */
struct input *input_of_fd(int fd, uint64_t size);
/* A pipe or a decoder: read() returns bytes, 0 at the end, -1 with e.  Borrowed arg. */
struct input *input_of_stream(ssize_t (*read)(void *arg, void *out, size_t size,
					      struct err *e), void *arg);
struct input *input_of_memory(const void *data, size_t size);	/* borrowed */
/* All NULL without memory. */
void input_free(struct input *in);	/* NULL is allowed */

/* The first bytes, without moving on; valid until input_free().  Where reading
 * fails after some bytes these are given, and input_next() fails behind them. */
int input_head(struct input *in, const void **data, size_t *size, struct err *e);
/* The next bytes in order, head included: 0 at the end.  Everything that comes
 * this way goes through `watch` once (the digest of the outermost item). */
ssize_t input_read(struct input *in, void *out, size_t size, struct err *e);
/* The same without a copy: some of the next bytes (64 KiB at least until the end,
 * where nothing but it reads), borrowed until the next but one call. */
ssize_t input_next(struct input *in, const void **data, struct err *e);
void input_watch(struct input *in, void (*watch)(void *arg, const void *data, size_t size),
		 void *arg);
/* From its head on a thread reads the file, and shows it to `watch`: what input_next()
 * gives stays for AHEAD_KEPT bytes more (input_ahead.h).  Nothing for what is no file. */
void input_read_ahead(struct input *in);
bool input_reads_ahead(const struct input *in);
/* The thread is gone, and with it what it had read: nothing more can be read in order. */
void input_stop_ahead(struct input *in);
/* Reads and drops the rest, so that the watcher has seen all. */
int input_drain(struct input *in, struct err *e);

/* From anywhere: a file always, others by being held in memory (MUNI_LIMIT past
 * INPUT_WHOLE_MAX).  May be mixed with input_read(). */
int input_seekable(struct input *in, struct err *e);
ssize_t input_at(struct input *in, uint64_t offset, void *out, size_t size, struct err *e);
/* All of it as one run of bytes: mapped or held; MUNI_LIMIT past max. */
int input_whole(struct input *in, size_t max, const void **data, size_t *size,
		struct err *e);
bool input_size(struct input *in, uint64_t *out);	/* false: not known (yet) */
/* Where input_read() and input_next() are. */
uint64_t input_position(const struct input *in);
/* That reading the bytes themselves has failed, and how; false: it has not. */
bool input_failed(const struct input *in, struct err *e);

#endif

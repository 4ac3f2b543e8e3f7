/*
 * `kept` is a run of bytes from the front: the head, and more of it once somebody
 * wants to read from anywhere.  Reading in order takes from `kept` first; past it
 * two pieces are filled in turn, so that the piece before stays readable.
 */
#include "fs/content/input.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/content/input_ahead.h"

#define PIECE_SIZE (256u << 10)
#define STEP_MIN (64u << 10)	/* input_next() gives as much, until the end */
#define KEPT_START (16u << 10)

struct input {
	int fd;			/* borrowed; -1: a stream or memory */
	ssize_t (*read)(void *arg, void *out, size_t size, struct err *e);
	void *arg;
	bool is_memory;		/* kept is borrowed, and all there is */
	uint64_t size;		/* of a file: not read past it */

	uint8_t *kept;		/* bytes 0 .. kept_size */
	size_t kept_size, kept_room;
	bool is_kept_whole;	/* nothing follows them */
	bool is_lent;		/* kept was given out by input_head() */
	uint8_t *lent;		/* where it stood then, if it had to move since */

	uint64_t position;	/* of the next byte in order */
	uint64_t fetched;	/* of a stream: how far it was read */
	bool is_ended;		/* of a stream: nothing follows `fetched` */
	uint8_t *pieces[2];	/* owned */
	unsigned turn;

	bool wants_ahead;
	struct ahead *ahead;	/* NULL: not begun */
	const uint8_t *rest;	/* of the piece it gave last: not taken yet */
	size_t rest_size;

	void (*watch)(void *arg, const void *data, size_t size);
	void *watch_arg;
	struct err failure;
};

static struct input *input_new(void)
{
	struct input *in = calloc(1, sizeof *in);

	if (in)
		in->fd = -1;
	return in;
}

struct input *input_of_fd(int fd, uint64_t size)
{
	struct input *in = input_new();

	if (in) {
		in->fd = fd;
		in->size = size;
	}
	return in;
}

struct input *input_of_stream(ssize_t (*read)(void *arg, void *out, size_t size, struct err *e),
			      void *arg)
{
	struct input *in = input_new();

	if (in) {
		in->read = read;
		in->arg = arg;
	}
	return in;
}

struct input *input_of_memory(const void *data, size_t size)
{
	struct input *in = input_new();

	if (in) {
		in->is_memory = true;
		in->kept = (uint8_t *)data;	/* never written: nothing is left to keep */
		in->kept_size = size;
		in->is_kept_whole = true;
	}
	return in;
}

void input_free(struct input *in)
{
	if (!in)
		return;
	ahead_free(in->ahead);
	if (!in->is_memory)
		free(in->kept);
	free(in->lent);
	free(in->pieces[0]);
	free(in->pieces[1]);
	free(in);
}

void input_watch(struct input *in, void (*watch)(void *arg, const void *data, size_t size),
		 void *arg)
{
	in->watch = watch;
	in->watch_arg = arg;
}

uint64_t input_position(const struct input *in)
{
	return in->position;
}

bool input_failed(const struct input *in, struct err *e)
{
	if (in->failure.code == MUNI_OK)
		return false;
	*e = in->failure;
	return true;
}

/* ---- the source ------------------------------------------------------------------------ */

static ssize_t fail(struct input *in, const struct err *e)
{
	in->failure = *e;
	return -1;
}

static ssize_t read_file(struct input *in, uint64_t offset, uint8_t *out, size_t size,
			 struct err *e)
{
	size_t done = 0;

	if (offset >= in->size)
		return 0;
	if (size > in->size - offset)
		size = (size_t)(in->size - offset);
	while (done < size) {
		ssize_t n = pread(in->fd, out + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && done > 0)
			break;	/* what came before is of use; the next read fails again */
		if (n < 0) {
			err_errno(e, "reading at byte %llu", (unsigned long long)(offset + done));
			return fail(in, e);
		}
		if (n == 0) {	/* it became shorter */
			in->size = offset + done;
			break;
		}
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Whole pieces, though a pipe gives few bytes at a time. */
static ssize_t read_stream(struct input *in, uint8_t *out, size_t size, struct err *e)
{
	size_t done = 0;

	if (in->failure.code != MUNI_OK) {
		*e = in->failure;
		return -1;
	}
	while (done < size && !in->is_ended) {
		ssize_t n = in->read(in->arg, out + done, size - done, e);

		if (n < 0) {	/* what came before is of use */
			fail(in, e);
			return done > 0 ? (ssize_t)done : -1;
		}
		assert((size_t)n <= size - done);
		if (n == 0)
			in->is_ended = true;
		done += (size_t)n;
		in->fetched += (size_t)n;
	}
	return (ssize_t)done;
}

/* ---- what is kept ---------------------------------------------------------------------- */

static int make_room(struct input *in, size_t room, struct err *e)
{
	uint8_t *grown;

	if (room <= in->kept_room)
		return 0;
	grown = in->is_lent ? malloc(room) : realloc(in->kept, room);
	if (!grown)
		return err_set(e, MUNI_NO_MEMORY, "no memory to hold %zu bytes", room);
	if (in->is_lent) {
		memcpy(grown, in->kept, in->kept_size);
		in->lent = in->kept;
		in->is_lent = false;
	}
	in->kept = grown;
	in->kept_room = room;
	return 0;
}

/* The room for the next bytes to keep: all at once where the size is known. */
static size_t next_room(const struct input *in, size_t want)
{
	size_t room = in->kept_room > 0 ? in->kept_room * 2 : KEPT_START;

	if (in->fd >= 0)
		return in->size < want ? (size_t)in->size : want;
	return room < want ? room : want;
}

/* Keeps the first `want` bytes, or all where there are fewer. */
static int keep(struct input *in, size_t want, struct err *e)
{
	while (in->kept_size < want && !in->is_kept_whole) {
		ssize_t n;

		if (in->kept_size == in->kept_room &&
		    make_room(in, next_room(in, want), e) < 0)
			return -1;
		if (in->fd >= 0) {
			n = read_file(in, in->kept_size, in->kept + in->kept_size,
				      in->kept_room - in->kept_size, e);
		} else if (in->fetched != in->kept_size) {
			return err_set(e, MUNI_UNSUPPORTED, "a stream cannot be read again from "
				       "its beginning");
		} else {
			n = read_stream(in, in->kept + in->kept_size,
					in->kept_room - in->kept_size, e);
		}
		if (n < 0)
			return -1;
		in->kept_size += (size_t)n;
		in->is_kept_whole = in->fd >= 0 ? in->kept_size >= in->size : in->is_ended;
	}
	return 0;
}

int input_head(struct input *in, const void **data, size_t *size, struct err *e)
{
	*data = NULL;
	*size = 0;
	if (keep(in, INPUT_HEAD_SIZE, e) < 0 &&
	    (in->kept_size == 0 || in->failure.code == MUNI_OK))
		return -1;
	if (!in->is_memory && !in->lent && in->kept)
		in->is_lent = true;
	*data = in->lent ? in->lent : in->kept;
	*size = in->kept_size < INPUT_HEAD_SIZE ? in->kept_size : INPUT_HEAD_SIZE;
	return 0;
}

/* ---- in order -------------------------------------------------------------------------- */

static void pass(struct input *in, const void *data, size_t size)
{
	in->position += size;
	if (in->watch && size > 0)
		in->watch(in->watch_arg, data, size);
}

static ssize_t next_kept(struct input *in, const void **data, size_t most)
{
	size_t left = in->kept_size - (size_t)in->position;

	*data = in->kept + in->position;
	if (left > most)
		left = most;
	pass(in, *data, left);
	return (ssize_t)left;
}

static bool has_kept(const struct input *in)
{
	return !in->ahead && (in->position < in->kept_size || in->is_kept_whole);
}

void input_read_ahead(struct input *in)
{
	in->wants_ahead = in->fd >= 0;
}

bool input_reads_ahead(const struct input *in)
{
	return in->wants_ahead;
}

void input_stop_ahead(struct input *in)
{
	ahead_free(in->ahead);
	in->ahead = NULL;
	in->wants_ahead = false;
	in->rest_size = 0;
}

/* False: it is read as it is asked for. */
static bool begin_ahead(struct input *in)
{
	const struct ahead_source source = { .fd = in->fd, .from = in->position,
					     .end = in->size, .watch = in->watch,
					     .arg = in->watch_arg };
	struct err ignored = ERR_NONE;

	if (in->wants_ahead && !in->ahead && ahead_new(&source, &in->ahead, &ignored) < 0)
		in->wants_ahead = false;
	return in->wants_ahead;
}

/* Some of what the thread has read, which the watcher has seen or will. */
static ssize_t next_ahead(struct input *in, const void **data, size_t most, struct err *e)
{
	if (in->rest_size == 0) {
		ssize_t n = ahead_next(in->ahead, &in->rest, e);

		if (n < 0)
			return fail(in, e);
		if (n == 0)	/* perhaps it became shorter */
			in->size = in->position;
		in->rest_size = (size_t)n;
	}
	if (most > in->rest_size)
		most = in->rest_size;
	*data = in->rest;
	in->rest += most;
	in->rest_size -= most;
	in->position += most;
	return (ssize_t)most;
}

static ssize_t fill(struct input *in, uint8_t *out, size_t size, struct err *e)
{
	ssize_t n = in->fd >= 0 ? read_file(in, in->position, out, size, e)
				: read_stream(in, out, size, e);

	if (n > 0)
		pass(in, out, (size_t)n);
	return n;
}

ssize_t input_next(struct input *in, const void **data, struct err *e)
{
	uint8_t **piece;

	*data = NULL;
	if (has_kept(in))
		return in->position < in->kept_size ? next_kept(in, data, PIECE_SIZE) : 0;
	if (begin_ahead(in))
		return next_ahead(in, data, AHEAD_PIECE, e);
	in->turn ^= 1;
	piece = &in->pieces[in->turn];
	if (!*piece)
		*piece = malloc(PIECE_SIZE);
	if (!*piece)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read with");
	*data = *piece;
	return fill(in, *piece, PIECE_SIZE, e);
}

ssize_t input_read(struct input *in, void *out, size_t size, struct err *e)
{
	const void *data;
	ssize_t n;

	if (size == 0 || (in->is_kept_whole && in->position >= in->kept_size))
		return 0;
	if (has_kept(in))
		n = next_kept(in, &data, size);
	else if (begin_ahead(in))
		n = next_ahead(in, &data, size, e);
	else
		return fill(in, out, size, e);
	if (n > 0)
		memcpy(out, data, (size_t)n);
	return n;
}

int input_drain(struct input *in, struct err *e)
{
	const void *data;
	ssize_t n;

	do
		n = input_next(in, &data, e);
	while (n > 0);
	return n < 0 ? -1 : 0;
}

/* ---- from anywhere --------------------------------------------------------------------- */

int input_whole(struct input *in, size_t max, const void **data, size_t *size, struct err *e)
{
	*data = NULL;
	*size = 0;
	if (in->fd >= 0 && in->size > max)
		goto too_large;
	/* A little more than allowed tells a stream that ends here from one that goes
	 * on (and is what input_next() gives at the least). */
	if (keep(in, max < SIZE_MAX - STEP_MIN ? max + STEP_MIN : max, e) < 0)
		return -1;
	if (!in->is_kept_whole || in->kept_size > max)
		goto too_large;
	*data = in->kept;
	*size = in->kept_size;
	return 0;
too_large:
	return err_set(e, MUNI_LIMIT, "it is larger than the %zu MiB that can be held in memory",
		       max >> 20);
}

int input_seekable(struct input *in, struct err *e)
{
	const void *data;
	size_t size;

	if (in->fd >= 0 || in->is_kept_whole)
		return 0;
	return input_whole(in, INPUT_WHOLE_MAX, &data, &size, e);
}

ssize_t input_at(struct input *in, uint64_t offset, void *out, size_t size, struct err *e)
{
	if (input_seekable(in, e) < 0)
		return -1;
	if (!in->is_kept_whole && (offset > in->kept_size || size > in->kept_size - offset))
		return read_file(in, offset, out, size, e);
	if (offset >= in->kept_size)
		return 0;
	if (size > in->kept_size - offset)
		size = in->kept_size - (size_t)offset;
	memcpy(out, in->kept + offset, size);
	return (ssize_t)size;
}

bool input_size(struct input *in, uint64_t *out)
{
	if (in->fd >= 0)
		*out = in->size;
	else if (in->is_kept_whole)
		*out = in->kept_size;
	else if (in->is_ended)
		*out = in->fetched;
	else
		return false;
	return true;
}

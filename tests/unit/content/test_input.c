/* Bytes read in order and from anywhere, whatever they come from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/content/input.h"

#define SIZE_SMALL 1000u
#define SIZE_LARGE (900u << 10)	/* more than the head and two pieces */

static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 7 + offset / 256 * 3 + offset / 65536);
}

static uint8_t *bytes_of(size_t size)
{
	uint8_t *data = malloc(size + 1);

	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = byte_at(i);
	return data;
}

/* A stream that gives few bytes at a time, and may fail in the middle. */
struct trickle {
	uint64_t at, size, fail_at;
	size_t step;
};

static ssize_t trickle_read(void *arg, void *out, size_t size, struct err *e)
{
	struct trickle *t = arg;
	uint8_t *to = out;

	if (t->fail_at && t->at >= t->fail_at)
		return err_set(e, MUNI_DAMAGED, "the stream is damaged");
	if (size > t->step)
		size = t->step;
	if (size > t->size - t->at)
		size = (size_t)(t->size - t->at);
	if (t->fail_at && size > t->fail_at - t->at)
		size = (size_t)(t->fail_at - t->at);
	for (size_t i = 0; i < size; i++)
		to[i] = byte_at(t->at + i);
	t->at += size;
	return (ssize_t)size;
}

static int file_of(size_t size)
{
	uint8_t *data = bytes_of(size);
	int fd = memfd_create("input", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	free(data);
	return fd;
}

/* The same bytes from a file, a stream and memory. */
struct source {
	struct input *in;
	int fd;
	uint8_t *data;
	struct trickle trickle;
};

#define KINDS 3

static void source_open(struct source *s, unsigned kind, size_t size)
{
	*s = (struct source){ .fd = -1, .trickle = { .size = size, .step = 1013 } };
	if (kind == 0) {
		s->fd = file_of(size);
		s->in = input_of_fd(s->fd, size);
	} else if (kind == 1) {
		s->in = input_of_stream(trickle_read, &s->trickle);
	} else {
		s->data = bytes_of(size);
		s->in = input_of_memory(s->data, size);
	}
	assert_non_null(s->in);
}

static void source_close(struct source *s)
{
	input_free(s->in);
	if (s->fd >= 0)
		close(s->fd);
	free(s->data);
}

struct seen {
	uint64_t size;
	bool is_true;
};

static void see(void *arg, const void *data, size_t size)
{
	struct seen *s = arg;
	const uint8_t *at = data;

	for (size_t i = 0; i < size; i++)
		s->is_true &= at[i] == byte_at(s->size + i);
	s->size += size;
}

static const size_t sizes[] = { 0, 1, SIZE_SMALL, INPUT_HEAD_SIZE - 1, INPUT_HEAD_SIZE,
				INPUT_HEAD_SIZE + 1, SIZE_LARGE };

static void all_bytes_pass_the_watcher_once_and_in_order(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			struct seen seen = { .is_true = true };
			struct err e = ERR_NONE;
			struct source s;
			const void *head;
			uint8_t some[100];
			uint64_t known;
			size_t size;

			source_open(&s, kind, sizes[i]);
			input_watch(s.in, see, &seen);
			assert_int_equal(input_head(s.in, &head, &size, &e), 0);
			assert_int_equal(size, sizes[i] < INPUT_HEAD_SIZE ? sizes[i]
									  : INPUT_HEAD_SIZE);
			assert_int_equal(seen.size, 0);
			assert_true(input_read(s.in, some, sizeof some, &e) >= 0);
			assert_int_equal(input_drain(s.in, &e), 0);
			assert_int_equal(input_drain(s.in, &e), 0);
			assert_int_equal(seen.size, sizes[i]);
			assert_true(seen.is_true);
			assert_int_equal(input_position(s.in), sizes[i]);
			assert_true(input_size(s.in, &known));
			assert_int_equal(known, sizes[i]);
			source_close(&s);
		}
	}
}

static void a_piece_stays_until_the_next_but_one(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		const void *before = NULL, *now;
		uint64_t before_at = 0, at = 0;
		ssize_t n, before_size = 0;
		struct err e = ERR_NONE;
		struct source s;

		source_open(&s, kind, SIZE_LARGE);
		while ((n = input_next(s.in, &now, &e)) > 0) {
			struct seen seen = { .is_true = true, .size = before_at };

			assert_true(n >= (64 << 10) || at + (uint64_t)n == SIZE_LARGE);
			see(&seen, before, (size_t)before_size);
			seen.size = at;
			see(&seen, now, (size_t)n);
			assert_true(seen.is_true);
			before = now;
			before_size = n;
			before_at = at;
			at += (uint64_t)n;
		}
		assert_int_equal(n, 0);
		assert_int_equal(at, SIZE_LARGE);
		source_close(&s);
	}
}

static void bytes_are_had_from_anywhere_while_reading_in_order(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct seen seen = { .is_true = true };
		uint8_t out[5000];
		struct err e = ERR_NONE;
		struct source s;
		uint64_t random = 88172645463325252u;

		source_open(&s, kind, SIZE_LARGE);
		input_watch(s.in, see, &seen);
		for (unsigned i = 0; i < 300; i++) {
			uint64_t offset;
			ssize_t n;

			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			offset = random % (SIZE_LARGE + 2000);
			n = input_at(s.in, offset, out, sizeof out, &e);
			assert_int_equal(n, offset >= SIZE_LARGE ? 0 :
					 SIZE_LARGE - offset < sizeof out ? SIZE_LARGE - offset :
					 sizeof out);
			for (ssize_t j = 0; j < n; j++)
				assert_int_equal(out[j], byte_at(offset + (uint64_t)j));
			assert_true(input_read(s.in, out, 1 + random % sizeof out, &e) >= 0);
		}
		assert_int_equal(input_drain(s.in, &e), 0);
		assert_int_equal(seen.size, SIZE_LARGE);
		assert_true(seen.is_true);
		source_close(&s);
	}
}

static void the_head_stays_where_it_is_when_more_is_held(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct seen seen = { .is_true = true }, again = { .is_true = true };
		const void *head, *whole, *second;
		struct err e = ERR_NONE;
		struct source s;
		size_t size, whole_size;

		source_open(&s, kind, SIZE_LARGE);
		assert_int_equal(input_head(s.in, &head, &size, &e), 0);
		assert_int_equal(input_whole(s.in, SIZE_LARGE, &whole, &whole_size, &e), 0);
		assert_int_equal(whole_size, SIZE_LARGE);
		see(&seen, head, size);
		assert_true(seen.is_true);
		see(&again, whole, whole_size);
		assert_true(again.is_true);
		assert_int_equal(input_head(s.in, &second, &size, &e), 0);
		assert_ptr_equal(second, head);
		source_close(&s);
	}
}

static void what_is_too_large_to_hold_is_refused_and_still_read_in_order(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct seen seen = { .is_true = true };
		struct err e = ERR_NONE;
		struct source s;
		const void *whole;
		size_t size;

		source_open(&s, kind, SIZE_LARGE);
		input_watch(s.in, see, &seen);
		assert_int_equal(input_whole(s.in, SIZE_LARGE - 1, &whole, &size, &e), -1);
		assert_int_equal(e.code, MUNI_LIMIT);
		assert_int_equal(input_drain(s.in, &e), 0);
		assert_int_equal(seen.size, SIZE_LARGE);
		assert_true(seen.is_true);
		source_close(&s);
	}
}

static void a_stream_that_fails_gives_what_came_before(void **state)
{
	static const uint64_t places[] = { 1, 1000, INPUT_HEAD_SIZE, INPUT_HEAD_SIZE + 5000 };

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct trickle t = { .size = SIZE_LARGE, .step = 300, .fail_at = places[i] };
		struct input *in = input_of_stream(trickle_read, &t);
		struct seen seen = { .is_true = true };
		struct err e = ERR_NONE, why;
		const void *head;
		size_t size;

		input_watch(in, see, &seen);
		assert_int_equal(input_head(in, &head, &size, &e), 0);
		assert_int_equal(size, places[i] < INPUT_HEAD_SIZE ? places[i] : INPUT_HEAD_SIZE);
		assert_int_equal(input_drain(in, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		assert_int_equal(seen.size, places[i]);
		assert_true(seen.is_true);
		assert_true(input_failed(in, &why));
		assert_string_equal(why.text, "the stream is damaged");
		input_free(in);
	}
}

static void a_stream_that_fails_at_once_has_no_head(void **state)
{
	struct trickle t = { .size = 1, .step = 1, .fail_at = 1, .at = 1 };
	struct input *in = input_of_stream(trickle_read, &t);
	struct err e = ERR_NONE;
	const void *head;
	size_t size;

	(void)state;
	assert_int_equal(input_head(in, &head, &size, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	input_free(in);
}

static void a_file_that_shrinks_ends_where_it_ends(void **state)
{
	struct seen seen = { .is_true = true };
	struct err e = ERR_NONE;
	int fd = file_of(SIZE_LARGE);
	struct input *in = input_of_fd(fd, SIZE_LARGE + 5000);
	uint64_t size;

	(void)state;
	input_watch(in, see, &seen);
	assert_int_equal(input_drain(in, &e), 0);
	assert_int_equal(seen.size, SIZE_LARGE);
	assert_true(input_size(in, &size));
	assert_int_equal(size, SIZE_LARGE);
	input_free(in);
	close(fd);
}

static void a_file_that_grows_is_read_to_the_size_it_had(void **state)
{
	struct seen seen = { .is_true = true };
	struct err e = ERR_NONE;
	int fd = file_of(SIZE_LARGE);
	struct input *in = input_of_fd(fd, SIZE_SMALL);

	(void)state;
	input_watch(in, see, &seen);
	assert_int_equal(input_drain(in, &e), 0);
	assert_int_equal(seen.size, SIZE_SMALL);
	input_free(in);
	close(fd);
}

static void a_descriptor_that_cannot_be_read_is_an_error(void **state)
{
	struct input *in = input_of_fd(1000, SIZE_SMALL);
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(input_drain(in, &e), -1);
	assert_int_equal(e.code, MUNI_IO);
	assert_true(input_failed(in, &e));
	input_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_bytes_pass_the_watcher_once_and_in_order),
		cmocka_unit_test(a_piece_stays_until_the_next_but_one),
		cmocka_unit_test(bytes_are_had_from_anywhere_while_reading_in_order),
		cmocka_unit_test(the_head_stays_where_it_is_when_more_is_held),
		cmocka_unit_test(what_is_too_large_to_hold_is_refused_and_still_read_in_order),
		cmocka_unit_test(a_stream_that_fails_gives_what_came_before),
		cmocka_unit_test(a_stream_that_fails_at_once_has_no_head),
		cmocka_unit_test(a_file_that_shrinks_ends_where_it_ends),
		cmocka_unit_test(a_file_that_grows_is_read_to_the_size_it_had),
		cmocka_unit_test(a_descriptor_that_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

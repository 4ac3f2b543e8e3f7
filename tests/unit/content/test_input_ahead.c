/* A thread that reads ahead: the same bytes, each watched once, the last MiB still there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/content/input.h"
#include "fs/content/input_ahead.h"

#define SIZE ((5u << 20) + 12345)

static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 7 + offset / 256 * 3 + offset / 65536);
}

static bool is_right(const uint8_t *data, size_t size, uint64_t offset)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] != byte_at(offset + i))
			return false;
	return true;
}

static int file_of(size_t size)
{
	int fd = memfd_create("ahead", MFD_CLOEXEC);
	uint8_t *data = malloc(size);

	assert_true(fd >= 0 && data != NULL);
	for (size_t i = 0; i < size; i++)
		data[i] = byte_at(i);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	free(data);
	return fd;
}

struct watched {
	uint64_t size;
	bool is_wrong;
};

static void watch(void *arg, const void *data, size_t size)
{
	struct watched *w = arg;

	w->is_wrong = w->is_wrong || !is_right(data, size, w->size);
	w->size += size;
}

static void all_of_a_file_comes_in_order_and_is_watched_once(void **state)
{
	int fd = file_of(SIZE);
	struct input *in = input_of_fd(fd, SIZE);
	struct watched w = { .size = 0 };
	struct err e = ERR_NONE;
	uint64_t at = 0;
	const void *data;
	size_t size;
	ssize_t n;

	(void)state;
	input_watch(in, watch, &w);
	input_read_ahead(in);
	assert_int_equal(input_head(in, &data, &size, &e), 0);
	while ((n = input_next(in, &data, &e)) > 0) {
		assert_true(is_right(data, (size_t)n, at));
		at += (uint64_t)n;
		assert_int_equal(input_position(in), at);
	}
	assert_int_equal(n, 0);
	assert_int_equal(at, SIZE);
	assert_int_equal(w.size, SIZE);
	assert_false(w.is_wrong);
	input_free(in);
	close(fd);
}

static void copies_and_pieces_may_be_mixed(void **state)
{
	int fd = file_of(SIZE);
	struct input *in = input_of_fd(fd, SIZE);
	struct watched w = { .size = 0 };
	struct err e = ERR_NONE;
	uint8_t *copy = malloc(100000);
	uint64_t at = 0;
	const void *data;
	ssize_t n = 1;

	(void)state;
	input_watch(in, watch, &w);
	input_read_ahead(in);
	for (unsigned turn = 0; n > 0; turn++) {
		n = turn % 2 ? input_next(in, &data, &e) : input_read(in, copy, 100000, &e);
		assert_true(n >= 0 && is_right(turn % 2 ? data : copy, (size_t)n, at));
		at += (uint64_t)n;
	}
	assert_int_equal(at, SIZE);
	assert_int_equal(w.size, SIZE);
	assert_false(w.is_wrong);
	free(copy);
	input_free(in);
	close(fd);
}

static void the_last_mebibyte_stays_where_it_was_given(void **state)
{
	int fd = file_of(SIZE);
	const struct ahead_source source = { .fd = fd, .from = 0, .end = SIZE };
	struct {
		const uint8_t *data;
		size_t size;
		uint64_t offset;
	} given[64];
	size_t count = 0;
	struct ahead *a = NULL;
	struct err e = ERR_NONE;
	uint64_t at = 0;
	const uint8_t *data;
	ssize_t n;

	(void)state;
	assert_int_equal(ahead_new(&source, &a, &e), 0);
	while ((n = ahead_next(a, &data, &e)) > 0) {
		given[count].data = data;
		given[count].size = (size_t)n;
		given[count++].offset = at;
		usleep(2000);	/* the thread fills all that it may */
		for (size_t i = 0; i < count; i++)
			if (given[i].offset + given[i].size + AHEAD_KEPT > at)
				assert_true(is_right(given[i].data, given[i].size,
						     given[i].offset));
		at += (uint64_t)n;
	}
	assert_int_equal(at, SIZE);
	ahead_free(a);
	close(fd);
}

static void a_file_that_became_shorter_ends_there(void **state)
{
	int fd = file_of(SIZE);
	struct input *in = input_of_fd(fd, SIZE + 1000000);
	struct watched w = { .size = 0 };
	struct err e = ERR_NONE;
	uint64_t size = 0;

	(void)state;
	input_watch(in, watch, &w);
	input_read_ahead(in);
	assert_int_equal(input_drain(in, &e), 0);
	assert_int_equal(w.size, SIZE);
	assert_true(input_size(in, &size));
	assert_int_equal(size, SIZE);
	input_free(in);
	close(fd);
}

static void what_cannot_be_read_is_said_where_it_begins(void **state)
{
	int fds[2];
	struct input *in;
	struct err e = ERR_NONE, why = ERR_NONE;
	const void *data;

	(void)state;
	assert_int_equal(pipe(fds), 0);	/* pread() fails: ESPIPE */
	in = input_of_fd(fds[0], SIZE);
	input_read_ahead(in);
	assert_int_equal(input_next(in, &data, &e), -1);
	assert_string_not_equal(e.text, "");
	assert_true(input_failed(in, &why));
	input_free(in);
	close(fds[0]);
	close(fds[1]);
}

static void one_who_has_enough_need_not_wait(void **state)
{
	int fd = file_of(SIZE);
	struct input *in = input_of_fd(fd, SIZE);
	struct err e = ERR_NONE;
	const void *data;

	(void)state;
	input_read_ahead(in);
	assert_true(input_next(in, &data, &e) > 0);
	input_free(in);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_file_comes_in_order_and_is_watched_once),
		cmocka_unit_test(copies_and_pieces_may_be_mixed),
		cmocka_unit_test(the_last_mebibyte_stays_where_it_was_given),
		cmocka_unit_test(a_file_that_became_shorter_ends_there),
		cmocka_unit_test(what_cannot_be_read_is_said_where_it_begins),
		cmocka_unit_test(one_who_has_enough_need_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/vault/walk.h"

#define MANY 2500	/* of 80 bytes: more than the kernel tells at once */

struct folder {
	char path[64];
	int fd;
	struct names names;
};

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof *f);

	assert_non_null(f);
	strcpy(f->path, "/tmp/muniment-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;

	if (names_read(f->fd, &f->names) == 0)
		for (size_t i = 0; i < f->names.count; i++)
			unlinkat(f->fd, f->names.list[i], 0);
	names_free(&f->names);
	close(f->fd);
	rmdir(f->path);
	free(f);
	return 0;
}

static void name_of(unsigned i, char out[81])
{
	/* Made in an order that is not that of their bytes. */
	snprintf(out, 81, "%04u%076u", i * 1237 % MANY, i);
}

static void make(struct folder *f, const char *name)
{
	int fd = openat(f->fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void assert_sorted(const struct names *n)
{
	for (size_t i = 1; i < n->count; i++)
		assert_true(strcmp(n->list[i - 1], n->list[i]) < 0);
}

static void an_empty_directory_has_no_names(void **state)
{
	struct folder *f = *state;

	assert_int_equal(names_read(f->fd, &f->names), 0);
	assert_int_equal(f->names.count, 0);
}

static void all_names_are_read_in_the_order_of_their_bytes_each_time(void **state)
{
	struct folder *f = *state;
	char name[81];

	for (unsigned i = 0; i < MANY; i++) {
		name_of(i, name);
		make(f, name);
	}
	make(f, "...");
	make(f, ".a");
	make(f, "\xff\xfe\n");
	for (unsigned times = 0; times < 2; times++) {
		assert_int_equal(names_read(f->fd, &f->names), 0);
		assert_int_equal(f->names.count, MANY + 3);
		assert_string_equal(f->names.list[0], "...");
		assert_string_equal(f->names.list[1], ".a");
		assert_string_equal(f->names.list[MANY + 2], "\xff\xfe\n");
		assert_sorted(&f->names);
	}
	make(f, "later");
	assert_int_equal(names_read(f->fd, &f->names), 0);
	assert_int_equal(f->names.count, MANY + 4);
}

static void a_directory_that_was_removed_has_no_names_and_is_no_error(void **state)
{
	struct folder *f = *state;
	int fd;

	assert_int_equal(mkdirat(f->fd, "gone", 0700), 0);
	fd = openat(f->fd, "gone", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(unlinkat(f->fd, "gone", AT_REMOVEDIR), 0);
	assert_int_equal(names_read(fd, &f->names), 0);
	assert_int_equal(f->names.count, 0);
	close(fd);
}

static void what_is_no_directory_is_an_error(void **state)
{
	struct folder *f = *state;
	int fd;

	make(f, "file");
	fd = openat(f->fd, "file", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(names_read(fd, &f->names), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(f->names.count, 0);
	close(fd);
	assert_int_equal(names_read(-1, &f->names), -1);
	assert_int_equal(errno, EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(an_empty_directory_has_no_names),
		T(all_names_are_read_in_the_order_of_their_bytes_each_time),
		T(a_directory_that_was_removed_has_no_names_and_is_no_error),
		T(what_is_no_directory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

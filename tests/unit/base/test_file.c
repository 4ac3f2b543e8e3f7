#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/base/file.h"

struct fixture {
	char path[64];
	int dirfd;
};

static int fixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	strcpy(f->path, "/tmp/muniment-file.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->dirfd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->dirfd >= 0);
	*state = f;
	return 0;
}

static int fixture_drop(void **state)
{
	struct fixture *f = *state;
	char command[128];

	close(f->dirfd);
	snprintf(command, sizeof command, "rm -rf '%s'", f->path);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *text)
{
	struct err e = ERR_NONE;

	assert_int_equal(file_replace_synced(f->dirfd, name, text, strlen(text), 0600, &e), 0);
}

/* Of a pipe that a user named as key file its writer waits for the one reader that is meant. */
static void only_a_regular_file_is_opened_to_be_expected(void **state)
{
	struct fixture *f = *state;
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char path[128], pipe[128], event[4096];

	snprintf(path, sizeof path, "%s/a", f->path);
	snprintf(pipe, sizeof pipe, "%s/p", f->path);
	put(f, "a", "x");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	assert_true(inotify_add_watch(watch, pipe, IN_OPEN) >= 0);
	file_expect_user(pipe);
	file_expect_user(f->path);
	file_expect_user("/nowhere/at/all");
	assert_int_equal(read(watch, event, sizeof event), -1);
	file_expect_user(path);
	assert_true(read(watch, event, sizeof event) > 0);
	close(watch);
}

static void an_absent_file_is_not_found_and_a_present_one_exists(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	assert_int_equal(file_open(f->dirfd, "a", O_RDONLY, 0, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	put(f, "a", "x");
	assert_int_equal(file_open(f->dirfd, "a", O_WRONLY | O_CREAT | O_EXCL, 0600, &e), -1);
	assert_int_equal(e.code, MUNI_EXISTS);
}

static void no_link_is_followed_but_one_that_the_user_named(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char path[128];
	int fd;

	put(f, "real", "x");
	assert_int_equal(symlinkat("real", f->dirfd, "link"), 0);
	assert_int_equal(file_open(f->dirfd, "link", O_RDONLY, 0, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(file_open(f->dirfd, "link", O_WRONLY | O_CREAT, 0600, &e), -1);
	/* A dangling one must not be a way to make a file elsewhere. */
	assert_int_equal(symlinkat("elsewhere", f->dirfd, "dangling"), 0);
	assert_int_equal(file_open(f->dirfd, "dangling", O_WRONLY | O_CREAT, 0600, &e), -1);
	assert_int_equal(faccessat(f->dirfd, "elsewhere", F_OK, 0), -1);

	snprintf(path, sizeof path, "%s/link", f->path);
	fd = file_open_user(path, O_RDONLY, 0, &e);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	file_close(&fd);
	assert_int_equal(fd, -1);
}

static void what_has_another_name_is_read_and_not_written(void **state)
{
	struct fixture *f = *state;
	static const int writing[] = { O_WRONLY, O_RDWR, O_RDWR | O_CREAT };
	struct err e = ERR_NONE;
	int fd;

	put(f, "mine", "x");
	assert_int_equal(linkat(f->dirfd, "mine", f->dirfd, "theirs", 0), 0);
	for (size_t i = 0; i < sizeof writing / sizeof *writing; i++) {
		e = ERR_NONE;
		assert_int_equal(file_open(f->dirfd, "mine", writing[i], 0600, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		assert_non_null(strstr(e.text, "hard link"));
	}
	fd = file_open(f->dirfd, "mine", O_RDONLY, 0, &e);
	assert_true(fd >= 0);
	file_close(&fd);
	assert_int_equal(unlinkat(f->dirfd, "theirs", 0), 0);
	fd = file_open(f->dirfd, "mine", O_RDWR, 0, &e);
	assert_true(fd >= 0);
	file_close(&fd);
}

static void what_is_no_file_is_damage_and_makes_nobody_wait(void **state)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT };
	struct fixture *f = *state;

	assert_int_equal(mkfifoat(f->dirfd, "fifo", 0600), 0);
	assert_int_equal(mkdirat(f->dirfd, "folder", 0700), 0);
	put(f, "file", "x");
	assert_int_equal(symlinkat("folder", f->dirfd, "way"), 0);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		struct err e = ERR_NONE;

		assert_int_equal(file_open(f->dirfd, "fifo", flags[i], 0600, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		e = ERR_NONE;
		assert_int_equal(file_open(f->dirfd, "folder", flags[i], 0600, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
	}
	struct err e = ERR_NONE;

	assert_int_equal(file_open_dir(f->dirfd, "way", &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	e = ERR_NONE;
	assert_int_equal(file_open_dir(f->dirfd, "file", &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

static void a_made_file_has_its_mode_whatever_the_umask(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	mode_t umask_before = umask(0777);
	struct stat st;
	int fd = file_open(f->dirfd, "a", O_RDWR | O_CREAT, 0640, &e);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	file_close(&fd);
	fd = file_open(f->dirfd, "a", O_RDWR | O_CREAT, 0600, &e);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);	/* it was there: as it was */
	file_close(&fd);
	assert_int_equal(file_make_dir(f->dirfd, "d", 0750, &e), 0);
	assert_int_equal(fstatat(f->dirfd, "d", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	umask(umask_before);
}

static void a_folder_that_is_there_is_fine_but_a_file_is_not(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	assert_int_equal(file_make_dir(f->dirfd, "d", 0700, &e), 0);
	assert_int_equal(file_make_dir(f->dirfd, "d", 0700, &e), 0);
	put(f, "a", "x");
	assert_int_equal(file_make_dir(f->dirfd, "a", 0700, &e), -1);
	assert_int_equal(e.code, MUNI_EXISTS);
}

static void a_short_file_is_damage_that_names_the_byte(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char out[8];
	int fd;

	put(f, "a", "12345");
	fd = file_open(f->dirfd, "a", O_RDONLY, 0, &e);
	assert_int_equal(file_read_at(fd, 1, out, 4, &e), 0);
	assert_memory_equal(out, "2345", 4);
	assert_int_equal(file_read_at(fd, 2, out, 8, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_non_null(strstr(e.text, "ends at byte 5"));
	assert_int_equal(file_read_at(fd, UINT64_MAX, out, 8, &e), -1);
	assert_int_equal(e.code, MUNI_LIMIT);
	file_close(&fd);
}

static void many_parts_are_written_whole_and_in_order(void **state)
{
	struct fixture *f = *state;
	enum { COUNT = 3000 };	/* more than the kernel takes at once */
	static char bytes[COUNT];
	static struct iovec parts[COUNT];
	struct err e = ERR_NONE;
	uint8_t *back = NULL;
	size_t size = 0;
	int fd = file_open(f->dirfd, "a", O_WRONLY | O_CREAT, 0600, &e);

	for (size_t i = 0; i < COUNT; i++) {
		bytes[i] = (char)('a' + i % 26);
		parts[i] = (struct iovec){ &bytes[i], i % 7 == 0 ? 0 : 1 };
	}
	assert_int_equal(file_write_vec(fd, parts, COUNT, &e), 0);
	file_close(&fd);
	assert_int_equal(file_load(f->dirfd, "a", 10000, &back, &size, &e), 0);
	assert_int_equal(size, COUNT - (COUNT + 6) / 7);
	assert_int_equal(back[0], 'b');
	assert_int_equal(back[5], 'g');
	assert_int_equal(back[6], 'i');
	free(back);
}

static void a_replaced_file_is_the_new_one_and_nothing_is_left_beside_it(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint8_t *back = NULL;
	size_t size = 0;

	put(f, "a", "old");
	put(f, "a.tmp", "left by a crash");
	put(f, "a", "new one");
	assert_int_equal(file_load(f->dirfd, "a", 100, &back, &size, &e), 0);
	assert_int_equal(size, 7);
	assert_string_equal((char *)back, "new one");
	free(back);
	assert_int_equal(faccessat(f->dirfd, "a.tmp", F_OK, 0), -1);
}

static void a_load_keeps_its_limit_and_takes_only_regular_files(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint8_t *back = (uint8_t *)"";
	size_t size = 1;

	put(f, "a", "12345");
	assert_int_equal(file_load(f->dirfd, "a", 4, &back, &size, &e), -1);
	assert_int_equal(e.code, MUNI_LIMIT);
	assert_null(back);
	assert_int_equal(mkfifoat(f->dirfd, "fifo", 0600), 0);
	assert_int_equal(file_load(f->dirfd, "fifo", 4, &back, &size, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

static void a_full_disk_is_no_space(void **state)
{
	struct err e = ERR_NONE;
	int fd = file_open_user("/dev/full", O_WRONLY, 0, &e);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write_at(fd, 0, "x", 1, &e), -1);
	assert_int_equal(e.code, MUNI_NO_SPACE);
	file_close(&fd);
}

static void a_lock_keeps_others_out_until_it_is_given_back(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	int a, b;

	put(f, "lock", "");
	a = file_open(f->dirfd, "lock", O_RDWR, 0, &e);
	b = file_open(f->dirfd, "lock", O_RDWR, 0, &e);
	assert_int_equal(file_lock(a, true, 0, &e), 0);
	assert_int_equal(file_lock(b, true, 0, &e), -1);
	assert_int_equal(e.code, MUNI_BUSY);
	assert_int_equal(file_lock(b, false, 60, &e), -1);
	assert_int_equal(e.code, MUNI_BUSY);
	file_unlock(a);
	assert_int_equal(file_lock(b, false, 0, &e), 0);
	assert_int_equal(file_lock(a, false, 0, &e), 0);
	file_close(&a);
	file_close(&b);
}

static void removing_what_is_absent_is_fine(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	assert_int_equal(file_remove(f->dirfd, "nothing", &e), 0);
	assert_int_equal(file_make_dir(f->dirfd, "d", 0700, &e), 0);
	assert_int_equal(file_remove(f->dirfd, "d", &e), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_drop)
	const struct CMUnitTest tests[] = {
		T(an_absent_file_is_not_found_and_a_present_one_exists),
		T(only_a_regular_file_is_opened_to_be_expected),
		T(no_link_is_followed_but_one_that_the_user_named),
		T(what_has_another_name_is_read_and_not_written),
		T(what_is_no_file_is_damage_and_makes_nobody_wait),
		T(a_made_file_has_its_mode_whatever_the_umask),
		T(a_folder_that_is_there_is_fine_but_a_file_is_not),
		T(a_short_file_is_damage_that_names_the_byte),
		T(many_parts_are_written_whole_and_in_order),
		T(a_replaced_file_is_the_new_one_and_nothing_is_left_beside_it),
		T(a_load_keeps_its_limit_and_takes_only_regular_files),
		T(a_full_disk_is_no_space),
		T(a_lock_keeps_others_out_until_it_is_given_back),
		T(removing_what_is_absent_is_fine),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

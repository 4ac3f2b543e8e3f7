/* Where an export is written: what an earlier run left, depth, failing disks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/vault/export_place.h"
#include "fs/vault/export_sink.h"

#define SIZE ((size_t)5 << 20)

static uint8_t *content;

static int fill(void **state)
{
	uint32_t x = 1;

	(void)state;
	content = malloc(SIZE);
	for (size_t i = 0; content && i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		content[i] = (uint8_t)(x >> 24);
	}
	return content ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	free(content);
	return 0;
}

static int file_with(const void *data, size_t size)
{
	int fd = memfd_create("target", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	return fd;
}

/* Writes the content in odd pieces; returns what was kept. */
static uint64_t write_content(int fd)
{
	struct err e = ERR_NONE;
	struct sink *s;
	uint64_t kept;

	assert_int_equal(sink_open(fd, false, &s, &e), 0);
	for (size_t at = 0, n = 1; at < SIZE; at += n, n = n * 3 % 70001) {
		if (n > SIZE - at)
			n = SIZE - at;
		assert_int_equal(sink_write(s, content + at, n, &e), 0);
	}
	assert_int_equal(sink_zeros(s, 100, &e), 0);
	assert_int_equal(sink_size(s), SIZE + 100);
	assert_int_equal(sink_finish(s, &e), 0);
	assert_int_equal(sink_verify(s, NULL, NULL, &e), 0);
	kept = sink_kept(s);
	sink_close(s);
	return kept;
}

static void expect_content(int fd)
{
	uint8_t *found = malloc(SIZE + 101);

	assert_non_null(found);
	assert_int_equal(pread(fd, found, SIZE + 101, 0), SIZE + 100);
	assert_memory_equal(found, content, SIZE);
	assert_int_equal(found[SIZE], 0);
	free(found);
	close(fd);
}

static void what_is_there_and_right_is_kept_and_the_rest_written(void **state)
{
	static const size_t lengths[] = { 0, 1, 1000000, (1 << 20), SIZE };

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		int fd = file_with(content, lengths[i]);

		assert_int_equal(write_content(fd), lengths[i]);
		expect_content(fd);
	}
}

static void what_is_there_and_wrong_is_written_anew(void **state)
{
	uint8_t *bent = malloc(2 * SIZE);
	int fd;

	(void)state;
	assert_non_null(bent);
	memcpy(bent, content, SIZE);
	memset(bent + SIZE, 7, SIZE);	/* and longer than it should be */
	bent[3000000] ^= 1;
	fd = file_with(bent, 2 * SIZE);
	assert_int_equal(write_content(fd), 3000000);
	expect_content(fd);
	free(bent);
}

static void a_disk_that_gives_back_something_else_is_found_out(void **state)
{
	int fd = file_with("", 0);
	struct err e = ERR_NONE;
	struct sink *s;

	(void)state;
	assert_int_equal(sink_open(fd, false, &s, &e), 0);
	assert_int_equal(sink_write(s, content, SIZE, &e), 0);
	assert_int_equal(sink_finish(s, &e), 0);
	assert_int_equal(pwrite(fd, "?", 1, SIZE - 1), 1);
	assert_int_equal(sink_verify(s, NULL, NULL, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	sink_close(s);
	close(fd);
}

static void a_full_disk_is_an_error_and_no_deadlock(void **state)
{
	int fd = open("/dev/full", O_RDWR | O_CLOEXEC), rc = 0;
	struct err e = ERR_NONE;
	struct sink *s;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sink_open(fd, true, &s, &e), 0);
	for (int i = 0; rc == 0 && i < 100; i++)
		rc = sink_write(s, content, SIZE, &e);
	assert_int_equal(rc, -1);
	assert_int_equal(e.code, MUNI_NO_SPACE);
	sink_close(s);
	close(fd);
}

static struct export_item *level_item(void)
{
	/* Twenty of these are past PATH_MAX. */
	char name[251];

	memset(name, 'n', 250);
	name[250] = 0;
	return export_item_new(name, 250);
}

static void no_depth_is_too_deep_and_no_descriptor_is_left(void **state)
{
	char folder[] = "/tmp/test_export.XXXXXX";
	struct err e = ERR_NONE;
	struct place p;
	int root, before, after;

	(void)state;
	assert_non_null(mkdtemp(folder));
	root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	before = dup(root);
	close(before);
	assert_int_equal(place_open(&p, dup(root), level_item(), &e), 0);
	for (int i = 0; i < 300; i++) {
		struct export_item *item = level_item();

		assert_int_equal(mkdirat(place_fd(&p, &e), item->name, 0700), 0);
		assert_int_equal(place_enter(&p, item, &e), 0);
	}
	/* Up again, by way of directories that were closed on the way down. */
	while (p.depth > 1) {
		char name[251];

		snprintf(name, sizeof name, "%s", place_item(&p)->name);
		place_leave(&p);
		assert_true(place_fd(&p, &e) >= 0);
		assert_int_equal(unlinkat(place_fd(&p, &e), name, AT_REMOVEDIR), 0);
	}
	place_close(&p);
	after = dup(root);
	assert_int_equal(after, before);
	close(after);
	close(root);
	assert_int_equal(rmdir(folder), 0);
}

static void a_link_in_the_place_of_a_directory_is_not_followed(void **state)
{
	char folder[] = "/tmp/test_export.XXXXXX";
	struct err e = ERR_NONE;
	struct place p;
	int root;

	(void)state;
	assert_non_null(mkdtemp(folder));
	root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("/tmp", root, "door"), 0);
	assert_int_equal(place_open(&p, dup(root), export_item_new("", 0), &e), 0);
	assert_int_equal(place_enter(&p, export_item_new("door", 4), &e), -1);
	place_close(&p);
	assert_int_equal(unlinkat(root, "door", 0), 0);
	close(root);
	assert_int_equal(rmdir(folder), 0);
}

static void links_are_found_again(void **state)
{
	struct export_links l = { .slots = NULL };
	struct err e = ERR_NONE;
	char path[32];

	(void)state;
	for (int64_t id = 1; id <= 5000; id++) {
		assert_null(export_links_find(&l, id * 977));
		snprintf(path, sizeof path, "p%lld", (long long)id);
		assert_int_equal(export_links_add(&l, id * 977, path, &e), 0);
	}
	for (int64_t id = 1; id <= 5000; id++) {
		snprintf(path, sizeof path, "p%lld", (long long)id);
		assert_string_equal(export_links_find(&l, id * 977), path);
	}
	export_links_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_and_right_is_kept_and_the_rest_written),
		cmocka_unit_test(what_is_there_and_wrong_is_written_anew),
		cmocka_unit_test(a_disk_that_gives_back_something_else_is_found_out),
		cmocka_unit_test(a_full_disk_is_an_error_and_no_deadlock),
		cmocka_unit_test(no_depth_is_too_deep_and_no_descriptor_is_left),
		cmocka_unit_test(a_link_in_the_place_of_a_directory_is_not_followed),
		cmocka_unit_test(links_are_found_again),
	};

	return cmocka_run_group_tests_name("export target", tests, fill, drop);
}

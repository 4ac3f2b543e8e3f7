/* Headers of our tar, read again by libarchive through our own reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/store/xattrs.h"
#include "fs/vault/export_pax.h"
#include "fs/vault/foreign.h"
#include "tests/unit/vault/samples.h"

static void put(struct buffer *b, struct pax_entry *p)
{
	struct err e = ERR_NONE;

	if (pax_put_header(b, p, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(b->size % PAX_BLOCK, 0);
}

static struct export_item an_item(const char *path)
{
	return (struct export_item){
		.path = (char *)(uintptr_t)path, .path_size = strlen(path), .name = path,
		.node = { .kind = NODE_FILE, .mode = 0644, .uid = 5, .gid = 6 },
	};
}

static struct foreign_entry first_of(struct buffer *b, struct foreign **f, int *fd)
{
	const struct foreign_options none = { .name_encoding = NULL };
	struct foreign_entry entry;
	struct err e = ERR_NONE;
	bool is_end;

	sample_tar_end(b);
	*fd = sample_fd(b->data, b->size);
	buffer_free(b);
	if (foreign_open(*fd, "x", &none, f, &e) < 0 || foreign_next(*f, &entry, &is_end, &e) < 0)
		fail_msg("%s", e.text);
	assert_false(is_end);
	return entry;
}

static bool holds(const struct buffer *b, const char *text)
{
	return memmem(b->data, b->size, text, strlen(text)) != NULL;
}

static void a_time_is_written_as_the_number_that_it_is(void **state)
{
	static const struct {
		struct stamp t;
		const char *text;
	} times[] = {
		{ { 0, 0 }, " mtime=0\n" },
		{ { 1, 500000000 }, " mtime=1.5\n" },
		{ { -1, 500000000 }, " mtime=-0.5\n" },
		{ { -2, 499999999 }, " mtime=-1.500000001\n" },
		{ { -3, 0 }, " mtime=-3\n" },
		{ { 99999999999, 1 }, " mtime=99999999999.000000001\n" },
		{ { 100, 0 }, " mtime=100\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct export_item item = an_item("f");
		struct pax_entry p = { .item = &item, .path = "f", .type = '0' };
		struct buffer b = { .data = NULL };
		struct foreign_entry entry;
		struct foreign *f;
		int fd;

		item.node.mtime = item.node.atime = item.node.ctime = times[i].t;
		item.node.btime = times[i].t;
		item.node.has_btime = true;
		put(&b, &p);
		assert_true(holds(&b, times[i].text));
		entry = first_of(&b, &f, &fd);
		assert_int_equal(entry.mtime.seconds, times[i].t.seconds);
		assert_int_equal(entry.mtime.ns, times[i].t.ns);
		assert_int_equal(entry.ctime.seconds, times[i].t.seconds);
		assert_int_equal(entry.atime.ns, times[i].t.ns);
		assert_true(entry.has_btime);
		assert_int_equal(entry.btime.ns, times[i].t.ns);
		foreign_close(f);
		close(fd);
	}
}

static void names_of_any_bytes_and_length_come_back(void **state)
{
	char longest[5000];
	const char *names[] = { "a", "\xff\xfe", "e\xcc\x81", "new\nline", "\xe5\x91\x98", longest };

	(void)state;
	memset(longest, 'd', sizeof longest);
	for (size_t i = 200; i < sizeof longest; i += 200)
		longest[i] = '/';
	longest[sizeof longest - 1] = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct export_item item = an_item(names[i]);
		struct pax_entry p = { .item = &item, .path = names[i], .type = '2',
				       .link = names[sizeof names / sizeof *names - 1 - i] };
		struct buffer b = { .data = NULL };
		struct foreign_entry entry;
		struct foreign *f;
		int fd;

		snprintf(item.owner, sizeof item.owner, "%.100s", names[i]);
		put(&b, &p);
		entry = first_of(&b, &f, &fd);
		assert_string_equal(entry.path, names[i]);
		assert_string_equal(entry.symlink, p.link);
		assert_string_equal(entry.uname, item.owner);
		assert_null(entry.problem);
		foreign_close(f);
		close(fd);
	}
}

static void numbers_past_the_octal_fields_come_back(void **state)
{
	struct export_item item = an_item("dev");
	struct pax_entry p = { .item = &item, .path = "dev", .type = '3' };
	struct buffer b = { .data = NULL };
	struct foreign_entry entry;
	struct foreign *f;
	int fd;

	(void)state;
	item.node.kind = NODE_CHAR;
	item.node.uid = UINT32_MAX - 1;
	item.node.gid = 3000000000u;
	item.node.mode = 07777;
	item.node.rdev_major = 4095;
	item.node.rdev_minor = 1048575;
	put(&b, &p);
	entry = first_of(&b, &f, &fd);
	assert_int_equal(entry.kind, NODE_CHAR);
	assert_int_equal(entry.uid, UINT32_MAX - 1);
	assert_int_equal(entry.gid, 3000000000u);
	assert_int_equal(entry.mode, 07777);
	assert_int_equal(entry.rdev_major, 4095);
	assert_int_equal(entry.rdev_minor, 1048575);
	foreign_close(f);
	close(fd);
}

static void attributes_come_back_byte_for_byte(void **state)
{
	static const uint8_t acl[] = {
		2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 5, 0, 0xe8, 3, 0, 0,
		4, 0, 5, 0, 255, 255, 255, 255, 16, 0, 5, 0, 255, 255, 255, 255,
		32, 0, 1, 0, 255, 255, 255, 255,
	};
	static const uint8_t binary[] = { 0, '\n', 255, '=' };
	struct xattr list[] = {
		{ "user.binary", binary, sizeof binary },
		{ "user.odd=name", binary, sizeof binary },
		{ "user.empty", binary, 0 },
		{ "security.capability", binary, sizeof binary },
		{ "system.posix_acl_access", acl, sizeof acl },
	};
	struct export_item item = an_item("f");
	struct pax_entry p = { .item = &item, .path = "f", .type = '0' };
	struct buffer b = { .data = NULL };
	struct err e = ERR_NONE;
	struct foreign_entry entry;
	struct foreign *f;
	int fd;

	(void)state;
	item.node.mode = 0751;
	assert_int_equal(xattrs_pack(list, 5, &item.xattrs, &item.xattrs_size, &e), 0);
	put(&b, &p);
	entry = first_of(&b, &f, &fd);
	assert_int_equal(entry.xattrs_size, item.xattrs_size);
	assert_memory_equal(entry.xattrs, item.xattrs, item.xattrs_size);
	assert_int_equal(entry.mode, 0751);
	foreign_close(f);
	close(fd);
	free(item.xattrs);
}

static void a_map_of_holes_comes_back(void **state)
{
	struct export_item item = an_item("s");
	struct pax_entry p = { .item = &item, .path = "s", .type = '0', .is_sparse = true };
	struct export_hole_map map = { .count = 2000 };
	struct buffer b = { .data = NULL }, text = { .data = NULL };
	struct foreign_entry entry;
	struct foreign_run run;
	struct err e = ERR_NONE;
	struct foreign *f;
	bool is_end = false;
	size_t n = 0;
	int fd;

	(void)state;
	map.runs = calloc(map.count, sizeof *map.runs);
	assert_non_null(map.runs);
	for (size_t i = 0; i < map.count; i++) {
		map.runs[i].offset = (uint64_t)i * 8192 + 4096;
		map.runs[i].size = 512;
	}
	map.bytes = map.count * 512;
	item.node.size = 1ull << 40;
	pax_put_map(&text, &map, item.node.size);
	assert_int_equal(text.size % PAX_BLOCK, 0);
	p.stored = text.size + map.bytes;
	put(&b, &p);
	buffer_append(&b, text.data, text.size);
	for (size_t i = 0; i < map.count; i++) {
		char block[512];

		memset(block, (int)i | 1, sizeof block);
		buffer_append(&b, block, sizeof block);
	}
	entry = first_of(&b, &f, &fd);
	assert_string_equal(entry.path, "s");
	assert_int_equal(entry.size, 1ull << 40);
	while (foreign_data(f, &run, &is_end, &e) == 0 && !is_end) {
		assert_int_equal(run.offset, map.runs[n].offset);
		assert_int_equal(run.size, 512);
		n++;
	}
	assert_true(is_end);
	assert_int_equal(n, map.count);
	foreign_close(f);
	close(fd);
	free(map.runs);
	buffer_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_written_as_the_number_that_it_is),
		cmocka_unit_test(names_of_any_bytes_and_length_come_back),
		cmocka_unit_test(numbers_past_the_octal_fields_come_back),
		cmocka_unit_test(attributes_come_back_byte_for_byte),
		cmocka_unit_test(a_map_of_holes_comes_back),
	};

	sample_begin();
	return cmocka_run_group_tests_name("export pax", tests, NULL, NULL);
}

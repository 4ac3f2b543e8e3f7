/* What a tar carries beside bytes, and what hostile ones claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/store/xattrs.h"
#include "fs/vault/foreign.h"
#include "tests/unit/vault/samples.h"

/* An archive under way; the tests look at one entry after the other. */
struct walk {
	int fd;
	struct foreign *f;
	struct foreign_entry entry;
	bool is_end;
	struct err e;
};

static struct walk walk_begin(struct buffer *b)
{
	const struct foreign_options none = { .name_encoding = NULL };
	struct walk w = { .fd = sample_fd(b->data, b->size) };

	buffer_free(b);
	if (foreign_open(w.fd, "sample.tar", &none, &w.f, &w.e) < 0)
		fail_msg("%s", w.e.text);
	return w;
}

static int walk_next(struct walk *w)
{
	return foreign_next(w->f, &w->entry, &w->is_end, &w->e);
}

static void walk_end(struct walk *w)
{
	foreign_close(w->f);
	close(w->fd);
}

/* Reads the present entry's data; -1 if it failed.  *bytes: data, holes not. */
static int walk_data(struct walk *w, uint64_t *bytes, uint64_t *size)
{
	struct foreign_run run;
	bool is_end = false;
	int rc;

	*bytes = 0;
	while ((rc = foreign_data(w->f, &run, &is_end, &w->e)) == 0 && !is_end)
		*bytes += run.size;
	*size = run.offset;
	return rc;
}

static void expect_xattr(const struct foreign_entry *entry, const char *name,
			 const void *value, size_t size)
{
	struct err e = ERR_NONE;
	struct xattr x;

	assert_non_null(entry->xattrs);
	assert_int_equal(xattrs_find(entry->xattrs, entry->xattrs_size, name, &x, &e), 0);
	assert_int_equal(x.size, size);
	assert_memory_equal(x.value, value, size);
}

static void names_are_bytes_not_text(void **state)
{
	static const char *const names[] = {
		"e\xcc\x81.txt",		/* decomposed: no normal form is forced on it */
		"\xc3\xa9.txt",
		"\xb9\xa4\xd7\xca.csv",		/* GB18030 */
		"/etc/passwd", "../../up", "a/./b//c", "back\\slash", "new\nline",
		"\xed\xa0\x80",			/* a lone surrogate */
	};
	struct buffer b = { .data = NULL };
	struct walk w;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct buffer records = { .data = NULL };

		sample_pax_text(&records, "path", names[i]);
		sample_pax_header(&b, &records);
		sample_tar_header(&b, "short", '0', 0);
	}
	sample_tar_end(&b);
	w = walk_begin(&b);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(walk_next(&w), 0);
		assert_string_equal(w.entry.path, names[i]);
		assert_null(w.entry.problem);
		assert_null(w.entry.remark);
	}
	assert_int_equal(walk_next(&w), 0);
	assert_true(w.is_end);
	walk_end(&w);
}

static void times_before_1970_keep_their_fraction(void **state)
{
	static const struct {
		const char *text;
		struct stamp want;
	} times[] = {
		{ "-0.5", { -1, 500000000 } },
		{ "-1.500000001", { -2, 499999999 } },
		{ "-3", { -3, 0 } },
		{ "0.000000001", { 0, 1 } },
		{ "5000000000.123456789", { 5000000000, 123456789 } },
		{ "12345678901.5", { 12345678901, 500000000 } },
	};
	struct buffer b = { .data = NULL };
	struct walk w;

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct buffer records = { .data = NULL };

		sample_pax_text(&records, "mtime", times[i].text);
		sample_pax_text(&records, "atime", times[i].text);
		sample_pax_header(&b, &records);
		sample_tar_header(&b, "f", '0', 0);
	}
	sample_tar_end(&b);
	w = walk_begin(&b);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		assert_int_equal(walk_next(&w), 0);
		assert_true(w.entry.has_mtime && w.entry.has_atime && !w.entry.has_ctime);
		assert_int_equal(w.entry.mtime.seconds, times[i].want.seconds);
		assert_int_equal(w.entry.mtime.ns, times[i].want.ns);
		assert_int_equal(w.entry.atime.seconds, times[i].want.seconds);
	}
	walk_end(&w);
}

static void attributes_and_access_lists_arrive_in_the_kernels_bytes(void **state)
{
	static const uint8_t binary[] = { 0, 255, '\n', '=', 0 };
	static const uint8_t acl[] = {
		2, 0, 0, 0,
		1, 0, 6, 0, 255, 255, 255, 255,		/* user::rw- */
		2, 0, 4, 0, 0xd2, 0x04, 0, 0,		/* user:1234:r-- */
		2, 0, 6, 0, 0x39, 0x30, 0, 0,		/* user:12345:rw- */
		4, 0, 4, 0, 255, 255, 255, 255,		/* group::r-- */
		16, 0, 6, 0, 255, 255, 255, 255,	/* mask::rw- */
		32, 0, 0, 0, 255, 255, 255, 255,	/* other::--- */
	};
	struct buffer b = { .data = NULL }, records = { .data = NULL };
	struct walk w;

	(void)state;
	sample_pax_record(&records, "SCHILY.xattr.user.binary", binary, sizeof binary);
	sample_pax_text(&records, "SCHILY.xattr.user.empty", "");
	sample_pax_text(&records, "uname", "mei");
	sample_pax_text(&records, "uid", "1234");
	/* "mei" only by name: the archive itself says that she is 1234. */
	sample_pax_text(&records, "SCHILY.acl.access", "user::rw-,user:12345:rw-,"
			"user:mei:r--,group::r--,mask::rw-,other::---");
	sample_pax_header(&b, &records);
	sample_tar_header(&b, "f", '0', 0);
	sample_tar_end(&b);
	w = walk_begin(&b);
	assert_int_equal(walk_next(&w), 0);
	assert_int_equal(w.entry.uid, 1234);
	assert_string_equal(w.entry.uname, "mei");
	assert_int_equal(w.entry.mode, 0660);	/* the mask stands in the group's place */
	expect_xattr(&w.entry, "user.binary", binary, sizeof binary);
	expect_xattr(&w.entry, "user.empty", "", 0);
	expect_xattr(&w.entry, "system.posix_acl_access", acl, sizeof acl);
	assert_null(w.entry.remark);
	walk_end(&w);
}

static void an_access_list_that_cannot_be_kept_is_remarked_on(void **state)
{
	struct buffer b = { .data = NULL }, records = { .data = NULL };
	struct walk w;

	(void)state;
	sample_pax_text(&records, "SCHILY.acl.access", "user::rw-,user:no-such-person-here:r--,"
			"group::r--,mask::r--,other::---");
	sample_pax_header(&b, &records);
	sample_tar_header(&b, "f", '0', 0);
	sample_tar_end(&b);
	w = walk_begin(&b);
	assert_int_equal(walk_next(&w), 0);
	assert_non_null(w.entry.remark);
	assert_non_null(strstr(w.entry.remark, "no-such-person-here"));
	assert_null(w.entry.problem);
	walk_end(&w);
}

/* ---- holes ------------------------------------------------------------------------ */

struct map_row {
	uint64_t offset, size;
};

/* GNU's sparse format 1.0: the map, padded, in front of the data. */
static struct buffer sparse_tar(uint64_t real, const struct map_row *map, size_t count,
				size_t stored)
{
	struct buffer b = { .data = NULL }, records = { .data = NULL };
	static const char data[4096] = { 1 };
	char text[512] = { 0 }, number[32];
	size_t used = 0;

	snprintf(number, sizeof number, "%llu", (unsigned long long)real);
	sample_pax_text(&records, "GNU.sparse.major", "1");
	sample_pax_text(&records, "GNU.sparse.minor", "0");
	sample_pax_text(&records, "GNU.sparse.name", "sparse");
	sample_pax_text(&records, "GNU.sparse.realsize", number);
	sample_pax_header(&b, &records);
	used += (size_t)snprintf(text, sizeof text, "%zu\n", count);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%llu\n%llu\n",
					 (unsigned long long)map[i].offset,
					 (unsigned long long)map[i].size);
	sample_tar_header(&b, "GNUSparseFile.0/sparse", '0', sizeof text + stored);
	buffer_append(&b, text, sizeof text);
	sample_tar_data(&b, data, stored);
	sample_tar_header(&b, "after", '0', 0);
	sample_tar_end(&b);
	return b;
}

static void holes_stay_holes(void **state)
{
	static const struct map_row map[] = { { 1 << 20, 1024 }, { 1ull << 40, 1024 } };
	struct buffer b = sparse_tar((1ull << 40) + 5000, map, 2, 2048);
	struct walk w = walk_begin(&b);
	uint64_t bytes, size;

	(void)state;
	assert_int_equal(walk_next(&w), 0);
	assert_string_equal(w.entry.path, "sparse");
	assert_int_equal(w.entry.size, (1ull << 40) + 5000);
	assert_int_equal(walk_data(&w, &bytes, &size), 0);
	assert_int_equal(bytes, 2048);
	assert_int_equal(size, (1ull << 40) + 5000);
	walk_end(&w);
}

static void a_map_of_holes_that_lies_fails_its_entry_and_the_next_is_read(void **state)
{
	static const struct {
		uint64_t real;
		struct map_row map[2];
	} bad[] = {
		{ 8192, { { 4096, 1024 }, { 1024, 1024 } } },	/* goes back */
		{ 8192, { { 1024, 1024 }, { 1536, 1024 } } },	/* overlaps */
		{ 3000, { { 1024, 1024 }, { 4096, 1024 } } },	/* past the end */
		{ 8192, { { 1024, 1024 }, { 2048, 4096 } } },	/* more than is there */
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct buffer b = sparse_tar(bad[i].real, bad[i].map, 2, 2048);
		struct walk w = walk_begin(&b);
		uint64_t bytes, size;

		assert_int_equal(walk_next(&w), 0);
		assert_int_equal(walk_data(&w, &bytes, &size), -1);
		assert_int_equal(w.e.code, MUNI_DAMAGED);
		assert_false(foreign_is_over(w.f));
		assert_int_equal(walk_next(&w), 0);
		assert_string_equal(w.entry.path, "after");
		walk_end(&w);
	}
}

/* ---- links, kinds, the end ------------------------------------------------------------ */

static void links_and_devices_are_told_apart(void **state)
{
	struct buffer b = { .data = NULL };
	struct walk w;

	(void)state;
	sample_tar_header(&b, "file", '0', 3);
	sample_tar_data(&b, "abc", 3);
	sample_tar_header(&b, "hard", '1', 0);
	memcpy(b.data + b.size - 512 + 157, "file", 4);
	/* the checksum counts the link's name */
	b.data[b.size - 512 + 148] = 0;
	{
		unsigned sum = 8 * ' ';
		uint8_t *h = b.data + b.size - 512;

		for (int i = 0; i < 512; i++)
			sum += i >= 148 && i < 156 ? 0 : h[i];
		snprintf((char *)h + 148, 8, "%06o", sum);
	}
	sample_tar_header(&b, "fifo", '6', 0);
	sample_tar_end(&b);
	w = walk_begin(&b);
	assert_int_equal(walk_next(&w), 0);
	assert_int_equal(w.entry.kind, NODE_FILE);
	assert_true(w.entry.has_data && w.entry.has_size && w.entry.size == 3);
	assert_int_equal(walk_next(&w), 0);	/* its data unread: skipped */
	assert_string_equal(w.entry.hardlink, "file");
	assert_false(w.entry.has_data);
	assert_int_equal(walk_next(&w), 0);
	assert_int_equal(w.entry.kind, NODE_FIFO);
	assert_int_equal(walk_next(&w), 0);
	assert_true(w.is_end);
	assert_int_equal(walk_next(&w), 0);	/* and stays at the end */
	assert_true(w.is_end);
	walk_end(&w);
}

static void what_follows_the_end_is_noticed(void **state)
{
	struct buffer b = { .data = NULL };
	struct walk w;

	(void)state;
	sample_tar_header(&b, "f", '0', 0);
	sample_tar_end(&b);
	sample_tar_data(&b, "no archive", 10);
	w = walk_begin(&b);
	assert_int_equal(walk_next(&w), 0);
	assert_int_equal(walk_next(&w), 0);
	assert_true(w.is_end);
	assert_non_null(foreign_notice(w.f, 0));
	assert_null(foreign_notice(w.f, 1));
	walk_end(&w);
}

static void another_archive_behind_the_end_is_no_end(void **state)
{
	struct buffer b = { .data = NULL };
	struct walk w;

	(void)state;
	sample_tar_header(&b, "f", '0', 0);
	sample_tar_end(&b);
	sample_tar_header(&b, "second archive", '0', 0);
	sample_tar_end(&b);
	w = walk_begin(&b);
	assert_int_equal(walk_next(&w), 0);
	assert_int_equal(walk_next(&w), -1);
	assert_int_equal(w.e.code, MUNI_DAMAGED);
	assert_true(foreign_is_over(w.f));
	assert_non_null(strstr(w.e.text, "begins at byte 1536"));
	walk_end(&w);
}

static void an_archive_without_its_end_mark_is_not_whole(void **state)
{
	static const char zeros[2048];
	struct buffer b = { .data = NULL };
	struct walk w;

	(void)state;
	/* The content's own zeros are not the mark. */
	sample_tar_header(&b, "zeros", '0', sizeof zeros);
	sample_tar_data(&b, zeros, sizeof zeros);
	w = walk_begin(&b);
	assert_int_equal(walk_next(&w), 0);
	assert_int_equal(walk_next(&w), -1);
	assert_int_equal(w.e.code, MUNI_DAMAGED);
	assert_true(foreign_is_over(w.f));
	assert_int_equal(walk_next(&w), -1);
	walk_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_bytes_not_text),
		cmocka_unit_test(times_before_1970_keep_their_fraction),
		cmocka_unit_test(attributes_and_access_lists_arrive_in_the_kernels_bytes),
		cmocka_unit_test(an_access_list_that_cannot_be_kept_is_remarked_on),
		cmocka_unit_test(holes_stay_holes),
		cmocka_unit_test(a_map_of_holes_that_lies_fails_its_entry_and_the_next_is_read),
		cmocka_unit_test(links_and_devices_are_told_apart),
		cmocka_unit_test(what_follows_the_end_is_noticed),
		cmocka_unit_test(another_archive_behind_the_end_is_no_end),
		cmocka_unit_test(an_archive_without_its_end_mark_is_not_whole),
	};

	sample_begin();
	return cmocka_run_group_tests_name("foreign tar", tests, NULL, NULL);
}

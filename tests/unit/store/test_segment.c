#include <errno.h>

#include "fs/base/bytes.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/keyed_hash.h"
#include "fs/store/objects.h"
#include "fs/store/segment.h"
#include "tests/unit/store/folder.h"

struct fixture {
	struct folder folder;
	struct objects *objects;
	struct segment_builder *builder;
	struct keyed_hash *sums;
};

static int fixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	assert_non_null(f);
	folder_make(&f->folder);
	assert_int_equal(objects_make_folder(f->folder.fd, &e), 0);
	assert_int_equal(objects_open_folder(f->folder.fd, true, &f->objects, &e), 0);
	assert_int_equal(segment_builder_new(test_archive_id, 1 << 16, &f->builder, &e), 0);
	assert_int_equal(segment_sums_new(&f->sums, &e), 0);
	*state = f;
	return 0;
}

static int fixture_drop(void **state)
{
	struct fixture *f = *state;

	segment_builder_free(f->builder);
	keyed_hash_free(f->sums);
	objects_close(f->objects);
	folder_drop(&f->folder);
	free(f);
	return 0;
}

static int add(struct fixture *f, unsigned n, uint32_t size, uint64_t *offset)
{
	uint8_t *data = malloc(size), uid[16] = { (uint8_t)n }, sum[16];
	struct err e = ERR_NONE;
	int rc;

	assert_non_null(data);
	fill(data, size, n);
	assert_int_equal(segment_sum(f->sums, data, size, sum, &e), 0);
	rc = segment_builder_add(f->builder, uid, data, size, sum, offset, &e);
	if (rc < 0)
		assert_int_equal(e.code, MUNI_LIMIT);
	free(data);
	return rc;
}

/* Three blocks in a segment; its file's name below the folder. */
static struct object_name put(struct fixture *f, char path[80])
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct err e = ERR_NONE;
	uint64_t offset;
	int n = 0;

	memcpy(name.uid, segment_builder_uid(f->builder), 16);
	assert_int_equal(add(f, 1, 100, &offset), 0);
	assert_int_equal(add(f, 2, 1, &offset), 0);
	assert_int_equal(add(f, 3, 200, &offset), 0);
	assert_int_equal(segment_builder_put(f->builder, f->objects, &e), 0);
	n = snprintf(path, 80, "segments/%02x/", name.uid[0]);
	for (int i = 0; i < 16; i++)
		n += snprintf(path + n, 80 - (size_t)n, "%02x", name.uid[i]);
	snprintf(path + n, 80 - (size_t)n, ".seg");
	return name;
}

static void a_segment_lists_its_blocks_in_order(void **state)
{
	struct fixture *f = *state;
	struct segment_entry *entries;
	struct err e = ERR_NONE;
	uint8_t got[200], wanted[200];
	size_t count;
	char path[80];
	struct object_name name = put(f, path);

	assert_int_equal(segment_read_footer(f->objects, &name, test_archive_id, &entries,
					     &count, &e), 0);
	assert_int_equal(count, 3);
	assert_int_equal(entries[0].offset, 64);
	assert_int_equal(entries[1].offset, 164);
	assert_int_equal(entries[2].offset, 165);
	assert_int_equal(entries[2].stored, 200);
	assert_int_equal(entries[2].uid[0], 3);
	fill(wanted, 200, 3);
	assert_int_equal(objects_get(f->objects, &name, entries[2].offset, got, 200, &e), 0);
	assert_memory_equal(got, wanted, 200);
	assert_int_equal(segment_check(f->objects, &name, test_archive_id, &e), 0);
	free(entries);
}

static void a_full_segment_says_so_and_the_next_has_another_name(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint8_t first[16];
	uint64_t offset;

	memcpy(first, segment_builder_uid(f->builder), 16);
	/* An empty builder takes any block. */
	assert_int_equal(add(f, 1, 300000, &offset), 0);
	assert_int_equal(add(f, 2, 1, &offset), -1);
	assert_int_equal(segment_builder_put(f->builder, f->objects, &e), 0);
	assert_memory_not_equal(first, segment_builder_uid(f->builder), 16);
	assert_int_equal(segment_builder_used(f->builder), 0);
	for (unsigned n = 0; n < 6; n++)
		assert_int_equal(add(f, n, 10000, &offset), 0);
	assert_int_equal(add(f, 7, 10000, &offset), -1);
}

static void every_flipped_bit_is_found_without_a_key(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char path[80];
	struct object_name name = put(f, path);
	off_t size = folder_size(&f->folder, path);

	for (off_t at = 0; at < size; at++) {
		folder_flip(&f->folder, path, at, (unsigned)at % 8);
		assert_int_equal(segment_check(f->objects, &name, test_archive_id, &e), -1);
		assert_true(e.code == MUNI_DAMAGED);
		folder_flip(&f->folder, path, at, (unsigned)at % 8);
	}
	assert_int_equal(segment_check(f->objects, &name, test_archive_id, &e), 0);
}

static void every_truncation_is_found(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char path[80];
	struct object_name name = put(f, path);

	for (off_t size = folder_size(&f->folder, path) - 1; size >= 0; size -= 7) {
		folder_truncate(&f->folder, path, size);
		assert_int_equal(segment_check(f->objects, &name, test_archive_id, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
	}
}

static void a_segment_is_none_of_another_archive_or_name(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char path[80];
	struct object_name name = put(f, path);

	assert_int_equal(segment_check(f->objects, &name,
				       (const uint8_t *)"another-archive!", &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	memset(&name.uid, 0, sizeof name.uid);
	/* One name of 256 has made it already. */
	assert_true(mkdirat(f->folder.fd, "segments/00", 0700) == 0 || errno == EEXIST);
	assert_int_equal(renameat(f->folder.fd, path, f->folder.fd,
		"segments/00/00000000000000000000000000000000.seg"), 0);
	assert_int_equal(segment_check(f->objects, &name, test_archive_id, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

static void put_digest(struct writer *w, const void *of, size_t size)
{
	struct digest d = digest_of(of, size);

	writer_bytes(w, d.bytes, 16);
}

/* One block of `stored` bytes, as docs/format.md has it for format 1. */
static size_t old_segment(const uint8_t uid[16], size_t stored, uint8_t out[1024])
{
	struct writer w = writer_over(out, 1024);
	uint8_t ends[64 + 44];
	size_t footer, tail;

	writer_bytes(&w, "MUNISEGM", 8);
	writer_u32(&w, 1);
	writer_u32(&w, 0);
	writer_bytes(&w, test_archive_id, 16);
	writer_bytes(&w, uid, 16);
	put_digest(&w, out, 48);
	fill(out + w.used, stored, 5);
	w.used += stored;
	footer = w.used;
	writer_bytes(&w, "a block's own id", 16);
	writer_u64(&w, 64);
	writer_u32(&w, (uint32_t)stored);
	put_digest(&w, out + 64, stored);
	tail = w.used;
	writer_bytes(&w, "MUNISEGT", 8);
	writer_u32(&w, 1);
	writer_u32(&w, 1);
	writer_u64(&w, footer);
	writer_u64(&w, tail + 64);
	memcpy(ends, out, 64);
	memcpy(ends + 64, out + footer, 44);
	put_digest(&w, ends, sizeof ends);
	put_digest(&w, out + tail, 48);
	assert_false(w.overflow);
	return w.used;
}

static void a_segment_of_format_1_is_checked_by_its_digests(void **state)
{
	struct fixture *f = *state;
	struct object_name name = { .kind = OBJECTS_SEGMENT, .uid = { 1 } };
	uint8_t raw[1024];
	struct iovec part = { raw, old_segment(name.uid, 300, raw) };
	struct err e = ERR_NONE;
	const char *path = "segments/01/01000000000000000000000000000000.seg";

	assert_int_equal(objects_put(f->objects, &name, &part, 1, &e), 0);
	assert_int_equal(segment_check(f->objects, &name, test_archive_id, &e), 0);
	for (off_t at = 0; at < (off_t)part.iov_len; at++) {
		folder_flip(&f->folder, path, at, (unsigned)at % 8);
		assert_int_equal(segment_check(f->objects, &name, test_archive_id, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		folder_flip(&f->folder, path, at, (unsigned)at % 8);
	}
}

/* Made with another program's AES-256-GCM, from what docs/format.md says. */
static void a_blocks_sum_is_the_tag_that_anybody_can_make(void **state)
{
	static const uint8_t wanted[16] = {
		0xba, 0xa7, 0x8c, 0x95, 0x1e, 0x5b, 0x18, 0x5f,
		0xd9, 0x7e, 0x1e, 0xec, 0x3d, 0x42, 0xff, 0x96,
	};
	struct fixture *f = *state;
	uint8_t data[40], sum[16];
	struct err e = ERR_NONE;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)i;
	assert_int_equal(segment_sum(f->sums, data, sizeof data, sum, &e), 0);
	assert_memory_equal(sum, wanted, sizeof sum);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_drop)
	const struct CMUnitTest tests[] = {
		T(a_segment_lists_its_blocks_in_order),
		T(a_full_segment_says_so_and_the_next_has_another_name),
		T(every_flipped_bit_is_found_without_a_key),
		T(every_truncation_is_found),
		T(a_segment_is_none_of_another_archive_or_name),
		T(a_segment_of_format_1_is_checked_by_its_digests),
		T(a_blocks_sum_is_the_tag_that_anybody_can_make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

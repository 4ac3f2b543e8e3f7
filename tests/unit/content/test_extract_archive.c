/* Members of archives, packed files, and what is said where they cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/content/documents.h"
#include "tests/unit/content/examined.h"

static const char text[] = "token TKN-4711 of a text\n";
static const struct sample_file two[] = {
	{ "a.txt", text, sizeof text - 1 },
	{ "b/c.txt", "nothing here\n", 13 },
};

static const struct finding *look(void **state, const char *name, const struct buffer *b)
{
	return examined(*state, name, b->data, b->size);
}

static const char *opaque(void **state)
{
	return ((struct bench *)*state)->seen.opaque;
}

static void assert_said(void **state, const char *what)
{
	if (!strstr(opaque(state), what))
		fail_msg("\"%s\" does not say \"%s\"", opaque(state), what);
}

static void assert_found_whole(void **state, const char *name, struct buffer *b, uint64_t count,
			       const char *where)
{
	const struct finding *f = look(state, name, b);

	if (!f)
		fail_msg("nothing found in %s (\"%s\")", name, opaque(state));
	assert_int_equal(f->count, count);
	assert_string_equal(f->where, where);
	assert_string_equal(opaque(state), "");
	buffer_free(b);
}

static void every_kind_of_archive_is_looked_into(void **state)
{
	static const struct {
		const char *format, *filter;
	} kinds[] = {
		{ "zip", NULL }, { "7zip", NULL }, { "pax", NULL }, { "gnutar", NULL },
		{ "ustar", "gzip" }, { "ustar", "bzip2" }, { "ustar", "xz" }, { "ustar", "zstd" },
		{ "ustar", "lz4" }, { "ustar", "compress" }, { "ustar", "lzip" }, { "newc", NULL },
		{ "odc", "gzip" }, { "bin", NULL }, { "iso9660", NULL }, { "xar", NULL },
		{ "warc", NULL },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct buffer b = sample_make(kinds[i].format, kinds[i].filter, NULL, two, 2);
		const struct finding *f = look(state, "an archive", &b);

		if (!f || f->count != 1)
			fail_msg("%s %s: %s", kinds[i].format,
				 kinds[i].filter ? kinds[i].filter : "", opaque(state));
		assert_string_equal(opaque(state), "");
		buffer_free(&b);
	}
}

static void archives_of_old_systems_are_looked_into(void **state)
{
	struct buffer lha = sample_lha(two, 2), cab = sample_cab(two, 2);

	assert_found_whole(state, "a.lzh", &lha, 1, "a.txt: line 1");
	assert_found_whole(state, "a.cab", &cab, 1, "a.txt: line 1");
}

static void a_packed_file_bears_the_name_it_was_packed_under(void **state)
{
	static const char *const filters[] = { "gzip", "bzip2", "xz", "zstd", "lz4", "compress",
					       "lzip", "lzma" };

	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
		struct buffer b = sample_make("raw", filters[i], NULL, two, 1);

		assert_found_whole(state, "in/a.txt.packed", &b, 1, "a.txt: line 1");
	}
}

static void two_gzips_in_one_file_are_both_read(void **state)
{
	struct buffer b = sample_make("raw", "gzip", NULL, two, 1);
	struct buffer again = sample_make("raw", "gzip", NULL, two, 1);

	buffer_append(&b, again.data, again.size);
	buffer_free(&again);
	assert_found_whole(state, "a.txt.gz", &b, 2, "a.txt: line 1; a.txt: line 2");
}

static void what_follows_a_gzip_is_said(void **state)
{
	struct buffer b = sample_make("raw", "gzip", NULL, two, 1);

	buffer_append(&b, "password", 8);
	assert_non_null(look(state, "a.gz", &b));
	assert_said(state, "follow the end");
	buffer_free(&b);
}

static void encrypted_members_are_said_by_name_and_the_others_read(void **state)
{
	static const struct sample_file clear[] = { { "open.txt", text, sizeof text - 1 } };
	struct buffer b = sample_make("zip", NULL, "zip:encryption=traditional", two, 1);
	struct buffer plain = sample_make("zip", NULL, NULL, clear, 1);

	assert_null(look(state, "a.zip", &b));
	assert_string_equal(opaque(state), "member a.txt is encrypted");
	assert_found_whole(state, "b.zip", &plain, 1, "open.txt: line 1");
	buffer_free(&b);
}

static void a_flipped_bit_is_said(void **state)
{
	/* The last byte of the packed text's CRC-32. */
	struct buffer gzip = sample_make("raw", "gzip", NULL, two, 1);
	struct buffer zip = sample_make("zip", NULL, "zip:compression=store", two, 2);
	uint8_t *at = memmem(zip.data, zip.size, "TKN", 3);

	gzip.data[gzip.size - 5] ^= 1;
	assert_non_null(look(state, "a.gz", &gzip));
	assert_said(state, "damaged");
	assert_non_null(at);
	at[-1] ^= 1;	/* of "token " */
	assert_non_null(look(state, "a.zip", &zip));
	assert_said(state, "member a.txt could not be read: ZIP bad CRC");
	buffer_free(&gzip);
	buffer_free(&zip);
}

static void one_damaged_member_does_not_cost_the_others(void **state)
{
	static const char noise[] = "qwertyuiopasdfghjklzxcvbnmqwertyuioplkjhgfdsazxcvbnm";
	static const struct sample_file three[] = {
		{ "bad.txt", noise, sizeof noise - 1 },
		{ "good.txt", text, sizeof text - 1 },
		{ "late.txt", text, sizeof text - 1 },
	};
	struct buffer b = sample_make("zip", NULL, "zip:compression=deflate", three, 3);
	const struct finding *f;

	/* Its packed bytes, behind the header, the name and what else it says. */
	memset(b.data + 30 + (b.data[26] | b.data[27] << 8) + (b.data[28] | b.data[29] << 8), 0xff,
	       12);
	f = look(state, "a.zip", &b);
	assert_non_null(f);
	assert_int_equal(f->count, 2);
	assert_said(state, "member bad.txt could not be read");
	buffer_free(&b);
}

static void a_zip_without_its_directory_is_read_from_the_front(void **state)
{
	struct buffer b = sample_make("zip", NULL, NULL, two, 2);
	uint8_t *directory = memmem(b.data, b.size, "PK\1\2", 4);

	assert_non_null(directory);
	b.size = (size_t)(directory - b.data);
	assert_non_null(look(state, "a.zip", &b));
	assert_said(state, "Truncated");
	buffer_free(&b);
}

static void a_tar_that_stops_between_two_members_is_said(void **state)
{
	struct buffer b = sample_make("ustar", NULL, NULL, two, 2);

	b.size = 1024;	/* a.txt, whole */
	assert_non_null(look(state, "a.tar", &b));
	assert_said(state, "without the mark of its end");
	buffer_free(&b);
}

static void one_tar_behind_another_is_read_too(void **state)
{
	struct buffer b = sample_make("ustar", NULL, NULL, two + 1, 1);
	struct buffer second = sample_make("ustar", NULL, NULL, two, 1);

	buffer_append(&b, second.data, second.size);
	buffer_free(&second);
	assert_found_whole(state, "a.tar", &b, 1, "a.txt: line 1");
}

static void what_was_packed_before_the_cut_is_looked_at(void **state)
{
	static char large[1 << 20];
	const struct sample_file file = { "large.txt", large, sizeof large };
	struct buffer b;

	/* Hardly to be packed, so that half the bytes hold half the text. */
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (char)(' ' + (i * 2654435761u >> 13) % 90);
	memcpy(large + 100, " token TKN-4711 ", 16);
	b = sample_make("raw", "gzip", NULL, &file, 1);
	b.size /= 2;
	assert_non_null(look(state, "large.gz", &b));
	assert_said(state, "cut off");
	buffer_free(&b);
	b = sample_make("zip", NULL, NULL, &file, 1);
	b.size /= 2;
	assert_non_null(look(state, "large.zip", &b));
	assert_said(state, "could not be read");
	buffer_free(&b);
}

static void holes_of_a_sparse_member_are_zeros(void **state)
{
	/* A GNU sparse member: 4 KiB of hole, then the text. */
	struct buffer b = { .data = NULL };
	char block[512] = { 0 };
	unsigned sum = 0;

	snprintf(block, 100, "sparse.txt");
	snprintf(block + 100, 8, "%07o", 0644);
	snprintf(block + 124, 12, "%011o", (unsigned)sizeof text - 1);
	block[156] = 'S';
	memcpy(block + 257, "ustar  ", 8);
	snprintf(block + 386, 12, "%011o", 4096);
	snprintf(block + 398, 12, "%011o", (unsigned)sizeof text - 1);
	snprintf(block + 483, 12, "%011o", 4096 + (unsigned)sizeof text - 1);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < sizeof block; i++)
		sum += (uint8_t)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	buffer_append(&b, block, sizeof block);
	sample_tar_data(&b, text, sizeof text - 1);
	sample_tar_end(&b);
	/* Zeros in front of a text make it unknown: what matters is that it was given. */
	look(state, "a.tar", &b);
	assert_null(strstr(opaque(state), "could not be read"));
	buffer_free(&b);
}

static void links_and_folders_are_no_members(void **state)
{
	struct buffer b = { .data = NULL };

	sample_tar_header(&b, "folder/", '5', 0);
	sample_tar_header(&b, "link", '2', 0);
	sample_tar_header(&b, "a.txt", '0', sizeof text - 1);
	sample_tar_data(&b, text, sizeof text - 1);
	sample_tar_end(&b);
	assert_found_whole(state, "a.tar", &b, 1, "a.txt: line 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_archive_is_looked_into),
		cmocka_unit_test(archives_of_old_systems_are_looked_into),
		cmocka_unit_test(a_packed_file_bears_the_name_it_was_packed_under),
		cmocka_unit_test(two_gzips_in_one_file_are_both_read),
		cmocka_unit_test(what_follows_a_gzip_is_said),
		cmocka_unit_test(encrypted_members_are_said_by_name_and_the_others_read),
		cmocka_unit_test(a_flipped_bit_is_said),
		cmocka_unit_test(one_damaged_member_does_not_cost_the_others),
		cmocka_unit_test(a_zip_without_its_directory_is_read_from_the_front),
		cmocka_unit_test(a_tar_that_stops_between_two_members_is_said),
		cmocka_unit_test(one_tar_behind_another_is_read_too),
		cmocka_unit_test(what_was_packed_before_the_cut_is_looked_at),
		cmocka_unit_test(holes_of_a_sparse_member_are_zeros),
		cmocka_unit_test(links_and_folders_are_no_members),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}

/* Archives that others made: every format in, and what must not pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/vault/foreign.h"
#include "tests/unit/vault/samples.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1	/* the allocator is theirs */
#else
#define IS_SANITIZED 0
#endif

/* What came out of an archive, as one comparable number, and how it ended. */
struct outcome {
	bool opened, is_whole;
	unsigned entries, failed, problems;
	uint64_t bytes, digest;
	char kind[64];
	struct err error;	/* of open or next */
	struct err entry_error;	/* of the last entry that failed */
	char problem[200];
	unsigned notices;
};

static uint64_t mix(uint64_t h, const void *data, size_t size)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < size; i++)
		h = (h ^ at[i]) * 1099511628211u;
	return h;
}

static void read_data(struct foreign *f, struct outcome *o)
{
	struct foreign_run run;
	struct err e = ERR_NONE;
	bool is_end = false;
	uint64_t before = 0;
	int rc;

	while ((rc = foreign_data(f, &run, &is_end, &e)) == 0 && !is_end) {
		assert_true(run.size > 0 && run.offset >= before);
		before = run.offset + run.size;
		o->bytes += run.size;
		o->digest = mix(o->digest, &run.offset, sizeof run.offset);
		o->digest = mix(o->digest, run.data, run.size);
	}
	if (rc < 0) {
		o->failed++;
		o->entry_error = e;
		assert_int_not_equal(e.code, MUNI_OK);
	}
}

static struct outcome read_fd(int fd, const struct foreign_options *options)
{
	struct foreign_options none = { .name_encoding = NULL };
	struct outcome o = { .digest = 14695981039346656037u };
	struct foreign *f = NULL;
	struct foreign_entry entry;
	bool is_end = false;

	if (foreign_open(fd, "sample", options ? options : &none, &f, &o.error) < 0) {
		assert_null(f);
		assert_int_not_equal(o.error.code, MUNI_OK);
		return o;
	}
	o.opened = true;
	snprintf(o.kind, sizeof o.kind, "%s", foreign_kind(f));
	while (foreign_next(f, &entry, &is_end, &o.error) == 0 && !is_end) {
		o.entries++;
		o.digest = mix(o.digest, entry.path, entry.path_size);
		if (entry.problem) {
			o.problems++;
			snprintf(o.problem, sizeof o.problem, "%s", entry.problem);
		}
		if (entry.has_data)
			read_data(f, &o);
	}
	o.is_whole = is_end;
	assert_true(foreign_is_over(f));
	while (foreign_notice(f, o.notices))
		o.notices++;
	foreign_close(f);
	return o;
}

static struct outcome read_bytes(const void *data, size_t size,
				 const struct foreign_options *options)
{
	int fd = sample_fd(data, size);
	struct outcome o = read_fd(fd, options);

	close(fd);
	return o;
}

/* Everything came, nothing failed. */
static bool is_good(const struct outcome *o)
{
	return o->is_whole && o->failed == 0 && o->problems == 0;
}

static char content_a[3000], content_b[9000];
static const struct sample_file files[] = {
	{ "a.bin", content_a, sizeof content_a },
	{ "b.txt", content_b, sizeof content_b },
};

static int fill(void **state)
{
	uint32_t x = 20210630;

	(void)state;
	for (size_t i = 0; i < sizeof content_a; i++) {
		x = x * 1664525 + 1013904223;
		content_a[i] = (char)(x >> 24);
	}
	for (size_t i = 0; i < sizeof content_b; i++)
		content_b[i] = "a line of text, not the last\n"[i % 29];
	return 0;
}

/* ---- each format -------------------------------------------------------------- */

static const struct {
	const char *format, *filter, *kind;
	/* Cut between entries it cannot be told from a shorter one, and no checksum. */
	bool has_no_end;
} kinds[] = {
	{ "pax", NULL, "tar", false },
	{ "ustar", NULL, "tar", false },
	{ "gnutar", NULL, "tar", false },
	{ "v7tar", NULL, "tar", false },
	{ "zip", NULL, "zip", false },
	{ "7zip", NULL, "7z", false },
	{ "iso9660", NULL, "iso9660", false },
	{ "newc", NULL, "cpio", false },
	{ "odc", NULL, "cpio", false },
	{ "arbsd", NULL, "ar", true },
	{ "argnu", NULL, "ar", true },
	{ "xar", NULL, "xar", false },
	{ "warc", NULL, "warc", true },
	{ "pax", "gzip", "tar+gzip", false },
	{ "pax", "bzip2", "tar+bzip2", false },
	{ "pax", "xz", "tar+xz", false },
	{ "pax", "lzma", "tar+lzma", false },
	{ "pax", "zstd", "tar+zstd", false },
	{ "pax", "lz4", "tar+lz4", false },
	{ "pax", "compress", "tar+compress", false },
	{ "newc", "gzip", "cpio+gzip", false },
	{ "lha", NULL, "lha", false },
	{ "cab", NULL, "cab", false },
};

static struct buffer make_kind(size_t i)
{
	if (!strcmp(kinds[i].format, "lha"))
		return sample_lha(files, 2);
	if (!strcmp(kinds[i].format, "cab"))
		return sample_cab(files, 2);
	return sample_make(kinds[i].format, kinds[i].filter, NULL, files, 2);
}

static void every_format_comes_back_byte_for_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct buffer b = make_kind(i);
		struct outcome o = read_bytes(b.data, b.size, NULL);

		if (!is_good(&o) || strcmp(o.kind, kinds[i].kind))
			fail_msg("%s: %s (kind %s, entry: %s)", kinds[i].kind, o.error.text,
				 o.kind, o.entry_error.text);
		assert_int_equal(o.bytes, sizeof content_a + sizeof content_b);
		buffer_free(&b);
	}
}

static void nothing_that_was_cut_off_passes_for_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct buffer b = make_kind(i);
		struct outcome all = read_bytes(b.data, b.size, NULL);
		size_t step = b.size / 61 + 1;

		for (size_t cut = 0; cut < b.size; cut += step) {
			struct outcome o = read_bytes(b.data, cut, NULL);

			if (is_good(&o) && o.digest != all.digest && o.entries > 0 &&
			    !kinds[i].has_no_end)
				fail_msg("%s cut to %zu of %zu bytes passed with %u entries",
					 kinds[i].kind, cut, b.size, o.entries);
			/* Two kinds of empty: libraries without members, tars of zeros. */
			if (is_good(&o) && o.entries == 0 && cut != 8 && cut != 1024)
				fail_msg("%s cut to %zu bytes passed as empty", kinds[i].kind,
					 cut);
		}
		buffer_free(&b);
	}
}

static void every_bit_of_a_gzip_counts(void **state)
{
	struct buffer b = sample_make("pax", "gzip", NULL, files, 2);
	struct outcome all = read_bytes(b.data, b.size, NULL);

	(void)state;
	for (size_t i = 0; i < b.size; i += i < 16 || i + 16 > b.size ? 1 : 17) {
		uint8_t *bytes = b.data;
		struct outcome o;

		bytes[i] ^= (uint8_t)(1u << (i % 8));
		o = read_bytes(bytes, b.size, NULL);
		bytes[i] ^= (uint8_t)(1u << (i % 8));
		/* Date and system of the gzip header say nothing of the content. */
		if (is_good(&o) && (o.digest != all.digest || i > 9))
			fail_msg("a flipped bit in byte %zu of %zu passed", i, b.size);
	}
	buffer_free(&b);
}

/* Seeded: every format, bytes changed anywhere. */
static void damage_never_makes_the_reader_talk_nonsense(void **state)
{
	uint32_t x = 42;

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct buffer b = make_kind(i);

		for (unsigned n = 0; n < 24; n++) {
			uint8_t *copy = malloc(b.size);
			struct outcome o;

			assert_non_null(copy);
			memcpy(copy, b.data, b.size);
			for (unsigned k = 0; k <= n % 3; k++) {
				x = x * 1664525 + 1013904223;
				copy[(x >> 8) % b.size] = (uint8_t)(x >> 3);
				x = x * 1664525 + 1013904223;
				copy[(x >> 8) % (b.size < 2000 ? b.size : 2000)] ^= 0x40;
			}
			o = read_bytes(copy, b.size, NULL);
			if (strstr(o.error.text, "nonsense") ||
			    strstr(o.error.text, "sandbox") || strstr(o.error.text, "signal"))
				fail_msg("%s, round %u: %s", kinds[i].kind, n, o.error.text);
			free(copy);
		}
		buffer_free(&b);
	}
}

static void a_stream_reads_like_a_file(void **state)
{
	struct buffer b = sample_make("pax", "xz", NULL, files, 2);
	struct outcome o;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], b.data, b.size), (ssize_t)b.size);
	close(ends[1]);
	o = read_fd(ends[0], NULL);
	close(ends[0]);
	assert_true(is_good(&o));
	assert_int_equal(o.entries, 2);
	buffer_free(&b);
}

/* ---- refusals -------------------------------------------------------------------- */

static void what_is_no_archive_is_refused_and_the_formats_named(void **state)
{
	static const char text[] = "#mtree\n./passwd type=file contents=/etc/passwd\n";
	static const char rar[] = "Rar!\x1a\x07\x01\x00 and so on, and so on, and so on";
	static const char zeros[40000];
	struct outcome o;

	(void)state;
	o = read_bytes("", 0, NULL);
	assert_int_equal(o.error.code, MUNI_FORMAT);
	o = read_bytes(text, sizeof text - 1, NULL);
	assert_int_equal(o.error.code, MUNI_FORMAT);
	assert_non_null(strstr(o.error.text, "iso9660"));
	o = read_bytes(rar, sizeof rar, NULL);
	assert_int_equal(o.error.code, MUNI_FORMAT);
	assert_non_null(strstr(o.error.text, "RAR"));
	o = read_bytes(zeros, sizeof zeros, NULL);
	assert_int_equal(o.error.code, MUNI_FORMAT);
	o = read_bytes(zeros, 10240, NULL);
	assert_true(o.is_whole && o.notices > 0);	/* tar -cT /dev/null */
}

static void a_single_packed_file_is_taken_only_when_asked_for(void **state)
{
	struct foreign_options raw = { .allow_raw = true };
	struct buffer b = sample_make("raw", "gzip", NULL, files, 1);
	struct outcome o = read_bytes(b.data, b.size, NULL);

	(void)state;
	assert_int_equal(o.error.code, MUNI_FORMAT);
	o = read_bytes(b.data, b.size, &raw);
	assert_true(is_good(&o));
	assert_int_equal(o.bytes, sizeof content_a);
	assert_string_equal(o.kind, "raw+gzip");
	b.data[b.size - 6] ^= 1;	/* the trailer's checksum */
	o = read_bytes(b.data, b.size, &raw);
	assert_false(is_good(&o));
	buffer_free(&b);
	/* raw without a packing is any file at all */
	o = read_bytes(content_a, sizeof content_a, &raw);
	assert_int_equal(o.error.code, MUNI_FORMAT);
}

static void an_encrypted_entry_is_named_and_not_taken_in(void **state)
{
	struct buffer b = sample_make("zip", NULL, "encryption=traditional", files, 2);
	struct outcome o = read_bytes(b.data, b.size, NULL);

	(void)state;
	assert_int_equal(o.entries, 2);
	assert_int_equal(o.problems, 2);
	assert_int_equal(o.bytes, 0);
	assert_non_null(strstr(o.problem, "encrypted"));
	buffer_free(&b);
}

static void a_damaged_entry_of_a_zip_is_the_only_one_that_fails(void **state)
{
	const struct sample_file three[] = {
		{ "first", content_b, sizeof content_b },
		{ "second", content_b, sizeof content_b },
		{ "third", content_b, sizeof content_b },
	};
	struct foreign_options options = { .name_encoding = "GB18030" };
	struct buffer b = sample_make("zip", NULL, NULL, three, 3);
	const uint8_t *name = memmem(b.data, b.size, "second", 6);
	unsigned fatal = 0;

	(void)state;
	assert_non_null(name);
	/* Some places break the deflate stream itself, others only the CRC. */
	for (size_t at = 6 + 28; at < 6 + 28 + 60; at++) {
		uint8_t *byte = b.data + (name - b.data) + at;
		struct outcome o;

		*byte ^= 0xff;
		o = read_bytes(b.data, b.size, &options);
		*byte ^= 0xff;
		if (o.failed == 0)
			continue;	/* hit what nobody reads */
		assert_true(o.is_whole);
		assert_int_equal(o.entries, 3);
		assert_int_equal(o.failed, 1);
		fatal += strstr(o.entry_error.text, "decompression") != NULL;
	}
	assert_true(fatal > 0);
	buffer_free(&b);
}

static void an_unknown_encoding_is_wrong_usage(void **state)
{
	struct foreign_options options = { .name_encoding = "NO-SUCH-THING" };
	struct buffer b = sample_make("zip", NULL, NULL, files, 1);
	struct outcome o = read_bytes(b.data, b.size, &options);

	(void)state;
	assert_int_equal(o.error.code, MUNI_USAGE);
	buffer_free(&b);
}

static void more_than_the_limit_is_refused(void **state)
{
	static char zeros[4 << 20];
	const struct sample_file big = { "zeros", zeros, sizeof zeros };
	struct foreign_options options = { .bomb_limit = 1 << 20 };
	static const struct { const char *format, *filter; } bombs[] = {
		{ "zip", NULL }, { "7zip", NULL }, { "pax", "gzip" }, { "pax", "xz" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
		struct buffer b = sample_make(bombs[i].format, bombs[i].filter, NULL, &big, 1);
		struct outcome o = read_bytes(b.data, b.size, &options);

		assert_false(o.is_whole);
		assert_int_equal(o.error.code, MUNI_LIMIT);
		assert_true(o.bytes <= 2 << 20);
		o = read_bytes(b.data, b.size, NULL);
		assert_true(is_good(&o));
		buffer_free(&b);
	}
}

/* Packed by lzma's own framing, whose head asks for a dictionary of 64 MiB. */
static struct buffer wide(void)
{
	struct buffer b = sample_make("pax", "lzma", NULL, files, 1);

	assert_true(b.size > 13);
	b.data[1] = b.data[2] = b.data[3] = 0;
	b.data[4] = 0x04;
	return b;
}

static void want_of_memory_is_neither_damage_nor_the_machines_where_it_is_ours(void **state)
{
	struct foreign_options little = { .memory = 24u << 20 };
	struct outcome o;
	struct buffer b;
	int status;
	pid_t pid;

	(void)state;
	if (IS_SANITIZED)
		skip();
	b = wide();
	o = read_bytes(b.data, b.size, NULL);
	assert_true(is_good(&o));
	o = read_bytes(b.data, b.size, &little);
	assert_int_equal(o.error.code, MUNI_LIMIT);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* As a machine that has none: addresses alone could be had. */
		const struct rlimit data = { 40u << 20, 40u << 20 };

		if (setrlimit(RLIMIT_DATA, &data) < 0)
			_exit(100);
		o = read_bytes(b.data, b.size, NULL);
		_exit((int)o.error.code);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), MUNI_NO_MEMORY);
	b.data[0] = 0xff;	/* properties that lzma does not have */
	o = read_bytes(b.data, b.size, &little);
	assert_true(o.error.code == MUNI_FORMAT || o.error.code == MUNI_DAMAGED);
	buffer_free(&b);
}

static bool always(void *arg)
{
	(void)arg;
	return true;
}

static void a_silent_stream_can_be_given_up(void **state)
{
	struct foreign_options options = { .is_cancelled = always };
	struct outcome o;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	o = read_fd(ends[0], &options);
	assert_int_equal(o.error.code, MUNI_CANCELLED);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_comes_back_byte_for_byte),
		cmocka_unit_test(nothing_that_was_cut_off_passes_for_whole),
		cmocka_unit_test(every_bit_of_a_gzip_counts),
		cmocka_unit_test(damage_never_makes_the_reader_talk_nonsense),
		cmocka_unit_test(a_stream_reads_like_a_file),
		cmocka_unit_test(what_is_no_archive_is_refused_and_the_formats_named),
		cmocka_unit_test(a_single_packed_file_is_taken_only_when_asked_for),
		cmocka_unit_test(an_encrypted_entry_is_named_and_not_taken_in),
		cmocka_unit_test(a_damaged_entry_of_a_zip_is_the_only_one_that_fails),
		cmocka_unit_test(an_unknown_encoding_is_wrong_usage),
		cmocka_unit_test(more_than_the_limit_is_refused),
		cmocka_unit_test(want_of_memory_is_neither_damage_nor_the_machines_where_it_is_ours),
		cmocka_unit_test(a_silent_stream_can_be_given_up),
	};

	sample_begin();
	return cmocka_run_group_tests_name("foreign", tests, fill, NULL);
}

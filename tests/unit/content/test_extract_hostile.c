/*
 * Every reader on documents that were cut off or changed: none crashes (the run
 * under sanitizers shows that), none goes on without end, and what was cut off is
 * never called clean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <time.h>

#include "tests/unit/content/documents.h"
#include "tests/unit/content/examined.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EFFORT 1
#else
#define EFFORT 4
#endif
#define CUTS (25 * EFFORT)
#define FLIPS (60 * EFFORT)
#define SECONDS_MAX 20		/* on one small file: the sandbox allows no more */

static const char token[] = "token TKN-4711 of a text\n";

/* Each kind once; its end stands at its end. */
enum kind {
	KIND_ZIP, KIND_7Z, KIND_TAR, KIND_GZIP, KIND_XZ, KIND_BZIP2, KIND_ZSTD, KIND_CPIO,
	KIND_ISO, KIND_XAR, KIND_CAB, KIND_LHA, KIND_DOCX, KIND_XLSX, KIND_ODT, KIND_SQLITE, KIND_PDF,
	KIND_MAIL, KIND_HTML, KIND_XML, KIND_COUNT,
};

static struct buffer packed(const char *format, const char *filter)
{
	static const struct sample_file files[] = {
		{ "a.txt", token, sizeof token - 1 }, { "b/c.txt", "nothing here\n", 13 },
	};

	return sample_make(format, filter, NULL, files, strcmp(format, "raw") == 0 ? 1 : 2);
}

static struct buffer plain(const char *text)
{
	struct buffer b = { .data = NULL };

	buffer_append(&b, text, strlen(text));
	return b;
}

static struct buffer make(enum kind kind)
{
	static const struct sample_file file = { "a.txt", token, sizeof token - 1 };

	switch (kind) {
	case KIND_ZIP:
		return packed("zip", NULL);
	case KIND_7Z:
		return packed("7zip", NULL);
	case KIND_TAR:
		return packed("ustar", NULL);
	case KIND_GZIP:
		return packed("raw", "gzip");
	case KIND_XZ:
		return packed("raw", "xz");
	case KIND_BZIP2:
		return packed("raw", "bzip2");
	case KIND_ZSTD:
		return packed("raw", "zstd");
	case KIND_CPIO:
		return packed("newc", NULL);
	case KIND_ISO:
		return packed("iso9660", NULL);
	case KIND_XAR:
		return packed("xar", NULL);
	case KIND_CAB:
		return sample_cab(&file, 1);
	case KIND_LHA:
		return sample_lha(&file, 1);
	case KIND_DOCX:
		return document_docx("<w:p><w:r><w:t>token TKN-4711</w:t></w:r></w:p><w:tbl><w:tr><w:tc>"
				     "<w:p/></w:tc></w:tr></w:tbl>");
	case KIND_XLSX:
		return document_xlsx("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" s=\"2\"><v>"
				     "40000</v></c></row>", "<si><t>token TKN-4711</t></si>");
	case KIND_ODT:
		return document_odf("application/vnd.oasis.opendocument.text",
				    "<text:p>token TKN-4711</text:p>");
	case KIND_SQLITE:
		return document_sqlite("CREATE TABLE t (token, b); INSERT INTO t VALUES ('TKN-4711', 4.5), "
				       "(x'504b0304', 7); CREATE TABLE u (a PRIMARY KEY) WITHOUT ROWID; "
				       "INSERT INTO u VALUES (zeroblob(9000)); CREATE INDEX i ON t (b)");
	case KIND_PDF:
		return document_pdf("", "", DOCUMENT_PDF_TEXT, NULL);
	case KIND_MAIL:
		return plain("From: a@example.org\nTo: b@example.org\nSubject: =?utf-8?B?eA==?=\n"
			     "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=cut\n\n--cut\n\n"
			     "token TKN-4711\n--cut\nContent-Type: text/html; charset=gbk\n"
			     "Content-Transfer-Encoding: base64\n\nPHA+eDwvcD4K\n--cut--\n");
	case KIND_HTML:
		return plain("<!DOCTYPE html><html><head><title>x</title></head><body><p>token "
			     "TKN-4711</p><table><tr><td a=\"b\">c</table><script>x<y</script>&amp;"
			     "</body></html>");
	default:
		return plain("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e \"x\"><!ATTLIST a b CDATA "
			     "\"c\">]><a b=\"d\">token TKN-4711 &e; <c><![CDATA[x]]></c><!-- y --></a>");
	}
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* How often the token was found. */
static uint64_t look(struct bench *b, const void *data, size_t size)
{
	const struct finding *found;
	uint64_t count;
	struct timespec from, to;
	/* A copy of its own: a read past the end is seen. */
	uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, data, size);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	found = examined(b, "file", copy, size);
	count = found ? found->count : 0;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	assert_true(to.tv_sec - from.tv_sec < SECONDS_MAX);
	free(copy);
	return count;
}

/* Formats that cannot be whole without their last byte, as far as they are known
 * by their first ones. */
static bool must_be_said(enum kind kind, const char *format)
{
	switch (kind) {
	case KIND_MAIL:
	case KIND_HTML:
	case KIND_XML:
		return false;	/* text, all of which was looked at */
	case KIND_CPIO:
	case KIND_TAR:
	case KIND_ISO:
		return false;	/* padded: checked on its own */
	default:
		return strncmp(format, "text/", 5) != 0;
	}
}

static void what_was_cut_off_is_never_called_clean(void **state)
{
	struct bench *b = *state;

	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		struct buffer whole = make(kind);
		uint32_t seed = kind + 1;
		uint64_t all, count;

		all = look(b, whole.data, whole.size);
		if (kind != KIND_LHA && *b->seen.opaque)
			fail_msg("kind %d whole: %s", kind, b->seen.opaque);
		assert_true(all > 0);
		for (int i = 0; i < CUTS; i++) {
			size_t size = i < 8 ? whole.size - 1 - (size_t)i : next(&seed) % whole.size;

			if (size < 4)
				continue;
			count = look(b, whole.data, size);
			/* A directory that was cut off behind the last member costs nothing. */
			if (must_be_said(kind, b->seen.format) && !*b->seen.opaque && count < all)
				fail_msg("kind %d (%s), %zu of %zu bytes: called clean", kind,
					 b->seen.format, size, whole.size);
		}
		buffer_free(&whole);
	}
}

static void changed_bytes_do_no_harm(void **state)
{
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		struct buffer whole = make(kind);
		uint32_t seed = kind + 100;

		for (int i = 0; i < FLIPS; i++) {
			uint8_t *changed = malloc(whole.size);
			unsigned count = 1 + next(&seed) % 6;

			assert_non_null(changed);
			memcpy(changed, whole.data, whole.size);
			while (count-- > 0) {
				static const uint8_t likely[] = { 0, 1, 0x7f, 0x80, 0xff, '<', '&' };
				uint32_t r = next(&seed);

				changed[next(&seed) % whole.size] = r & 1
					? likely[r / 2 % sizeof likely] : (uint8_t)(r >> 8);
			}
			look(*state, changed, whole.size);
			free(changed);
		}
		buffer_free(&whole);
	}
}

static void parts_that_are_swapped_do_no_harm(void **state)
{
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		struct buffer whole = make(kind);
		uint32_t seed = kind + 1000;

		for (int i = 0; i < FLIPS / 4; i++) {
			uint8_t *changed = malloc(whole.size);
			size_t size = 1 + next(&seed) % (whole.size / 3);
			size_t from = next(&seed) % (whole.size - size);

			assert_non_null(changed);
			memcpy(changed, whole.data, whole.size);
			memcpy(changed + next(&seed) % (whole.size - size), whole.data + from, size);
			look(*state, changed, whole.size);
			free(changed);
		}
		buffer_free(&whole);
	}
}

static void a_gzip_that_holds_itself_without_end_is_stopped(void **state)
{
	struct bench *b = *state;
	struct buffer inner = packed("raw", "gzip");

	/* Deeper than anybody packs: said, not followed. */
	for (int i = 0; i < 12; i++) {
		const struct sample_file file = { "x.gz", inner.data, inner.size };
		struct buffer outer = sample_make("raw", "gzip", NULL, &file, 1);

		buffer_free(&inner);
		inner = outer;
	}
	look(b, inner.data, inner.size);
	assert_non_null(strstr(b->seen.opaque, "inside more than 4 containers"));
	buffer_free(&inner);
}

/* Two members of a directory that are one and the same run of bytes, many times. */
static void members_that_overlap_are_counted_against_the_limit(void **state)
{
	enum { NAMES = 3000, SIZE = 4 << 20 };
	struct bench *b = *state;
	uint8_t *zeros = calloc(1, SIZE);
	const struct sample_file file = { "a", zeros, SIZE };
	struct buffer one = sample_make("zip", NULL, NULL, &file, 1), many = { .data = NULL };
	uint8_t *directory = memmem(one.data, one.size, "PK\1\2", 4), *end;
	size_t row, start;

	assert_non_null(directory);
	end = memmem(directory, one.size - (size_t)(directory - one.data), "PK\5\6", 4);
	assert_non_null(end);
	row = (size_t)(end - directory);
	start = (size_t)(directory - one.data);
	buffer_append(&many, one.data, start);
	for (int i = 0; i < NAMES; i++)
		buffer_append(&many, directory, row);
	end[8] = end[10] = (uint8_t)NAMES;
	end[9] = end[11] = NAMES >> 8;
	row *= NAMES;
	for (int i = 0; i < 4; i++)
		end[12 + i] = (uint8_t)(row >> 8 * i);
	buffer_append(&many, end, one.size - (size_t)(end - one.data));
	look(b, many.data, many.size);
	assert_true(*b->seen.opaque != '\0');
	buffer_free(&one);
	buffer_free(&many);
	free(zeros);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_cut_off_is_never_called_clean),
		cmocka_unit_test(changed_bytes_do_no_harm),
		cmocka_unit_test(parts_that_are_swapped_do_no_harm),
		cmocka_unit_test(a_gzip_that_holds_itself_without_end_is_stopped),
		cmocka_unit_test(members_that_overlap_are_counted_against_the_limit),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}

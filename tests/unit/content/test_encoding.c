#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/content/encoding.h"

static void assert_encoding(const void *data, size_t size, const char *expected)
{
	char encoding[ENCODING_NAME_MAX];
	struct err e = ERR_NONE;

	assert_int_equal(encoding_detect(data, size, true, encoding, &e), 0);
	assert_string_equal(encoding, expected);
}
#define ASSERT_ENCODING(bytes, expected) assert_encoding(bytes, sizeof bytes - 1, expected)

static void marks_and_seven_bits_are_believed(void **state)
{
	(void)state;
	ASSERT_ENCODING("", "");
	ASSERT_ENCODING("plain", "us-ascii");
	ASSERT_ENCODING("\xef\xbb\xbfplain", "utf-8");
	ASSERT_ENCODING("caf\xc3\xa9", "utf-8");
	ASSERT_ENCODING("\xff\xfe" "a\0b\0", "utf-16le");
	ASSERT_ENCODING("\xfe\xff\0a\0b", "utf-16be");
	ASSERT_ENCODING("\xff\xfe\0\0a\0\0\0", "utf-32le");
	ASSERT_ENCODING("a\0,\0b\0\n\0" "1\0,\0" "2\0\n\0", "utf-16le");
	ASSERT_ENCODING("\0a\0,\0b\0\n\0" "1\0,\0" "2\0\n", "utf-16be");
	ASSERT_ENCODING("\033$B$\"$$\033(B\n", "iso-2022-jp");
}

static void bytes_that_no_text_has_are_no_text(void **state)
{
	static const uint8_t zeros[64] = { 0 };
	uint8_t noise[512];
	uint32_t seed = 7;

	(void)state;
	assert_encoding(zeros, sizeof zeros, "");
	for (unsigned round = 0; round < 200; round++) {
		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
		assert_encoding(noise, sizeof noise, "");
	}
}

static void a_sample_may_end_inside_a_character(void **state)
{
	static const char text[] = "发票号码 身份证";
	char encoding[ENCODING_NAME_MAX];
	struct err e = ERR_NONE;

	(void)state;
	for (size_t size = 1; size < sizeof text; size++) {
		assert_int_equal(encoding_detect(text, size, false, encoding, &e), 0);
		assert_string_equal(encoding, "utf-8");
	}
}

/* Through a decoder, in pieces of this size. */
static void decoded(const char *encoding, const char *in, size_t size, size_t piece, char *out,
		    size_t room)
{
	struct decoder *d = NULL;
	struct err e = ERR_NONE;
	size_t at = 0, made = 0;

	assert_int_equal(decoder_new(encoding, &d, &e), 0);
	while (at < size) {
		size_t n = size - at < piece ? size - at : piece, used, more;

		decoder_run(d, in + at, n, at + n == size, out + made, room - made, &used, &more);
		at += used;
		made += more;
		assert_true(used > 0 || more > 0);
	}
	out[made] = '\0';
	decoder_free(d);
}

static void text_is_the_same_in_whatever_pieces_it_came(void **state)
{
	static const struct {
		const char *encoding, *bytes;
		size_t size;
		const char *text;
	} samples[] = {
		{ "gb18030", "\xb7\xa2\xc6\xb1,\x81\x30\x81\x30!", 10, "发票,\xc2\x80!" },
		{ "big5", "\xb5\x6f\xb2\xbc", 4, "發票" },
		{ "shift_jis", "\x93\xfa\x96\x7b", 4, "日本" },
		{ "euc-jp", "\xc6\xfc\xcb\xdc", 4, "日本" },
		{ "euc-kr", "\xc7\xd1\xb1\xdb", 4, "한글" },
		{ "utf-16le", "\xff\xfe\x2d\x4e\x3d\xd8\x00\xde", 8, "中😀" },
		{ "utf-16be", "\x4e\x2d\xd8\x3d\xde\x00", 6, "中😀" },
		{ "iso-8859-1", "caf\xe9", 4, "café" },
		{ "windows-1252", "\x80 1", 3, "€ 1" },
		{ "utf-8", "a\xff\xe4\xb8", 4, "a\ufffd\ufffd" },
		{ "iso-2022-jp", "\033$B$\"$$\033(Bx", 11, "あいx" },
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
		for (size_t piece = 1; piece <= samples[i].size; piece++) {
			decoded(samples[i].encoding, samples[i].bytes, samples[i].size, piece,
				out, sizeof out);
			assert_string_equal(out, samples[i].text);
		}
}

static void every_encoding_that_is_known_can_be_loaded_ahead(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(encoding_preload(&e), 0);
}

static void scripts_are_told_by_most_letters(void **state)
{
	static const char *const samples[][2] = {
		{ "invoice number 5", "Latn" }, { "发票号码 No. 5", "Hani" },
		{ "請求書の番号", "Jpan" }, { "송장 번호", "Kore" }, { "Номер счёта", "Cyrl" },
		{ "αριθμός", "Grek" }, { "123 -- ", "" }, { "", "" }, { "فاتورة", "Arab" },
	};
	char script[32];

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		script_detect(samples[i][0], strlen(samples[i][0]), script);
		assert_string_equal(script, samples[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_and_seven_bits_are_believed),
		cmocka_unit_test(bytes_that_no_text_has_are_no_text),
		cmocka_unit_test(a_sample_may_end_inside_a_character),
		cmocka_unit_test(text_is_the_same_in_whatever_pieces_it_came),
		cmocka_unit_test(every_encoding_that_is_known_can_be_loaded_ahead),
		cmocka_unit_test(scripts_are_told_by_most_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

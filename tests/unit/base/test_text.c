#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fs/base/text.h"

static void only_rfc_3629_is_utf8(void **state)
{
	static const char *const good[] = { "", "a", "é", "发票", "😀", "\xef\xbf\xbd",
		"\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
		"\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xe5\x8f", "\xff", "a\xc3" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(text_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(text_is_utf8(bad[i], strlen(bad[i])));
}

static void what_could_fool_a_terminal_is_escaped(void **state)
{
	(void)state;
	assert_string_equal(text_printable("a\nb\tc"), "a\\nb\\tc");
	assert_string_equal(text_printable("\033[2J"), "\\x1b[2J");
	assert_string_equal(text_said("bad size (1\n2) \r\n\n"), "bad size (1\\n2)");
	assert_string_equal(text_said(" \n"), "");
	assert_string_equal(text_printable("a\\b"), "a\\\\b");
	assert_string_equal(text_printable("\xc2\x9b""1m"), "\\xc2\\x9b1m");	/* C1 CSI */
	assert_string_equal(text_printable("x\xe2\x80\xaegpj"), "x\\xe2\\x80\\xaegpj");
	assert_string_equal(text_printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");
	assert_string_equal(text_printable("\x7f"), "\\x7f");
	assert_string_equal(text_printable("\xef\xbf\xbe"), "\\xef\\xbf\\xbe");	/* U+FFFE */
	assert_string_equal(text_printable("a\xe2\x80\x8b"), "a\\xe2\\x80\\x8b");	/* no width */
	assert_string_equal(text_printable("\xb7\xa2\xc6\xb1"), "\\xb7\\xa2\u01b1");
	assert_string_equal(text_printable("发票 é 😀"), "发票 é 😀");
	assert_string_equal(text_printable_n("a\0b", 3), "a\\x00b");
}

static void what_is_unsafe_is_found_where_it_stands(void **state)
{
	static const char text[] = "a\\\xff\xe2\x80\xae""b";
	uint32_t point = 0;
	size_t size = 0;

	(void)state;
	assert_ptr_equal(text_unsafe(text, &size, &point), text + 3);
	assert_int_equal(size, 3);
	assert_int_equal(point, 0x202e);
	assert_null(text_unsafe(text + 6, &size, &point));
	assert_null(text_unsafe("发票 \\ \xff", &size, &point));
}

static void long_names_end_in_dots_and_stay_utf8(void **state)
{
	char name[9001];
	const char *shown;

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		memcpy(name + 3 * i, "票", 3);
	name[9000] = '\0';
	for (size_t shift = 0; shift < 3; shift++) {
		memset(name, 'a', shift * 3);
		shown = text_printable(name + shift);
		assert_true(strlen(shown) < 4096 && strlen(shown) > 4080);
		assert_string_equal(shown + strlen(shown) - 3, "...");
		assert_true(text_is_utf8(shown, strlen(shown)));
	}
}

static void a_duplicate_is_whole(void **state)
{
	char name[5000];
	char *shown;

	(void)state;
	memset(name, 0xff, sizeof name);
	shown = text_printable_dup(name, sizeof name);
	assert_non_null(shown);
	assert_int_equal(strlen(shown), 4 * sizeof name);
	free(shown);
}

static void several_printable_names_fit_one_call(void **state)
{
	const char *first = text_printable("first");

	(void)state;
	for (int i = 0; i < 15; i++)
		text_printable("other");
	assert_string_equal(first, "first");
}

static void hex_goes_there_and_back(void **state)
{
	uint8_t back[3];
	char hex[7];

	(void)state;
	text_hex("\x00\xab\xff", 3, hex);
	assert_string_equal(hex, "00abff");
	assert_int_equal(text_unhex("00ABff", back, 3), 0);
	assert_memory_equal(back, "\x00\xab\xff", 3);
	assert_int_equal(text_unhex("00abf", back, 3), -1);
	assert_int_equal(text_unhex("00abff0", back, 3), -1);
	assert_int_equal(text_unhex("00abfg", back, 3), -1);
	assert_int_equal(text_unhex("", back, 3), -1);
}

static void base64_is_that_of_rfc_4648(void **state)
{
	static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" }, { "\xff\xfe\xfb", "//77" } };

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		char *text = text_base64(pairs[i][0], strlen(pairs[i][0]));

		assert_string_equal(text, pairs[i][1]);
		free(text);
	}
}

static void base64_comes_back_and_nothing_else_is_taken_for_it(void **state)
{
	static const char *const texts[] = { "", "f", "fo", "foo", "foob", "\xff\xfe\x01" };
	static const char *const wrong[] = {
		"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zh==", "Zm9=", "Zm 9", "AAAA", "Zm9v\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char *coded = text_base64(texts[i], strlen(texts[i]));
		char *back = text_unbase64(coded);

		assert_string_equal(back, texts[i]);
		free(coded);
		free(back);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (text_unbase64(wrong[i]))
			fail_msg("%s", wrong[i]);
}

static void sizes_are_short_and_true(void **state)
{
	char out[TEXT_SIZE_MAX];

	(void)state;
	assert_string_equal(text_size(0, out), "0 B");
	assert_string_equal(text_size(1023, out), "1023 B");
	assert_string_equal(text_size(1024, out), "1.0 KiB");
	assert_string_equal(text_size(1536, out), "1.5 KiB");
	assert_string_equal(text_size(1048575, out), "1.0 MiB");
	assert_string_equal(text_size((uint64_t)3 << 29, out), "1.5 GiB");
	assert_string_equal(text_size(UINT64_MAX, out), "16.0 EiB");
}

static void counts_have_their_commas(void **state)
{
	char out[TEXT_COUNT_MAX];

	(void)state;
	assert_string_equal(text_count(0, out), "0");
	assert_string_equal(text_count(999, out), "999");
	assert_string_equal(text_count(1000, out), "1,000");
	assert_string_equal(text_count(1234567, out), "1,234,567");
	assert_string_equal(text_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
}

static void every_second_has_a_date(void **state)
{
	char out[TEXT_TIME_MAX];

	(void)state;
	assert_string_equal(text_time(0, 0, out), "1970-01-01T00:00:00Z");
	assert_string_equal(text_time(-1, 999999999, out), "1969-12-31T23:59:59.999999999Z");
	assert_string_equal(text_time(1625054400, 5, out), "2021-06-30T12:00:00.000000005Z");
	assert_string_equal(text_time(951782400, 0, out), "2000-02-29T00:00:00Z");
	assert_string_equal(text_time(4294967296, 0, out), "2106-02-07T06:28:16Z");
	assert_string_equal(text_time(253402300800, 0, out), "+10000-01-01T00:00:00Z");
	assert_string_equal(text_time(-62167219201, 0, out), "-0001-12-31T23:59:59Z");
	assert_string_equal(text_time(INT64_MAX, 999999999, out),
			    "+292277026596-12-04T15:30:07.999999999Z");
	assert_string_equal(text_time(INT64_MIN, 0, out), "-292277022657-01-27T08:29:52Z");
}

static void assert_time(const char *text, bool is_end, int64_t expected)
{
	int64_t seconds = 0;

	assert_int_equal(text_parse_time(text, is_end, &seconds), 0);
	assert_int_equal(seconds, expected);
}

static void times_are_read_as_people_write_them(void **state)
{
	int64_t seconds;
	static const char *const bad[] = { "", "2021", "2021-6-30", "2021-02-29", "2021-13-01",
		"2021-00-01", "2021-04-31", "2021-06-30T", "2021-06-30T12:00", "2021-06-30T24:00:00",
		"2021-06-30T12:00:00.", "2021-06-30T12:00:00x", "2021-06-30T12:00:00+8:00",
		"@", "@-", "@1x", "@99999999999999999999", " 2021-06-30", "2021-06-30 " };

	(void)state;
	assert_time("2021-06-30", false, 1625011200);
	assert_time("2021-06-30", true, 1625011200 + 86399);
	assert_time("2021-06-30T12:00:00", false, 1625054400);
	assert_time("2021-06-30T12:00:00Z", true, 1625054400);
	assert_time("2021-06-30T12:00:00.5+08:00", false, 1625054400 - 8 * 3600);
	assert_time("2021-06-30T12:00:00-03:30", false, 1625054400 + 3 * 3600 + 1800);
	assert_time("2000-02-29", false, 951782400);
	assert_time("@-5", false, -5);
	assert_time("0001-01-01", false, -62135596800);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(text_parse_time(bad[i], false, &seconds), -1);
}

static void assert_size(const char *text, uint64_t expected)
{
	uint64_t v = 0;

	assert_int_equal(text_parse_size(text, &v), 0);
	assert_true(v == expected);
}

static void sizes_are_read_as_people_write_them(void **state)
{
	uint64_t v;
	static const char *const bad[] = { "", "k", "-1", "+1", "1x", "1.5", "1.k", ".5k", "1kB",
		"1 k", "18446744073709551616", "16E", "1kk", "1kiBx" };

	(void)state;
	assert_size("0", 0);
	assert_size("64", 64);
	assert_size("64k", 65536);
	assert_size("64K", 65536);
	assert_size("1.5G", (uint64_t)3 << 29);
	assert_size("64MiB", (uint64_t)64 << 20);
	assert_size("15.5E", ((uint64_t)31 << 59));
	assert_size("18446744073709551615", UINT64_MAX);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(text_parse_size(bad[i], &v), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_rfc_3629_is_utf8),
		cmocka_unit_test(what_could_fool_a_terminal_is_escaped),
		cmocka_unit_test(what_is_unsafe_is_found_where_it_stands),
		cmocka_unit_test(long_names_end_in_dots_and_stay_utf8),
		cmocka_unit_test(a_duplicate_is_whole),
		cmocka_unit_test(several_printable_names_fit_one_call),
		cmocka_unit_test(hex_goes_there_and_back),
		cmocka_unit_test(base64_is_that_of_rfc_4648),
		cmocka_unit_test(base64_comes_back_and_nothing_else_is_taken_for_it),
		cmocka_unit_test(sizes_are_short_and_true),
		cmocka_unit_test(counts_have_their_commas),
		cmocka_unit_test(every_second_has_a_date),
		cmocka_unit_test(times_are_read_as_people_write_them),
		cmocka_unit_test(sizes_are_read_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

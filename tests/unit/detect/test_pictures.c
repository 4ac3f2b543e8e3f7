#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fs/base/err.h"
#include "policy/detect/detect_pictures.h"

static const struct detect_picture pictures[] = {
	{ "999-99-9999", 0 }, { "999 99 9999", 0 }, { "9{9}", 0 }, { "9{13,15}", 1 },
	{ "9999 9999 9999", 1 }, { "AA 99 99 A", 2 }, { "AA9999A", 2 }, { "a9{3}x{2,4}", 3 },
	{ "AAAAAAXX", 4 }, { "(999) 999", 5 }, { "+99 9{4,6}", 5 }, { "X9.9/9", 6 },
	{ "9{9}", 0 }, { "9{9}", 7 }, { "xx:xx:xx:xx", 8 }, { "xxxx.xxxx", 8 },
};

struct found {
	char text[4096];
};

static void note(void *arg, unsigned owner, size_t start, size_t end)
{
	struct found *f = arg;
	size_t used = strlen(f->text);

	snprintf(f->text + used, sizeof f->text - used, "%u:%zu-%zu ", owner, start, end);
}

static const char *found_in(const char *text, size_t from, size_t to)
{
	static struct found f;
	struct detect_pictures *p;
	struct err e = ERR_NONE;
	char padded[1024 + DETECT_PICTURES_PAD];

	memset(padded, '7', sizeof padded);
	memcpy(padded, text, strlen(text));
	assert_int_equal(detect_pictures_new(pictures, sizeof pictures / sizeof pictures[0], &p, &e),
			 0);
	f.text[0] = '\0';
	detect_pictures_scan(p, padded, strlen(text), from, to, note, &f);
	detect_pictures_free(p);
	return f.text;
}

static void assert_found(const char *text, const char *wanted)
{
	assert_string_equal(found_in(text, 0, strlen(text)), wanted);
}

static void a_picture_is_found_sign_for_sign(void **state)
{
	(void)state;
	assert_found("123-45-6789", "0:0-11 ");
	assert_found("123 45 6789", "0:0-11 ");
	assert_found("123-45 6789", "");
	assert_found("AB 12 34 C", "2:0-10 ");
	assert_found("aB 12 34 C", "");
	assert_found("AB1234C", "2:0-7 ");
	assert_found("b123aZ b123aZ9", "3:0-6 3:7-14 ");
	assert_found("K3.4/5, 03.4/5", "6:0-6 6:8-14 ");
	assert_found("\xe5\x8f\xb7""123-45-6789\xe3\x80\x82", "0:3-14 ");
}

static void every_owner_is_told_once_for_a_span(void **state)
{
	(void)state;
	assert_found("123456789", "0:0-9 7:0-9 ");
	assert_found("1234567890123", "1:0-13 ");
	assert_found("12345678901234 123456789012345", "1:0-14 1:15-30 ");
}

static void a_picture_stands_for_whole_words(void **state)
{
	(void)state;
	assert_found("1234567890", "");
	assert_found("x123456789", "");
	assert_found("123456789x", "");
	assert_found("_123456789_", "0:1-10 7:1-10 ");
	assert_found("1234 5678 9012 3456", "1:0-14 1:5-19 ");
	assert_found("AB1234CD", "");
	assert_found("ABCDEFGH ABCDEF12 ABCDEFGHI ABCDEFgH xABCDEFGH",
		     "4:0-8 4:9-17 ");
}

static void a_sign_before_the_word_may_begin_a_picture(void **state)
{
	(void)state;
	assert_found("(123) 456", "5:0-9 ");
	assert_found("x(123) 456", "5:1-10 ");
	assert_found("+12 3456", "5:0-8 ");
	assert_found("+12 345678", "5:0-10 ");
	assert_found("((123) 456", "5:1-10 ");
}

/* Windows: each word is tried in the one in which it begins. */
static void each_word_belongs_to_one_stretch(void **state)
{
	const char *text = "AB 12 34 C, 123-45-6789; (123) 456 b123aZ ABCDEF12 123456789";
	size_t size = strlen(text);
	char whole[4096], pieces[4096];

	(void)state;
	strcpy(whole, found_in(text, 0, size));
	for (size_t step = 1; step < size; step++) {
		pieces[0] = '\0';
		for (size_t at = 0; at < size; at += step)
			strcat(pieces, found_in(text, at, at + step));
		assert_string_equal(pieces, whole);
	}
}

static void words_of_letters_may_stand_before_the_first_digit(void **state)
{
	(void)state;
	assert_found("12:ab:cd:ef", "8:0-11 ");
	assert_found("ab:cd:ef:12", "8:0-11 ");
	assert_found("(ab:cd:e1:f2)", "8:1-12 ");
	assert_found("abcd.ef12", "8:0-9 ");
	assert_found(" ab:cd:ef:ab ", "8:1-12 ");
	assert_found(" ab:cd:ef-ab ", "");
	assert_found("xab:cd:ef:12", "");
	assert_found("ab:cd:ef-12", "");
	assert_found("12:34:56 2024-05-01", "");
}

static void words_are_found_wherever_they_stand(void **state)
{
	char text[400], wanted[64];

	(void)state;
	for (size_t at = 0; at < 200; at++) {
		memset(text, '.', sizeof text);
		memcpy(text + at, "123-45-6789", 11);
		text[300] = '\0';
		snprintf(wanted, sizeof wanted, "0:%zu-%zu ", at, at + 11);
		assert_found(text, wanted);
		memcpy(text + at, "..ABCDEFGH.", 11);
		snprintf(wanted, sizeof wanted, "4:%zu-%zu ", at + 2, at + 10);
		assert_found(text, wanted);
	}
}

static void what_is_no_picture_is_refused(void **state)
{
	static const char *const bad[] = { "", "999#9", "9{0}", "9{5,3}", "9{", "9{1", "9{x}",
		"{3}", "9{129}", "9{100}9{100}", "b", "9\n" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct detect_picture picture = { bad[i], 0 };
		struct detect_pictures *p;
		struct err e = ERR_NONE;

		assert_int_equal(detect_pictures_new(&picture, 1, &p, &e), -1);
		assert_null(p);
		assert_int_equal(e.code, MUNI_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_is_found_sign_for_sign),
		cmocka_unit_test(every_owner_is_told_once_for_a_span),
		cmocka_unit_test(a_picture_stands_for_whole_words),
		cmocka_unit_test(a_sign_before_the_word_may_begin_a_picture),
		cmocka_unit_test(each_word_belongs_to_one_stretch),
		cmocka_unit_test(words_of_letters_may_stand_before_the_first_digit),
		cmocka_unit_test(words_are_found_wherever_they_stand),
		cmocka_unit_test(what_is_no_picture_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fs/base/text.h"
#include "policy/detect/detect_mask.h"

static const char *masked(enum masking how, const char *value)
{
	static char out[SAMPLE_TEXT_MAX];
	struct recogniser r = { .masking = how, .public_prefix = how == MASK_ALL ? 4 : 0 };

	memset(out, 'U', sizeof out);
	detect_mask(&r, value, strlen(value), out);
	return out;
}

static void each_masking_shows_what_it_names(void **state)
{
	(void)state;
	assert_string_equal(masked(MASK_TAIL, "4111 1111 1111 1234"), "**** **** **** 1234");
	assert_string_equal(masked(MASK_ENDS, "4111 1111 1111 1234"), "41** **** **** **34");
	assert_string_equal(masked(MASK_ENDS, "123-45-6789"), "1**-**-***9");
	assert_string_equal(masked(MASK_ENDS, "AB123456C"), "A*******C");
	assert_string_equal(masked(MASK_TAIL, "13800138000"), "*********00");
	assert_string_equal(masked(MASK_MAIL, "jane.doe@example.com"), "j***.***@*******.com");
	assert_string_equal(masked(MASK_MAIL, "jo@a.museum"), "j*@*.******");
	assert_string_equal(masked(MASK_ALL, "AKIAIOSFODNN7EXAMPLE"), "AKIA****************");
	assert_string_equal(masked(MASK_ALL, "p@ss-w.rd"), "p********");
	assert_string_equal(masked(MASK_ENDS, "京A12345"), "******5");
}

static void a_short_value_is_shown_not_at_all(void **state)
{
	static const enum masking all[] = { MASK_ALL, MASK_ENDS, MASK_TAIL, MASK_MAIL };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(masked(all[i], "abc"), "***");
		assert_string_equal(masked(all[i], "发票号"), "***");
		assert_string_equal(masked(all[i], ""), "");
	}
	assert_string_equal(masked(MASK_ENDS, "-.-"), "***");
}

static void a_long_value_is_cut_in_the_middle(void **state)
{
	char value[4000];
	const char *out;

	(void)state;
	memset(value, 'x', sizeof value);
	value[sizeof value - 1] = '\0';
	out = masked(MASK_ENDS, value);
	assert_string_equal(out, "xx********************...********************xx");
}

/* Letters and digits shown, and whether a masked value may be told from its sample. */
static size_t shown_in(const char *value, const char *out)
{
	size_t shown = 0;

	(void)value;
	for (const char *c = out; *c != '\0'; c++)
		shown += *c != '*' && !strchr(" -./()+:@", *c) &&
			 ((unsigned char)*c & 0xc0) != 0x80;
	return shown;
}

static void never_more_than_a_quarter_is_shown(void **state)
{
	static const char *const signs[] = { "a", "Z", "7", "-", " ", "@", ".", "发", "é", "😀",
		"\xff", "\n", "*", "#" };
	char value[512];

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct recogniser r = { .masking = (enum masking)(round % 4),
					.public_prefix = (uint8_t)(round / 4 % 30) };
		char out[SAMPLE_TEXT_MAX];
		size_t size = 0, letters = 0, count = (size_t)rand() % 90;

		for (size_t i = 0; i < count; i++) {
			const char *s = signs[(size_t)rand() % (sizeof signs / sizeof signs[0])];

			memcpy(value + size, s, strlen(s));
			size += strlen(s);
			letters += !strchr(" -./()+:@", *s);
		}
		memset(out, 'U', sizeof out);
		detect_mask(&r, value, size, out);
		assert_non_null(memchr(out, '\0', sizeof out));
		assert_true(shown_in(value, out) <= letters / 4);
		if (letters > 0 || size == 0)
			continue;
		for (const char *c = out; *c != '\0'; c++)
			assert_true(*c == '*' || *c == '.');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_masking_shows_what_it_names),
		cmocka_unit_test(a_short_value_is_shown_not_at_all),
		cmocka_unit_test(a_long_value_is_cut_in_the_middle),
		cmocka_unit_test(never_more_than_a_quarter_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

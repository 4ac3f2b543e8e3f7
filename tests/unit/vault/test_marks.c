#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/vault/marks.h"

static void add(struct marks *m, unsigned n)
{
	uint8_t salt[16] = { (uint8_t)n, (uint8_t)(n >> 8) }, mark[MARK_SIZE];
	struct err e = ERR_NONE;

	mark_of_salt(salt, mark);
	assert_int_equal(marks_add(m, mark, &e), 0);
}

static void a_mark_is_the_head_of_sha256_over_the_salt(void **state)
{
	const uint8_t salt[16] = "0123456789abcdef";
	const struct digest d = digest_of(salt, 16);
	uint8_t mark[MARK_SIZE];

	(void)state;
	mark_of_salt(salt, mark);
	assert_memory_equal(mark, d.bytes, MARK_SIZE);
}

static void what_was_written_reads_back_sorted_and_once_each(void **state)
{
	struct marks m = { .list = NULL }, back = { .list = NULL };
	struct err e = ERR_NONE;
	char *text;
	size_t size;

	(void)state;
	for (unsigned n = 0; n < 1000; n++)
		add(&m, n % 700);
	marks_sort(&m);
	assert_int_equal(m.count, 700);
	assert_int_equal(marks_text(&m, &text, &size, &e), 0);
	assert_int_equal(size, 700 * 33);
	assert_int_equal(marks_parse(&back, text, size, &e), 0);
	assert_int_equal(back.count, 700);
	assert_memory_equal(back.list, m.list, 700 * MARK_SIZE);
	for (unsigned n = 0; n < 800; n++) {
		const uint8_t salt[16] = { (uint8_t)n, (uint8_t)(n >> 8) };
		uint8_t mark[MARK_SIZE];

		mark_of_salt(salt, mark);
		assert_int_equal(marks_has(&back, mark), n < 700);
	}
	free(text);
	marks_clear(&m);
	marks_clear(&back);
}

static void none_are_an_empty_file(void **state)
{
	struct marks m = { .list = NULL };
	const uint8_t any[MARK_SIZE] = { 0 };
	struct err e = ERR_NONE;
	char *text;
	size_t size;

	(void)state;
	marks_sort(&m);
	assert_int_equal(marks_text(&m, &text, &size, &e), 0);
	assert_int_equal(size, 0);
	assert_int_equal(marks_parse(&m, text, size, &e), 0);
	assert_false(marks_has(&m, any));
	free(text);
}

static void another_spelling_or_order_is_refused(void **state)
{
	static const char *const bad[] = {
		"00112233445566778899aabbccddeeff",
		"00112233445566778899AABBCCDDEEFF\n",
		"00112233445566778899aabbccddee\n",
		"00112233445566778899aabbccddeef \n",
		"00112233445566778899aabbccddeeff\n00112233445566778899aabbccddeeff\n",
		"10112233445566778899aabbccddeeff\n00112233445566778899aabbccddeeff\n",
		"00112233445566778899aabbccddeeff\r10112233445566778899aabbccddeeff\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct marks m = { .list = NULL };
		struct err e = ERR_NONE;

		assert_int_equal(marks_parse(&m, bad[i], strlen(bad[i]), &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		marks_clear(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_is_the_head_of_sha256_over_the_salt),
		cmocka_unit_test(what_was_written_reads_back_sorted_and_once_each),
		cmocka_unit_test(none_are_an_empty_file),
		cmocka_unit_test(another_spelling_or_order_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

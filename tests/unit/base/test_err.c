#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/base/text.h"

static void setting_returns_minus_one_and_fills_code_and_text(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(err_set(&e, MUNI_DAMAGED, "segment %u", 7), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_string_equal(e.text, "segment 7");
}

static void wrapping_puts_the_purpose_in_front_and_keeps_the_code(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	err_set(&e, MUNI_BUSY, "held");
	assert_int_equal(err_wrap(&e, "opening %s", "/a"), -1);
	assert_int_equal(e.code, MUNI_BUSY);
	assert_string_equal(e.text, "opening /a: held");
}

static void the_text_itself_may_be_an_argument(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	err_set(&e, MUNI_IO, "inner");
	err_set(&e, MUNI_FORMAT, "outer (%s)", e.text);
	assert_string_equal(e.text, "outer (inner)");
}

static void a_full_disk_in_any_guise_is_no_space(void **state)
{
	static const int guises[] = { ENOSPC, EDQUOT, EFBIG };
	struct err e = ERR_NONE;

	(void)state;
	for (size_t i = 0; i < sizeof guises / sizeof guises[0]; i++) {
		errno = guises[i];
		err_errno(&e, "writing");
		assert_int_equal(e.code, MUNI_NO_SPACE);
		assert_int_equal(e.sys, guises[i]);
	}
	errno = EIO;
	err_errno(&e, "writing %s", "x");
	assert_int_equal(e.code, MUNI_IO);
	assert_string_equal(e.text, "writing x: Input/output error");
	errno = ENOMEM;
	err_errno(&e, "writing");
	assert_int_equal(e.code, MUNI_NO_MEMORY);
	/* Nor is anything wrong with a file that found no descriptor. */
	errno = EMFILE;
	err_errno(&e, "opening");
	assert_int_equal(e.code, MUNI_NO_MEMORY);
	assert_true(err_is_want(EMFILE) && err_is_want(ENFILE) && err_is_want(ENOMEM));
	assert_false(err_is_want(EACCES) || err_is_want(EIO) || err_is_want(0));
	err_want(&e, EMFILE, "%s: it cannot be read", "x");
	assert_int_equal(e.code, MUNI_NO_MEMORY);
	assert_int_equal(e.sys, EMFILE);
	assert_non_null(strstr(e.text, "x: it cannot be read: Too many open files; that is this "
			       "process's own limit"));
	assert_non_null(strstr(e.text, "ulimit -n"));
}

static void long_text_is_cut_between_characters_and_stays_utf8(void **state)
{
	struct err e = ERR_NONE;
	char text[3001];

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		memcpy(text + 3 * i, "票", 3);
	text[3000] = '\0';
	for (size_t shift = 0; shift < 3; shift++) {
		err_set(&e, MUNI_IO, "%.*s%s", (int)shift, "ab", text);
		assert_true(text_is_utf8(e.text, strlen(e.text)));
		assert_true(strlen(e.text) > 990);
		err_wrap(&e, "%s", text);
		assert_true(text_is_utf8(e.text, strlen(e.text)));
	}
}

static void a_newline_never_enters_a_message(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	err_set(&e, MUNI_IO, "a\nb");
	assert_string_equal(e.text, "a b");
}

static void exit_statuses_are_those_of_the_manual(void **state)
{
	(void)state;
	assert_int_equal(err_exit_status(MUNI_OK), 0);
	assert_int_equal(err_exit_status(MUNI_IO), 1);
	assert_int_equal(err_exit_status(MUNI_FORMAT), 1);
	assert_int_equal(err_exit_status(MUNI_INCOMPLETE), 1);
	assert_int_equal(err_exit_status(MUNI_USAGE), 2);
	assert_int_equal(err_exit_status(MUNI_REFUSED), 3);
	assert_int_equal(err_exit_status(MUNI_CANNOT_UNLOCK), 4);
	assert_int_equal(err_exit_status(MUNI_DAMAGED), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_returns_minus_one_and_fills_code_and_text),
		cmocka_unit_test(wrapping_puts_the_purpose_in_front_and_keeps_the_code),
		cmocka_unit_test(the_text_itself_may_be_an_argument),
		cmocka_unit_test(a_full_disk_in_any_guise_is_no_space),
		cmocka_unit_test(long_text_is_cut_between_characters_and_stays_utf8),
		cmocka_unit_test(a_newline_never_enters_a_message),
		cmocka_unit_test(exit_statuses_are_those_of_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

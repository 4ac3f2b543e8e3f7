#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fs/vault/pack_kind.h"

static void text_in_any_encoding_with_ascii_is_text(void **state)
{
	(void)state;
	assert_int_equal(pack_kind_of("a", 1), PACK_TEXT);
	assert_int_equal(pack_kind_of("one\ttwo\r\n\f", 10), PACK_TEXT);
	assert_int_equal(pack_kind_of("Gr\xc3\xbc\xc3\x9f" "e", 7), PACK_TEXT);
	assert_int_equal(pack_kind_of("Gr\xfc\xdf" "e", 5), PACK_TEXT);
}

static void control_bytes_at_the_beginning_or_in_the_middle_are_none(void **state)
{
	char data[1000];

	(void)state;
	assert_int_equal(pack_kind_of("\x1f\x8b\x08", 3), PACK_BYTES);
	assert_int_equal(pack_kind_of("", 1), PACK_BYTES);
	memset(data, 'x', sizeof data);
	assert_int_equal(pack_kind_of(data, sizeof data), PACK_TEXT);
	data[127] = 0;
	assert_int_equal(pack_kind_of(data, sizeof data), PACK_BYTES);
	data[127] = 'x';
	data[sizeof data / 2] = 1;
	assert_int_equal(pack_kind_of(data, sizeof data), PACK_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_in_any_encoding_with_ascii_is_text),
		cmocka_unit_test(control_bytes_at_the_beginning_or_in_the_middle_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

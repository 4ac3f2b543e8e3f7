/* What every unit test of this floor begins with. */
#ifndef TESTS_UNIT_CRYPT_UNIT_H
#define TESTS_UNIT_CRYPT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/base/text.h"

/* Bytes from hex; returns their number. */
static inline size_t bytes_of(const char *hex, uint8_t *out)
{
	size_t size = strlen(hex) / 2;

	assert_int_equal(text_unhex(hex, out, size), 0);
	return size;
}

static inline void assert_hex(const void *data, size_t size, const char *hex)
{
	char text[1024];

	assert_true(2 * size < sizeof text);
	text_hex(data, size, text);
	assert_string_equal(text, hex);
}

#endif

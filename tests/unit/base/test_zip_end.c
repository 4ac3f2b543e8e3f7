#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/zip_end.h"

/* A record of three members, 40 bytes of directory behind 100, with a comment of so many bytes. */
static size_t put_end(uint8_t *at, size_t comment)
{
	static const uint8_t record[] = { 'P', 'K', 5, 6, 0, 0, 0, 0, 3, 0, 3, 0, 40, 0, 0, 0, 100, 0, 0, 0 };

	memcpy(at, record, sizeof record);
	at[20] = (uint8_t)comment;
	at[21] = 0;
	memset(at + 22, 'c', comment);
	return 22 + comment;
}

static void the_last_record_whose_comment_fits_is_found(void **state)
{
	uint8_t tail[200] = { 0 };
	struct zip_end z;
	size_t end;

	(void)state;
	assert_false(zip_end_find(tail, sizeof tail, &z));
	assert_false(zip_end_find(tail, 0, &z));
	end = 50 + put_end(tail + 50, 5);
	assert_true(zip_end_find(tail, end, &z));
	assert_int_equal(z.at, 50);
	assert_int_equal(z.size, 27);
	assert_int_equal(z.entries, 3);
	assert_int_equal(z.directory, 140);
	assert_false(z.is_large || z.is_counted);
	assert_false(zip_end_find(tail, end - 1, &z));	/* the comment is cut off */
	put_end(tail + 100, 0);
	assert_true(zip_end_find(tail, sizeof tail, &z));
	assert_int_equal(z.at, 100);
}

static void zip64_counts_beyond_sixteen_bits(void **state)
{
	uint8_t tail[56 + 20 + 22] = { 'P', 'K', 6, 6 };
	struct zip_end z;

	(void)state;
	tail[34] = 1;	/* 65536 */
	memcpy(tail + 56, "PK\6\7", 4);
	put_end(tail + 76, 0);
	assert_true(zip_end_find(tail, sizeof tail, &z));
	assert_true(z.is_large && z.is_counted);
	assert_int_equal(z.entries, 65536);
	assert_true(zip_end_misses(&z, 65535));
	assert_false(zip_end_misses(&z, 65536));
}

static void fewer_members_than_told_are_missed(void **state)
{
	struct zip_end z = { .entries = 3 };

	(void)state;
	assert_true(zip_end_misses(&z, 0));
	assert_true(zip_end_misses(&z, 2));
	assert_false(zip_end_misses(&z, 3));
	assert_false(zip_end_misses(&z, 4));
	/* The lowest 16 bits of 65539. */
	assert_false(zip_end_misses(&z, 65539));
	assert_true(zip_end_misses(&z, 65538));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_record_whose_comment_fits_is_found),
		cmocka_unit_test(zip64_counts_beyond_sixteen_bits),
		cmocka_unit_test(fewer_members_than_told_are_missed),
	};

	return cmocka_run_group_tests_name("zip end", tests, NULL, NULL);
}

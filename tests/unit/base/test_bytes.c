#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fs/base/bytes.h"

static void numbers_are_little_endian_and_come_back(void **state)
{
	uint8_t raw[15];
	struct writer w = writer_over(raw, sizeof raw);
	struct reader r = reader_over(raw, sizeof raw);

	(void)state;
	writer_u8(&w, 0x12);
	writer_u16(&w, 0x1234);
	writer_u32(&w, 0xdeadbeef);
	writer_u64(&w, 0x0123456789abcdef);
	assert_int_equal(w.used, 15);
	assert_false(w.overflow);
	assert_memory_equal(raw + 1, "\x34\x12\xef\xbe\xad\xde\xef", 7);
	assert_int_equal(reader_u8(&r), 0x12);
	assert_int_equal(reader_u16(&r), 0x1234);
	assert_int_equal(reader_u32(&r), 0xdeadbeef);
	assert_int_equal(reader_u64(&r), 0x0123456789abcdef);
	assert_int_equal(reader_left(&r), 0);
	assert_false(r.underflow);
}

static void a_reader_past_its_end_gives_zeros_and_says_so(void **state)
{
	uint8_t out[4] = { 1, 1, 1, 1 };
	struct reader r = reader_over("\xff\xff\xff", 3);

	(void)state;
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.underflow);
	/* It stays so: three bytes are there, but the block is not to be believed. */
	assert_int_equal(reader_u8(&r), 0);
	reader_bytes(&r, out, sizeof out);
	assert_memory_equal(out, "\0\0\0\0", 4);
	assert_null(reader_view(&r, 1));
	assert_int_equal(reader_left(&r), 0);
}

static void a_view_of_a_huge_size_is_refused(void **state)
{
	struct reader r = reader_over("abc", 3);

	(void)state;
	reader_u8(&r);
	assert_null(reader_view(&r, SIZE_MAX));
	assert_true(r.underflow);
}

static void varints_of_every_length_come_back(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits <= 64; bits++) {
		uint64_t v = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
		uint8_t raw[10];
		struct writer w = writer_over(raw, sizeof raw);
		struct reader r;

		writer_varint(&w, v);
		assert_false(w.overflow);
		r = reader_over(raw, w.used);
		assert_true(reader_varint(&r) == v);
		assert_false(r.underflow);
		assert_int_equal(reader_left(&r), 0);
		r = reader_over(raw, w.used - 1);
		assert_int_equal(reader_varint(&r), 0);
		assert_true(r.underflow);
	}
}

static void a_varint_over_64_bits_is_no_number(void **state)
{
	struct reader r = reader_over("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);

	(void)state;
	assert_int_equal(reader_varint(&r), 0);
	assert_true(r.underflow);
	r = reader_over("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11);
	assert_int_equal(reader_varint(&r), 0);
	assert_true(r.underflow);
}

static void a_writer_past_its_end_writes_nothing_and_says_so(void **state)
{
	uint8_t raw[4] = { 9, 9, 9, 9 };
	struct writer w = writer_over(raw, 3);

	(void)state;
	writer_u32(&w, 0);
	assert_true(w.overflow);
	writer_u8(&w, 0);
	writer_zeros(&w, 1);
	assert_int_equal(w.used, 0);
	assert_memory_equal(raw, "\x09\x09\x09\x09", 4);
}

static void a_buffer_grows_and_keeps_what_it_has(void **state)
{
	struct buffer b = { 0 };
	struct reader r;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++)
		buffer_u32(&b, i);
	buffer_varint(&b, 300);
	assert_false(b.failed);
	r = reader_over(b.data, b.size);
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(reader_u32(&r), i);
	assert_int_equal(reader_varint(&r), 300);
	assert_int_equal(reader_left(&r), 0);
	buffer_reset(&b);
	assert_int_equal(b.size, 0);
	buffer_free(&b);
	assert_null(b.data);
}

static void a_buffer_that_could_not_grow_refuses_all_that_follows(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	buffer_u8(&b, 1);
	buffer_append(&b, "x", SIZE_MAX / 2);
	assert_true(b.failed);
	buffer_u8(&b, 2);
	assert_int_equal(b.size, 1);
	buffer_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_little_endian_and_come_back),
		cmocka_unit_test(a_reader_past_its_end_gives_zeros_and_says_so),
		cmocka_unit_test(a_view_of_a_huge_size_is_refused),
		cmocka_unit_test(varints_of_every_length_come_back),
		cmocka_unit_test(a_varint_over_64_bits_is_no_number),
		cmocka_unit_test(a_writer_past_its_end_writes_nothing_and_says_so),
		cmocka_unit_test(a_buffer_grows_and_keeps_what_it_has),
		cmocka_unit_test(a_buffer_that_could_not_grow_refuses_all_that_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

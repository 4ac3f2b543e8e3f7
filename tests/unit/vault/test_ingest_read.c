#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/vault/ingest_read.h"

#define PAGE 4096
#define LONGEST INT64_MAX

/* A file in memory, which is a tmpfs's, of holes alone but for a word at each place. */
static struct live_file made(uint64_t size, const uint64_t *places, size_t count)
{
	struct live_file f = { .fd = memfd_create("holes", MFD_CLOEXEC), .is_sparse = true };

	assert_true(f.fd >= 0);
	assert_int_equal(ftruncate(f.fd, (off_t)size), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pwrite(f.fd, "word", 4, (off_t)places[i]), 4);
	return f;
}

/* Every word is in a run of data, and no run goes back or over the end. */
static void every_word_is_found(uint64_t size, const uint64_t *places, size_t count)
{
	struct live_file f = made(size, places, count);
	uint64_t at = 0, begin, end;
	size_t found = 0, runs = 0;

	while (live_next_data(&f, at, size, &begin, &end)) {
		assert_true(begin >= at && end > begin && end <= size);
		assert_true(++runs < 10);
		for (size_t i = 0; i < count; i++)
			found += places[i] >= begin && places[i] + 4 <= end;
		at = end;
	}
	assert_int_equal(found, count);
	live_close(&f);
}

static void data_between_holes_is_found(void **state)
{
	(void)state;
	every_word_is_found(100 * PAGE, (uint64_t[]){ 0, 7 * PAGE, 99 * PAGE + 5 }, 3);
	every_word_is_found(1ULL << 60, (uint64_t[]){ 77, 1ULL << 59, (1ULL << 60) - 4 }, 3);
	every_word_is_found(100 * PAGE, NULL, 0);
}

static void the_last_page_that_a_file_can_have_is_read(void **state)
{
	(void)state;
	for (uint64_t less = 0; less < 2 * PAGE; less += PAGE / 2 - 1)
		every_word_is_found((uint64_t)LONGEST - less,
				    (uint64_t[]){ 0, 1ULL << 62, (uint64_t)LONGEST - less - 4 }, 3);
	every_word_is_found(LONGEST, (uint64_t[]){ LONGEST - 4 }, 1);
}

/* Where it begins may be asked from the middle of it, too. */
static void from_within_the_last_page_the_rest_is_data(void **state)
{
	struct live_file f = made(LONGEST, (uint64_t[]){ LONGEST - 4 }, 1);
	uint64_t begin, end;

	(void)state;
	assert_true(live_next_data(&f, LONGEST - 100, LONGEST, &begin, &end));
	assert_true(begin == LONGEST - 100 && end == LONGEST);
	assert_false(live_next_data(&f, LONGEST, LONGEST, &begin, &end));
	live_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_between_holes_is_found),
		cmocka_unit_test(the_last_page_that_a_file_can_have_is_read),
		cmocka_unit_test(from_within_the_last_page_the_rest_is_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/vault/execution.h"

static void what_was_written_of_an_execution_is_what_is_read(void **state)
{
	struct execution x = {
		.officer = strdup("chen"), .began = 1700000000, .ended = 1700000100,
		.epoch = {
			.old_epoch = 3, .new_epoch = 4,
			.doom = { .records = 7, .directories = 2, .bytes = 1 << 20,
				  .contents_gone = 5, .contents_shared = 2, .blocks_gone = 9,
				  .blocks_repacked = 1, .bytes_repacked = 4096,
				  .segments_gone = 1, .keys = { { 1, 2, 3 } } },
			.before = { .count = 10, .root = { { 4 } }, .time = 1, .generation = 2,
				    .pages = { { 5 } }, .epoch = 3 },
			.after = { .count = 12, .epoch = 4 },
			.mounts_answered = 1, .keyring_inside = true,
		},
		.live = { .gone = 1, .failed = 2, .filesystem = strdup("ext4") },
		.mounts = { strdup("/mnt/a: moved over") }, .mount_count = 1,
		.keyring_was_read_back = true,
	};
	struct execution y = { 0 };
	struct err e = ERR_NONE;
	char *json = NULL, *again = NULL;

	(void)state;
	assert_int_equal(execution_write(&x, &json, &e), 0);
	assert_int_equal(execution_read(json, &y, &e), 0);
	assert_string_equal(y.officer, "chen");
	assert_int_equal(y.epoch.doom.bytes, 1 << 20);
	assert_memory_equal(&y.epoch.before, &x.epoch.before, sizeof y.epoch.before);
	assert_true(y.epoch.keyring_inside);
	assert_true(y.keyring_was_read_back);
	assert_string_equal(y.mounts[0], "/mnt/a: moved over");
	assert_null(y.live.why);
	assert_int_equal(execution_write(&y, &again, &e), 0);
	assert_string_equal(json, again);
	free(json);
	free(again);
	execution_clear(&x);
	execution_clear(&y);
}

static void facts_that_are_not_there_are_no_facts(void **state)
{
	static const char *const bad[] = { NULL, "", "{", "[1", "{\"a\": 1}" };
	struct execution x;
	struct err e = ERR_NONE;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(execution_read(bad[i], &x, &e), -1);
	assert_int_equal(execution_read("{}", &x, &e), 0);
	assert_null(x.officer);
	execution_clear(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_of_an_execution_is_what_is_read),
		cmocka_unit_test(facts_that_are_not_there_are_no_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

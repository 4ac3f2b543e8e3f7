/*
 * A file's content on its way out of an export: large files, whose digest a thread of its
 * own makes, and small ones, from a source that is made here.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/crypt/digest.h"
#include "fs/vault/export_inside.h"

#define MIB ((uint64_t)1 << 20)
#define LARGE (19 * MIB + 4711)
#define SMALL ((uint64_t)70001)
#define NOWHERE UINT64_MAX

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

struct script {			/* the source's reader */
	uint64_t damaged_at;	/* this byte comes out otherwise than it was */
	uint64_t fails_at;	/* the read that holds this byte fails */
	uint64_t stops_at;	/* run() refuses the piece that holds this byte */
	uint64_t hole_from, hole_to;
	uint64_t given;		/* bytes that run() was given as they were read */
};

static struct script *script;	/* of the test that runs: open() has nothing else to find it by */

static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)((offset * 2654435761u) >> 13);
}

static int open_script(struct export *x, void **reader, struct err *e)
{
	(void)x;
	(void)e;
	*reader = script;
	return 0;
}

static void close_script(void *reader)
{
	(void)reader;
}

static int next_run(void *reader, const struct export_item *item, uint64_t at, uint64_t *from,
		    uint64_t *to, struct err *e)
{
	const struct script *s = reader;

	(void)e;
	*from = at >= s->hole_from && at < s->hole_to ? s->hole_to : at;
	*to = *from < s->hole_from && s->hole_from < item->node.size ? s->hole_from :
		item->node.size;
	return 0;
}

static bool is_in(uint64_t at, uint64_t offset, size_t size)
{
	return at >= offset && at - offset < size;
}

static int read_script(void *reader, const struct export_item *item, uint64_t offset, void *out,
		       size_t size, struct err *e)
{
	const struct script *s = reader;
	uint8_t *to = out;

	(void)item;
	if (is_in(s->fails_at, offset, size))
		return err_set(e, MUNI_IO, "the disk is gone");
	for (size_t i = 0; i < size; i++)
		to[i] = byte_at(offset + i);
	if (is_in(s->damaged_at, offset, size))
		to[s->damaged_at - offset] ^= 1;
	return 0;
}

static void prefetch(void *reader, const struct export_item *item, uint64_t offset, size_t size)
{
	(void)reader;
	(void)item;
	(void)offset;
	(void)size;
}

static int differs(const struct export_item *item, struct err *e)
{
	(void)item;
	return err_set(e, MUNI_DAMAGED, "not what it was");
}

static const struct export_source source = {
	.open = open_script, .close = close_script, .next_run = next_run,
	.read = read_script, .prefetch = prefetch, .differs = differs,
};

static int take_run(void *arg, uint64_t offset, const void *data, size_t size, struct err *e)
{
	struct script *s = arg;
	const uint8_t *bytes = data;

	if (is_in(s->stops_at, offset, size))
		return err_set(e, MUNI_CANCELLED, "stopped");
	for (size_t i = 0; i < size; i++)
		s->given += bytes[i] == byte_at(offset + i);
	return 0;
}

static struct digest digest_of_file(uint64_t size, const struct script *s)
{
	struct hasher *h = hasher_new();
	struct digest out;

	assert_non_null(h);
	for (uint64_t at = 0; at < size;) {
		static uint8_t piece[65536];
		size_t n = 0;

		for (; n < sizeof piece && at < size; n++, at++)
			piece[n] = is_in(at, s->hole_from, s->hole_to - s->hole_from) ? 0 :
				byte_at(at);
		hasher_update(h, piece, n);
	}
	out = hasher_finish(h);
	hasher_free(h);
	return out;
}

static const struct script fine = { NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, 0 };

/* One file of `size` as `how` has it goes out. */
static int send_file(struct export_content *c, uint64_t size, struct script how, struct err *e)
{
	struct export_item *item = export_item_new("events.csv", strlen("events.csv"));
	uint64_t hole = how.hole_from == NOWHERE ? 0 : how.hole_to - how.hole_from;
	int rc;

	assert_non_null(item);
	item->node = (struct node){ .kind = NODE_FILE, .size = size, .allocated = size - hole,
				    .has_sha256 = true, .sha256 = digest_of_file(size, &how) };
	item->has_plain_digest = true;
	*script = how;
	*e = ERR_NONE;
	rc = export_content_each(c, item, take_run, script, e);
	export_item_free(item);
	return rc;
}

static void send_good(struct export_content *c, uint64_t size)
{
	struct err e;

	assert_int_equal(send_file(c, size, fine, &e), 0);
	assert_int_equal(script->given, size);
}

static struct export_content *content_open(unsigned threads)
{
	static struct export x;
	struct export_content *c;
	struct err e = ERR_NONE;

	x = (struct export){ .source = &source, .threads = threads };
	assert_int_equal(export_content_open(&x, &c, &e), 0);
	return c;
}

static void good_files_of_any_size_go_out_whole_one_after_the_other(void **state)
{
	static const uint64_t sizes[] = { 0, 1, SMALL, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, LARGE,
					  SMALL, LARGE, 12 * MIB };

	(void)state;
	for (unsigned threads = 1; threads <= 4; threads += 3) {
		struct export_content *c = content_open(threads);

		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			send_good(c, sizes[i]);
		export_content_close(c);
	}
}

static void one_bit_that_differs_anywhere_is_damage(void **state)
{
	static const uint64_t where[] = { 0, MIB - 1, MIB, LARGE / 2, 18 * MIB, LARGE - 1 };
	struct export_content *c = content_open(4);
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
		struct script how = fine;

		how.damaged_at = where[i];
		assert_int_equal(send_file(c, LARGE, how, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		send_good(c, i % 2 ? LARGE : SMALL);
	}
	export_content_close(c);
}

static void a_read_that_fails_in_the_middle_ends_the_file_alone(void **state)
{
	static const uint64_t where[] = { 0, 2 * MIB, 5 * MIB + 1, LARGE - 1 };
	struct export_content *c = content_open(4);
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
		struct script how = fine;

		how.fails_at = where[i];
		assert_int_equal(send_file(c, LARGE, how, &e), -1);
		assert_int_equal(e.code, MUNI_IO);
		send_good(c, i % 2 ? SMALL : LARGE);
	}
	export_content_close(c);
}

/* Whatever is under way then: nothing is left behind, and nobody waits for ever. */
static void who_stops_in_the_middle_can_close_at_once_or_go_on(void **state)
{
	struct err e;

	(void)state;
	for (uint64_t at = 0; at < LARGE; at += 3 * MIB) {
		struct export_content *c = content_open(4);
		struct script how = fine;

		how.stops_at = at;
		assert_int_equal(send_file(c, LARGE, how, &e), -1);
		assert_int_equal(e.code, MUNI_CANCELLED);
		if (at % (2 * MIB))
			send_good(c, LARGE);
		export_content_close(c);
	}
}

static void holes_count_as_zeros_in_a_large_file(void **state)
{
	struct export_content *c = content_open(4);
	struct script how = fine;
	struct err e;

	(void)state;
	how.hole_from = 3 * MIB + 5;
	how.hole_to = 13 * MIB;
	assert_int_equal(send_file(c, LARGE, how, &e), 0);
	assert_int_equal(script->given, LARGE - (how.hole_to - how.hole_from));
	how.hole_to = LARGE;
	assert_int_equal(send_file(c, LARGE, how, &e), 0);
	export_content_close(c);
}

/* No thread has room for a stack of 64 TiB. */
static void without_a_thread_to_be_had_the_digest_is_checked_all_the_same(void **state)
{
	struct export_content *c = content_open(4);
	struct script how = fine;
	pthread_attr_t before, huge;
	struct err e;

	(void)state;
	assert_int_equal(pthread_getattr_default_np(&before), 0);
	assert_int_equal(pthread_attr_init(&huge), 0);
	assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 46), 0);
	if (pthread_setattr_default_np(&huge) != 0)
		skip();
	send_good(c, LARGE);
	how.damaged_at = LARGE / 2;
	assert_int_equal(send_file(c, LARGE, how, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(pthread_setattr_default_np(&before), 0);
	send_good(c, LARGE);
	export_content_close(c);
	pthread_attr_destroy(&before);
	pthread_attr_destroy(&huge);
}

static void without_memory_for_pieces_the_digest_is_checked_all_the_same(void **state)
{
	struct export_content *c;
	struct script how = fine;
	struct rlimit before, tight;
	unsigned long pages = 0;
	struct err e;
	FILE *f;

	(void)state;
	if (IS_SANITIZED)
		skip();		/* a sanitizer's own memory has no such limit */
	for (uint64_t extra = 0; extra < 5 * MIB; extra += MIB / 2) {
		c = content_open(4);
		send_good(c, SMALL);
		f = fopen("/proc/self/statm", "r");
		assert_non_null(f);
		assert_int_equal(fscanf(f, "%lu", &pages), 1);
		fclose(f);
		assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
		tight = before;
		tight.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + extra;
		assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
		send_good(c, LARGE);
		how.damaged_at = LARGE / 2;
		assert_int_equal(send_file(c, LARGE, how, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
		export_content_close(c);
	}
}

static void good_files_that_are_hashed_behind_are_told_of_never(void **state)
{
	static const uint64_t sizes[] = { LARGE, 0, SMALL, 100000, MIB, MIB + 1, 65536, LARGE, 49152 };

	(void)state;
	for (unsigned threads = 1; threads <= 4; threads += 3) {
		struct export_content *c = content_open(threads);
		struct script hole = fine;
		struct err e = ERR_NONE;

		export_content_behind(c);
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			send_good(c, sizes[i]);
		hole.hole_from = 0;
		hole.hole_to = 3 * MIB;
		assert_int_equal(send_file(c, 3 * MIB, hole, &e), 0);	/* no data at all */
		hole.hole_from = MIB;
		assert_int_equal(send_file(c, LARGE, hole, &e), 0);
		assert_int_equal(export_content_settle(c, &e), 0);
		export_content_close(c);
	}
}

static void one_bit_in_one_of_many_files_hashed_behind_is_told_at_the_latest_in_the_end(void **state)
{
	static const uint64_t sizes[] = { SMALL, 100000, MIB, LARGE };

	(void)state;
	for (size_t bad = 0; bad < 3 * sizeof sizes / sizeof *sizes; bad++) {
		struct export_content *c = content_open(4);
		uint64_t size = sizes[bad / 3];
		struct script how = fine;
		struct err e = ERR_NONE;
		int rc = 0;

		export_content_behind(c);
		how.damaged_at = bad % 3 == 0 ? 0 : bad % 3 == 1 ? size / 2 : size - 1;
		for (unsigned i = 0; i < 12 && rc == 0; i++)
			rc = send_file(c, i == 5 ? size : sizes[i % 4], i == 5 ? how : fine, &e);
		assert_true(rc == 0 || e.code == MUNI_DAMAGED);
		e = ERR_NONE;
		assert_true(rc < 0 || export_content_settle(c, &e) < 0);
		assert_true(rc < 0 || (e.code == MUNI_DAMAGED && strstr(e.text, "events.csv")));
		export_content_close(c);
	}
}

static void who_stops_in_the_middle_of_a_file_hashed_behind_can_close_at_once_or_go_on(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < LARGE; at += 3 * MIB) {
		struct export_content *c = content_open(4);
		struct script how = fine;
		struct err e = ERR_NONE;

		export_content_behind(c);
		send_good(c, MIB);
		how.stops_at = at;
		assert_int_equal(send_file(c, LARGE, how, &e), -1);
		e = ERR_NONE;
		if (at % 2 == 0) {
			send_good(c, LARGE);
			assert_int_equal(export_content_settle(c, &e), 0);
		}
		export_content_close(c);
	}
}

int main(void)
{
	static struct script current;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files_of_any_size_go_out_whole_one_after_the_other),
		cmocka_unit_test(one_bit_that_differs_anywhere_is_damage),
		cmocka_unit_test(a_read_that_fails_in_the_middle_ends_the_file_alone),
		cmocka_unit_test(who_stops_in_the_middle_can_close_at_once_or_go_on),
		cmocka_unit_test(holes_count_as_zeros_in_a_large_file),
		cmocka_unit_test(without_a_thread_to_be_had_the_digest_is_checked_all_the_same),
		cmocka_unit_test(without_memory_for_pieces_the_digest_is_checked_all_the_same),
		cmocka_unit_test(good_files_that_are_hashed_behind_are_told_of_never),
		cmocka_unit_test(one_bit_in_one_of_many_files_hashed_behind_is_told_at_the_latest_in_the_end),
		cmocka_unit_test(who_stops_in_the_middle_of_a_file_hashed_behind_can_close_at_once_or_go_on),
	};

	script = &current;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

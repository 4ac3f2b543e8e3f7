#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/crypt/arena.h"
#include "fs/vault/adversary.h"

#define TRACES 500

/* The same bytes each time; no two numbers alike. */
static void secret_of(unsigned n, uint8_t out[32])
{
	struct digest d = digest_of(&n, sizeof n);

	memcpy(out, d.bytes, 32);
}

static struct traces many(void)
{
	struct traces t = { .list = NULL };
	struct err e = ERR_NONE;
	uint8_t secret[32];

	for (unsigned i = 0; i < TRACES; i++) {
		secret_of(i, secret);
		assert_int_equal(traces_add(&t, i % 2 ? TRACE_KEY : TRACE_SALT, secret,
					    i % 2 ? 32 : 16, &e), 0);
	}
	return t;
}

struct seen {
	size_t trace[8], offset[8];
	size_t count;
};

static void see(void *arg, size_t trace, size_t offset)
{
	struct seen *s = arg;

	assert_in_range(s->count, 0, 7);
	s->trace[s->count] = trace;
	s->offset[s->count++] = offset;
}

static void a_secret_is_found_at_every_offset_and_a_changed_one_is_not(void **state)
{
	struct traces t = many();
	struct trace_search *s = trace_search_new(&t);
	uint8_t page[8192];

	(void)state;
	assert_non_null(s);
	for (size_t at = 0; at + 32 <= sizeof page; at += 97) {
		struct seen seen = { .count = 0 };

		memset(page, 0x5a, sizeof page);
		secret_of(7, page + at);
		trace_search(s, page, sizeof page, see, &seen);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.trace[0], 7);
		assert_int_equal(seen.offset[0], at);
		page[at + 31] ^= 1;
		seen.count = 0;
		trace_search(s, page, sizeof page, see, &seen);
		assert_int_equal(seen.count, 0);
	}
	trace_search_free(s);
	traces_clear(&t);
}

static void a_secret_at_the_very_end_is_found_and_one_cut_short_is_not(void **state)
{
	struct traces t = many();
	struct trace_search *s = trace_search_new(&t);
	struct seen seen = { .count = 0 };
	uint8_t page[64] = { 0 };

	(void)state;
	secret_of(8, page + 48 - 16);	/* a salt: its first 16 bytes */
	memset(page + 48, 0, 16);
	trace_search(s, page, 48, see, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.trace[0], 8);
	seen.count = 0;
	trace_search(s, page, 47, see, &seen);
	assert_int_equal(seen.count, 0);
	trace_search_free(s);
	traces_clear(&t);
}

static void what_is_packed_holds_no_secret_and_reads_back(void **state)
{
	struct traces t = many(), back;
	struct trace_block b = { .offset = 77, .stored = 4711 };
	struct trace_search *s;
	struct seen seen = { .count = 0 };
	struct err e = ERR_NONE;
	uint8_t *data = NULL;
	size_t size = 0;

	(void)state;
	assert_int_equal(traces_add_block(&t, &b, &e), 0);
	assert_int_equal(traces_pack(&t, &data, &size, &e), 0);
	s = trace_search_new(&t);
	trace_search(s, data, size, see, &seen);
	assert_int_equal(seen.count, 0);
	trace_search_free(s);
	assert_int_equal(traces_unpack(data, size, &back, &e), 0);
	assert_int_equal(back.count, TRACES);
	assert_memory_equal(back.list, t.list, TRACES * sizeof *t.list);
	assert_int_equal(back.block_count, 1);
	assert_int_equal(back.blocks[0].offset, 77);
	assert_int_equal(back.blocks[0].stored, 4711);
	traces_clear(&back);
	for (size_t cut = 0; cut < size; cut += 13)
		assert_int_equal(traces_unpack(data, cut, &back, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	free(data);
	traces_clear(&t);
}

static void a_request_reads_back_as_it_was_written(void **state)
{
	struct adversary_request r, back;
	struct err e = ERR_NONE;
	uint8_t *data = NULL;
	size_t size = 0;

	(void)state;
	memset(&r, 0, sizeof r);
	r.archive = strdup("/srv/archive");
	r.keyring = strdup("/srv/keys/x.keyring");
	r.epoch = 12;
	r.key_count = 2;
	secret_of(1, r.catalogue_key);
	secret_of(2, r.keys[1]);
	r.traces = many();
	assert_int_equal(adversary_request_pack(&r, &data, &size, &e), 0);
	assert_int_equal(adversary_request_unpack(data, size, &back, &e), 0);
	assert_string_equal(back.archive, r.archive);
	assert_string_equal(back.keyring, r.keyring);
	assert_int_equal(back.epoch, 12);
	assert_int_equal(back.key_count, 2);
	assert_memory_equal(back.catalogue_key, r.catalogue_key, 32);
	assert_memory_equal(back.keys, r.keys, sizeof r.keys);
	assert_int_equal(back.traces.count, TRACES);
	adversary_request_clear(&back);
	for (size_t cut = 0; cut < size; cut += 31) {
		assert_int_equal(adversary_request_unpack(data, cut, &back, &e), -1);
		adversary_request_clear(&back);
	}
	arena_key_free(data);
	adversary_request_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_found_at_every_offset_and_a_changed_one_is_not),
		cmocka_unit_test(a_secret_at_the_very_end_is_found_and_one_cut_short_is_not),
		cmocka_unit_test(what_is_packed_holds_no_secret_and_reads_back),
		cmocka_unit_test(a_request_reads_back_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

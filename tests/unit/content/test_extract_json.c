#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/content/examined.h"
#include "tests/unit/content/text_samples.h"

static void assert_where(struct bench *b, const char *text, const char *where,
			 unsigned confidence)
{
	const struct finding *f = examined(b, "a.json", text, strlen(text));

	if (f == NULL)
		fail_msg("nothing found in: %.70s", text);
	assert_string_equal(f->where, where);
	assert_int_equal(f->confidence, confidence);
}

static void a_value_is_placed_by_its_path_and_labelled_by_its_key(void **state)
{
	assert_where(*state, "{\"employees\":[{},{\"name\":\"x\",\"token\":\"TKN-1234\"}]}",
		     "$.employees[1].token", 90);
	assert_where(*state, "{\"tokens\":[[\"a\",\"TKN-1234\"]]}", "$.tokens[0][1]", 90);
	assert_where(*state, "[\"TKN-1234\"]", "$[0]", 50);
	assert_where(*state, "{\"a key\":{\"b.c\":\"TKN-1234\"}}", "$['a key']['b.c']", 50);
	assert_where(*state, "{\"x\":\"one\\nTKN-1234\\ttwo\"}", "$.x", 50);
	assert_where(*state, "{\"x\":\"\\u0054KN-1234\"}", "$.x", 50);
	/* What stands beside it in the object is near; elsewhere is not. */
	assert_where(*state, "{\"x\":\"token\",\"y\":\"TKN-1234\"}", "$.y", 90);
	assert_where(*state, "[{\"x\":\"token\"},{\"y\":\"TKN-1234\"}]", "$[1].y", 50);
}

static void json_lines_tell_their_line(void **state)
{
	assert_where(*state, "{\"a\":1}\n{\"token\":\"TKN-1234\"}\n{\"a\":2}\n", "$.token, line 2", 90);
}

static void data_in_keys_is_found_and_never_shown(void **state)
{
	const struct finding *f;

	assert_where(*state, "{\"TKN-1234\":{\"a\":1}}", "$", 50);
	f = examined(*state, "a.json", "{\"9998887776\":\"TKN-1234\"}", 25);
	assert_string_equal(f->where, "$.*");
}

static void what_is_no_json_from_some_byte_on_is_text_from_there(void **state)
{
	static const char *const broken[] = {
		"{\"a\":1,\n // remark\n\"token\":\"TKN-1234\"}",
		"{\"a\":\"TKN-1234", "{\"a\":\"x\ny TKN-1234\"}", "{\"a\":1} trailing TKN-1234",
		"[1,2,]\nTKN-1234\n", "{\"a\":NaN,\"b\":\"TKN-1234\"}", "{\"a\":'TKN-1234'}",
		"{\"a\":\"\\xTKN-1234\"}, TKN-1234",
	};

	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		char *name = i == 7 ? "x.json" : "a.json";
		/* Long enough to be taken for JSON by its head. */
		size_t size = (400u << 10) + strlen(broken[i]) + 64, at;
		char *text = malloc(size);
		const struct finding *f;

		at = (size_t)sprintf(text, "[");
		while (at < 400u << 10)
			at += (size_t)sprintf(text + at, "{\"k\":\"value value value\"},\n");
		at += (size_t)sprintf(text + at, "%s", broken[i]);
		f = examined(*state, name, text, at);
		if (f == NULL)
			fail_msg("nothing found in: %s", broken[i]);
		assert_int_equal(f->count, 1);
		assert_string_equal(((struct bench *)*state)->seen.format, "application/json");
		free(text);
	}
}

static void deep_nesting_is_bounded_and_hides_nothing(void **state)
{
	size_t depth = 100000, at = depth;
	char *text = malloc(2 * depth + 64);
	const struct finding *f;

	memset(text, '[', depth);
	at += (size_t)sprintf(text + at, "\"TKN-1234\"");
	memset(text + at, ']', depth);
	f = examined(*state, "deep.json", text, at + depth);
	assert_non_null(f);
	assert_int_equal(f->count, 1);
	free(text);
}

/* Strings of megabytes, with escapes, hits at every kind of place. */
static void long_strings_are_read_through(void **state)
{
	for (unsigned kind = 0; kind < 5; kind++) {
		size_t room = 1500000, at = 0, hits = 0;
		char *text = malloc(room + 4096);
		const struct finding *f;
		uint32_t seed = kind + 3;

		at += (size_t)sprintf(text, "{\"token\":\"");
		while (at < room) {
			switch (kind) {
			case 0: at += (size_t)sprintf(text + at, "word word "); break;
			case 1: at += (size_t)sprintf(text + at, "aaaaaaaaaaaaaaaaaaaa"); break;
			case 2: at += (size_t)sprintf(text + at, "\\u4e2d\\u6587"); break;
			case 3: at += (size_t)sprintf(text + at, "\\\\\\\"\\n"); break;
			default: at += (size_t)sprintf(text + at, "中文"); break;
			}
			if (draw(&seed, 4000) == 0) {
				at += (size_t)sprintf(text + at, " TKN-%04u\\n",
						      draw(&seed, 10000));
				hits++;
			}
		}
		at += (size_t)sprintf(text + at, "\",\"next\":\"TKN-1234\"}");
		f = examined(*state, "long.json", text, at);
		assert_non_null(f);
		if (f->count != hits + 1)
			fail_msg("kind %u: %zu of %zu", kind, (size_t)f->count, hits + 1);
		assert_non_null(strstr(f->where, "$.token"));
		assert_string_equal(((struct bench *)*state)->seen.opaque, "");
		free(text);
	}
}

static void large_files_keep_their_places(void **state)
{
	size_t room = 2000000, at = 0, hits = 0, n = 0;
	char *text = malloc(room + 4096);
	char expected[64] = "";
	const struct finding *f;
	uint32_t seed = 9;

	at += (size_t)sprintf(text, "{\"list\":[");
	for (; at < room; n++) {
		at += (size_t)sprintf(text + at, "%s{\"id\":%zu,\"tags\":[\"x\",\"y\"],\"note\":\"",
				      n > 0 ? ",\n" : "", n);
		if (draw(&seed, 300) == 0) {
			at += (size_t)sprintf(text + at, "TKN-%04u", draw(&seed, 10000));
			if (hits++ == 0)
				snprintf(expected, sizeof expected, "$.list[%zu].note", n);
		}
		at += (size_t)sprintf(text + at, "\"}");
	}
	at += (size_t)sprintf(text + at, "]}");
	f = examined(*state, "big.json", text, at);
	assert_non_null(f);
	assert_int_equal(f->count, hits);
	assert_string_equal(f->samples[0].where, expected);
	assert_memory_equal(text + f->samples[0].offset, "TKN-", 4);
	assert_memory_equal(text + f->samples[2].offset, "TKN-", 4);
	free(text);
}

static void cut_anywhere_it_is_still_read(void **state)
{
	static const char text[] = "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\n\"],\"b\":{\"c\":\"TKN-1234\"}}\n[]";

	for (size_t size = 0; size < sizeof text; size++) {
		char *copy = malloc(size + 1);

		memcpy(copy, text, size);
		examined(*state, "a.json", copy, size);
		free(copy);
	}
}

static void noise_is_read_to_its_end(void **state)
{
	static const char letters[] = "{}[],:\"\\un0a1- \n\xe4\xb8\xad\xff" "truefalsn";
	uint32_t seed = 4;

	for (unsigned round = 0; round < 300; round++) {
		size_t size = draw(&seed, 3000), used;
		char *text = malloc(size + 32);

		used = (size_t)sprintf(text, "{\"a\":[1],\"b\":");
		while (used < size)
			text[used++] = letters[draw(&seed, sizeof letters - 1)];
		examined(*state, "a.json", text, used);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_placed_by_its_path_and_labelled_by_its_key),
		cmocka_unit_test(json_lines_tell_their_line),
		cmocka_unit_test(data_in_keys_is_found_and_never_shown),
		cmocka_unit_test(what_is_no_json_from_some_byte_on_is_text_from_there),
		cmocka_unit_test(deep_nesting_is_bounded_and_hides_nothing),
		cmocka_unit_test(long_strings_are_read_through),
		cmocka_unit_test(large_files_keep_their_places),
		cmocka_unit_test(cut_anywhere_it_is_still_read),
		cmocka_unit_test(noise_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}

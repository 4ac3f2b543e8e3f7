#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"

static void assert_canonical(const char *in, const char *out)
{
	json_t *value = json_loads(in, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	struct err e = ERR_NONE;
	char *text = NULL;
	size_t size = 0;

	assert_non_null(value);
	assert_int_equal(canonical_dump(value, &text, &size, &e), 0);
	assert_string_equal(text, out);
	assert_int_equal(size, strlen(out));
	free(text);
	json_decref(value);
}

/* The strings and names of RFC 8785, 3.2.2 and 3.2.3. */
static void the_samples_of_the_rfc_come_out_as_it_says(void **state)
{
	(void)state;
	assert_canonical("{\"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
			 " \"literals\": [null, true, false]}",
			 "{\"literals\":[null,true,false],"
			 "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
	assert_canonical("{\"\\u20ac\": 1, \"\\r\": 2, \"\\ufb33\": 3, \"1\": 4,"
			 " \"\\ud83d\\ude00\": 5, \"\\u0080\": 6, \"\\u00f6\": 7}",
			 "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,"
			 "\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
}

static void every_control_has_the_one_form_that_the_rfc_gives_it(void **state)
{
	(void)state;
	assert_canonical("\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u000e\\u001f\\u007f\"",
			 "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u000e\\u001f\x7f\"");
}

static void names_that_begin_alike_are_ordered_by_what_follows(void **state)
{
	(void)state;
	assert_canonical("{\"ab\":1,\"a\":2,\"\":3,\"b\":4,\"aa\":[]}",
			 "{\"\":3,\"a\":2,\"aa\":[],\"ab\":1,\"b\":4}");
}

static void integers_that_every_reader_keeps_are_written_plainly(void **state)
{
	(void)state;
	assert_canonical("[0,-1,9007199254740991,-9007199254740991]",
			 "[0,-1,9007199254740991,-9007199254740991]");
}

static void numbers_that_a_reader_could_change_are_refused(void **state)
{
	static const char *const numbers[] = { "[9007199254740992]", "[-9007199254740992]",
					       "[1.5]", "{\"a\":1e2}", "[0.0]" };
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		json_t *value = json_loads(numbers[i], 0, NULL);
		struct err e = ERR_NONE;
		char *text = NULL;
		size_t size = 0;

		assert_non_null(value);
		assert_int_equal(canonical_dump(value, &text, &size, &e), -1);
		assert_int_equal(e.code, MUNI_LIMIT);
		assert_null(text);
		json_decref(value);
	}
}

static void a_text_that_is_not_utf8_is_refused(void **state)
{
	json_t *value = json_stringn_nocheck("a\xff", 2);
	struct err e = ERR_NONE;
	char *text = NULL;
	size_t size = 0;

	(void)state;
	assert_int_equal(canonical_dump(value, &text, &size, &e), -1);
	assert_int_equal(e.code, MUNI_FORMAT);
	json_decref(value);
}

static void only_the_canonical_form_is_loaded(void **state)
{
	static const char good[] = "{\"a\":[1,2],\"b\":\"x\"}";
	static const char *const bad[] = {
		"{\"a\": [1,2],\"b\":\"x\"}", "{\"b\":\"x\",\"a\":[1,2]}",
		"{\"a\":[1,2],\"b\":\"x\"}\n", "{\"a\":[1,2],\"b\":\"\\u0078\"}",
		"{\"a\":1,\"a\":1}", "{\"a\":[1,2]", "", "{\"a\":1.0}", "{\"a\":-0}",
	};
	struct err e = ERR_NONE;
	json_t *value = NULL;

	(void)state;
	assert_int_equal(canonical_load(good, sizeof good - 1, &value, &e), 0);
	assert_int_equal(json_array_size(json_object_get(value, "a")), 2);
	json_decref(value);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(canonical_load(bad[i], strlen(bad[i]), &value, &e), -1);
		assert_null(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_samples_of_the_rfc_come_out_as_it_says),
		cmocka_unit_test(every_control_has_the_one_form_that_the_rfc_gives_it),
		cmocka_unit_test(names_that_begin_alike_are_ordered_by_what_follows),
		cmocka_unit_test(integers_that_every_reader_keeps_are_written_plainly),
		cmocka_unit_test(numbers_that_a_reader_could_change_are_refused),
		cmocka_unit_test(a_text_that_is_not_utf8_is_refused),
		cmocka_unit_test(only_the_canonical_form_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

static void assert_where(struct bench *b, const char *name, const char *text, const char *where,
			 unsigned confidence)
{
	const struct finding *f = examined(b, name, text, strlen(text));

	if (f == NULL)
		fail_msg("nothing found in: %.70s", text);
	assert_string_equal(f->where, where);
	assert_int_equal(f->confidence, confidence);
}

static void the_head_of_a_column_is_its_label_and_place(void **state)
{
	assert_where(*state, "a.csv", "id,token,city\n1001,TKN-1234,Rome\n1002,x,Bern\n",
		     "column token, line 2", 90);
	assert_where(*state, "a.csv", "id;Token Value;city\r\n1001;x;Rome\r\n1002;TKN-1234;y\r\n",
		     "column Token Value, line 3", 90);
	assert_where(*state, "a.tsv", "id\ttoken\tcity\n1001\tTKN-1234\tRome\n1002\tx\tBern\n",
		     "column token, line 2", 90);
	/* Of another column: no context. */
	assert_where(*state, "a.csv", "id,token,city\n1001,x,TKN-1234\n1002,x,Bern\n",
		     "column city, line 2", 50);
	/* Titles in front. */
	assert_where(*state, "a.csv", "Report of May\n\nid,token,city\n1001,TKN-1234,Rome\n"
		     "1002,x,Bern\n1003,x,y\n", "column token, line 4", 90);
}

static void quotes_hold_delimiters_and_lines(void **state)
{
	assert_where(*state, "a.csv", "id,note,token\n1001,\"a, b\nc, \"\"d\"\"\",TKN-1234\n"
		     "1002,x,y\n", "column token, line 3", 90);
	assert_where(*state, "a.csv", "id,note,token\n1001,\"a,\n,,\nTKN-1234\",x\n1002,x,y\n",
		     "column note, line 4", 50);
	assert_where(*state, "a.csv", "id,size,token\n1001,5\" disk,x\n1002,7\" disk,TKN-1234\n",
		     "column token, line 3", 90);
	assert_where(*state, "a.csv", "id, \"no, te\", token\n1001, \"a, b\", TKN-1234\n",
		     "column token, line 2", 90);
}

static void a_table_without_a_head_has_numbered_columns(void **state)
{
	assert_where(*state, "a.csv", "1001,TKN-1234,Rome\n1002,x,Bern\n", "column 2, line 1", 50);
	/* A first row of data is never shown as names. */
	examined(*state, "a.csv", "bob,hunter2x,TKN-1234\nann,letme9in,TKN-1235\n", 44);
	assert_null(strstr(((struct bench *)*state)->seen.findings[0].where, "hunter"));
}

static void offsets_are_those_of_the_stored_bytes(void **state)
{
	static const char text[] = "编号,姓名,城市\n1001,张三,北京\n1002,TKN-1234,上海\n1003,李四,广州\n";
	static const char *const encodings[] = { "UTF-8", "GB18030", "UTF-16LE", "UTF-16BE" };
	struct bench *b = *state;

	for (size_t i = 0; i < 4; i++) {
		size_t size, prefix;
		char *stored = encoded(encodings[i], text, &size), *head, *front;
		const struct finding *f;

		f = examined(b, "a.csv", stored, size);
		assert_non_null(f);
		head = strndup(text, (size_t)(strstr(text, "TKN") - text));
		front = encoded(encodings[i], head, &prefix);
		assert_int_equal(f->samples[0].offset, prefix);
		assert_string_equal(f->where, "column 姓名, line 3");
		free(front);
		free(head);
		free(stored);
	}
}

/* Quotes, blocks and rows that do not end together: against a plain reading. */
static void large_tables_are_labelled_right_throughout(void **state)
{
	static const char *const names[] = { "alpha", "token", "gamma", "delta" };
	static const char *const fillers[] = { "plain", "\"quo,ted\"", "\"li\nne\"", "\"\"", "",
		"\"dou\"\"ble\"", "12", "\"a,b\n,\"\"c\"" };
	size_t room = 3000000, size = 0, hits = 0, token_hits = 0;
	char *text = malloc(room + 4096);
	struct bench *b = *state;
	const struct finding *f;
	uint32_t seed = 21;

	size += (size_t)sprintf(text, "alpha,token,gamma,delta\n");
	while (size < room) {
		for (unsigned c = 0; c < 4; c++) {
			if (draw(&seed, 2000) == 0) {
				size += (size_t)sprintf(text + size, "TKN-%04u",
							draw(&seed, 10000));
				hits++;
				token_hits += c == 1;
			} else if (draw(&seed, 3000) == 0 && c > 0) {
				size += (size_t)sprintf(text + size, "\"%0*d\"", 900, 0);
			} else {
				size += (size_t)sprintf(text + size, "%s", fillers[draw(&seed, 8)]);
			}
			text[size++] = c < 3 ? ',' : '\n';
		}
	}
	f = examined(b, "big.csv", text, size);
	assert_non_null(f);
	assert_int_equal(f->count, hits);
	assert_true(token_hits > 0);
	/* Each sample stands where its place says. */
	for (unsigned i = 0; i < f->sample_count; i++) {
		const char *p = text, *end = text + f->samples[i].offset;
		bool is_quoted = false;
		unsigned column = 0, line = 1;
		char where[64];

		for (; p < end; p++) {
			if (*p == '"')
				is_quoted = !is_quoted;
			line += *p == '\n';
			if (*p == ',' && !is_quoted)
				column++;
			if (*p == '\n' && !is_quoted)
				column = 0;
		}
		snprintf(where, sizeof where, "column %s, line %u", names[column], line);
		assert_string_equal(f->samples[i].where, where);
	}
	free(text);
}

static void a_quote_that_is_never_closed_hides_nothing(void **state)
{
	size_t room = 400000, size = 0;
	char *text = malloc(room + 100);
	const struct finding *f;

	size += (size_t)sprintf(text, "id,note,token\n1001,\"open,x\n");
	while (size < room)
		size += (size_t)sprintf(text + size, "1002,aaaaaaaaaaaaaaaaaaa,bbbbbbbbbb\n");
	size += (size_t)sprintf(text + size, "1003,x,TKN-1234\n");
	f = examined(*state, "a.csv", text, size);
	assert_non_null(f);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->confidence, 90);
	free(text);
}

static void cut_anywhere_it_is_still_read(void **state)
{
	static const char text[] = "id,\"to\"\"ken\",c\n\"1\n,\",\"TKN-1234\",\"x\n\"\n2,TKN-1235,\"\"\n";

	for (size_t size = 0; size < sizeof text; size++) {
		char *copy = malloc(size + 1);	/* so that a step too far is seen */

		memcpy(copy, text, size);
		examined(*state, "a.csv", copy, size);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_of_a_column_is_its_label_and_place),
		cmocka_unit_test(quotes_hold_delimiters_and_lines),
		cmocka_unit_test(a_table_without_a_head_has_numbered_columns),
		cmocka_unit_test(offsets_are_those_of_the_stored_bytes),
		cmocka_unit_test(large_tables_are_labelled_right_throughout),
		cmocka_unit_test(a_quote_that_is_never_closed_hides_nothing),
		cmocka_unit_test(cut_anywhere_it_is_still_read),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}

/* Pages: what flows, what hides in attributes, and what browsers would forgive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/content/examined.h"

static void assert_seen(void **state, const char *html, size_t size, const char *where,
			unsigned confidence)
{
	struct bench *b = *state;
	const struct finding *f = examined(b, "a.html", html, size);

	assert_string_equal(b->seen.format, "text/html");
	if (!f)
		fail_msg("nothing found in: %.200s", html);
	assert_int_equal(f->count, 1);
	assert_string_equal(f->where, where);
	assert_int_equal(f->confidence, confidence);
	assert_string_equal(b->seen.opaque, "");
}

#define assert_where(html, where, confidence)                                                    \
	assert_seen(state, html, sizeof html - 1, where, confidence)

#define HEAD "<!DOCTYPE html>\n<html><head><title>x</title></head>"

static void inline_elements_part_no_word_and_blocks_do(void **state)
{
	static const char parted[] = HEAD "<body><p>TKN-<p>4711</body></html>";

	assert_where(HEAD "<body><p>TKN-<b>47</b><!-- -->11</p></body></html>", "paragraph 2", 50);
	assert_null(examined(*state, "a.html", parted, sizeof parted - 1));
	assert_where(HEAD "<body>token<br>TKN-4711", "paragraph 2", 90);
	assert_where(HEAD "<body><p>&#84;KN-4711&nbsp;&unknown;</p></body></html>", "paragraph 2", 50);
}

static void the_head_of_a_column_labels_its_cells(void **state)
{
	assert_where(HEAD "<body><table><tr><th>Name<th>Token<tr><td>Al<td>TKN-4711</table>",
		     "table 1, row 2", 90);
	assert_where(HEAD "<body><table><tr><th colspan=2>Name<th>Token<tr><td>Al<td>Bo<td>TKN-4711"
		     "</table>", "table 1, row 2", 90);
	assert_where(HEAD "<body><table><tr><th>Token<th>Name<tr><td>12345<td>TKN-4711</table>",
		     "table 1, row 2", 50);
	assert_where(HEAD "<body><table><tr><td><table><tr><th>Name<th>Token<tr><td>Al<td>TKN-4711"
		     "</table></table>", "table 2, row 2", 90);
}

static void attributes_are_looked_at_under_their_own_name(void **state)
{
	assert_where(HEAD "<body><form><input type=hidden name=token value='TKN-4711'></form>", "", 90);
	assert_where(HEAD "<body><a href='https://example.org/?t=TKN-4711'>x</a>", "", 50);
	assert_where(HEAD "<meta name=token content=\"TKN-4711\"><body>x", "", 90);
	assert_where(HEAD "<body><div data-token=TKN-4711>x</div>", "", 90);
}

static void scripts_and_comments_are_text_too(void **state)
{
	assert_where(HEAD "<body><script>var token = 'TKN-4711' < 3;</script>", "paragraph 2", 90);
	assert_where(HEAD "<body><!-- token TKN-4711 -->", "paragraph 2", 90);
	assert_where(HEAD "<style>/* token TKN-4711 */</style>", "paragraph 2", 90);
}

static void what_stands_behind_the_end_is_read(void **state)
{
	assert_where(HEAD "<body>x</body></html>\ntoken TKN-4711\n", "paragraph 3", 90);
	assert_where(HEAD "<body>x</body></html>" HEAD "<body>token TKN-4711</body></html>",
		     "paragraph 3", 90);
}

static void encodings_are_those_of_the_bytes_then_of_the_page(void **state)
{
	assert_where("<html><head><meta charset=gbk><title>x</title></head><body>\xb1\xe0\xba\xc5 token "
		     "TKN-4711</body></html>", "paragraph 2", 90);
}

static void tags_without_end_are_read_to_their_bottom(void **state)
{
	enum { DEPTH = 20000 };
	char *html = malloc(DEPTH * 7 + 200);
	size_t used = 0;
	const struct finding *f;

	assert_non_null(html);
	used += (size_t)sprintf(html, "%s<body>", HEAD);
	for (int i = 0; i < DEPTH; i++)
		used += (size_t)sprintf(html + used, i % 2 ? "<div>" : "<table>");
	used += (size_t)sprintf(html + used, " token TKN-4711 ");
	f = examined(*state, "a.html", html, used);
	assert_non_null(f);
	assert_int_equal(f->count, 1);
	free(html);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inline_elements_part_no_word_and_blocks_do),
		cmocka_unit_test(the_head_of_a_column_labels_its_cells),
		cmocka_unit_test(attributes_are_looked_at_under_their_own_name),
		cmocka_unit_test(scripts_and_comments_are_text_too),
		cmocka_unit_test(what_stands_behind_the_end_is_read),
		cmocka_unit_test(encodings_are_those_of_the_bytes_then_of_the_page),
		cmocka_unit_test(tags_without_end_are_read_to_their_bottom),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}

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
	const struct finding *f = examined(b, "dump.sql", text, strlen(text));

	if (f == NULL)
		fail_msg("nothing found in: %.70s", text);
	assert_string_equal(f->where, where);
	assert_int_equal(f->confidence, confidence);
}

static void rows_of_insert_stand_under_their_columns(void **state)
{
	assert_where(*state, "-- MySQL dump 10.13\nINSERT INTO `staff` (`id`, `token`) VALUES "
		     "(1,'x'),(2,'TKN-1234'),(3,'y');\n", "staff.token, line 2", 90);
	assert_where(*state, "CREATE TABLE staff (id int, note varchar(10), token text, "
		     "PRIMARY KEY (id));\nINSERT INTO staff VALUES (1, 'a, (b', 'TKN-1234');\n",
		     "staff.token, line 2", 90);
	assert_where(*state, "insert into hr.staff(token,x)\nvalues\n('TKN-1234',1),\n('b',2);\n",
		     "staff.token, line 3", 90);
	assert_where(*state, "INSERT [dbo].[Staff] ([Id], [Token]) VALUES (1, N'x')\nGO\n"
		     "INSERT [dbo].[Staff] ([Id], [Token]) VALUES (2, N'TKN-1234')\nGO\n",
		     "Staff.Token, line 3", 90);
	assert_where(*state, "INSERT INTO t VALUES (1, 'TKN-1234');\n", "t, column 2, line 1", 50);
	assert_where(*state, "INSERT INTO t (a, b) VALUES (NOW(), CONCAT('x, ', 'TKN-1234'));\n",
		     "t.b, line 1", 50);
	assert_where(*state, "INSERT INTO t (a,b) VALUES (1,2);\nSELECT 'TKN-1234', 1;\n", "line 2",
		     50);
	assert_where(*state, "CREATE TABLE t (a int);\n-- for TKN-1234\n", "line 2", 50);
}

static void strings_may_hold_anything(void **state)
{
	/* MySQL's escapes. */
	assert_where(*state, "-- MySQL dump\nINSERT INTO t (a,b,token) VALUES "
		     "('it\\'s, (','\\\\','TKN-1234');\n", "t.token, line 2", 90);
	assert_where(*state, "-- MySQL dump\nINSERT INTO t (a,b) VALUES ('one\\nTKN-1234\\n',1);\n",
		     "t.a, line 2", 50);
	/* The standard has none. */
	assert_where(*state, "-- PostgreSQL database dump\nINSERT INTO t (a,b,token) VALUES "
		     "('C:\\', 'it''s;', 'TKN-1234');\n", "t.token, line 2", 90);
	assert_where(*state, "-- PostgreSQL database dump\nINSERT INTO t (a,token) VALUES "
		     "(E'it\\'s', 'TKN-1234');\n", "t.token, line 2", 90);
	/* Bodies of functions, remarks. */
	assert_where(*state, "-- PostgreSQL database dump\nCREATE FUNCTION f() AS $x$ don't; $ $x$ "
		     "LANGUAGE sql;\n/* isn't */ INSERT INTO t (a,token) VALUES (1,'TKN-1234');\n",
		     "t.token, line 3", 90);
}

static void rows_of_copy_stand_under_their_columns(void **state)
{
	assert_where(*state, "-- PostgreSQL database dump\nCOPY public.staff (id, note, token) FROM "
		     "stdin;\n1\ta\\tb'\tx\n2\t\\N\tTKN-1234\n\\.\n\nSELECT 1;\n",
		     "staff.token, line 4", 90);
	assert_where(*state, "-- PostgreSQL database dump\nCOPY t (id, token) FROM stdin;\n1\tx\n"
		     "\\.\n\nCOPY u (token, id) FROM stdin;\nTKN-1234\t1\n\\.\n",
		     "u.token, line 7", 90);
	assert_where(*state, "-- PostgreSQL database dump\nCOPY t (id, token) FROM stdin;\n1\tx\n"
		     "\\.\n\nSELECT 'TKN-1234';\n", "line 6", 50);
}

/* Values, quotes and blocks that do not end together: against a plain reading. */
static void large_dumps_are_labelled_right_throughout(void **state)
{
	static const char *const fillers[] = { "NULL", "12", "'a,b'", "'(x'", "'it\\'s'", "''",
		"'\\\\'", "'li\\nne'", "f(1,2)" };
	size_t room = 3000000, size = 0, hits = 0;
	char *text = malloc(room + 4096);
	char expected[3][64];
	const struct finding *f;
	uint32_t seed = 31;
	unsigned line = 2;

	size += (size_t)sprintf(text, "-- MySQL dump\n");
	while (size < room) {
		unsigned table = draw(&seed, 3);

		size += (size_t)sprintf(text + size, "INSERT INTO `t%u` (`a`,`b`,`c`) VALUES ",
					table);
		for (unsigned row = draw(&seed, 40) + 1; row > 0; row--) {
			for (unsigned c = 0; c < 3; c++) {
				size += (size_t)sprintf(text + size, "%s", c == 0 ? "(" : ",");
				if (draw(&seed, 900) > 0) {
					size += (size_t)sprintf(text + size, "%s",
								fillers[draw(&seed, 9)]);
					continue;
				}
				size += (size_t)sprintf(text + size, "'TKN-%04u'",
							draw(&seed, 10000));
				if (hits < 3)
					sprintf(expected[hits], "t%u.%c, line %u", table,
						"abc"[c], line);
				hits++;
			}
			size += (size_t)sprintf(text + size, row > 1 ? ")," : ");\n");
		}
		line++;
	}
	f = examined(*state, "big.sql", text, size);
	assert_non_null(f);
	assert_int_equal(f->count, hits);
	for (unsigned i = 0; i < 3; i++) {
		assert_string_equal(f->samples[i].where, expected[i]);
		assert_memory_equal(text + f->samples[i].offset, "TKN-", 4);
	}
	free(text);
}

static void cut_anywhere_it_is_still_read(void **state)
{
	static const char text[] = "CREATE TABLE `t` (`a` int, \"b\" text);\n/* x */ INSERT INTO t "
		"VALUES (1,E'\\'TKN-1234'),(2,$q$x$q$);\nCOPY t (a,b) FROM stdin;\n1\t\\N\n\\.\n# y\n";

	for (size_t size = 0; size < sizeof text; size++) {
		char *copy = malloc(size + 1);

		memcpy(copy, text, size);
		examined(*state, "a.sql", copy, size);
		free(copy);
	}
}

static void noise_is_read_to_its_end(void **state)
{
	static const char *const words[] = { "INSERT INTO ", "VALUES ", "(", ")", ",", "'", "\"",
		"`", "\\", ";", "\n", "COPY t (a) FROM stdin;\n", "\\.\n", "$x$", "$", "--", "/*",
		"*/", "CREATE TABLE t (", "a", "[", "]", "\t", "TKN-1234" };
	uint32_t seed = 6;

	for (unsigned round = 0; round < 300; round++) {
		size_t want = draw(&seed, 4000), size;
		char *text = malloc(want + 64);

		size = (size_t)sprintf(text, "CREATE TABLE t (a int);\n");
		while (size < want)
			size += (size_t)sprintf(text + size, "%s", words[draw(&seed, 24)]);
		examined(*state, "a.sql", text, size);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_insert_stand_under_their_columns),
		cmocka_unit_test(strings_may_hold_anything),
		cmocka_unit_test(rows_of_copy_stand_under_their_columns),
		cmocka_unit_test(large_dumps_are_labelled_right_throughout),
		cmocka_unit_test(cut_anywhere_it_is_still_read),
		cmocka_unit_test(noise_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}

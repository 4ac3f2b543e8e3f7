#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "policy/glob.h"
#include "policy/memory.h"

static struct memory memory;

static struct glob *glob(const char *text, unsigned flags)
{
	struct err e = ERR_NONE;
	struct glob *g;

	if (glob_new(&memory, text, flags, &g, &e) < 0)
		fail_msg("%s", e.text);
	return g;
}

static bool is_match(const char *pattern, const char *text)
{
	return glob_match(glob(pattern, 0), text, strlen(text));
}

static int forget(void **state)
{
	(void)state;
	memory_clear(&memory);
	return 0;
}

static void a_glob_matches_what_it_says_and_nothing_else(void **state)
{
	static const struct { const char *glob, *yes[6], *no[8]; } cases[] = {
		{ "payroll/**", { "payroll/a", "payroll/a/b", "payroll/.x" },
		  { "payroll", "payrolls/a", "x/payroll/a", "Payroll/a" } },
		{ "**", { "a", "a/b/c", ".", "\xff/\xfe" }, { NULL } },
		{ "*", { "a", "abc", "." }, { "a/b" } },
		{ "*/b", { "a/b", "abc/b" }, { "b", "a/c/b", "a/b/c" } },
		{ "**/b", { "b", "a/b", "a/c/b" }, { "ab", "a/ab", "b/a" } },
		{ "**/cache/**", { "cache/x", "a/cache/x", "a/b/cache/c/d" },
		  { "cache", "a/cache", "acache/x", "a/caches/x" } },
		{ "a/**/b", { "a/b", "a/x/b", "a/x/y/b" }, { "ab", "a/xb", "x/a/b", "a/b/c" } },
		{ "a/**/*.log", { "a/x.log", "a/b/c/x.log", "a/.log" }, { "x.log", "a/x.logs" } },
		{ "**/*.tmp", { "x.tmp", "a/b.tmp", ".tmp" }, { "x.tmp/y", "xtmp" } },
		{ "a**b", { "ab", "a/x/b", "axb" }, { "ba", "abc" } },
		{ "**/**/x", { "x", "a/x", "a/b/x" }, { "xx" } },
		{ "***", { "a/b" }, { NULL } },
		{ "a?c", { "abc", "a\xe4\xb8\xad" "c", "a\xff" "c" }, { "ac", "a/c", "abbc" } },
		{ "?", { "a", "\xe4\xb8\xad", "\xff" }, { "", "ab", "\xe4\xb8\xad\xe4\xb8\xad", "/" } },
		{ "*??", { "ab", "\xe4\xb8\xad\xe6\x96\x87" }, { "\xe4\xb8\xad", "a" } },
		{ "[a-c]x", { "ax", "cx" }, { "dx", "x", "Ax" } },
		{ "[!a-c]x", { "dx", "\xe4\xb8\xadx" }, { "ax", "/x", "x" } },
		{ "[^a]", { "b" }, { "a" } },
		{ "[]x]", { "]", "x" }, { "a" } },
		{ "[a-]", { "a", "-" }, { "b" } },
		{ "[\\]a]", { "]", "a" }, { "\\" } },
		{ "[一-龥]*", { "\xe5\xb7\xa5\xe8\xb5\x84" }, { "abc" } },
		{ "*[!\xe4\xb8\xad]", { "a" }, { "\xe4\xb8\xad" } },
		{ "\\*", { "*" }, { "a" } },
		{ "a\\?b", { "a?b" }, { "axb" } },
		{ "工资/**", { "工资/2011/a.csv" }, { "工资" } },
		{ "*a*b*", { "ab", "xaxbx", "aab" }, { "ba", "a/b" } },
		{ "**a*b", { "x/aab", "x/y/aacb" }, { "x/a/b", "ac" } },
		{ "{a,b}", { "{a,b}" }, { "a" } },
		{ "**/x/**/y/*", { "x/y/z", "a/x/b/y/z", "x/x/y/y/z" }, { "x/y", "y/x/z" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t k = 0; k < 6 && cases[i].yes[k] != NULL; k++)
			if (!is_match(cases[i].glob, cases[i].yes[k]))
				fail_msg("%s does not match %s", cases[i].glob, cases[i].yes[k]);
		for (size_t k = 0; k < 8 && cases[i].no[k] != NULL; k++)
			if (is_match(cases[i].glob, cases[i].no[k]))
				fail_msg("%s matches %s", cases[i].glob, cases[i].no[k]);
	}
}

static void flags_change_case_and_slash(void **state)
{
	(void)state;
	assert_true(glob_match(glob("Text/CSV", GLOB_ANY_CASE | GLOB_FLAT), "text/csv", 8));
	assert_true(glob_match(glob("*xml*", GLOB_FLAT), "application/xml", 15));
	assert_true(glob_match(glob("[a-c]", GLOB_ANY_CASE), "B", 1));
	assert_false(glob_match(glob("[!a-c]", GLOB_ANY_CASE), "B", 1));
	assert_true(glob_match(glob("a?b", GLOB_FLAT), "a/b", 3));
	assert_false(glob_match(glob("text/csv", 0), "Text/csv", 8));
}

static void what_is_no_glob_is_refused(void **state)
{
	static const char *const wrong[] = { "", "[", "[a", "[!", "[]", "a\\", "[b-a]" };
	char large[GLOB_TEXT_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct err e = ERR_NONE;
		struct glob *g;

		assert_int_equal(glob_new(&memory, wrong[i], 0, &g, &e), -1);
		assert_null(g);
		assert_int_equal(e.code, MUNI_USAGE);
	}
	memset(large, 'a', sizeof large);
	large[sizeof large - 1] = '\0';
	struct err e = ERR_NONE;
	struct glob *g;
	assert_int_equal(glob_new(&memory, large, 0, &g, &e), -1);
}

static void many_stars_take_no_time(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'a', sizeof text);
	assert_false(glob_match(glob("*a*a*a*a*a*a*a*a*a*a*a*a*b", 0), text, sizeof text));
	assert_false(glob_match(glob("**a**a**a**a**a**a**a**a**b", 0), text, sizeof text));
	for (size_t i = 1; i < sizeof text; i += 2)
		text[i] = '/';
	assert_false(glob_match(glob("**/a/**/a/**/a/**/a/**/a/**/a/**/b", 0), text, sizeof text));
}

/* ---- proofs ------------------------------------------------------------------------------------ */

static const char *const globs[] = {
	"**", "*", "a", "a/**", "a/*", "a/b", "**/b", "**/*.c", "*.c", "a/**/b", "a/*/b", "?",
	"[ab]", "[!a]", "a/?", "**/a/**", "**/b/**/a", "*a*", "**a", "a**", "b/**", "a.c", "a*",
	"**/*", "*/*", "*/**", "[a-c]*",
};
static const char *const texts[] = {
	"a", "b", "c", "a/b", "a/a", "a/b/b", "a/c/b", "b/a", "a.c", "a/a.c", "b/a/b", "a/b/a",
	"b/b/a/a", "ab", "ba", "a/bb", "c/d/e", "aa/b", ".c",
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* No pair of globs may be "proved" to be what a text shows them not to be. */
static void a_proof_is_never_wrong(void **state)
{
	unsigned within = 0, apart = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(globs); i++)
		for (size_t k = 0; k < COUNT(globs); k++) {
			struct glob *a = glob(globs[i], 0), *b = glob(globs[k], 0);
			bool is_within = glob_is_within(a, b), is_apart = glob_is_apart(a, b);

			within += is_within;
			apart += is_apart;
			for (size_t t = 0; t < COUNT(texts); t++) {
				bool in_a = glob_match(a, texts[t], strlen(texts[t]));
				bool in_b = glob_match(b, texts[t], strlen(texts[t]));

				if (is_within && in_a && !in_b)
					fail_msg("%s is not within %s: %s", globs[i], globs[k],
						 texts[t]);
				if (is_apart && in_a && in_b)
					fail_msg("%s is not apart from %s: %s", globs[i], globs[k],
						 texts[t]);
			}
		}
	assert_true(within > 100);
	assert_true(apart > 40);
}

static void what_is_plain_to_see_is_proved(void **state)
{
	static const struct { const char *inner, *outer; } cases[] = {
		{ "a", "a" }, { "a/**", "**" }, { "a/b/**", "a/**" }, { "a/*", "a/**" },
		{ "*.c", "**/*.c" }, { "a/b.c", "**/*.c" }, { "**/a/**", "**/a/**" },
		{ "x/a/y", "**/a/**" }, { "a/**/b", "**/b" }, { "[ab]x", "?x" }, { "ab*", "a*" },
		{ "tmp/*.bak", "**/*.bak" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (!glob_is_within(glob(cases[i].inner, 0), glob(cases[i].outer, 0)))
			fail_msg("%s is within %s", cases[i].inner, cases[i].outer);
	assert_true(glob_is_apart(glob("a/**", 0), glob("b/**", 0)));
	assert_true(glob_is_apart(glob("**/*.c", 0), glob("**/*.h", 0)));
	assert_true(glob_is_apart(glob("a/b", 0), glob("a/c*", 0)));
	assert_false(glob_is_apart(glob("a/**", 0), glob("**/b", 0)));
	assert_true(glob_is_everything(glob("**", 0)));
	assert_true(glob_is_everything(glob("*", GLOB_FLAT)));
	assert_false(glob_is_everything(glob("*", 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_glob_matches_what_it_says_and_nothing_else, forget),
		cmocka_unit_test_teardown(flags_change_case_and_slash, forget),
		cmocka_unit_test_teardown(what_is_no_glob_is_refused, forget),
		cmocka_unit_test_teardown(many_stars_take_no_time, forget),
		cmocka_unit_test_teardown(a_proof_is_never_wrong, forget),
		cmocka_unit_test_teardown(what_is_plain_to_see_is_proved, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

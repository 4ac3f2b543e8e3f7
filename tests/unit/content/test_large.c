/* A large file on several threads: what is told of it is what one thread tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/look.h"
#include "tests/unit/detect/candidates.h"

#define SIZE (18u << 20)	/* look.c, LARGE */

struct fixture {
	struct recognisers *set;
	struct looker *looker;
	char *text;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct err e = ERR_NONE;

	f.text = malloc(SIZE + 256);
	if (f.text == NULL || recognisers_new(NULL, 0, &f.set, &e) < 0 ||
	    looker_new(f.set, NULL, &f.looker, &e) < 0)
		return -1;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	looker_free(f->looker);
	recognisers_free(f->set);
	free(f->text);
	return 0;
}

static void look(struct fixture *f, const char *name, unsigned threads, struct buffer *out)
{
	int fd = memfd_create("large", MFD_CLOEXEC);
	struct examination x;
	struct err e = ERR_NONE;
	struct input *in;

	assert_int_equal(write(fd, f->text, SIZE), SIZE);
	in = input_of_fd(fd, SIZE);
	assert_non_null(in);
	looker_use_threads(f->looker, threads);
	assert_int_equal(looker_examine(f->looker, in, name, &x, &e), 0);
	assert_int_equal(x.size, SIZE);
	assert_true(x.has_sha256 && x.finding_count > 0);
	assert_int_equal(examination_write(&x, out, &e), 0);
	examination_clear(&x);
	input_free(in);
	close(fd);
}

static void assert_same_on_any_number(struct fixture *f, const char *name)
{
	static const unsigned numbers[] = { 3 };
	struct buffer one = { 0 };

	look(f, name, 1, &one);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		struct buffer many = { 0 };

		look(f, name, numbers[i], &many);
		assert_int_equal(many.size, one.size);
		assert_memory_equal(many.data, one.data, one.size);
		buffer_free(&many);
	}
	buffer_free(&one);
}

/* Lines of `make` until it is full; what is left over is blank. */
static void fill(struct fixture *f, const char *head, size_t (*make)(struct dice *d, char *out))
{
	struct dice d = { 88172645463325252u };
	size_t used = strlen(head);

	memcpy(f->text, head, used);
	while (used + 200 < SIZE)
		used += make(&d, f->text + used);
	memset(f->text + used, '\n', SIZE - used);
}

static size_t log_line(struct dice *d, char *out)
{
	static const char *const said[] = { "called", "phone", "ssn", "order", "born", "from ip",
		"card", "by m\xfcller", "\xe5\xae\xa2\xe6\x88\xb7", "user a@example.com" };

	return (size_t)sprintf(out, "%u.%u.%u.%u %s %u-%02u-%u %s +49 30 %u\n",
			       1 + dice_below(d, 255), dice_below(d, 256), dice_below(d, 256),
			       dice_below(d, 256), said[dice_below(d, 10)], dice_below(d, 1000),
			       dice_below(d, 100), dice_below(d, 10000), said[dice_below(d, 7)],
			       100000 + dice_below(d, 10000000));
}

static size_t csv_line(struct dice *d, char *out)
{
	return (size_t)sprintf(out, "%u,%09u,\"%u%s\",%010u,pw%ux\n", dice_below(d, 100000),
			       dice_below(d, 1000000000), dice_below(d, 100000),
			       dice_below(d, 9) ? "" : ",\n", dice_below(d, 2000000000),
			       dice_below(d, 1000000));
}

static size_t sql_line(struct dice *d, char *out)
{
	return (size_t)sprintf(out, "INSERT INTO %s VALUES (%u,'%03u-%02u-%04u');\n",
			       dice_below(d, 2) ? "people" : "parts", dice_below(d, 100000),
			       dice_below(d, 1000), dice_below(d, 100), dice_below(d, 10000));
}

/* Two programs wrote it, in two encodings, by turns: what is decoded is not shared. */
static size_t mixed_line(struct dice *d, char *out)
{
	size_t size = log_line(d, out);

	if (dice_below(d, 20000) == 0)
		for (unsigned i = 0; i < 40; i++)
			size += (size_t)sprintf(out + size, "%s", i % 2 ? "\xfc " : "caf\xe9");
	return size;
}

static void a_log_tells_the_same(void **state)
{
	fill(*state, "", log_line);
	assert_same_on_any_number(*state, "a.log");
}

static void a_table_tells_the_same(void **state)
{
	fill(*state, "id,ssn,amount,nhs number,password\n", csv_line);
	assert_same_on_any_number(*state, "a.csv");
}

static void a_dump_tells_the_same(void **state)
{
	fill(*state, "CREATE TABLE people (id int, ssn text);\n"
		     "CREATE TABLE parts (id int, part_number text);\n", sql_line);
	assert_same_on_any_number(*state, "a.sql");
}

static void text_of_two_encodings_tells_the_same(void **state)
{
	fill(*state, "", mixed_line);
	assert_same_on_any_number(*state, "a.txt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_tells_the_same),
		cmocka_unit_test(a_table_tells_the_same),
		cmocka_unit_test(a_dump_tells_the_same),
		cmocka_unit_test(text_of_two_encodings_tells_the_same),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

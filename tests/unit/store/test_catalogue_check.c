#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/store/catalogue.h"
#include "fs/store/pagevfs.h"

static const uint8_t key[32] = { 7 }, archive_id[16] = { 9 };

struct fixture {
	char folder[64];
	int dirfd;
	unsigned key_id;
	struct catalogue *c;
};

static void sql(struct fixture *f, const char *text)
{
	char *said = NULL;

	if (sqlite3_exec(catalogue_sqlite(f->c), text, NULL, NULL, &said) != SQLITE_OK)
		fail_msg("%s: %s", text, said);
}

/* One file of one extent of one block of one segment, in one directory of one name. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct extent extent = { .size = 10, .block = 1 };
	const struct digest sha = { { 1 } };
	struct err e = ERR_NONE;

	assert_non_null(f);
	strcpy(f->folder, "/tmp/muniment-check.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->dirfd = open(f->folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(pagevfs_register(&e), 0);
	assert_int_equal(pagevfs_key_add(key, archive_id, 1, &f->key_id, &e), 0);
	assert_int_equal(catalogue_create(f->dirfd, 1, f->key_id, &f->c, &e), 0);
	assert_int_equal(catalogue_begin(f->c, &e), 0);
	assert_int_equal(catalogue_content_add(f->c, 1, &sha, &extent, 1, &e), 0);
	assert_int_equal(catalogue_commit(f->c, &e), 0);
	sql(f, "INSERT INTO segment VALUES(1, zeroblob(16));"
	    "INSERT INTO block VALUES(1, zeroblob(16), zeroblob(32), 1, 64, 26, 10, 0, 1, 0,"
	    "  NULL, NULL);"
	    "INSERT INTO node VALUES(1, 1, 1, x'00'), (2, 0, 1, x'00');"
	    "INSERT INTO directory VALUES(2, 1, NULL, 1, 2, zeroblob(32));"
	    "INSERT INTO entry VALUES(1, x'61', 1, NULL, 1, 1, zeroblob(16)),"
	    "  (1, x'62', 1, NULL, 2, 2, zeroblob(16));");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[100];

	catalogue_close(f->c);
	pagevfs_key_drop(f->key_id);
	close(f->dirfd);
	snprintf(command, sizeof command, "rm -r %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void a_catalogue_whose_rows_name_what_is_there_is_sound(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	if (catalogue_check_sound(f->c, &e) < 0)
		fail_msg("%s", e.text);
}

static void every_row_that_is_missing_is_missed(void **state)
{
	static const struct {
		const char *change, *said;
	} cases[] = {
		{ "DELETE FROM segment", "segment" },
		{ "DELETE FROM block", "block 1" },
		{ "DELETE FROM content", "content" },
		{ "DELETE FROM node WHERE id = 1", "name" },
		{ "DELETE FROM node WHERE id = 2", "directory" },
		{ "DELETE FROM directory", "directory" },
		{ "UPDATE block SET base1 = 5", "base" },
		{ "UPDATE block SET base2 = 5", "base" },
		{ "UPDATE block SET base1 = 1", "base" },
		{ "INSERT INTO block SELECT 2, uid, key, segment, 128, stored, raw, codec, 2,"
		  " year, 1, NULL FROM block", "another class" },
		{ "UPDATE block SET segment = 5", "segment" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err e = ERR_NONE;

		sql(f, "SAVEPOINT before");
		sql(f, cases[i].change);
		assert_int_equal(catalogue_check_sound(f->c, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		if (!strstr(e.text, cases[i].said))
			fail_msg("%s: %s", cases[i].change, e.text);
		sql(f, "ROLLBACK TO before; RELEASE before");
		e = ERR_NONE;
		assert_int_equal(catalogue_check_sound(f->c, &e), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_catalogue_whose_rows_name_what_is_there_is_sound, setup, teardown),
		cmocka_unit_test_setup_teardown(every_row_that_is_missing_is_missed, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

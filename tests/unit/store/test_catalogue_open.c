#include "tests/unit/store/catalogue_fixture.h"

static void file_of(struct fixture *f, const char *suffix, char out[96])
{
	snprintf(out, 96, "%s/catalogue.%d%s", f->path, FIXTURE_EPOCH, suffix);
}

/* Opens, reads everything there is to read, closes. */
static int open_and_read(struct fixture *f, enum catalogue_mode mode, struct err *e)
{
	struct catalogue *c;
	struct catalogue_settings s;
	struct system system;
	struct version v;
	char names[64] = "";

	if (catalogue_open(f->dirfd, FIXTURE_EPOCH, f->key_id, mode, FIXTURE_CACHE, &c, e) < 0)
		return -1;
	int rc = catalogue_settings_get(c, &s, e);
	if (rc == 0)
		rc = catalogue_system_find(c, "hr", &system, e);
	if (rc == 0)
		rc = catalogue_version_find(c, system.id, NULL, &v, e);
	if (rc == 0)
		rc = catalogue_list(c, v.id, v.root, NULL, 0, true, fixture_join, names, e);
	if (rc == 0)
		assert_string_equal(names, "a");
	catalogue_close(c);
	return rc;
}

static void fill(struct fixture *f)
{
	struct catalogue_settings s = { .block_size = 65536, .level = 3 };
	struct err e = ERR_NONE;
	struct version v = fixture_begin(f, "hr", "1");

	must(catalogue_settings_put(f->c, &s, &e));
	fixture_directory_row(f, &v, v.root, 0);
	fixture_file(f, &v, v.root, "a", 0);
	fixture_seal(f, &v);
}

static void close_writer(struct fixture *f)
{
	catalogue_close(f->c);
	f->c = NULL;
}

static void closing_leaves_an_empty_wal(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct stat st;
	char path[96];

	fill(f);
	close_writer(f);
	file_of(f, "-wal", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	file_of(f, "-journal", path);
	assert_int_equal(stat(path, &st), -1);
	must(open_and_read(f, CATALOGUE_READ, &e));
	must(open_and_read(f, CATALOGUE_READ_IMMUTABLE, &e));
	must(open_and_read(f, CATALOGUE_WRITE, &e));
}

static void a_read_only_folder_opens_immutable_and_says_when_it_cannot(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct catalogue *c;

	fill(f);	/* the WAL holds all of it */
	must_fail(catalogue_open(f->dirfd, FIXTURE_EPOCH, f->key_id, CATALOGUE_READ_IMMUTABLE,
				 FIXTURE_CACHE, &c, &e), MUNI_UNSUPPORTED);
	assert_null(c);
}

static void a_missing_catalogue_is_damage_and_an_existing_one_is_not_made_again(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct catalogue *c = f->c;
	char path[96];

	must_fail(catalogue_create(f->dirfd, FIXTURE_EPOCH, f->key_id, &c, &e), MUNI_EXISTS);
	assert_null(c);
	must_fail(catalogue_open(f->dirfd, FIXTURE_EPOCH + 1, f->key_id, CATALOGUE_READ, 0, &c,
				 &e), MUNI_DAMAGED);
	assert_non_null(strstr(e.text, "catalogue.4 is missing"));
	close_writer(f);
	file_of(f, "", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	must_fail(catalogue_open(f->dirfd, FIXTURE_EPOCH, f->key_id, CATALOGUE_READ, 0, &c, &e),
		  MUNI_DAMAGED);
}

static void a_newer_format_is_refused_as_such(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	fill(f);
	fixture_sql(f, "PRAGMA user_version = 99");
	close_writer(f);
	must_fail(open_and_read(f, CATALOGUE_READ, &e), MUNI_FORMAT);
	must_fail(open_and_read(f, CATALOGUE_WRITE, &e), MUNI_FORMAT);
}

static void some_other_database_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	fill(f);
	fixture_sql(f, "PRAGMA application_id = 5");
	close_writer(f);
	must_fail(open_and_read(f, CATALOGUE_READ, &e), MUNI_DAMAGED);
}

static void another_key_or_epoch_does_not_open_it(void **state)
{
	static const uint8_t key[32] = "another", archive[16] = "";
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	unsigned mine = f->key_id;

	fill(f);
	close_writer(f);
	must(pagevfs_key_add(key, archive, FIXTURE_EPOCH, &f->key_id, &e));
	must_fail(open_and_read(f, CATALOGUE_READ, &e), MUNI_DAMAGED);
	pagevfs_key_drop(f->key_id);
	must_fail(open_and_read(f, CATALOGUE_READ, &e), MUNI_CANNOT_UNLOCK);
	f->key_id = mine;
	must(open_and_read(f, CATALOGUE_READ, &e));
}

/* Every page in turn, and bytes of the first: right, or damage. */
static void a_flipped_bit_is_damage_or_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct stat st;
	char path[96];
	unsigned damaged = 0;

	fill(f);
	close_writer(f);
	file_of(f, "", path);
	int fd = open(path, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = 0; at < st.st_size; at += at < 128 ? 1 : 4001) {
		uint8_t byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		e = ERR_NONE;
		if (open_and_read(f, CATALOGUE_READ, &e) < 0) {
			if (e.code != MUNI_DAMAGED)
				fail_msg("byte %ld: code %d: %s", (long)at, e.code, e.text);
			assert_non_null(strstr(e.text, "muni repair"));
			damaged++;
		}
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_true(damaged >= 128);
	for (off_t size = st.st_size - 8192; size > 0; size = size * 2 / 3) {
		assert_int_equal(ftruncate(fd, size), 0);
		must_fail(open_and_read(f, CATALOGUE_READ, &e), MUNI_DAMAGED);
	}
	assert_int_equal(ftruncate(fd, 0), 0);
	must_fail(open_and_read(f, CATALOGUE_READ, &e), MUNI_DAMAGED);
	close(fd);
}

/* SQLite itself takes 512 bytes of path. */
static void an_archive_may_stand_deep_and_be_renamed_while_open(void **state)
{
	static const uint8_t key[32] = "deep";
	struct fixture *f = *state, deep = { 0 };
	struct err e = ERR_NONE;
	char name[201];
	int fd = dup(f->dirfd);

	memset(name, 'n', 200);
	name[200] = '\0';
	for (int i = 0; i < 30; i++) {
		assert_int_equal(mkdirat(fd, name, 0700), 0);
		int next = openat(fd, name, O_RDONLY | O_DIRECTORY);

		close(fd);
		fd = next;
		assert_true(fd >= 0);
	}
	deep.dirfd = fd;
	must(pagevfs_key_add(key, key, FIXTURE_EPOCH, &deep.key_id, &e));
	must(catalogue_create(fd, FIXTURE_EPOCH, deep.key_id, &deep.c, &e));
	fill(&deep);
	assert_int_equal(renameat(f->dirfd, name, f->dirfd, "elsewhere"), 0);
	must(open_and_read(&deep, CATALOGUE_READ, &e));
	catalogue_close(deep.c);
	must(open_and_read(&deep, CATALOGUE_WRITE, &e));
	pagevfs_key_drop(deep.key_id);
	close(fd);
}

static void a_second_writer_is_told_that_it_is_busy(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct catalogue *other;

	must(catalogue_open(f->dirfd, FIXTURE_EPOCH, f->key_id, CATALOGUE_WRITE, FIXTURE_CACHE,
			    &other, &e));
	sqlite3_busy_timeout(catalogue_sqlite(other), 50);
	must(catalogue_begin(f->c, &e));
	must_fail(catalogue_begin(other, &e), MUNI_BUSY);
	catalogue_rollback(f->c);
	must(catalogue_begin(other, &e));
	catalogue_rollback(other);
	catalogue_close(other);
}

static void a_reader_in_the_way_makes_a_checkpoint_busy(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct catalogue *reader = fixture_reader(f);
	struct system s;

	fill(f);
	sqlite3_busy_timeout(catalogue_sqlite(f->c), 50);
	must(catalogue_begin(reader, &e));
	must(catalogue_system_find(reader, "hr", &s, &e));
	must_fail(catalogue_checkpoint(f->c, &e), MUNI_BUSY);
	catalogue_rollback(reader);
	must(catalogue_checkpoint(f->c, &e));
	catalogue_close(reader);
}

/* Shared memory is for connections; at rest nothing vouches for its bytes. */
static void who_closes_beside_another_leaves_the_shared_memory_to_it(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct catalogue *reader = fixture_reader(f);
	struct system s;
	struct stat st;
	char shm[96];

	fill(f);
	file_of(f, "-shm", shm);
	must(catalogue_system_find(reader, "hr", &s, &e));
	catalogue_close_beside(reader);
	assert_int_equal(stat(shm, &st), 0);
	must(catalogue_system_find(f->c, "hr", &s, &e));
	close_writer(f);
	assert_int_equal(stat(shm, &st), -1);

	must(catalogue_open(f->dirfd, FIXTURE_EPOCH, f->key_id, CATALOGUE_READ, FIXTURE_CACHE,
			    &reader, &e));
	must(catalogue_system_find(reader, "hr", &s, &e));
	catalogue_close_beside(reader);
	assert_int_equal(stat(shm, &st), 0);	/* there was nobody to leave it to */
	must(catalogue_open(f->dirfd, FIXTURE_EPOCH, f->key_id, CATALOGUE_READ, FIXTURE_CACHE,
			    &reader, &e));
	catalogue_close(reader);
	assert_int_equal(stat(shm, &st), -1);
}

/* A transaction that an error ended is not gone on with, row by row. */
static void a_lost_transaction_takes_no_more_rows(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	int64_t id;

	must(catalogue_begin(f->c, &e));
	fixture_sql(f, "ROLLBACK");	/* as SQLite does by itself when the disk is full */
	must_fail(catalogue_reserve(f->c, SEQUENCE_NODE, 1, &id, &e), MUNI_IO);
	must_fail(catalogue_commit(f->c, &e), MUNI_IO);
	must(catalogue_begin(f->c, &e));
	catalogue_rollback(f->c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(closing_leaves_an_empty_wal),
		T(a_read_only_folder_opens_immutable_and_says_when_it_cannot),
		T(a_missing_catalogue_is_damage_and_an_existing_one_is_not_made_again),
		T(a_newer_format_is_refused_as_such),
		T(some_other_database_is_refused),
		T(another_key_or_epoch_does_not_open_it),
		T(a_flipped_bit_is_damage_or_changes_nothing),
		T(an_archive_may_stand_deep_and_be_renamed_while_open),
		T(a_second_writer_is_told_that_it_is_busy),
		T(a_reader_in_the_way_makes_a_checkpoint_busy),
		T(who_closes_beside_another_leaves_the_shared_memory_to_it),
		T(a_lost_transaction_takes_no_more_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

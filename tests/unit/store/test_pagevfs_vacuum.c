/* VACUUM INTO under a new key: the switch of epoch rests on it.  And: what was
 * stored stands in no file in the clear, at no time. */
#include "tests/unit/store/database.h"

#include <dirent.h>

#define CANARY "canary-5e1f"

struct fixture {
	struct folder folder;
	unsigned key, new_key;
};

static int set_up(void **state)
{
	static struct fixture f;

	folder_make(&f.folder);
	f.key = database_key(7);
	f.new_key = database_key(8);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	pagevfs_key_drop(f->key);
	pagevfs_key_drop(f->new_key);
	folder_drop(&f->folder);
	return 0;
}

static void vacuum_sql(struct fixture *f, char out[300])
{
	snprintf(out, 300, "VACUUM INTO 'file:%s/b?vfs=" PAGEVFS_NAME "&new=1&key_id=%u'",
		 f->folder.path, f->new_key);
}

static void the_copy_under_a_new_key_is_whole_and_can_take_a_wal(void **state)
{
	struct fixture *f = *state;
	char sql[300];
	sqlite3 *db = database_new(&f->folder, "a", f->key);

	database_run(db, "PRAGMA application_id=77; PRAGMA user_version=5");
	database_insert(db, 5000, 700);
	vacuum_sql(f, sql);
	database_run(db, sql);
	sqlite3_close(db);
	assert_int_equal(file_bytes(&f->folder, "b-journal"), -1);

	/* Under the old key it is noise. */
	database_try_open(&f->folder, "b", f->key, "", &db);
	assert_int_equal(database_number(db, "SELECT count(*) FROM t"), -1);
	sqlite3_close(db);

	db = database_open(&f->folder, "b", f->new_key);
	database_run(db, "PRAGMA journal_mode=MEMORY; PRAGMA journal_mode=WAL");
	assert_int_equal(database_number(db, "SELECT count(*) FROM t"), 5000);
	assert_int_equal(database_number(db, "PRAGMA application_id"), 77);
	assert_int_equal(database_number(db, "PRAGMA user_version"), 5);
	assert_int_equal(database_number(db, "PRAGMA page_size"), PAGEVFS_PAGE_SIZE);
	assert_true(database_is_sound(db));
	database_insert(db, 5, 700);
	database_copy(&f->folder, "b", "c");
	sqlite3 *copy = database_open(&f->folder, "c", f->new_key);
	assert_int_equal(database_number(copy, "SELECT count(*) FROM t"), 5005);
	sqlite3_close(copy);
	sqlite3_close(db);
}

static void a_target_without_a_key_or_not_new_is_refused(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db = database_new(&f->folder, "a", f->key);
	char sql[300];

	snprintf(sql, sizeof sql, "VACUUM INTO '%s/b'", f->folder.path);
	assert_int_not_equal(database_try(db, sql), SQLITE_OK);
	snprintf(sql, sizeof sql, "VACUUM INTO 'file:%s/b?vfs=" PAGEVFS_NAME "&key_id=%u'",
		 f->folder.path, f->new_key);
	assert_int_not_equal(database_try(db, sql), SQLITE_OK);
	vacuum_sql(f, sql);
	database_run(db, sql);
	assert_int_not_equal(database_try(db, sql), SQLITE_OK);	/* it stands there */
	sqlite3_close(db);
	db = database_open(&f->folder, "b", f->new_key);
	assert_true(database_is_sound(db));
	sqlite3_close(db);
}

/* ---- a disk that fails ------------------------------------------------------ */

/* Below the encrypting VFS: the nth write, sync or delete fails, and all after. */
static struct {
	sqlite3_vfs vfs, *real;
	struct { sqlite3_io_methods failing; const sqlite3_io_methods *real; } methods[4];
	long left;		/* acts before the first failure; < 0: none fails */
	bool has_fired;
} disk = { .left = -1 };

static bool fails(void)
{
	if (disk.left < 0 || disk.left-- > 0)
		return false;
	disk.left = 0;
	disk.has_fired = true;
	return true;
}

/* The unix VFS has a table of methods for files with locks, one for others. */
static const sqlite3_io_methods *real_of(sqlite3_file *f)
{
	for (unsigned i = 0; i < 4; i++)
		if (f->pMethods == &disk.methods[i].failing)
			return disk.methods[i].real;
	fail();
	return NULL;
}

static int failing_write(sqlite3_file *f, const void *data, int size, sqlite3_int64 at)
{
	return fails() ? SQLITE_FULL : real_of(f)->xWrite(f, data, size, at);
}

static int failing_sync(sqlite3_file *f, int flags)
{
	return fails() ? SQLITE_IOERR_FSYNC : real_of(f)->xSync(f, flags);
}

static int failing_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return fails() ? SQLITE_IOERR_TRUNCATE : real_of(f)->xTruncate(f, size);
}

static int failing_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	return fails() ? SQLITE_IOERR_DELETE : disk.real->xDelete(disk.real, name, sync);
}

static int open_on_it(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	(void)vfs;
	int rc = disk.real->xOpen(disk.real, name, f, flags, out);

	for (unsigned i = 0; i < 4 && rc == SQLITE_OK; i++) {
		if (disk.methods[i].real && disk.methods[i].real != f->pMethods)
			continue;
		disk.methods[i].real = f->pMethods;
		disk.methods[i].failing = *f->pMethods;
		disk.methods[i].failing.xWrite = failing_write;
		disk.methods[i].failing.xSync = failing_sync;
		disk.methods[i].failing.xTruncate = failing_truncate;
		f->pMethods = &disk.methods[i].failing;
		break;
	}
	return rc;
}

static void disk_insert(void)
{
	sqlite3_vfs *ours = sqlite3_vfs_find(PAGEVFS_NAME);

	disk.real = ours->pAppData;
	disk.vfs = *disk.real;
	disk.vfs.xOpen = open_on_it;
	disk.vfs.xDelete = failing_delete;
	ours->pAppData = &disk.vfs;
}

static void disk_remove(void)
{
	sqlite3_vfs_find(PAGEVFS_NAME)->pAppData = disk.real;
}

/* A copy that was reported good is good; the source is whole whatever happens. */
static void a_failing_disk_costs_the_copy_at_most(void **state)
{
	struct fixture *f = *state;
	char sql[300];

	sqlite3 *db = database_new(&f->folder, "a", f->key);
	database_insert(db, 300, 700);
	sqlite3_close(db);
	vacuum_sql(f, sql);
	disk_insert();
	for (long nth = 0;; nth++) {
		unlinkat(f->folder.fd, "b", 0);
		db = database_open(&f->folder, "a", f->key);
		disk.has_fired = false;
		disk.left = nth;
		int rc = database_try(db, sql);
		disk.left = -1;
		sqlite3_close(db);
		if (rc == SQLITE_OK) {
			db = database_open(&f->folder, "b", f->new_key);
			assert_int_equal(database_number(db, "SELECT count(*) FROM t"), 300);
			assert_true(database_is_sound(db));
			sqlite3_close(db);
		}
		db = database_open(&f->folder, "a", f->key);
		assert_int_equal(database_number(db, "SELECT count(*) FROM t"), 300);
		assert_true(database_is_sound(db));
		sqlite3_close(db);
		if (!disk.has_fired) {
			assert_int_equal(rc, SQLITE_OK);
			assert_true(nth > 20);
			break;
		}
		assert_int_not_equal(rc, SQLITE_OK);
	}
	disk_remove();
}

/* Also of commits and checkpoints: what was acknowledged stays. */
static void a_failing_disk_loses_no_commit(void **state)
{
	struct fixture *f = *state;

	sqlite3_close(database_new(&f->folder, "a", f->key));
	disk_insert();
	int64_t good = 0;
	for (long nth = 0;; nth++) {
		sqlite3 *db = database_open(&f->folder, "a", f->key);
		database_run(db, "PRAGMA cache_size=10");
		disk.has_fired = false;
		disk.left = nth;
		for (int i = 0; i < 3; i++) {
			if (database_try(db, "BEGIN; INSERT INTO t(text) VALUES "
					 "(randomblob(30000)), (randomblob(30000)),"
					 "(randomblob(30000)), (randomblob(30000)); "
					 "UPDATE t SET n = id; COMMIT") == SQLITE_OK)
				good += 4;
			else
				database_try(db, "ROLLBACK");
			database_try(db, "PRAGMA wal_checkpoint(TRUNCATE)");
		}
		disk.left = -1;
		sqlite3_close(db);
		db = database_open(&f->folder, "a", f->key);
		int64_t n = database_number(db, "SELECT count(*) FROM t");
		/* One that failed may have reached the disk whole. */
		assert_true(n >= good && n % 4 == 0);
		assert_true(database_is_sound(db));
		database_run(db, "DELETE FROM t; PRAGMA wal_checkpoint(TRUNCATE)");
		good = 0;
		sqlite3_close(db);
		if (!disk.has_fired)
			break;
	}
	disk_remove();
}

/* ---- nothing in the clear ------------------------------------------------------ */

static void assert_nowhere(struct fixture *f, const char *what)
{
	DIR *d = opendir(f->folder.path);
	struct dirent *entry;
	unsigned files = 0;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		off_t size = file_bytes(&f->folder, entry->d_name);
		if (entry->d_name[0] == '.' || size <= 0)
			continue;
		uint8_t *data = malloc((size_t)size);
		int fd = openat(f->folder.fd, entry->d_name, O_RDONLY);
		assert_int_equal(read(fd, data, (size_t)size), size);
		if (memmem(data, (size_t)size, what, strlen(what)))
			fail_msg("%s shows \"%s\"", entry->d_name, what);
		free(data);
		close(fd);
		files++;
	}
	closedir(d);
	assert_true(files > 0);
}

static void nothing_stored_stands_in_any_file_in_the_clear(void **state)
{
	struct fixture *f = *state;
	char sql[300];
	sqlite3 *db = database_new(&f->folder, "a", f->key);

	database_run(db, "CREATE TABLE \"" CANARY "\" (text); PRAGMA cache_size=10; BEGIN;");
	for (int i = 0; i < 2000; i++)
		database_run(db, "INSERT INTO \"" CANARY "\" VALUES (printf('" CANARY "%d', 7))");
	assert_nowhere(f, CANARY);	/* spilled */
	database_run(db, "UPDATE \"" CANARY "\" SET text = text || '" CANARY "'; COMMIT");
	assert_nowhere(f, CANARY);	/* in the WAL */
	assert_nowhere(f, "SQLite format");
	database_run(db, "PRAGMA wal_checkpoint(PASSIVE)");
	assert_nowhere(f, CANARY);
	vacuum_sql(f, sql);
	database_run(db, sql);
	assert_nowhere(f, CANARY);
	assert_nowhere(f, "CREATE TABLE");
	database_run(db, "DELETE FROM \"" CANARY "\"");
	sqlite3_close(db);
	assert_nowhere(f, CANARY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(the_copy_under_a_new_key_is_whole_and_can_take_a_wal),
		T(a_target_without_a_key_or_not_new_is_refused),
		T(a_failing_disk_costs_the_copy_at_most),
		T(a_failing_disk_loses_no_commit),
		T(nothing_stored_stands_in_any_file_in_the_clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The accesses that are served, row by row, and what is refused. */
#include "tests/unit/store/database.h"

struct fixture {
	struct folder folder;
	unsigned key;
	sqlite3 *db;
	sqlite3_file *main, *wal;
};

/* A database "a" of some pages with three frames in its WAL; its files as
 * SQLite has them open. */
static int set_up(void **state)
{
	static struct fixture f;

	folder_make(&f.folder);
	f.key = database_key(7);
	f.db = database_new(&f.folder, "a", f.key);
	database_insert(f.db, 200, 300);
	database_run(f.db, "PRAGMA wal_checkpoint(TRUNCATE)");
	for (int i = 0; i < 3; i++)
		database_run(f.db, "UPDATE t SET n = n + 1 WHERE id = 100");
	sqlite3_file_control(f.db, "main", SQLITE_FCNTL_FILE_POINTER, &f.main);
	sqlite3_file_control(f.db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &f.wal);
	assert_int_equal(file_bytes(&f.folder, "a-wal"), 32 + 3 * FRAME_SIZE);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sqlite3_close(f->db);
	pagevfs_key_drop(f->key);
	folder_drop(&f->folder);
	return 0;
}

static uint8_t buffer[2 * FRAME_SIZE];

static int main_read(struct fixture *f, int size, off_t at)
{
	return f->main->pMethods->xRead(f->main, buffer, size, at);
}

static int wal_read(struct fixture *f, int size, off_t at)
{
	return f->wal->pMethods->xRead(f->wal, buffer, size, at);
}

static off_t frame(int n)
{
	return 32 + (off_t)n * FRAME_SIZE;
}

static void the_main_file_is_read_by_its_first_bytes_and_by_pages(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(main_read(f, 100, 0), SQLITE_OK);
	assert_memory_equal(buffer, "SQLite format 3", 16);
	assert_memory_equal(buffer + 16, "\x20\x00\x02\x02\x20\x40\x20\x20", 8);
	assert_int_equal(main_read(f, 16, 24), SQLITE_OK);
	uint8_t slice[16];
	memcpy(slice, buffer, 16);
	assert_int_equal(main_read(f, PAGEVFS_PAGE_SIZE, 0), SQLITE_OK);
	assert_memory_equal(buffer + 24, slice, 16);
	assert_memory_equal(buffer, "SQLite format 3", 16);
	assert_int_equal(main_read(f, PAGEVFS_PAGE_SIZE, 3 * PAGEVFS_PAGE_SIZE), SQLITE_OK);
	for (unsigned i = 1; i <= PAGEVFS_RESERVE; i++)
		assert_int_equal(buffer[PAGEVFS_PAGE_SIZE - i], 0);
}

static void the_wal_is_read_by_frames_pages_headers_and_checksums(void **state)
{
	struct fixture *f = *state;
	uint8_t whole[FRAME_SIZE];

	assert_int_equal(wal_read(f, 32, 0), SQLITE_OK);
	assert_memory_equal(buffer, "\x37\x7f\x06", 3);
	memcpy(whole, buffer + 24, 8);
	assert_int_equal(wal_read(f, 8, 24), SQLITE_OK);
	assert_memory_equal(buffer, whole, 8);
	assert_int_equal(wal_read(f, FRAME_SIZE, frame(1)), SQLITE_OK);
	memcpy(whole, buffer, sizeof whole);
	assert_int_equal(wal_read(f, PAGEVFS_PAGE_SIZE, frame(1) + 24), SQLITE_OK);
	assert_memory_equal(buffer, whole + 24, PAGEVFS_PAGE_SIZE);
	assert_int_equal(wal_read(f, 8, frame(1) + 16), SQLITE_OK);
	assert_memory_equal(buffer, whole + 16, 8);
}

static void what_is_written_to_the_wal_is_what_is_read_back(void **state)
{
	struct fixture *f = *state;
	uint8_t head[24], page[PAGEVFS_PAGE_SIZE], other[PAGEVFS_PAGE_SIZE];

	assert_int_equal(wal_read(f, FRAME_SIZE, frame(2)), SQLITE_OK);
	memcpy(head, buffer, 24);
	memcpy(page, buffer + 24, sizeof page);

	/* Header, then page. */
	assert_int_equal(f->wal->pMethods->xWrite(f->wal, head, 24, frame(3)), SQLITE_OK);
	assert_int_equal(f->wal->pMethods->xWrite(f->wal, page, sizeof page, frame(3) + 24),
			 SQLITE_OK);
	assert_int_equal(wal_read(f, FRAME_SIZE, frame(3)), SQLITE_OK);
	assert_memory_equal(buffer, head, 24);
	assert_memory_equal(buffer + 24, page, sizeof page);

	/* Page alone, over a frame that is there. */
	memcpy(other, page, sizeof page);
	other[5000] ^= 1;
	assert_int_equal(f->wal->pMethods->xWrite(f->wal, other, sizeof other, frame(3) + 24),
			 SQLITE_OK);
	assert_int_equal(wal_read(f, FRAME_SIZE, frame(3)), SQLITE_OK);
	assert_memory_equal(buffer, head, 24);
	assert_memory_equal(buffer + 24, other, sizeof other);

	/* Header alone: at once when checksums are renewed, at the next act else. */
	assert_int_equal(wal_read(f, 8, frame(2) + 16), SQLITE_OK);
	assert_int_equal(wal_read(f, FRAME_SIZE, frame(3)), SQLITE_OK);
	head[20] ^= 1;
	assert_int_equal(f->wal->pMethods->xWrite(f->wal, head, 24, frame(3)), SQLITE_OK);
	assert_int_equal(wal_read(f, FRAME_SIZE, frame(3)), SQLITE_OK);
	assert_memory_equal(buffer, head, 24);
	head[21] ^= 1;
	assert_int_equal(f->wal->pMethods->xWrite(f->wal, head, 24, frame(2)), SQLITE_OK);
	assert_int_equal(f->wal->pMethods->xSync(f->wal, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_int_equal(wal_read(f, FRAME_SIZE, frame(2)), SQLITE_OK);
	assert_memory_equal(buffer, head, 24);
}

static void any_other_access_fails_with_a_code_of_its_own(void **state)
{
	static const struct { int size; off_t at; } reads[] = {
		{ 99, 0 }, { 100, 1 }, { 16, 0 }, { 16, 40 }, { 4096, 0 }, { 4096, 4096 },
		{ PAGEVFS_PAGE_SIZE, 100 }, { 2 * PAGEVFS_PAGE_SIZE, 0 },
	};
	static const struct { int size; off_t at; } frames[] = {
		{ 31, 0 }, { 32, 8 }, { 8, 0 }, { 8, 16 }, { 24, 32 }, { 8, 32 + 8 },
		{ PAGEVFS_PAGE_SIZE, 32 }, { 100, 32 + 24 }, { FRAME_SIZE, 33 },
		{ 2 * FRAME_SIZE, 32 }, { FRAME_SIZE, 0 }, { 4096, 32 + 24 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
		assert_int_equal(main_read(f, reads[i].size, reads[i].at), PAGEVFS_UNLISTED);
		assert_true(strlen(pagevfs_reason()) > 10);
		assert_string_equal(pagevfs_reason(), "");
		if (reads[i].size == 16 && reads[i].at == 24)
			continue;
		assert_int_equal(f->main->pMethods->xWrite(f->main, buffer, reads[i].size,
							   reads[i].at), PAGEVFS_UNLISTED);
	}
	assert_int_equal(f->main->pMethods->xWrite(f->main, buffer, 100, 0), PAGEVFS_UNLISTED);
	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		assert_int_equal(wal_read(f, frames[i].size, frames[i].at), PAGEVFS_UNLISTED);
		if (frames[i].size != 24)
			assert_int_equal(f->wal->pMethods->xWrite(f->wal, buffer, frames[i].size,
								  frames[i].at),
					 PAGEVFS_UNLISTED);
	}
	assert_int_equal(f->main->pMethods->xTruncate(f->main, 5000), PAGEVFS_UNLISTED);
}

static void a_page_with_content_in_the_reserve_is_not_written(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(main_read(f, PAGEVFS_PAGE_SIZE, PAGEVFS_PAGE_SIZE), SQLITE_OK);
	buffer[PAGEVFS_PAGE_SIZE - 1] = 1;
	assert_int_equal(f->main->pMethods->xWrite(f->main, buffer, PAGEVFS_PAGE_SIZE,
						   PAGEVFS_PAGE_SIZE), PAGEVFS_UNLISTED);
	assert_non_null(strstr(pagevfs_reason(), "reserved"));
}

/* The forgotten call: SQLite would use the whole page. */
static void a_database_without_the_reserve_is_refused(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;

	assert_int_equal(database_try_open(&f->folder, "b", f->key, "&new=1", &db), SQLITE_OK);
	database_run(db, "PRAGMA page_size=8192; PRAGMA journal_mode=MEMORY");
	assert_int_equal(database_try(db, "CREATE TABLE t (x)"), PAGEVFS_UNLISTED);
	sqlite3_close(db);
	unlinkat(f->folder.fd, "b", 0);
	assert_int_equal(database_try_open(&f->folder, "b", f->key, "&new=1", &db), SQLITE_OK);
	database_run(db, "PRAGMA journal_mode=MEMORY");
	assert_int_equal(database_try(db, "CREATE TABLE t (x)"), PAGEVFS_UNLISTED);
	sqlite3_close(db);
}

static void a_damaged_page_is_an_error_wherever_it_is_read(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;

	database_run(f->db, "PRAGMA wal_checkpoint(TRUNCATE)");
	off_t size = file_bytes(&f->folder, "a");
	for (off_t at = 0; at < size; at += 977) {
		file_copy(&f->folder, "a", "b");
		file_poke(&f->folder, "b", at, 0x20);
		int rc = database_try_open(&f->folder, "b", f->key, "", &db);
		int64_t sum = rc == SQLITE_OK ?
			database_number(db, "SELECT sum(length(text)) FROM t") : -1;
		bool is_sound = rc == SQLITE_OK && database_is_sound(db);
		sqlite3_close(db);
		if (at / PAGEVFS_PAGE_SIZE < 1)	/* nothing goes without page 1 */
			assert_int_equal(sum, -1);
		assert_true(sum == -1 || sum == 200 * 300);
		assert_false(is_sound);
	}
}

static void what_was_cut_off_does_not_read_as_zeros(void **state)
{
	struct fixture *f = *state;

	database_run(f->db, "PRAGMA wal_checkpoint(TRUNCATE)");
	off_t size = file_bytes(&f->folder, "a");
	file_cut(&f->folder, "a", size - PAGEVFS_PAGE_SIZE);
	assert_int_equal(main_read(f, PAGEVFS_PAGE_SIZE, size - PAGEVFS_PAGE_SIZE),
			 SQLITE_IOERR_DATA);
	file_cut(&f->folder, "a", size - 2 * PAGEVFS_PAGE_SIZE + 100);
	assert_int_equal(main_read(f, PAGEVFS_PAGE_SIZE, size - 2 * PAGEVFS_PAGE_SIZE),
			 SQLITE_IOERR_DATA);
}

static void a_file_that_is_no_catalogue_does_not_open(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;

	assert_int_equal(database_try_open(&f->folder, "absent", f->key, "", &db),
			 SQLITE_NOTADB);	/* made empty by SQLite: cut short */
	sqlite3_close(db);
	char path[128];
	snprintf(path, sizeof path, "%s/plain", f->folder.path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	database_run(db, "PRAGMA page_size=8192; CREATE TABLE t (x)");
	sqlite3_close(db);
	assert_int_equal(database_try_open(&f->folder, "plain", f->key, "", &db),
			 SQLITE_NOTADB);
	sqlite3_close(db);
	assert_int_equal(database_try_open(&f->folder, "a", f->key, "&new=1", &db),
			 SQLITE_CANTOPEN);
	assert_non_null(strstr(pagevfs_reason(), "stands there already"));
	sqlite3_close(db);
}

static void without_the_key_nothing_opens(void **state)
{
	struct fixture *f = *state;
	unsigned wrong = database_key(8);
	sqlite3 *db;

	database_run(f->db, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(database_try_open(&f->folder, "a", 0, "", &db), SQLITE_AUTH);
	sqlite3_close(db);
	assert_int_equal(database_try_open(&f->folder, "a", wrong + 1, "", &db), SQLITE_AUTH);
	sqlite3_close(db);
	database_try_open(&f->folder, "a", wrong, "", &db);
	assert_int_equal(database_number(db, "SELECT count(*) FROM t"), -1);
	assert_int_equal(sqlite3_extended_errcode(db), SQLITE_IOERR_DATA);
	sqlite3_close(db);
	pagevfs_key_drop(wrong);
	assert_int_equal(database_try_open(&f->folder, "a", wrong, "", &db), SQLITE_AUTH);
	sqlite3_close(db);
}

static void there_is_no_journal_and_no_temporary_file(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;

	database_try(f->db, "PRAGMA journal_mode=DELETE");
	assert_int_equal(main_read(f, 100, 0), SQLITE_OK);
	assert_int_equal(buffer[18], 2);	/* WAL still */
	database_run(f->db, "PRAGMA temp_store=FILE");
	assert_int_equal(database_try(f->db, "PRAGMA cache_size=10; CREATE TEMP TABLE x AS "
				      "SELECT a.text FROM t a, t b"), SQLITE_CANTOPEN);

	/* A journal that somebody put there is not rolled back into us. */
	sqlite3_close(f->db);
	f->db = NULL;
	int fd = openat(f->folder.fd, "a-journal", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8), 8);
	assert_int_equal(ftruncate(fd, 9000), 0);
	close(fd);
	database_try_open(&f->folder, "a", f->key, "", &db);
	assert_int_equal(database_number(db, "SELECT count(*) FROM t"), -1);
	assert_non_null(strstr(pagevfs_reason(), "journal"));
	sqlite3_close(db);
	assert_true(file_bytes(&f->folder, "a-journal") > 0);
	unlinkat(f->folder.fd, "a-journal", 0);
	db = database_open(&f->folder, "a", f->key);
	assert_int_equal(database_number(db, "SELECT count(*) FROM t"), 200);
	sqlite3_close(db);
}

static void page_size_and_mmap_cannot_be_changed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(database_try(f->db, "PRAGMA page_size=4096"), SQLITE_ERROR);
	assert_int_equal(database_number(f->db, "PRAGMA page_size"), PAGEVFS_PAGE_SIZE);
	assert_int_equal(database_number(f->db, "PRAGMA mmap_size=100000000"), 0);
	int chunk = 1 << 20;
	assert_int_not_equal(sqlite3_file_control(f->db, "main", SQLITE_FCNTL_CHUNK_SIZE,
						  &chunk), SQLITE_OK);
	assert_int_equal(f->main->pMethods->xDeviceCharacteristics(f->main),
			 SQLITE_IOCAP_POWERSAFE_OVERWRITE);
	assert_int_equal(f->main->pMethods->iVersion, 2);
}

static void commits_in_a_wal_are_not_passed_over_by_an_immutable_open(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;

	database_copy(&f->folder, "a", "b");
	assert_int_equal(database_try_open(&f->folder, "b", f->key, "&immutable=1", &db),
			 SQLITE_CANTOPEN);
	assert_non_null(strstr(pagevfs_reason(), "WAL"));
	sqlite3_close(db);
	database_run(f->db, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(database_try_open(&f->folder, "a", f->key, "&immutable=1", &db),
			 SQLITE_OK);
	assert_int_equal(database_number(db, "SELECT count(*) FROM t"), 200);
	sqlite3_close(db);
}

/* Sorts, temporary tables, savepoints, index builds, deletes, with a cache of
 * a few pages: all within the table. */
static void hard_work_makes_no_other_access(void **state)
{
	struct fixture *f = *state;

	database_run(f->db, "PRAGMA cache_size=12; PRAGMA wal_autocheckpoint=30");
	for (int i = 0; i < 4; i++) {
		database_insert(f->db, 3000, 200);
		database_run(f->db, "BEGIN; SAVEPOINT a; UPDATE t SET n = id % 97;"
			     "SAVEPOINT b; DELETE FROM t WHERE n % 3 = 0; ROLLBACK TO b;"
			     "CREATE INDEX i ON t(n, text); ROLLBACK TO b; RELEASE a; COMMIT;"
			     "CREATE TEMP TABLE x AS SELECT * FROM t ORDER BY text DESC;"
			     "DROP TABLE x; CREATE INDEX i ON t(text, n);"
			     "DELETE FROM t WHERE id % 5 = 0; DROP INDEX i;"
			     "UPDATE t SET text = zeroblob(40000) WHERE id % 500 = 1;"
			     "PRAGMA incremental_vacuum");
		assert_true(database_is_sound(f->db));
	}
	database_run(f->db, "DELETE FROM t WHERE id > 50; VACUUM; "
		     "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_true(database_is_sound(f->db));
	assert_true(file_bytes(&f->folder, "a") < 20 * PAGEVFS_PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(the_main_file_is_read_by_its_first_bytes_and_by_pages),
		T(the_wal_is_read_by_frames_pages_headers_and_checksums),
		T(what_is_written_to_the_wal_is_what_is_read_back),
		T(any_other_access_fails_with_a_code_of_its_own),
		T(a_page_with_content_in_the_reserve_is_not_written),
		T(a_database_without_the_reserve_is_refused),
		T(a_damaged_page_is_an_error_wherever_it_is_read),
		T(what_was_cut_off_does_not_read_as_zeros),
		T(a_file_that_is_no_catalogue_does_not_open),
		T(without_the_key_nothing_opens),
		T(there_is_no_journal_and_no_temporary_file),
		T(page_size_and_mmap_cannot_be_changed),
		T(commits_in_a_wal_are_not_passed_over_by_an_immutable_open),
		T(hard_work_makes_no_other_access),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Readers in other processes beside a writer that checkpoints all the time. */
#include "tests/unit/store/database.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static struct folder folder;

/* Every commit moves an amount between two rows: the sum is 1000 in any snapshot. */
static void read_for_ever(void)
{
	unsigned key = database_key(7);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		sqlite3 *db;
		if (database_try_open(&folder, "a", key, "", &db) != SQLITE_OK)
			_exit(1);
		for (int i = 0; i < 3; i++)
			if (database_number(db, "SELECT sum(n) FROM t WHERE id <= 2") != 1000)
				_exit(2);
		sqlite3_close(db);
	}
}

static void readers_that_open_all_the_time_see_whole_snapshots(void **state)
{
	unsigned key = database_key(7);
	pid_t readers[2];

	(void)state;
	folder_make(&folder);
	sqlite3 *db = database_new(&folder, "a", key);
	database_run(db, "INSERT INTO t(id, n) VALUES (1, 1000), (2, 0)");
	sqlite3_close(db);
	for (int i = 0; i < 2; i++) {
		readers[i] = fork();
		if (readers[i] == 0)
			read_for_ever();
	}
	db = database_open(&folder, "a", key);
	for (int i = 0; i < 400; i++) {
		database_run(db, "BEGIN IMMEDIATE; UPDATE t SET n = n - 1 WHERE id = 1;"
			     "UPDATE t SET n = n + 1 WHERE id = 2;"
			     "INSERT INTO t(text) VALUES (randomblob(4000)); COMMIT");
		database_try(db, i % 10 ? "PRAGMA wal_checkpoint(PASSIVE)" :
			     "PRAGMA wal_checkpoint(RESTART)");
		for (int r = 0; r < 2; r++)
			assert_int_equal(waitpid(readers[r], NULL, WNOHANG), 0);
		if (i % 100 == 99)
			database_run(db, "DELETE FROM t WHERE id > 2");
	}
	for (int r = 0; r < 2; r++) {
		kill(readers[r], SIGKILL);
		waitpid(readers[r], NULL, 0);
	}
	assert_true(database_is_sound(db));
	sqlite3_close(db);
	pagevfs_key_drop(key);
	folder_drop(&folder);
}

/* Two versions of one page, written over each other as a checkpoint would. */
struct hammer {
	int fd;
	uint8_t versions[2][PAGEVFS_PAGE_SIZE];
	atomic_bool is_over;
};

static void *write_for_ever(void *arg)
{
	struct hammer *h = arg;

	for (unsigned i = 0; !atomic_load(&h->is_over); i++)
		if (pwrite(h->fd, h->versions[i % 2], PAGEVFS_PAGE_SIZE, PAGEVFS_PAGE_SIZE) < 0)
			break;
	return NULL;
}

static void a_page_read_while_it_is_written_is_one_or_the_other(void **state)
{
	static struct hammer h;
	static uint8_t plain[2][PAGEVFS_PAGE_SIZE], page[PAGEVFS_PAGE_SIZE];
	unsigned key = database_key(7);
	struct err e = ERR_NONE;
	sqlite3_file *file;
	pthread_t writer;

	(void)state;
	folder_make(&folder);
	sqlite3 *db = database_new(&folder, "a", key);
	sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	for (int i = 0; i < 2; i++) {
		database_insert(db, 5, 300);
		database_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
		want(pagevfs_read_sealed(db, 2, h.versions[i], NULL, &e) == 0, &e);
		assert_int_equal(file->pMethods->xRead(file, plain[i], PAGEVFS_PAGE_SIZE,
						       PAGEVFS_PAGE_SIZE), SQLITE_OK);
	}
	h.fd = openat(folder.fd, "a", O_WRONLY);
	atomic_store(&h.is_over, false);
	assert_int_equal(pthread_create(&writer, NULL, write_for_ever, &h), 0);
	for (int i = 0; i < 6000; i++) {
		assert_int_equal(file->pMethods->xRead(file, page, PAGEVFS_PAGE_SIZE,
						       PAGEVFS_PAGE_SIZE), SQLITE_OK);
		assert_true(memcmp(page, plain[0], sizeof page) == 0 ||
			    memcmp(page, plain[1], sizeof page) == 0);
	}
	atomic_store(&h.is_over, true);
	pthread_join(writer, NULL);
	close(h.fd);
	sqlite3_close(db);
	pagevfs_key_drop(key);
	folder_drop(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_that_open_all_the_time_see_whole_snapshots),
		cmocka_unit_test(a_page_read_while_it_is_written_is_one_or_the_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

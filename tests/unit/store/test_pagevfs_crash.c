/* What a crash leaves of a catalogue: everything that was committed. */
#include "tests/unit/store/database.h"

#include <signal.h>
#include <sys/wait.h>

struct fixture {
	struct folder folder;
	unsigned key;
};

static int set_up(void **state)
{
	static struct fixture f;

	folder_make(&f.folder);
	f.key = database_key(7);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	pagevfs_key_drop(f->key);
	folder_drop(&f->folder);
	return 0;
}

/* The test that a shim which shows SQLite its tags does not pass. */
static void a_commit_in_the_wal_is_there_after_a_crash(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db = database_new(&f->folder, "a", f->key);

	database_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	for (int i = 0; i < 50; i++)
		database_insert(db, 1, 300);
	database_copy(&f->folder, "a", "b");
	assert_true(file_bytes(&f->folder, "b-wal") > 50 * FRAME_SIZE);

	sqlite3 *copy = database_open(&f->folder, "b", f->key);
	assert_int_equal(database_number(copy, "SELECT count(*) FROM t"), 50);
	assert_true(database_is_sound(copy));
	sqlite3_close(copy);
	sqlite3_close(db);
}

/* Every byte of headers and tags, few of the page between. */
static off_t step_near_edges(off_t at)
{
	return at % FRAME_SIZE < 26 || at % FRAME_SIZE > FRAME_SIZE - 34 ? 1 : 101;
}

static void a_wal_cut_anywhere_in_its_last_frames_opens_at_a_commit(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db = database_new(&f->folder, "a", f->key);

	database_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	for (int i = 0; i < 3; i++)
		database_insert(db, 1, 30);	/* one page, so one frame each */
	off_t size = file_bytes(&f->folder, "a-wal");
	assert_int_equal(size, 32 + 3 * FRAME_SIZE);

	for (off_t cut = 32 + FRAME_SIZE; cut <= size; cut += step_near_edges(cut - 32)) {
		database_copy(&f->folder, "a", "b");
		file_cut(&f->folder, "b-wal", cut);
		sqlite3 *copy = database_open(&f->folder, "b", f->key);
		assert_int_equal(database_number(copy, "SELECT count(*) FROM t"),
				 (cut - 32) / FRAME_SIZE);
		sqlite3_close(copy);
	}
	sqlite3_close(db);
}

static void a_damaged_frame_ends_recovery_at_the_commit_before(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db = database_new(&f->folder, "a", f->key);

	database_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	for (int i = 0; i < 4; i++)
		database_insert(db, 1, 30);
	for (off_t at = 0; at < FRAME_SIZE; at += step_near_edges(at)) {
		database_copy(&f->folder, "a", "b");
		file_poke(&f->folder, "b-wal", 32 + 2 * FRAME_SIZE + at, 0x10);
		sqlite3 *copy = database_open(&f->folder, "b", f->key);
		assert_int_equal(database_number(copy, "SELECT count(*) FROM t"), 2);
		sqlite3_close(copy);
	}
	sqlite3_close(db);
}

/* Pages spilled and written again within one transaction: the frames on disk
 * get new pages under old headers, then new checksums. */
static void a_spilled_transaction_is_there_after_a_crash(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db = database_new(&f->folder, "a", f->key);

	database_insert(db, 2000, 300);
	database_run(db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA cache_size=20; BEGIN;"
		     "UPDATE t SET text = randomblob(301), n = 1;"
		     "UPDATE t SET text = randomblob(302), n = 2;"
		     "UPDATE t SET text = randomblob(303), n = 3;"
		     "COMMIT");
	database_copy(&f->folder, "a", "b");
	sqlite3 *copy = database_open(&f->folder, "b", f->key);
	assert_int_equal(database_number(copy, "SELECT count(*) FROM t WHERE n = 3 AND "
					 "length(text) = 303"), 2000);
	assert_true(database_is_sound(copy));
	sqlite3_close(copy);

	/* One not committed leaves nothing. */
	database_run(db, "BEGIN; UPDATE t SET n = 4; UPDATE t SET n = 5");
	database_copy(&f->folder, "a", "c");
	copy = database_open(&f->folder, "c", f->key);
	assert_int_equal(database_number(copy, "SELECT count(*) FROM t WHERE n = 3"), 2000);
	sqlite3_close(copy);
	database_run(db, "ROLLBACK");
	assert_int_equal(database_number(db, "SELECT count(*) FROM t WHERE n = 3"), 2000);
	sqlite3_close(db);
}

/* The writer acknowledges each commit through a pipe; it is killed while
 * checkpoints run all the time. */
static void nothing_acknowledged_is_lost_to_a_kill(void **state)
{
	struct fixture *f = *state;

	sqlite3_close(database_new(&f->folder, "a", f->key));
	for (int round = 0; round < 20; round++) {
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		pid_t child = fork();
		if (child == 0) {
			/* Opened after the fork, with a key of its own. */
			sqlite3 *db = database_open(&f->folder, "a", database_key(7));
			database_run(db, "PRAGMA wal_autocheckpoint=5; PRAGMA cache_size=15");
			for (;;) {
				database_insert(db, 7, 900);
				int64_t n = database_number(db, "SELECT count(*) FROM t");
				if (write(ends[1], &n, sizeof n) != sizeof n)
					_exit(1);
				if (n % 21 == 0)
					database_try(db, "PRAGMA wal_checkpoint(TRUNCATE)");
			}
		}
		close(ends[1]);
		usleep(20000 + (useconds_t)round * 1700);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		int64_t n, acknowledged = 0;
		while (read(ends[0], &n, sizeof n) == sizeof n)
			acknowledged = n;
		close(ends[0]);
		sqlite3 *db = database_open(&f->folder, "a", f->key);
		assert_true(database_number(db, "SELECT count(*) FROM t") >= acknowledged);
		assert_true(database_is_sound(db));
		sqlite3_close(db);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(a_commit_in_the_wal_is_there_after_a_crash),
		T(a_wal_cut_anywhere_in_its_last_frames_opens_at_a_commit),
		T(a_damaged_frame_ends_recovery_at_the_commit_before),
		T(a_spilled_transaction_is_there_after_a_crash),
		T(nothing_acknowledged_is_lost_to_a_kill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

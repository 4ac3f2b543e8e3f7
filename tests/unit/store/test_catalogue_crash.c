#include "tests/unit/store/catalogue_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define FILES 40		/* of the sealed version */

/* ---- what must hold, whatever happened ------------------------------------------------ */

static int count_entry(void *arg, const struct entry *entry, const struct node *node)
{
	assert_int_equal(node->kind, NODE_FILE);
	assert_int_equal(entry->kind, NODE_FILE);
	++*(unsigned *)arg;
	return 0;
}

/* The sealed version shows its files; after recovery nothing else is there.
 * Returns how many versions were taken back. */
static unsigned check(struct fixture *f, const struct version *sealed)
{
	struct err e = ERR_NONE;
	unsigned count = 0, recovered;
	int64_t ok;
	sqlite3_stmt *stmt;

	must(catalogue_list(f->c, sealed->id, sealed->root, NULL, 0, true, count_entry, &count,
			    &e));
	assert_int_equal(count, FILES);
	must(catalogue_recover(f->c, &recovered, &e));
	assert_true(recovered <= 1);
	count = 0;
	must(catalogue_list(f->c, sealed->id, sealed->root, NULL, 0, true, count_entry, &count,
			    &e));
	assert_int_equal(count, FILES);
	assert_int_equal(sqlite3_prepare_v2(catalogue_sqlite(f->c), "SELECT"
					    " (SELECT count(*) FROM entry) = 40"
					    " AND (SELECT count(*) FROM entry WHERE last IS NOT NULL) = 0"
					    " AND (SELECT count(*) FROM node) = 41"
					    " AND (SELECT count(*) FROM directory) = 1",
					    -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	ok = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	assert_int_equal(ok, 1);
	assert_int_equal(sqlite3_prepare_v2(catalogue_sqlite(f->c), "PRAGMA integrity_check", -1,
					    &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_string_equal(sqlite3_column_text(stmt, 0), "ok");
	sqlite3_finalize(stmt);
	return recovered;
}

static struct version seal_first(struct fixture *f)
{
	struct version v = fixture_begin(f, "hr", "1");
	char name[16];

	fixture_directory_row(f, &v, v.root, 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "f%d", i);
		fixture_file(f, &v, v.root, name, 0);
	}
	fixture_seal(f, &v);
	return v;
}

/* ---- an ingest that somebody stops ------------------------------------------------------ */

/* Closes and adds rows of a second version, a commit every `batch` of them,
 * until it fails or is killed. */
static int ingest_for_ever(struct catalogue *c, unsigned batch, struct err *e)
{
	struct version v = { .at = 1, .label = "2", .source_kind = "directory" };
	struct system s;
	char name[16];

	if (catalogue_begin(c, e) < 0 || catalogue_system_intern(c, "hr", &s, e) < 0)
		return -1;
	v.system = s.id;
	if (catalogue_version_begin(c, &v, e) < 0 ||
	    catalogue_directory_close(c, v.root, v.previous, v.previous, e) < 0)
		return -1;
	for (unsigned i = 0;; i++) {
		struct node n = { .kind = NODE_FILE, .links = 1, .class_id = 1, .size = 10,
				  .mtime = { i, i } };
		struct chunk_place p = { .block = i + 1, .at = 0, .size = 10 };
		struct digest d = digest_of(&i, sizeof i);
		struct extent x = { .size = 10, .block = i + 1 };

		snprintf(name, sizeof name, "f%u", i);
		if (i < FILES &&
		    catalogue_entry_close(c, v.root, name, strlen(name), v.previous, v.previous,
					  e) < 0)
			return -1;
		if (catalogue_reserve(c, SEQUENCE_NODE, 1, &n.id, e) < 0 ||
		    catalogue_reserve(c, SEQUENCE_CONTENT, 1, &n.content, e) < 0 ||
		    catalogue_content_add(c, n.content, &d, &x, 1, e) < 0 ||
		    catalogue_chunk_add(c, d.bytes, &p, e) < 0 ||
		    catalogue_node_add(c, &n, NULL, e) < 0)
			return -1;
		struct entry entry = fixture_entry(name, NODE_FILE, v.id, n.id);
		if (catalogue_entry_add(c, v.root, &entry, e) < 0)
			return -1;
		if (i % batch == batch - 1 &&
		    (catalogue_commit(c, e) < 0 || catalogue_begin(c, e) < 0))
			return -1;
	}
}

/* The child: this program again. */
static int child(const char *folder)
{
	struct fixture f = { .dirfd = open(folder, O_RDONLY | O_DIRECTORY) };
	struct err e = ERR_NONE;

	if (f.dirfd < 0 || fixture_key(&f, &e) < 0 ||
	    catalogue_open(f.dirfd, FIXTURE_EPOCH, f.key_id, CATALOGUE_WRITE, FIXTURE_CACHE, &f.c,
			   &e) < 0 || write(1, "\n", 1) != 1 ||
	    ingest_for_ever(f.c, 25, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	return 1;
}

static void kill_after(struct fixture *f, long us)
{
	int ready[2];
	char go;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ready[1], 1);
		execl("/proc/self/exe", "test_catalogue_crash", f->path, (char *)NULL);
		_exit(2);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &go, 1), 1);
	struct timespec pause = { .tv_nsec = us * 1000 };
	nanosleep(&pause, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
}

static void killed_at_any_moment_an_ingest_is_taken_back(void **state)
{
	struct fixture *f = *state;
	struct version v = seal_first(f);
	unsigned seed = 1, recovered = 0;

	for (int i = 0; i < 25; i++) {
		catalogue_close(f->c);
		f->c = NULL;
		seed = seed * 1103515245 + 12345;
		kill_after(f, (long)(seed >> 8) % 30000);
		fixture_reopen(f);
		recovered += check(f, &v);
	}
	assert_true(recovered > 0);	/* else the kills all came too early */
}

/* A full disk: every limit from nothing to plenty, at a page's distance. */
static void a_full_disk_is_said_and_nothing_is_lost(void **state)
{
	struct fixture *f = *state;
	struct version v = seal_first(f);
	struct rlimit old;
	struct stat st;
	char path[96];
	struct err e;

	fixture_reopen(f);
	snprintf(path, sizeof path, "%s/catalogue.%d", f->path, FIXTURE_EPOCH);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t room = 0; room < 600000; room += 37777) {
		struct rlimit limit = { .rlim_cur = 40000 + room, .rlim_max = old.rlim_max };

		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		e = ERR_NONE;
		int rc = ingest_for_ever(f->c, 25, &e);
		catalogue_rollback(f->c);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(rc, -1);
		if (e.code != MUNI_NO_SPACE)
			fail_msg("room for %lu: code %d: %s", (unsigned long)room, e.code, e.text);
		if (room % 2)
			fixture_reopen(f);
		check(f, &v);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(killed_at_any_moment_an_ingest_is_taken_back),
		T(a_full_disk_is_said_and_nothing_is_lost),
	};

	if (argc == 2)
		return child(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

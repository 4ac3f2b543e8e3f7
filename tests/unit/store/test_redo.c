/* Base and redo: the catalogue's second home, whatever happens to the first. */
#include "tests/unit/store/database.h"

#include <signal.h>
#include <sys/resource.h>

#include "fs/base/text.h"
#include "fs/store/objects.h"
#include "fs/store/redo.h"
#include "fs/store/redo_object.h"

struct fixture {
	struct folder folder;
	unsigned key;
	struct objects *objects;
	sqlite3 *db;
	struct digest before;	/* where the writer found it, or left it */
	unsigned seed;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct err e = ERR_NONE;

	memset(&f, 0, sizeof f);
	folder_make(&f.folder);
	f.key = database_key(7);
	want(objects_make_folder(f.folder.fd, &e) == 0, &e);
	want(objects_open_folder(f.folder.fd, true, &f.objects, &e) == 0, &e);
	f.db = database_new(&f.folder, "catalogue.3", f.key);
	database_run(f.db, "PRAGMA wal_checkpoint(TRUNCATE)");
	f.seed = 1;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sqlite3_close(f->db);
	objects_close(f->objects);
	pagevfs_key_drop(f->key);
	folder_drop(&f->folder);
	return 0;
}

/* ---- a writer's life ----------------------------------------------------------- */

static void version(struct fixture *f, int rows)
{
	char sql[200];

	snprintf(sql, sizeof sql, "UPDATE t SET n = n + 1 WHERE id %% 1000 = %d",
		 rand_r(&f->seed) % 1000);
	database_insert(f->db, rows, 300);
	database_run(f->db, sql);
	if (rand_r(&f->seed) % 5 == 0)
		database_run(f->db, "DELETE FROM t WHERE id % 7 = 0");
	database_run(f->db, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static struct digest now(struct fixture *f)
{
	struct err e = ERR_NONE;
	struct digest d;
	uint64_t pages;

	want(pagevfs_digest(f->db, &d, &pages, &e) == 0, &e);
	return d;
}

static void append(struct fixture *f)
{
	struct err e = ERR_NONE;
	struct digest after = now(f);
	uint64_t *pages, count;

	want(pagevfs_dirty(f->db, true, &pages, &count, &e) == 0, &e);
	want(redo_append(f->objects, f->db, database_archive, DATABASE_EPOCH, &f->before, &after,
			 pages, count, &e) == 0, &e);
	free(pages);
	f->before = after;
}

/* The writer dies before its append; the next one finds the catalogue as it is. */
static void crash(struct fixture *f)
{
	sqlite3_close(f->db);
	f->db = database_open(&f->folder, "catalogue.3", f->key);
	f->before = now(f);
}

static int rebuild(struct fixture *f, struct digest *reached, struct err *e)
{
	return redo_rebuild(f->objects, database_archive, DATABASE_EPOCH, f->key, f->folder.fd,
			    "again", reached, e);
}

static bool are_equal(const struct fixture *f, const char *a, const char *b)
{
	char command[400];

	snprintf(command, sizeof command, "cmp -s '%s/%s' '%s/%s'", f->folder.path, a,
		 f->folder.path, b);
	return system(command) == 0;
}

static void assert_rebuilds(struct fixture *f)
{
	struct err e = ERR_NONE;
	struct digest reached;

	want(rebuild(f, &reached, &e) == 0, &e);
	assert_true(digest_equal(&reached, &f->before));
	assert_true(are_equal(f, "catalogue.3", "again"));
}

static int count_found(void *arg, const uint8_t uid[16], const char *what)
{
	(void)uid;
	assert_true(strlen(what) > 10);
	(*(unsigned *)arg)++;
	return 0;
}

static unsigned check(struct fixture *f, struct digest *last)
{
	struct err e = ERR_NONE;
	unsigned found = 0;

	want(redo_check(f->objects, database_archive, DATABASE_EPOCH, f->key, count_found, &found,
			last, &e) == 0, &e);
	return found;
}

static struct object_name *list(struct fixture *f, size_t *count)
{
	struct err e = ERR_NONE;
	struct object_name *names;

	want(objects_list(f->objects, OBJECTS_CATALOGUE, &names, count, NULL, &e) == 0, &e);
	return names;
}

static void path_of(const struct object_name *name, char out[64])
{
	char hex[33];

	text_hex(name->uid, 16, hex);
	snprintf(out, 64, "segments/%.2s/%s.cat", hex, hex);
}

/* The base is the largest. */
static struct object_name smallest(struct fixture *f)
{
	size_t count;
	struct object_name *names = list(f, &count), found;
	off_t least = INT64_MAX;

	for (size_t i = 0; i < count; i++) {
		char path[64];
		path_of(&names[i], path);
		if (file_bytes(&f->folder, path) < least) {
			least = file_bytes(&f->folder, path);
			found = names[i];
		}
	}
	assert_true(count > 1);
	free(names);
	return found;
}

/* ---- what they promise ------------------------------------------------------------ */

static void many_versions_with_crashes_between_rebuild_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	unsigned chains = 0;

	for (int i = 0; i < 60; i++) {
		version(f, i % 10 == 9 ? 2000 : 1 + rand_r(&f->seed) % 40);
		if (rand_r(&f->seed) % 6 == 0)
			crash(f);	/* then nothing leads to it: a base */
		append(f);
		assert_rebuilds(f);
		struct digest last;
		assert_int_equal(check(f, &last), 0);
		assert_true(digest_equal(&last, &f->before));
		size_t count;
		free(list(f, &count));
		chains += count > 3;
	}
	assert_true(chains > 10);
	sqlite3 *db = database_open(&f->folder, "again", f->key);
	assert_true(database_is_sound(db));
	assert_int_equal(database_number(db, "SELECT count(*) FROM t"),
			 database_number(f->db, "SELECT count(*) FROM t"));
	sqlite3_close(db);
}

static void a_catalogue_of_many_objects_rebuilds(void **state)
{
	struct fixture *f = *state;
	size_t count;

	version(f, 130000);	/* over 40 MiB */
	append(f);
	free(list(f, &count));
	assert_true(count >= 5 && count == (size_t)(file_bytes(&f->folder, "catalogue.3") /
		    PAGEVFS_PAGE_SIZE + REDO_OBJECT_WRITES - 1) / REDO_OBJECT_WRITES);
	version(f, 10);
	append(f);
	assert_rebuilds(f);
	database_run(f->db, "DELETE FROM t WHERE id > 30; VACUUM;"
		     "PRAGMA wal_checkpoint(TRUNCATE)");
	append(f);		/* far smaller now */
	assert_rebuilds(f);
}

static void an_unchanged_catalogue_appends_nothing(void **state)
{
	struct fixture *f = *state;
	size_t before, after;

	version(f, 1000);
	append(f);
	free(list(f, &before));
	append(f);
	free(list(f, &after));
	assert_int_equal(before, after);
	assert_rebuilds(f);
}

static void redo_stays_below_half_the_catalogue(void **state)
{
	struct fixture *f = *state;

	version(f, 3000);
	for (int i = 0; i < 100; i++) {
		version(f, 5);
		append(f);
		size_t count;
		struct object_name *names = list(f, &count);
		off_t sum = 0, size = file_bytes(&f->folder, "catalogue.3");
		for (size_t n = 0; n < count; n++) {
			char path[64];
			path_of(&names[n], path);
			sum += file_bytes(&f->folder, path);
		}
		free(names);
		assert_true(sum < size * 17 / 10);
	}
	assert_rebuilds(f);
}

static void every_flip_is_found_and_mended(void **state)
{
	struct fixture *f = *state;
	struct digest last;
	size_t count;
	char path[64];

	version(f, 1000);
	append(f);
	version(f, 3);
	append(f);
	struct object_name *names = list(f, &count);
	assert_int_equal(count, 2);
	for (size_t n = 0; n < count; n++) {
		path_of(&names[n], path);
		off_t size = file_bytes(&f->folder, path);
		for (off_t at = 0; at < size; at += at < 300 || at > size - 300 ? 7 : size / 53) {
			folder_flip(&f->folder, path, at, (unsigned)at % 8);
			assert_int_equal(check(f, &last), 1);
			assert_true(digest_equal(&last, &f->before));
			if (at % 4 == 0)	/* each is synced, so not every time */
				assert_rebuilds(f);
			folder_flip(&f->folder, path, at, (unsigned)at % 8);
		}
	}
	assert_int_equal(check(f, &last), 0);
	free(names);
}

/* As long as a column, wherever it begins; also over head and table. */
static void one_damaged_run_is_mended_anywhere(void **state)
{
	struct fixture *f = *state;
	static const uint8_t junk[512] = { 0xa5, 0x5a };
	struct digest last;
	char path[64];

	version(f, 1000);
	append(f);
	version(f, 3);
	append(f);
	struct object_name name = smallest(f);
	path_of(&name, path);
	off_t size = file_bytes(&f->folder, path);
	file_copy(&f->folder, path, "good");
	for (off_t at = 0; at + 512 <= size; at += 173) {
		assert_int_equal(fchmodat(f->folder.fd, path, 0600, 0), 0);
		int fd = openat(f->folder.fd, path, O_WRONLY);
		assert_int_equal(pwrite(fd, junk, sizeof junk, at), sizeof junk);
		close(fd);
		assert_int_equal(check(f, &last), 1);
		assert_true(digest_equal(&last, &f->before));
		if (at % 8 == 0)
			assert_rebuilds(f);
		file_copy(&f->folder, "good", path);
	}
	/* Cut short within the last column, or with something behind. */
	file_cut(&f->folder, path, size - 100);
	assert_int_equal(check(f, &last), 1);
	assert_rebuilds(f);
	file_copy(&f->folder, "good", path);
	file_cut(&f->folder, path, size + 100);
	assert_int_equal(check(f, &last), 1);
	assert_rebuilds(f);
}

static void damage_beyond_parity_is_refused_and_a_fresh_base_mends_it(void **state)
{
	struct fixture *f = *state;
	struct digest last, zeros = { 0 };
	struct err e = ERR_NONE;
	char path[64];

	version(f, 1000);
	append(f);
	version(f, 3);
	append(f);
	struct object_name name = smallest(f);
	path_of(&name, path);
	for (off_t at = 0; at < file_bytes(&f->folder, path); at += 400)
		folder_flip(&f->folder, path, at, 3);
	assert_true(check(f, &last) >= 1);
	assert_false(digest_equal(&last, &f->before));
	f->before = now(f);
	if (rebuild(f, &last, &e) == 0)		/* both heads lost: it is as if cut off */
		assert_false(digest_equal(&last, &f->before));
	else
		assert_int_equal(e.code, MUNI_DAMAGED);

	e = ERR_NONE;
	struct digest after = now(f);
	want(redo_append(f->objects, f->db, database_archive, DATABASE_EPOCH, &zeros, &after,
			 NULL, 0, &e) == 0, &e);
	assert_int_equal(check(f, &last), 0);
	assert_rebuilds(f);
}

/* How often each object was told; the last is what was told of none. */
struct told {
	const struct object_name *names;
	size_t count;
	unsigned times[16], of_none;
};

static int count_each(void *arg, const uint8_t uid[16], const char *what)
{
	static const uint8_t nobody[16];
	struct told *t = arg;

	assert_true(strlen(what) > 10);
	t->of_none += memcmp(uid, nobody, sizeof nobody) == 0;
	for (size_t i = 0; i < t->count; i++)
		t->times[i] += memcmp(uid, t->names[i].uid, 16) == 0;
	return 0;
}

/* Some that the replay comes to before the first that stops it, some after, some that
 * stand in no chain: each is told once, whatever was loaded with it. */
static void every_damaged_object_is_told_once(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct digest last;
	unsigned told = 0;

	version(f, 130000);
	append(f);
	version(f, 10);
	append(f);
	struct told t = { .names = list(f, &t.count) };
	assert_in_range(t.count, 6, 16);
	for (size_t i = 0; i < t.count; i++) {
		char path[64];

		path_of(&t.names[i], path);
		if (i % 3 == 0)		/* beyond its parity, but for its heads */
			for (off_t at = 4096; at < file_bytes(&f->folder, path) - 4096; at += 400)
				folder_flip(&f->folder, path, at, 3);
		else if (i % 3 == 1)
			folder_flip(&f->folder, path, file_bytes(&f->folder, path) / 2, 3);
	}
	want(redo_check(f->objects, database_archive, DATABASE_EPOCH, f->key, count_each, &t,
			&last, &e) == 0, &e);
	for (size_t i = 0; i < t.count; i++) {
		assert_int_equal(t.times[i], i % 3 == 2 ? 0 : 1);
		told += t.times[i];
	}
	assert_true(told >= 4);
	assert_int_equal(t.of_none, 1);
	assert_false(digest_equal(&last, &f->before));
	free((void *)t.names);
}

static void a_missing_middle_object_is_detected(void **state)
{
	struct fixture *f = *state;
	struct digest last, reached;
	struct err e = ERR_NONE;
	char path[64];

	version(f, 2000);
	append(f);
	version(f, 1);
	append(f);
	struct object_name middle = smallest(f);
	version(f, 60);
	append(f);
	path_of(&middle, path);
	assert_int_equal(unlinkat(f->folder.fd, path, 0), 0);
	assert_int_equal(rebuild(f, &reached, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(file_bytes(&f->folder, "again"), -1);
	assert_true(check(f, &last) >= 1);
	assert_false(digest_equal(&last, &f->before));

	/* The next append sees it too. */
	version(f, 1);
	append(f);
	assert_int_equal(check(f, &last), 0);
	assert_rebuilds(f);
}

static void a_missing_last_object_shows_in_the_digest_that_was_reached(void **state)
{
	struct fixture *f = *state;
	struct digest reached;
	struct err e = ERR_NONE;
	char path[64];

	version(f, 2000);
	append(f);
	struct digest first = f->before;
	version(f, 1);
	append(f);
	struct object_name last = smallest(f);
	path_of(&last, path);
	assert_int_equal(unlinkat(f->folder.fd, path, 0), 0);
	want(rebuild(f, &reached, &e) == 0, &e);
	assert_true(digest_equal(&reached, &first));
}

static void a_damaged_page_of_the_catalogue_is_not_copied(void **state)
{
	struct fixture *f = *state;
	struct digest zeros = { 0 };
	struct err e = ERR_NONE;

	version(f, 1000);
	append(f);
	file_copy(&f->folder, "catalogue.3", "good");
	file_poke(&f->folder, "catalogue.3", 9 * PAGEVFS_PAGE_SIZE + 50, 1);
	struct digest after = now(f);
	assert_int_equal(redo_append(f->objects, f->db, database_archive, DATABASE_EPOCH, &zeros,
				     &after, NULL, 0, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	struct digest reached;
	e = ERR_NONE;
	want(rebuild(f, &reached, &e) == 0, &e);
	assert_true(are_equal(f, "again", "good"));
	size_t count;
	free(list(f, &count));
	assert_int_equal(count, 1);
}

/* Objects may not grow beyond `bytes`: the second of a base fails. */
static int append_on_full_disk(struct fixture *f, rlim_t bytes, struct err *e)
{
	struct rlimit limit, small;
	struct digest after = now(f);
	uint64_t *pages, count;

	want(pagevfs_dirty(f->db, true, &pages, &count, e) == 0, e);
	getrlimit(RLIMIT_FSIZE, &limit);
	small = limit;
	small.rlim_cur = bytes;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	int rc = redo_append(f->objects, f->db, database_archive, DATABASE_EPOCH, &f->before,
			     &after, pages, count, e);
	setrlimit(RLIMIT_FSIZE, &limit);
	free(pages);
	return rc;
}

static void a_full_disk_costs_the_append_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct digest reached, last;
	struct err e = ERR_NONE;
	size_t before, after;

	version(f, 2000);
	append(f);
	free(list(f, &before));
	file_copy(&f->folder, "catalogue.3", "good");
	struct digest good = f->before;
	version(f, 50);
	assert_int_equal(append_on_full_disk(f, 4096, &e), -1);
	assert_int_equal(e.code, MUNI_NO_SPACE);
	free(list(f, &after));
	assert_int_equal(before, after);
	e = ERR_NONE;
	want(rebuild(f, &reached, &e) == 0, &e);
	assert_true(digest_equal(&reached, &good));
	assert_true(are_equal(f, "again", "good"));

	/* The dirty pages are forgotten; the next writer starts from what it finds. */
	f->before = now(f);
	version(f, 5);
	append(f);
	assert_int_equal(check(f, &last), 0);
	assert_rebuilds(f);
}

/* Its last part is small enough, and goes with the others. */
static void of_a_base_that_failed_nothing_is_left(void **state)
{
	struct fixture *f = *state;
	struct digest reached, last;
	struct err e = ERR_NONE;
	size_t count;

	version(f, 100);
	append(f);
	struct digest good = f->before;
	file_copy(&f->folder, "catalogue.3", "good");
	version(f, 109000);
	off_t pages = file_bytes(&f->folder, "catalogue.3") / PAGEVFS_PAGE_SIZE;
	assert_in_range(pages, REDO_OBJECT_WRITES * 4, REDO_OBJECT_WRITES * 9 / 2);
	assert_int_equal(append_on_full_disk(f, 5 << 20, &e), -1);
	assert_int_equal(e.code, MUNI_NO_SPACE);
	free(list(f, &count));
	assert_int_equal(count, 1);
	e = ERR_NONE;
	want(rebuild(f, &reached, &e) == 0, &e);
	assert_true(digest_equal(&reached, &good));
	assert_true(are_equal(f, "again", "good"));
	f->before = now(f);
	version(f, 5);
	append(f);
	assert_int_equal(check(f, &last), 0);
	assert_rebuilds(f);
}

static void rebuilding_takes_away_the_wal_of_what_stood_there(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct digest reached;

	version(f, 1000);
	append(f);
	database_insert(f->db, 5, 300);
	database_copy(&f->folder, "catalogue.3", "again");
	assert_true(file_bytes(&f->folder, "again-wal") > 0);
	want(rebuild(f, &reached, &e) == 0, &e);
	assert_int_equal(file_bytes(&f->folder, "again-wal"), -1);
	sqlite3 *db = database_open(&f->folder, "again", f->key);
	assert_true(database_is_sound(db));
	sqlite3_close(db);
}

static void epochs_are_kept_apart_and_dropped(void **state)
{
	struct fixture *f = *state;
	static const uint8_t other[16] = { 1 };
	struct err e = ERR_NONE;
	struct digest reached, zeros = { 0 }, after;
	size_t count;

	version(f, 300);
	append(f);
	after = f->before;
	want(redo_append(f->objects, f->db, database_archive, DATABASE_EPOCH + 1, &zeros, &after,
			 NULL, 0, &e) == 0, &e);
	want(redo_append(f->objects, f->db, other, DATABASE_EPOCH, &zeros, &after, NULL, 0,
			 &e) == 0, &e);
	free(list(f, &count));
	assert_int_equal(count, 3);
	want(redo_drop_before(f->objects, database_archive, DATABASE_EPOCH + 1, &e) == 0, &e);
	free(list(f, &count));
	assert_int_equal(count, 2);
	assert_int_equal(rebuild(f, &reached, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	e = ERR_NONE;
	want(redo_rebuild(f->objects, database_archive, DATABASE_EPOCH + 1, f->key, f->folder.fd,
			  "again", &reached, &e) == 0, &e);
	assert_true(are_equal(f, "catalogue.3", "again"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(many_versions_with_crashes_between_rebuild_byte_for_byte),
		T(a_catalogue_of_many_objects_rebuilds),
		T(an_unchanged_catalogue_appends_nothing),
		T(redo_stays_below_half_the_catalogue),
		T(every_flip_is_found_and_mended),
		T(one_damaged_run_is_mended_anywhere),
		T(damage_beyond_parity_is_refused_and_a_fresh_base_mends_it),
		T(every_damaged_object_is_told_once),
		T(a_missing_middle_object_is_detected),
		T(a_missing_last_object_shows_in_the_digest_that_was_reached),
		T(a_damaged_page_of_the_catalogue_is_not_copied),
		T(a_full_disk_costs_the_append_and_nothing_else),
		T(of_a_base_that_failed_nothing_is_left),
		T(rebuilding_takes_away_the_wal_of_what_stood_there),
		T(epochs_are_kept_apart_and_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

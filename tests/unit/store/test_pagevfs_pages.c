/* Pages as they lie on disk: digest, copies, what was written, check. */
#include "tests/unit/store/database.h"

struct fixture {
	struct folder folder;
	unsigned key;
	sqlite3 *db;
};

static int set_up(void **state)
{
	static struct fixture f;

	folder_make(&f.folder);
	f.key = database_key(7);
	f.db = database_new(&f.folder, "a", f.key);
	database_insert(f.db, 200, 300);
	database_run(f.db, "PRAGMA wal_checkpoint(TRUNCATE)");
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

static struct digest digest_now(sqlite3 *db, uint64_t *pages)
{
	struct err e = ERR_NONE;
	struct digest d;

	want(pagevfs_digest(db, &d, pages, &e) == 0, &e);
	return d;
}

static uint8_t *load(struct fixture *f, const char *name, uint64_t *pages)
{
	off_t size = file_bytes(&f->folder, name);
	uint8_t *data = malloc((size_t)size);
	int fd = openat(f->folder.fd, name, O_RDONLY);

	assert_int_equal(read(fd, data, (size_t)size), size);
	close(fd);
	*pages = (uint64_t)size / PAGEVFS_PAGE_SIZE;
	return data;
}

/* As docs/format.md has it, from the bytes alone. */
static void the_digest_is_over_page_ones_head_and_all_tags(void **state)
{
	struct fixture *f = *state;
	uint64_t pages, counted;
	uint8_t *data = load(f, "a", &pages);
	uint8_t *tags = malloc(24 + pages * 16);

	memcpy(tags, data, 24);
	for (uint64_t i = 0; i < pages; i++)
		memcpy(tags + 24 + i * 16, data + i * PAGEVFS_PAGE_SIZE + 8172, 16);
	struct digest mine = digest_of(tags, 24 + pages * 16);
	struct digest theirs = digest_now(f->db, &counted);
	assert_int_equal(counted, pages);
	assert_true(digest_equal(&mine, &theirs));
	free(tags);
	free(data);
}

static void an_older_page_put_back_changes_the_digest(void **state)
{
	struct fixture *f = *state;
	uint64_t pages;

	file_copy(&f->folder, "a", "old");
	database_run(f->db, "UPDATE t SET n = -1 WHERE id = 150; "
		     "PRAGMA wal_checkpoint(TRUNCATE)");
	uint8_t *old = load(f, "old", &pages), *now = load(f, "a", &pages);
	struct digest before = digest_now(f->db, &pages);
	uint64_t changed = 0;
	for (uint64_t i = 1; i < pages && !changed; i++)
		if (memcmp(old + i * PAGEVFS_PAGE_SIZE, now + i * PAGEVFS_PAGE_SIZE,
			   PAGEVFS_PAGE_SIZE) != 0)
			changed = i;
	assert_true(changed > 0);
	int fd = openat(f->folder.fd, "a", O_WRONLY);
	assert_int_equal(pwrite(fd, old + changed * PAGEVFS_PAGE_SIZE, PAGEVFS_PAGE_SIZE,
				(off_t)changed * PAGEVFS_PAGE_SIZE), PAGEVFS_PAGE_SIZE);
	close(fd);
	struct digest after = digest_now(f->db, &pages);
	assert_false(digest_equal(&before, &after));
	free(old);
	free(now);
}

static void exactly_the_written_pages_are_dirty(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint64_t *dirty, count, pages;

	want(pagevfs_dirty(f->db, true, &dirty, &count, &e) == 0, &e);
	free(dirty);
	uint8_t *before = load(f, "a", &pages);
	uint64_t pages_before = pages;
	database_run(f->db, "UPDATE t SET n = -1 WHERE id IN (3, 90, 199)");
	want(pagevfs_dirty(f->db, false, &dirty, &count, &e) == 0, &e);
	assert_int_equal(count, 0);	/* in the WAL only, so far */
	free(dirty);
	database_insert(f->db, 100, 300);
	database_run(f->db, "PRAGMA wal_checkpoint(TRUNCATE)");

	/* Another connection of the process sees them too. */
	sqlite3 *other = database_open(&f->folder, "a", f->key);
	for (int round = 0; round < 2; round++) {
		want(pagevfs_dirty(other, round == 1, &dirty, &count, &e) == 0, &e);
		uint8_t *after = load(f, "a", &pages);
		uint64_t at = 0;
		for (uint64_t i = 0; i < pages; i++) {
			bool is_changed = i >= pages_before ||
				memcmp(before + i * PAGEVFS_PAGE_SIZE,
				       after + i * PAGEVFS_PAGE_SIZE, PAGEVFS_PAGE_SIZE) != 0;
			bool is_dirty = at < count && dirty[at] == i + 1;
			assert_int_equal(is_changed, is_dirty);
			at += is_dirty;
		}
		assert_int_equal(at, count);
		free(dirty);
		free(after);
	}
	want(pagevfs_dirty(f->db, false, &dirty, &count, &e) == 0, &e);
	assert_int_equal(count, 0);
	free(dirty);
	free(before);
	sqlite3_close(other);
}

/* At a checkpoint the WAL's ciphertext goes into the main file as it is. */
static void a_checkpoint_seals_nothing_anew(void **state)
{
	struct fixture *f = *state;

	uint64_t before = pagevfs_seals(f->key);
	database_insert(f->db, 300, 300);
	uint64_t written = pagevfs_seals(f->key);
	assert_true(written > before + 10);
	uint64_t pages, frames;
	uint8_t *wal = load(f, "a-wal", &frames);
	frames = (uint64_t)(file_bytes(&f->folder, "a-wal") - 32) / FRAME_SIZE;
	assert_int_equal(written - before, frames);
	database_run(f->db, "PRAGMA wal_checkpoint(PASSIVE)");
	assert_int_equal(pagevfs_seals(f->key), written);
	uint8_t *main = load(f, "a", &pages);
	for (uint64_t i = 0; i < frames; i++)
		assert_non_null(memmem(main, pages * PAGEVFS_PAGE_SIZE,
				       wal + 32 + i * FRAME_SIZE + 24, PAGEVFS_PAGE_SIZE));
	free(wal);
	free(main);
}

static int note(void *arg, uint64_t page)
{
	uint64_t *found = arg;

	found[++found[0]] = page;
	return found[0] == 6;
}

static void check_names_each_bad_page(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint64_t found[10] = { 0 };

	want(pagevfs_check(f->db, note, found, &e) == 0, &e);
	assert_int_equal(found[0], 0);
	file_poke(&f->folder, "a", 2 * PAGEVFS_PAGE_SIZE + 77, 1);
	file_poke(&f->folder, "a", 4 * PAGEVFS_PAGE_SIZE + 8191, 0x80);
	file_poke(&f->folder, "a", 5 * PAGEVFS_PAGE_SIZE + 8165, 0x80);
	file_poke(&f->folder, "a", 5, 1);
	file_cut(&f->folder, "a", 7 * PAGEVFS_PAGE_SIZE + 100);
	want(pagevfs_check(f->db, note, found, &e) == 0, &e);
	assert_int_equal(found[0], 5);
	static const uint64_t bad[] = { 1, 3, 5, 6, 8 };
	assert_memory_equal(found + 1, bad, sizeof bad);

	uint8_t page[PAGEVFS_PAGE_SIZE];
	assert_int_equal(pagevfs_read_sealed(f->db, 3, page, NULL, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	e = ERR_NONE;
	want(pagevfs_read_sealed(f->db, 4, page, NULL, &e) == 0, &e);
	struct digest d;
	assert_int_equal(pagevfs_digest(f->db, &d, &found[0], &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

/* Half a thousand million pages, had they to be read. */
static void what_follows_the_last_page_is_told_once_and_not_read(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint64_t found[10] = { 0 }, pages;
	struct digest d = digest_now(f->db, &pages);

	file_cut(&f->folder, "a", (off_t)1 << 42);
	want(pagevfs_check(f->db, note, found, &e) == 0, &e);
	assert_int_equal(found[0], 1);
	assert_int_equal(found[1], pages + 1);
	assert_int_equal(pagevfs_digest(f->db, &d, &found[0], &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

static void a_plain_database_is_refused(void **state)
{
	struct err e = ERR_NONE;
	struct digest d;
	uint64_t pages;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(pagevfs_digest(db, &d, &pages, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(the_digest_is_over_page_ones_head_and_all_tags),
		T(an_older_page_put_back_changes_the_digest),
		T(exactly_the_written_pages_are_dirty),
		T(a_checkpoint_seals_nothing_anew),
		T(check_names_each_bad_page),
		T(what_follows_the_last_page_is_told_once_and_not_read),
		T(a_plain_database_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

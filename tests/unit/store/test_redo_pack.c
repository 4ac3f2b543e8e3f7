/* What an object of base and redo holds: compressed, sealed, and the very pages again. */
#include "tests/unit/store/database.h"

#include "fs/store/objects.h"
#include "fs/store/redo.h"
#include "fs/store/redo_layout.h"
#include "fs/store/redo_pack.h"

struct fixture {
	struct folder folder;
	unsigned key;
	struct objects *objects;
	sqlite3 *db;
	struct digest before;
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

/* Rows as a catalogue has them: half of each is names, the other half noise. */
static void insert(struct fixture *f, int rows)
{
	char sql[300];

	snprintf(sql, sizeof sql, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c "
		 "WHERE x < %d) INSERT INTO t(n, text) SELECT x, CAST('minutes of the board, part "
		 "' || x || '.txt' AS BLOB) || randomblob(40) FROM c;"
		 "PRAGMA wal_checkpoint(TRUNCATE)", rows);
	database_run(f->db, sql);
}

static void append(struct fixture *f)
{
	struct err e = ERR_NONE;
	struct digest after;
	uint64_t *pages, count, total;

	want(pagevfs_digest(f->db, &after, &total, &e) == 0, &e);
	want(pagevfs_dirty(f->db, true, &pages, &count, &e) == 0, &e);
	want(redo_append(f->objects, f->db, database_archive, DATABASE_EPOCH, &f->before, &after,
			 pages, count, &e) == 0, &e);
	free(pages);
	f->before = after;
}

static int rebuild(struct fixture *f, unsigned key, struct err *e)
{
	struct digest reached;

	return redo_rebuild(f->objects, database_archive, DATABASE_EPOCH, key, f->folder.fd,
			    "again", &reached, e);
}

static void assert_rebuilds(struct fixture *f)
{
	char command[400];
	struct err e = ERR_NONE;

	want(rebuild(f, f->key, &e) == 0, &e);
	snprintf(command, sizeof command, "cmp -s '%s/catalogue.3' '%s/again'", f->folder.path,
		 f->folder.path);
	assert_int_equal(system(command), 0);
}

static int count_found(void *arg, const uint8_t uid[16], const char *what)
{
	(void)uid;
	assert_true(strlen(what) > 10);
	(*(unsigned *)arg)++;
	return 0;
}

static unsigned check(struct fixture *f, unsigned key, struct digest *last)
{
	struct err e = ERR_NONE;
	unsigned found = 0;

	want(redo_check(f->objects, database_archive, DATABASE_EPOCH, key, count_found, &found,
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

static void load(struct fixture *f, const struct object_name *name, struct redo_object *out)
{
	struct err e = ERR_NONE;

	want(redo_object_load(f->objects, name, out, &e) == 0, &e);
	assert_int_equal(out->bad_columns, 0);
}

/* Under the same name, with checksums and parity of its own. */
static void put_instead(struct fixture *f, const struct object_name *name,
			const struct redo_object *r)
{
	struct err e = ERR_NONE;

	want(objects_delete(f->objects, name, &e) == 0, &e);
	want(redo_object_put(f->objects, r, &e) == 0, &e);
}

/* ---- what it promises --------------------------------------------------------------- */

static void a_copy_is_smaller_than_its_pages_and_shows_nothing_of_them(void **state)
{
	struct fixture *f = *state;
	struct redo_object r;
	size_t count;

	insert(f, 40000);
	append(f);
	struct object_name *names = list(f, &count);
	assert_in_range(count, 1, 4);	/* as many as there are processors */
	for (size_t n = 0; n < count; n++) {
		load(f, &names[n], &r);
		assert_true(r.head.format == REDO_FORMAT_COLUMNS && r.head.pages > 40);
		assert_true(r.head.payload < (uint64_t)r.head.pages * PAGEVFS_PAGE_SIZE * 2 / 3);
		assert_null(memmem(r.payload, r.head.payload, "minutes", 7));
		assert_null(memmem(r.payload, r.head.payload, "SQLite", 6));
		redo_object_free(&r);
	}
	free(names);
	assert_rebuilds(f);
}

static void a_change_of_one_row_takes_less_than_a_page(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint64_t least = UINT64_MAX;
	size_t count;

	insert(f, 4000);
	append(f);
	database_run(f->db, "UPDATE t SET n = 7 WHERE id = 5; PRAGMA wal_checkpoint(TRUNCATE)");
	append(f);
	struct object_name *names = list(f, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		uint64_t size;
		want(objects_size(f->objects, &names[i], &size, &e) == 0, &e);
		least = size < least ? size : least;
	}
	assert_true(least < PAGEVFS_PAGE_SIZE);
	free(names);
	assert_rebuilds(f);
}

static void it_is_checked_without_a_key_and_rebuilt_with_the_right_one_only(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct digest last;
	unsigned other = database_key(8);

	insert(f, 3000);
	append(f);
	assert_int_equal(check(f, 0, &last), 0);
	assert_true(digest_equal(&last, &f->before));
	assert_int_equal(check(f, f->key, &last), 0);
	assert_true(digest_equal(&last, &f->before));

	assert_int_equal(rebuild(f, other, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(file_bytes(&f->folder, "again"), -1);
	e = ERR_NONE;
	assert_int_equal(rebuild(f, 0, &e), -1);
	assert_int_equal(e.code, MUNI_CANNOT_UNLOCK);
	assert_int_equal(check(f, other, &last), 1);
	pagevfs_key_drop(other);
	assert_rebuilds(f);
}

/* Whoever can write the archive can make checksums: they are no proof. */
static void whatever_is_changed_in_it_on_purpose_is_refused(void **state)
{
	struct fixture *f = *state;
	struct redo_object r;
	struct err e = ERR_NONE;
	struct digest last;
	size_t count;

	insert(f, 30000);
	append(f);
	struct digest first = f->before;
	database_run(f->db, "UPDATE t SET n = 7 WHERE id % 3000 < 2; PRAGMA wal_checkpoint(TRUNCATE)");
	append(f);
	struct object_name *names = list(f, &count);
	assert_in_range(count, 2, 5);	/* a base, in a part a processor, and a change */
	for (size_t n = 0; n < count; n++) {
		load(f, &names[n], &r);
		struct redo_packing p = redo_layout_packing(r.head.kind, r.head.pages);
		const size_t places[] = { 0, p.head_at, p.head_at + 5, p.head_at + 17, p.seals_at,
			p.seals_at + 13, p.seals_at + REDO_SEAL_SIZE + 3, p.sizes_at,
			p.sizes_at + 3, p.pieces_at, p.pieces_at + 500, r.head.payload - 1 };
		for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
			e = ERR_NONE;
			r.payload[places[i]] ^= 1;
			put_instead(f, &names[n], &r);
			assert_true(check(f, f->key, &last) >= 1);
			assert_false(digest_equal(&last, &f->before));
			assert_int_equal(rebuild(f, f->key, &e), -1);
			assert_int_equal(e.code, MUNI_DAMAGED);
			r.payload[places[i]] ^= 1;
		}
		/* Of another set, or another object. */
		r.head.sequence += 7;
		put_instead(f, &names[n], &r);
		e = ERR_NONE;
		if (rebuild(f, f->key, &e) == 0)
			assert_true(r.head.kind == REDO_CHANGES);
		else
			assert_int_equal(e.code, MUNI_DAMAGED);
		r.head.sequence -= 7;
		put_instead(f, &names[n], &r);
		redo_object_free(&r);
	}
	free(names);
	assert_false(digest_equal(&first, &f->before));
	assert_rebuilds(f);
}

static void sizes_that_make_no_sense_are_refused_before_they_are_used(void **state)
{
	struct fixture *f = *state;
	static const uint32_t sizes[] = { 0, 1, 16, 0x7fffffff, 0xfffffff0, 0xffffffff };
	struct redo_object r;
	struct err e = ERR_NONE;
	size_t count;

	insert(f, 3000);
	append(f);
	struct object_name *names = list(f, &count);
	load(f, &names[0], &r);
	struct redo_packing p = redo_layout_packing(r.head.kind, r.head.pages);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (unsigned b = 0; b < 4; b++)
			r.payload[p.sizes_at + b] = (uint8_t)(sizes[i] >> 8 * b);
		assert_int_equal(redo_unpack(&r, f->key, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		assert_null(r.sealed);
	}
	redo_object_free(&r);
	free(names);
}

/* ---- format 1 ----------------------------------------------------------------------- */

/* A base as earlier programs wrote it. */
static void put_sealed_base(struct fixture *f)
{
	struct redo_head head = { .format = REDO_FORMAT_SEALED, .epoch = DATABASE_EPOCH,
				  .sequence = 1, .kind = REDO_BASE, .parts = 1, .first = 1,
				  .uid = "an object's id" };
	struct redo_object r = { .head = head };
	struct err e = ERR_NONE;

	memcpy(r.head.archive_id, database_archive, 16);
	want(pagevfs_digest(f->db, &r.head.after, &r.head.page_count, &e) == 0, &e);
	assert_true(r.head.page_count < REDO_OBJECT_PAGES);
	r.head.pages = (uint32_t)r.head.page_count;
	r.head.payload = redo_layout_sealed_payload(&r.head);
	r.payload = malloc(r.head.payload);
	assert_non_null(r.payload);
	for (uint32_t i = 0; i < r.head.pages; i++)
		want(pagevfs_read_sealed(f->db, i + 1, r.payload + (size_t)i * PAGEVFS_PAGE_SIZE,
					 NULL, &e) == 0, &e);
	want(redo_object_put(f->objects, &r, &e) == 0, &e);
	f->before = r.head.after;
	redo_object_free(&r);
}

static void a_base_of_an_earlier_program_is_read_and_gone_on_from(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct digest last;
	uint64_t *pages, count;
	size_t objects;

	insert(f, 9000);
	put_sealed_base(f);
	want(pagevfs_dirty(f->db, true, &pages, &count, &e) == 0, &e);
	free(pages);
	assert_rebuilds(f);
	insert(f, 100);
	append(f);
	free(list(f, &objects));
	assert_int_equal(objects, 2);	/* behind it, not instead */
	assert_int_equal(check(f, 0, &last), 0);
	assert_int_equal(check(f, f->key, &last), 0);
	assert_true(digest_equal(&last, &f->before));
	assert_rebuilds(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(a_copy_is_smaller_than_its_pages_and_shows_nothing_of_them),
		T(a_change_of_one_row_takes_less_than_a_page),
		T(it_is_checked_without_a_key_and_rebuilt_with_the_right_one_only),
		T(whatever_is_changed_in_it_on_purpose_is_refused),
		T(sizes_that_make_no_sense_are_refused_before_they_are_used),
		T(a_base_of_an_earlier_program_is_read_and_gone_on_from),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/store/catalogue_fixture.h"

/*
 * How SQLite goes about each statement that the calls before have prepared:
 * the promise "by a seek, whatever the size" is kept by plans.
 */

static int swallow_entry(void *arg, const struct entry *entry, const struct node *node)
{
	(void)arg, (void)entry, (void)node;
	return 0;
}

static int swallow_block(void *arg, const struct block *b, const uint8_t uid[16])
{
	(void)arg, (void)b, (void)uid;
	return 0;
}

static int swallow_path(void *arg, int64_t system, const void *path, size_t path_size,
			int64_t first, int64_t last, int64_t node)
{
	(void)arg, (void)system, (void)path, (void)path_size;
	(void)first, (void)last, (void)node;
	return 0;
}

static void plan_of(sqlite3 *db, const char *sql, char *out, size_t size)
{
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	sqlite3_stmt *stmt;
	size_t used = 0;

	assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &stmt, NULL), SQLITE_OK);
	out[0] = '\0';
	while (sqlite3_step(stmt) == SQLITE_ROW && used < size)
		used += (size_t)snprintf(out + used, size - used, "%s\n",
					 sqlite3_column_text(stmt, 3));
	sqlite3_finalize(stmt);
	sqlite3_free(explain);
}

/* The statements of the connection; a scan only where `may_scan` is in it. */
static unsigned check_plans(struct fixture *f, const char *may_scan)
{
	sqlite3 *db = catalogue_sqlite(f->c);
	sqlite3_stmt *stmt = NULL;
	unsigned count = 0;
	char plan[2000];

	while ((stmt = sqlite3_next_stmt(db, stmt)) != NULL) {
		const char *sql = sqlite3_sql(stmt);

		if (strncmp(sql, "SELECT", 6) != 0 && strncmp(sql, "UPDATE", 6) != 0 &&
		    strncmp(sql, "DELETE", 6) != 0)
			continue;
		plan_of(db, sql, plan, sizeof plan);
		count++;
		if (strstr(plan, "TEMP B-TREE"))
			fail_msg("sorts: %s\n%s", sql, plan);
		if (strstr(plan, "SCAN") && !strstr(plan, "SCAN CONSTANT ROW") &&
		    !(may_scan && strstr(sql, may_scan)))
			fail_msg("scans: %s\n%s", sql, plan);
	}
	return count;
}

static void looking_never_scans_and_never_sorts(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct extent_page *page = malloc(sizeof *page);
	struct chunk_place place;
	struct directory d;
	struct entry entry;
	struct block b;
	struct node n;
	uint8_t uid[16], *xattrs;
	size_t size;
	bool is_found;

	catalogue_lookup(f->c, 1, 1, "a", 1, &entry, &e);
	catalogue_lookup_node(f->c, 1, 1, "a", 1, &entry, &n, &e);
	catalogue_list(f->c, 1, 1, NULL, 0, false, swallow_entry, NULL, &e);
	catalogue_blocks_within(f->c, 1, 0, 1000, swallow_block, NULL, &e);
	catalogue_list(f->c, 1, 1, NULL, 0, true, swallow_entry, NULL, &e);
	catalogue_directory(f->c, 1, 1, &d, &e);
	catalogue_directory_name(f->c, 1, 1, &entry, &e);
	catalogue_node(f->c, 1, true, &n, &e);
	catalogue_xattrs(f->c, 1, &xattrs, &size, &e);
	catalogue_extents(f->c, 1, 5, page, &e);
	catalogue_block(f->c, 1, &b, uid, &e);
	catalogue_chunk_find(f->c, (const uint8_t *)"0123456789abcdef", &place, &is_found, &e);
	assert_int_equal(check_plans(f, NULL), 12);
	free(page);
}

static void blocks_come_in_order_of_place_without_sorting(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	must(catalogue_blocks(f->c, swallow_block, NULL, &e));
	assert_int_equal(check_plans(f, "ORDER BY b.segment, b.offset"), 1);
}

static void dependents_and_names_are_found_by_index(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	const int64_t block = 1;
	struct version v = fixture_begin(f, "hr", "1");
	struct digest sha = { { 0 } };
	struct extent x = { .size = 1, .block = 1 };

	fixture_directory_row(f, &v, v.root, 0);
	int64_t dir = fixture_directory(f, &v, v.root, "d");
	int64_t content = fixture_id(f, SEQUENCE_CONTENT);
	must(catalogue_content_add(f->c, content, &sha, &x, 1, &e));
	fixture_file(f, &v, dir, "a", content);
	fixture_seal(f, &v);
	fixture_reopen(f);	/* without the writer's statements */
	must(catalogue_files_of_blocks(f->c, &block, 1, swallow_path, NULL, &e));

	/* By design: one pass over contents, one over nodes, one over entries. */
	sqlite3 *db = catalogue_sqlite(f->c);
	sqlite3_stmt *stmt = NULL;
	char plan[2000];
	unsigned scans = 0, seeks = 0;

	while ((stmt = sqlite3_next_stmt(db, stmt)) != NULL) {
		if (strncmp(sqlite3_sql(stmt), "SELECT", 6) != 0)
			continue;
		plan_of(db, sqlite3_sql(stmt), plan, sizeof plan);
		assert_null(strstr(plan, "TEMP B-TREE"));
		if (strstr(plan, "SCAN"))
			scans++;
		else
			seeks++;
	}
	assert_int_equal(scans, 3);
	assert_int_equal(seeks, 4);	/* dependents, names, a system's root, the newest version */
}

static void closing_never_scans(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v1 = fixture_begin(f, "hr", "1");

	fixture_directory_row(f, &v1, v1.root, 0);
	fixture_file(f, &v1, v1.root, "a", 0);
	fixture_seal(f, &v1);
	fixture_reopen(f);
	must(catalogue_begin(f->c, &e));
	must(catalogue_entry_close(f->c, v1.root, "a", 1, v1.id, v1.id, &e));
	must(catalogue_directory_close(f->c, v1.root, v1.id, v1.id, &e));
	must(catalogue_subtree_close(f->c, v1.root, v1.id, NULL, NULL, &e));
	assert_int_equal(check_plans(f, NULL), 8);
	catalogue_rollback(f->c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(looking_never_scans_and_never_sorts),
		T(blocks_come_in_order_of_place_without_sorting),
		T(dependents_and_names_are_found_by_index),
		T(closing_never_scans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

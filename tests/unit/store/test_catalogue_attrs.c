#include "tests/unit/store/catalogue_fixture.h"

static int64_t add_node(struct fixture *f, struct node *n, const char *target)
{
	struct err e = ERR_NONE;

	n->id = fixture_id(f, SEQUENCE_NODE);
	if (n->class_id == 0)
		n->class_id = 1;
	must(catalogue_node_add(f->c, n, target, &e));
	return n->id;
}

static void assert_stamp(struct stamp got, struct stamp want)
{
	assert_int_equal(got.seconds, want.seconds);
	assert_int_equal(got.ns, want.ns);
}

static void assert_node(const struct node *got, const struct node *want)
{
	assert_int_equal(got->id, want->id);
	assert_int_equal(got->kind, want->kind);
	assert_int_equal(got->mode, want->mode);
	assert_int_equal(got->uid, want->uid);
	assert_int_equal(got->gid, want->gid);
	assert_int_equal(got->owner, want->owner);
	assert_int_equal(got->group, want->group);
	assert_int_equal(got->size, want->size);
	assert_int_equal(got->allocated, want->allocated);
	assert_int_equal(got->links, want->links);
	assert_int_equal(got->rdev_major, want->rdev_major);
	assert_int_equal(got->rdev_minor, want->rdev_minor);
	assert_stamp(got->mtime, want->mtime);
	assert_stamp(got->ctime, want->ctime);
	assert_stamp(got->atime, want->atime);
	assert_int_equal(got->has_btime, want->has_btime);
	if (want->has_btime)
		assert_stamp(got->btime, want->btime);
	assert_int_equal(got->is_unstable, want->is_unstable);
	assert_int_equal(got->source_device, want->source_device);
	assert_int_equal(got->source_inode, want->source_inode);
	assert_int_equal(got->xattrs, want->xattrs);
	assert_int_equal(got->content, want->content);
	assert_int_equal(got->class_id, want->class_id);
}

static void round_trip(struct fixture *f, struct node *n, const char *target)
{
	struct err e = ERR_NONE;
	struct node got;

	add_node(f, n, target);
	must(catalogue_node(f->c, n->id, false, &got, &e));
	assert_node(&got, n);
}

static void every_attribute_reads_back(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct node least = { .kind = NODE_FIFO, .links = 1 };
	struct node most = {
		.kind = NODE_BLOCK, .mode = 07777, .uid = UINT32_MAX, .gid = UINT32_MAX,
		.owner = INT64_MAX - 1, .group = INT64_MAX - 1, .size = INT64_MAX,
		.allocated = INT64_MAX - 1, .links = UINT32_MAX, .rdev_major = UINT32_MAX,
		.rdev_minor = UINT32_MAX, .mtime = { INT64_MIN, 999999999 },
		.ctime = { INT64_MAX, 999999999 }, .atime = { INT64_MIN, 1 },
		.btime = { INT64_MAX, 0 }, .has_btime = true, .is_unstable = true,
		.source_device = UINT64_MAX, .source_inode = UINT64_MAX,
		.xattrs = INT64_MAX - 1, .class_id = 77,
	};
	struct node file = {
		.kind = NODE_FILE, .mode = 0640, .size = 1ull << 40, .allocated = 4096, .links = 3,
		.content = 12, .source_inode = 5, .xattrs = 1,
	};

	must(catalogue_begin(f->c, &e));
	round_trip(f, &least, NULL);
	round_trip(f, &most, NULL);
	most.kind = NODE_CHAR;
	round_trip(f, &most, NULL);
	round_trip(f, &file, NULL);
	catalogue_rollback(f->c);
}

/* Pairs of every two: near, far, across a second, before 1970, after 2106. */
static void any_four_times_read_back(void **state)
{
	static const struct stamp times[] = {
		{ 0, 0 }, { 0, 1 }, { -1, 999999999 }, { -1, 0 }, { 1, 0 }, { 1, 1 },
		{ 1700000000, 0 }, { 1700000000, 123456789 }, { 1700000000, 123456790 },
		{ 1700000000, 999999999 }, { 1700000001, 0 }, { 1700000001, 100000000 },
		{ 1700000001, 134217728 }, { -2208988800, 5 }, { 4300000000, 999999999 },
		{ INT64_MIN, 0 }, { INT64_MIN, 999999999 }, { INT64_MAX, 0 },
		{ INT64_MAX, 999999999 }, { 253402300800, 42 },
	};
	enum { COUNT = sizeof times / sizeof times[0] };
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	must(catalogue_begin(f->c, &e));
	for (unsigned i = 0; i < COUNT; i++)
		for (unsigned j = 0; j < COUNT; j++) {
			struct node n = { .kind = NODE_DIRECTORY, .links = 1, .mtime = times[i],
					  .ctime = times[j], .atime = times[(i + j) % COUNT],
					  .btime = times[(i * 7 + j) % COUNT],
					  .has_btime = (i + j) % 5 != 0 };

			round_trip(f, &n, NULL);
		}
	catalogue_rollback(f->c);
}

static void a_usual_file_takes_forty_bytes(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct node n = {
		.kind = NODE_FILE, .mode = 0644, .uid = 1000, .gid = 1000, .owner = 2, .group = 2,
		.size = 20000, .allocated = 20000, .links = 1, .content = 1234,
		.mtime = { 1600000000, 123456789 }, .ctime = { 1700000000, 987654321 },
		.atime = { 1700000000, 987700000 }, .btime = { 1700000000, 987600000 },
		.has_btime = true, .source_device = 0x801, .source_inode = 1234567,
	};
	sqlite3_stmt *stmt;

	must(catalogue_begin(f->c, &e));
	add_node(f, &n, NULL);
	assert_int_equal(sqlite3_prepare_v2(catalogue_sqlite(f->c),
					    "SELECT length(attrs) FROM node", -1, &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_true(sqlite3_column_int(stmt, 0) <= 44);
	sqlite3_finalize(stmt);
	catalogue_rollback(f->c);
}

static void a_link_target_is_any_bytes_but_nul(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char *target;
	size_t size;
	struct node n = { .kind = NODE_SYMLINK, .mode = 0777, .links = 1, .size = 8 };

	must(catalogue_begin(f->c, &e));
	round_trip(f, &n, "../\xff/\x01 a");
	must(catalogue_symlink(f->c, n.id, &target, &size, &e));
	assert_int_equal(size, 8);
	assert_string_equal(target, "../\xff/\x01 a");
	free(target);
	catalogue_rollback(f->c);
}

static void the_longest_link_target_reads_back_and_a_longer_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char longest[65537], *target;
	size_t size;
	struct node n = { .kind = NODE_SYMLINK, .mode = 0777, .links = 1, .size = 65535,
			  .class_id = 1 };

	memset(longest, 'x', sizeof longest);
	must(catalogue_begin(f->c, &e));
	round_trip(f, &n, longest);
	must(catalogue_symlink(f->c, n.id, &target, &size, &e));
	assert_int_equal(size, 65535);
	assert_int_equal(strlen(target), 65535);
	free(target);
	n.id++;
	n.size++;
	must_fail(catalogue_node_add(f->c, &n, longest, &e), MUNI_LIMIT);
	n.size = 0;
	must_fail(catalogue_node_add(f->c, &n, "", &e), MUNI_LIMIT);
	n.size = 3;
	must_fail(catalogue_node_add(f->c, &n, "a\0b", &e), MUNI_LIMIT);
	n.kind = NODE_FIFO;
	must(catalogue_node_add(f->c, &n, NULL, &e));
	must_fail(catalogue_symlink(f->c, n.id, &target, &size, &e), MUNI_USAGE);
	assert_null(target);
	catalogue_rollback(f->c);
}

static void attributes_out_of_range_are_not_taken(void **state)
{
	const struct node good = { .id = 1, .kind = NODE_FILE, .links = 1, .class_id = 1 };
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct node bad[8];

	for (int i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].mode = 010000;
	bad[1].mtime.ns = 1000000000;
	bad[2].size = (uint64_t)INT64_MAX + 1;
	bad[3].kind = (enum node_kind)8;
	bad[4].owner = -1;
	bad[5].class_id = 0;
	bad[6].content = 4;
	bad[6].kind = NODE_DIRECTORY;
	bad[7].id = 0;
	must(catalogue_begin(f->c, &e));
	for (int i = 0; i < 8; i++)
		must_fail(catalogue_node_add(f->c, &bad[i], NULL, &e), MUNI_LIMIT);
	catalogue_rollback(f->c);
}

/* ---- hostile rows ------------------------------------------------------------------ */

/* Cut at every length, and every byte changed in turn: a node or damage, and
 * never anything else (run it under ASan). */
static void a_changed_attribute_blob_is_a_node_or_damage(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct node n = { .kind = NODE_SYMLINK, .links = 2, .size = 6, .owner = 3, .xattrs = 9,
			  .mtime = { 17, 5 }, .ctime = { 18, 0 }, .has_btime = true,
			  .source_device = 4, .source_inode = 300 }, got;
	char sql[160], *target;
	size_t size;

	must(catalogue_begin(f->c, &e));
	add_node(f, &n, "target");
	for (int cut = 0; cut < 40; cut++) {
		fixture_sql(f, "SAVEPOINT s");
		snprintf(sql, sizeof sql, "UPDATE node SET attrs = substr(attrs, 1, %d)"
			 " WHERE length(attrs) > %d", cut, cut);
		fixture_sql(f, sql);
		if (sqlite3_changes(catalogue_sqlite(f->c)) > 0) {
			must_fail(catalogue_node(f->c, n.id, true, &got, &e), MUNI_DAMAGED);
			must_fail(catalogue_symlink(f->c, n.id, &target, &size, &e),
				  MUNI_DAMAGED);
		}
		fixture_sql(f, "ROLLBACK TO s; RELEASE s");
	}
	for (int at = 1; at < 40; at++)
		for (int byte = 0; byte < 256; byte += 5) {
			fixture_sql(f, "SAVEPOINT s");
			snprintf(sql, sizeof sql, "UPDATE node SET attrs = CAST(substr(attrs, 1,"
				 " %d) || x'%02x' || substr(attrs, %d) AS BLOB)", at - 1, byte,
				 at + 1);
			fixture_sql(f, sql);
			e = ERR_NONE;
			if (catalogue_node(f->c, n.id, true, &got, &e) < 0)
				assert_int_equal(e.code, MUNI_DAMAGED);
			if (catalogue_symlink(f->c, n.id, &target, &size, &e) == 0)
				free(target);
			fixture_sql(f, "ROLLBACK TO s; RELEASE s");
		}
	catalogue_rollback(f->c);
}

static int ignore_row(void *arg, const struct entry *entry, const struct node *node)
{
	(void)arg;
	(void)entry;
	(void)node;
	return 0;
}

static void hostile_entries_are_damage(void **state)
{
	static const char *const changes[] = {
		"name = x'2e2e'", "name = x'612f62'", "name = x'6100'", "name = x''",
		"name = zeroblob(256)", "kind = 0", "kind = 8", "kind = 3", "target = 0",
		"target = -5", "target = 99999", "salt = x'00'", "first = 0", "last = 0",
	};
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char sql[128];
	struct entry entry;
	struct directory d;

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct version v = fixture_begin(f, "hr", "1");

		fixture_directory_row(f, &v, v.root, 0);
		fixture_file(f, &v, v.root, "a", 0);
		snprintf(sql, sizeof sql, "UPDATE entry SET %s", changes[i]);
		fixture_sql(f, sql);
		if (strcmp(changes[i], "last = 0") != 0 && strcmp(changes[i], "name = x''") != 0)
			must_fail(catalogue_list(f->c, v.id, v.root, NULL, 0, true, ignore_row,
						 NULL, &e), MUNI_DAMAGED);
		/* By its name too, unless it is told from absence only by its node. */
		e = ERR_NONE;
		if (catalogue_lookup(f->c, v.id, v.root, "a", 1, &entry, &e) < 0)
			assert_true(e.code == MUNI_DAMAGED || e.code == MUNI_NOT_FOUND);
		fixture_sql(f, "UPDATE directory SET root = x'00'");
		must_fail(catalogue_directory(f->c, v.id, v.root, &d, &e), MUNI_DAMAGED);
		catalogue_rollback(f->c);
	}
}

static void two_rows_of_one_name_in_one_version_are_damage(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v1 = fixture_begin(f, "hr", "1");

	fixture_directory_row(f, &v1, v1.root, 0);
	fixture_file(f, &v1, v1.root, "a", 0);
	fixture_seal(f, &v1);
	struct version v2 = fixture_begin(f, "hr", "2");
	fixture_file(f, &v2, v1.root, "a", 0);	/* the old one was not closed */
	fixture_seal(f, &v2);
	must_fail(catalogue_list(f->c, v2.id, v1.root, NULL, 0, false, ignore_row, NULL, &e),
		  MUNI_DAMAGED);
}

static void a_directory_without_a_row_is_damage(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v = fixture_begin(f, "hr", "1");
	struct entry entry;

	fixture_directory_row(f, &v, v.root, 0);
	int64_t dir = fixture_directory(f, &v, v.root, "d");
	fixture_seal(f, &v);
	fixture_sql(f, "DELETE FROM directory WHERE parent <> 0");
	must_fail(catalogue_lookup(f->c, v.id, v.root, "d", 1, &entry, &e), MUNI_DAMAGED);
	must_fail(catalogue_list(f->c, v.id, v.root, NULL, 0, false, ignore_row, NULL, &e),
		  MUNI_DAMAGED);
	must_fail(catalogue_directory_name(f->c, v.id, dir, &entry, &e), MUNI_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(every_attribute_reads_back),
		T(any_four_times_read_back),
		T(a_usual_file_takes_forty_bytes),
		T(a_link_target_is_any_bytes_but_nul),
		T(the_longest_link_target_reads_back_and_a_longer_is_refused),
		T(attributes_out_of_range_are_not_taken),
		T(a_changed_attribute_blob_is_a_node_or_damage),
		T(hostile_entries_are_damage),
		T(two_rows_of_one_name_in_one_version_are_damage),
		T(a_directory_without_a_row_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

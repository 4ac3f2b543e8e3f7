#include "fs/store/catalogue_items.h"
#include "tests/unit/store/catalogue_fixture.h"

/* ---- helpers ------------------------------------------------------------------- */

static struct scan begin_scan(struct fixture *f, const char *source, bool *is_resumed)
{
	struct scan s = { .began = 5000, .fingerprint = UINT64_MAX - 1 };
	struct err e = ERR_NONE;

	s.source = strdup(source);
	strcpy(s.source_kind, "directory");
	must(catalogue_begin(f->c, &e));
	must(catalogue_scan_begin(f->c, "hr", &s, is_resumed, &e));
	return s;
}

static struct digest digest_from(int n)
{
	struct digest d;

	memset(d.bytes, n, sizeof d.bytes);
	return d;
}

/* content 0: no digest. */
static int64_t put(struct fixture *f, const struct scan *s, const char *path, uint64_t inode,
		   int content)
{
	struct err e = ERR_NONE;
	struct item_row r = {
		.system = s->system, .scan = s->id, .path = (char *)(uintptr_t)path,
		.path_size = strlen(path), .kind = NODE_FILE, .mode = 0640, .uid = 7,
		.links = 1, .size = 100, .allocated = 100, .device = 9, .inode = inode,
		.mtime = { 100, 5 }, .ctime = { 101, 0 }, .atime = { 102, 7 },
		.has_sha256 = content != 0, .sha256 = digest_from(content), .copies = 1,
		.format = (char *)(uintptr_t)"text/plain",
	};

	must(catalogue_item_put(f->c, &r, &e));
	return r.id;
}

static bool all_there(void *arg, int64_t id)
{
	(void)arg, (void)id;
	return true;
}

static bool all_but(void *arg, int64_t id)
{
	return id != *(int64_t *)arg;
}

/* "path<original*copies path ..." */
static int join(void *arg, const struct item_row *r, const char *duplicate_path,
		size_t duplicate_size)
{
	char *out = arg;

	sprintf(out + strlen(out), "%s%.*s%s%.*s*%d", *out ? " " : "", (int)r->path_size,
		r->path, duplicate_path ? "<" : "", (int)duplicate_size,
		duplicate_path ? duplicate_path : "", (int)r->copies);
	return 0;
}

static const char *listing(struct fixture *f, const struct scan *s, char out[500])
{
	struct err e = ERR_NONE;

	out[0] = '\0';
	must(catalogue_items(f->c, s->system, NULL, 0, join, out, &e));
	return out;
}

/* ---- formats --------------------------------------------------------------------- */

static struct catalogue *open_mode(struct fixture *f, enum catalogue_mode mode)
{
	struct catalogue *c = NULL;
	struct err e = ERR_NONE;

	must(catalogue_open(f->dirfd, FIXTURE_EPOCH, f->key_id, mode, FIXTURE_CACHE, &c, &e));
	return c;
}

/* As the first released program left it: one version with one file. */
static void make_format_1(struct fixture *f)
{
	struct err e = ERR_NONE;
	char path[96];

	catalogue_close(f->c);
	snprintf(path, sizeof path, "%s/catalogue.%d", f->path, FIXTURE_EPOCH);
	assert_int_equal(unlink(path), 0);
	strcat(path, "-wal");
	unlink(path);
	must(catalogue_create_format(f->dirfd, FIXTURE_EPOCH, f->key_id, 1, &f->c, &e));
	struct version v = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &v, v.root, 0);
	fixture_file(f, &v, v.root, "a", 0);
	fixture_seal(f, &v);
	catalogue_close(f->c);
	f->c = NULL;
}

static void check_version_1(struct catalogue *c)
{
	struct err e = ERR_NONE;
	struct system system;
	struct version v;
	char names[64];

	must(catalogue_system_find(c, "hr", &system, &e));
	must(catalogue_version_find(c, system.id, NULL, &v, &e));
	fixture_names(c, v.id, v.root, names);
	assert_string_equal(names, "a");
}

static void an_older_catalogue_is_read_as_it_is_and_has_no_inventory(void **state)
{
	static const enum catalogue_mode modes[] = { CATALOGUE_READ, CATALOGUE_READ_IMMUTABLE,
		CATALOGUE_WRITE };
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	make_format_1(f);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		struct catalogue *c = open_mode(f, modes[i]);
		struct system system;
		struct scan scan;
		bool is_running;

		assert_true(catalogue_is_older(c));
		check_version_1(c);
		must_fail(catalogue_scanned_system(c, "hr", &system, &e), MUNI_NOT_FOUND);
		assert_non_null(strstr(e.text, "older muniment"));
		must_fail(catalogue_scan_latest(c, 1, &scan, &e), MUNI_NOT_FOUND);
		must_fail(catalogue_items(c, 1, NULL, 0, join, NULL, &e), MUNI_NOT_FOUND);
		must(catalogue_is_in_progress(c, &is_running, &e));
		assert_false(is_running);
		catalogue_close(c);
	}
}

static void an_older_catalogue_is_brought_up_whole_or_not_at_all(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct scan s;
	bool is_resumed;

	make_format_1(f);
	f->c = open_mode(f, CATALOGUE_WRITE);
	must_fail(catalogue_upgrade(f->c, &e), MUNI_USAGE);
	must(catalogue_begin(f->c, &e));
	must(catalogue_upgrade(f->c, &e));
	assert_false(catalogue_is_older(f->c));
	catalogue_rollback(f->c);
	assert_true(catalogue_is_older(f->c));
	must(catalogue_begin(f->c, &e));
	must(catalogue_upgrade(f->c, &e));
	must(catalogue_commit(f->c, &e));
	fixture_reopen(f);
	assert_false(catalogue_is_older(f->c));
	check_version_1(f->c);
	s = begin_scan(f, "/srv/hr", &is_resumed);
	put(f, &s, "a", 1, 1);
	must(catalogue_commit(f->c, &e));
	scan_clear(&s);
}

/* ---- items ---------------------------------------------------------------------------- */

static void fill(struct item_row *r, struct stored_finding findings[2])
{
	findings[0] = (struct stored_finding){ .id = "iban", .count = 3, .confidence = 95,
		.sensitivity = 2, .where = "line 4; line 9",
		.samples = "[{\"text\":\"DE**\",\"offset\":12,\"where\":\"line 4\"}]" };
	findings[1] = (struct stored_finding){ .id = "email", .count = 1, .confidence = 50 };
	*r = (struct item_row){
		.path = "d\xff/na\nme", .path_size = 8, .kind = NODE_SYMLINK, .mode = 0777,
		.uid = 1000, .gid = 100, .links = 2, .owner = "li", .group = "users",
		.size = 6, .mtime = { -5, 999999999 }, .ctime = { 6, 0 }, .atime = { 7, 1 },
		.btime = { 1, 2 }, .has_btime = true, .is_unsettled = true, .device = 66305,
		.inode = UINT64_MAX, .target = "../x\xfey", .has_sha256 = true,
		.format = "inode/symlink", .claimed = "image/png", .encoding = "utf-8",
		.script = "Hani", .opaque = "cannot be read", .findings = findings,
		.finding_count = 2,
	};
}

static void an_item_comes_back_as_it_was_put(void **state)
{
	struct fixture *f = *state;
	struct stored_finding findings[2];
	struct item_row r, got;
	struct err e = ERR_NONE;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed);

	fill(&r, findings);
	r.system = s.system;
	r.scan = s.id;
	r.sha256 = digest_from(77);
	must(catalogue_item_put(f->c, &r, &e));
	must(catalogue_commit(f->c, &e));
	fixture_reopen(f);
	must(catalogue_item_find(f->c, s.system, r.path, r.path_size, true, &got, &e));
	assert_int_equal(got.id, r.id);
	assert_int_equal(got.scan, s.id);
	assert_int_equal(got.path_size, 8);
	assert_memory_equal(got.path, r.path, 8);
	assert_int_equal(got.kind, NODE_SYMLINK);
	assert_int_equal(got.size, 6);
	assert_string_equal(got.target, "../x\xfey");
	assert_string_equal(got.owner, "li");
	assert_string_equal(got.group, "users");
	assert_int_equal(got.mtime.seconds, -5);
	assert_int_equal(got.mtime.ns, 999999999);
	assert_int_equal(got.btime.ns, 2);
	assert_true(got.has_btime && got.is_unsettled && got.has_sha256);
	assert_true(got.inode == UINT64_MAX && got.device == 66305);
	assert_memory_equal(got.sha256.bytes, r.sha256.bytes, DIGEST_SIZE);
	assert_string_equal(got.format, "inode/symlink");
	assert_string_equal(got.claimed, "image/png");
	assert_string_equal(got.encoding, "utf-8");
	assert_string_equal(got.script, "Hani");
	assert_string_equal(got.opaque, "cannot be read");
	assert_true(got.fingerprint == UINT64_MAX - 1);
	assert_int_equal(got.scan_began, 5000);
	assert_int_equal(got.finding_count, 2);
	assert_string_equal(got.findings[0].id, "iban");
	assert_int_equal(got.findings[0].count, 3);
	assert_int_equal(got.findings[0].confidence, 95);
	assert_string_equal(got.findings[0].where, "line 4; line 9");
	assert_string_equal(got.findings[1].samples, "[]");
	item_row_clear(&got);
	must(catalogue_item_find(f->c, s.system, r.path, r.path_size, false, &got, &e));
	assert_null(got.findings);
	assert_int_equal(got.finding_count, 2);
	item_row_clear(&got);
	must_fail(catalogue_item_find(f->c, s.system, "d", 1, true, &got, &e), MUNI_NOT_FOUND);
	scan_clear(&s);
}

static void putting_a_path_again_keeps_its_id_and_replaces_its_findings(void **state)
{
	struct fixture *f = *state;
	struct stored_finding findings[2];
	struct item_row r, got;
	struct err e = ERR_NONE;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed);
	int64_t id;

	fill(&r, findings);
	r.system = s.system;
	r.scan = s.id;
	must(catalogue_item_put(f->c, &r, &e));
	id = r.id;
	r.id = 0;
	r.finding_count = 1;
	r.findings = &findings[1];
	must(catalogue_item_put(f->c, &r, &e));
	assert_int_equal(r.id, id);
	must(catalogue_item_find(f->c, s.system, r.path, r.path_size, true, &got, &e));
	assert_int_equal(got.finding_count, 1);
	assert_string_equal(got.findings[0].id, "email");
	item_row_clear(&got);
	must(catalogue_commit(f->c, &e));
	scan_clear(&s);
}

static void what_no_row_can_hold_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const paths[] = { "", "/a", "a/" };
	struct stored_finding findings[2];
	struct item_row r;
	struct err e = ERR_NONE;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed);

	fill(&r, findings);
	r.system = s.system;
	r.scan = s.id;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		r.path = (char *)(uintptr_t)paths[i];
		r.path_size = strlen(paths[i]);
		must_fail(catalogue_item_put(f->c, &r, &e), MUNI_LIMIT);
	}
	r.path = "a";
	r.path_size = 1;
	r.target = NULL;
	must_fail(catalogue_item_put(f->c, &r, &e), MUNI_LIMIT);
	r.kind = NODE_FILE;
	findings[1].count = 0;
	must_fail(catalogue_item_put(f->c, &r, &e), MUNI_LIMIT);
	catalogue_rollback(f->c);
	scan_clear(&s);
}

/* C4: each in turn is damage when it is read, in a listing and when it is settled. */
static void a_row_that_nobody_of_ours_wrote_is_damage(void **state)
{
	static const char *const acts[] = {
		"UPDATE item SET path = x'2f61'", "UPDATE item SET path = x'6100'",
		"UPDATE item SET id = 0", "UPDATE item SET scan = 99",
		"UPDATE item SET attrs = x'00'", "UPDATE item SET attrs = CAST(attrs || x'00' AS BLOB)",
		"UPDATE item SET sha = x'00'", "UPDATE item SET format = 99",
		"UPDATE item SET format = -1", "UPDATE item SET opaque = char(97, 0, 98)",
		"UPDATE item SET findings = 2", "UPDATE item SET findings = -1",
		"UPDATE item SET first = 1", "UPDATE item SET original = x'61'",
		"UPDATE item SET copies = -1", "UPDATE finding SET count = 0",
		"UPDATE finding SET confidence = 101", "UPDATE finding SET recogniser = 99",
		"UPDATE finding SET samples = char(0)", "UPDATE scan SET fingerprint = x''",
		"UPDATE word SET text = char(97, 0) WHERE id = 1",
	};
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed);
	struct stored_finding finding = { .id = "iban", .count = 1 };
	struct item_row r = { .system = s.system, .scan = s.id, .path = "a", .path_size = 1,
			      .kind = NODE_FILE, .links = 1, .format = "text/plain",
			      .findings = &finding, .finding_count = 1, .has_sha256 = true };
	char out[500];

	must(catalogue_item_put(f->c, &r, &e));
	must(catalogue_commit(f->c, &e));
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		fixture_reopen(f);	/* words are read anew */
		fixture_sql(f, "BEGIN");
		fixture_sql(f, acts[i]);
		out[0] = '\0';
		e = ERR_NONE;
		if (catalogue_items(f->c, s.system, NULL, 0, join, out, &e) != -1 ||
		    e.code != MUNI_DAMAGED)
			fail_msg("%s: code %d: %s", acts[i], e.code, e.text);
		fixture_sql(f, "ROLLBACK");
	}
	fixture_reopen(f);
	assert_string_equal(listing(f, &s, out), "a*1");
	scan_clear(&s);
}

static void words_of_a_transaction_that_was_rolled_back_are_not_believed(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed);
	char out[500];

	put(f, &s, "a", 1, 1);
	catalogue_rollback(f->c);
	scan_clear(&s);
	s = begin_scan(f, "/srv/hr", &is_resumed);
	put(f, &s, "a", 1, 1);
	must(catalogue_commit(f->c, &e));
	fixture_reopen(f);
	assert_string_equal(listing(f, &s, out), "a*1");
	scan_clear(&s);
}

/* ---- settling ---------------------------------------------------------------------------- */

static void the_first_name_by_path_is_the_original_of_its_copies(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct item_sums sums;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed);
	char out[500];

	put(f, &s, "z", 1, 1);		/* a name of inode 1, the original's */
	put(f, &s, "m/copy", 2, 1);
	put(f, &s, "m/copy2", 2, 1);	/* another name of the copy */
	put(f, &s, "a", 1, 1);
	put(f, &s, "unique", 3, 2);
	put(f, &s, "b", 0, 0);		/* no digest */
	must(catalogue_items_settle(f->c, s.system, all_there, NULL, &sums, &e));
	assert_string_equal(listing(f, &s, out),
			    "a*2 b*1 m/copy<a*2 m/copy2<a*2 unique*1 z*2");
	assert_int_equal(sums.items, 6);
	assert_int_equal(sums.files, 6);
	assert_int_equal(sums.duplicates, 2);
	assert_int_equal(sums.duplicate_bytes, 100);
	assert_int_equal(sums.gone, 0);
	must(catalogue_commit(f->c, &e));
	scan_clear(&s);
}

static void names_of_one_inode_alone_are_no_copies(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct item_sums sums;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed);
	char out[500];

	put(f, &s, "a", 1, 1);
	put(f, &s, "b", 1, 1);
	must(catalogue_items_settle(f->c, s.system, all_there, NULL, &sums, &e));
	assert_string_equal(listing(f, &s, out), "a*1 b*1");
	assert_int_equal(sums.duplicates, 0);
	catalogue_rollback(f->c);
	scan_clear(&s);
}

static void what_was_not_seen_goes_and_its_copies_are_settled_anew(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct item_sums sums, again;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed);
	char out[500];
	int64_t gone, id;

	gone = put(f, &s, "a", 1, 1);
	put(f, &s, "b", 2, 1);
	put(f, &s, "c", 3, 1);
	must(catalogue_items_settle(f->c, s.system, all_there, NULL, &sums, &e));
	assert_string_equal(listing(f, &s, out), "a*3 b<a*3 c<a*3");
	must(catalogue_items_settle(f->c, s.system, all_but, &gone, &again, &e));
	assert_string_equal(listing(f, &s, out), "b*2 c<b*2");
	assert_int_equal(again.gone, 1);
	assert_int_equal(again.items, 2);
	assert_memory_not_equal(sums.digest.bytes, again.digest.bytes, DIGEST_SIZE);
	id = put(f, &s, "a", 1, 1);
	assert_int_not_equal(id, gone);	/* C2 */
	must(catalogue_items_settle(f->c, s.system, all_there, NULL, &again, &e));
	assert_string_equal(listing(f, &s, out), "a*3 b<a*3 c<a*3");
	assert_memory_equal(sums.digest.bytes, again.digest.bytes, DIGEST_SIZE);
	must(catalogue_commit(f->c, &e));
	scan_clear(&s);
}

/* Over several pages of rows, half of them copies. */
static void many_items_settle_in_one_order(void **state)
{
	enum { COUNT = 3000 };
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct item_sums sums;
	struct item_row r;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed);
	char path[32];

	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof path, "%05d", i * 7919 % COUNT);
		put(f, &s, path, (uint64_t)i + 1, 1 + i * 7919 % COUNT % 200);
	}
	must(catalogue_items_settle(f->c, s.system, all_there, NULL, &sums, &e));
	assert_int_equal(sums.items, COUNT);
	assert_int_equal(sums.duplicates, COUNT - 200);
	must(catalogue_item_find(f->c, s.system, "02900", 5, false, &r, &e));
	assert_int_equal(r.copies, COUNT / 200);
	assert_int_not_equal(r.duplicate_of, 0);
	item_row_clear(&r);
	catalogue_rollback(f->c);
	scan_clear(&s);
}

/* ---- scans ------------------------------------------------------------------------------- */

static void a_scan_that_was_cut_off_is_gone_on_with(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	bool is_resumed, is_running;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed), again, latest;
	struct system system;

	assert_false(is_resumed);
	must(catalogue_scan_problem_add(f->c, s.id, "x", 1, "it vanished", &e));
	must(catalogue_commit(f->c, &e));
	must(catalogue_scan_is_running(f->c, &is_running, &e));
	assert_true(is_running);
	must(catalogue_is_in_progress(f->c, &is_running, &e));
	assert_true(is_running);
	must(catalogue_begin(f->c, &e));
	must(catalogue_scan_stop(f->c, &e));
	must(catalogue_commit(f->c, &e));
	must(catalogue_scan_is_running(f->c, &is_running, &e));
	assert_false(is_running);
	again = begin_scan(f, "/srv/hr", &is_resumed);
	assert_true(is_resumed);
	assert_int_equal(again.id, s.id);
	again.items = 5;
	again.ended = 6000;
	must(catalogue_scan_end(f->c, &again, &e));
	must(catalogue_commit(f->c, &e));
	must(catalogue_scanned_system(f->c, "hr", &system, &e));
	must(catalogue_scan_latest(f->c, system.id, &latest, &e));
	assert_true(latest.is_complete);
	assert_int_equal(latest.items, 5);
	assert_int_equal(latest.ended, 6000);
	assert_string_equal(latest.source, "/srv/hr");
	scan_clear(&latest);
	scan_clear(&again);
	again = begin_scan(f, "/srv/hr", &is_resumed);
	assert_false(is_resumed);	/* that one was whole */
	assert_int_not_equal(again.id, s.id);
	catalogue_rollback(f->c);
	scan_clear(&again);
	scan_clear(&s);
}

static void a_scan_that_nobody_of_ours_wrote_is_damage(void **state)
{
	static const char *const acts[] = {
		"UPDATE scan SET state = 3", "UPDATE scan SET source = x''",
		"UPDATE scan SET source = x'6100'", "UPDATE scan SET stamp = x'00'",
		"UPDATE scan SET fingerprint = x'00'", "UPDATE scan SET items = -1",
		"UPDATE scan SET digest = x'00'",
		"UPDATE scan SET source_kind = '0123456789012345678901234567890123'",
	};
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed), latest;

	must(catalogue_commit(f->c, &e));
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		fixture_sql(f, "BEGIN");
		fixture_sql(f, acts[i]);
		e = ERR_NONE;
		if (catalogue_scan_latest(f->c, s.system, &latest, &e) != -1 ||
		    e.code != MUNI_DAMAGED)
			fail_msg("%s: code %d: %s", acts[i], e.code, e.text);
		assert_null(latest.source);
		fixture_sql(f, "ROLLBACK");
	}
	scan_clear(&s);
}

static void another_source_is_another_scan(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed), other;

	must(catalogue_scan_stop(f->c, &e));
	must(catalogue_commit(f->c, &e));
	other = begin_scan(f, "/srv/hr2", &is_resumed);
	assert_false(is_resumed);
	must(catalogue_commit(f->c, &e));
	scan_clear(&other);
	scan_clear(&s);
}

static void a_scanned_system_without_a_version_is_no_readers_business(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	bool is_resumed;
	struct scan s = begin_scan(f, "/srv/hr", &is_resumed);
	struct system system;

	must(catalogue_commit(f->c, &e));
	must(catalogue_scanned_system(f->c, "hr", &system, &e));
	must_fail(catalogue_system_find(f->c, "hr", &system, &e), MUNI_NOT_FOUND);
	must_fail(catalogue_scanned_system(f->c, "no", &system, &e), MUNI_NOT_FOUND);
	scan_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(an_older_catalogue_is_read_as_it_is_and_has_no_inventory),
		T(an_older_catalogue_is_brought_up_whole_or_not_at_all),
		T(an_item_comes_back_as_it_was_put),
		T(putting_a_path_again_keeps_its_id_and_replaces_its_findings),
		T(what_no_row_can_hold_is_refused),
		T(a_row_that_nobody_of_ours_wrote_is_damage),
		T(words_of_a_transaction_that_was_rolled_back_are_not_believed),
		T(the_first_name_by_path_is_the_original_of_its_copies),
		T(names_of_one_inode_alone_are_no_copies),
		T(what_was_not_seen_goes_and_its_copies_are_settled_anew),
		T(many_items_settle_in_one_order),
		T(a_scan_that_was_cut_off_is_gone_on_with),
		T(another_source_is_another_scan),
		T(a_scan_that_nobody_of_ours_wrote_is_damage),
		T(a_scanned_system_without_a_version_is_no_readers_business),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/store/catalogue_fixture.h"

static int count_version(void *arg, const struct version *v)
{
	assert_true(v->state != VERSION_OPEN);
	++*(unsigned *)arg;
	return 0;
}

static int count_system(void *arg, const struct system *s)
{
	assert_true(s->root > 0);
	++*(unsigned *)arg;
	return 0;
}

static unsigned versions_seen(struct catalogue *c, int64_t system)
{
	struct err e = ERR_NONE;
	unsigned count = 0;

	must(catalogue_versions(c, system, count_version, &count, &e));
	return count;
}

static void a_sealed_version_reads_back_as_it_was_given(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v = fixture_begin(f, "人事", "2021 final"), got;
	char *statement;
	uint8_t *signature;
	size_t size;

	v.state = VERSION_INCOMPLETE;
	v.at = -5000000000;
	v.ingested = 1;
	v.directories = 2;
	v.files = 3;
	v.others = 4;
	v.bytes = 5;
	v.added_raw = 6;
	v.added_stored = INT64_MAX;
	v.problems = 8;
	strcpy(v.source_kind, "zip");
	memset(v.merkle.bytes, 9, DIGEST_SIZE);
	must(catalogue_version_seal(f->c, &v, "{\"a\":1}", (const uint8_t *)"sig", 3, &e));
	must(catalogue_commit(f->c, &e));

	must(catalogue_version_find(f->c, v.system, "2021 final", &got, &e));
	assert_int_equal(got.id, v.id);
	assert_int_equal(got.system, v.system);
	assert_string_equal(got.label, "2021 final");
	assert_int_equal(got.root, v.root);
	assert_int_equal(got.previous, 0);
	assert_int_equal(got.at, v.at);
	assert_int_equal(got.ingested, 1);
	assert_int_equal(got.state, VERSION_INCOMPLETE);
	assert_memory_equal(&got.merkle, &v.merkle, DIGEST_SIZE);
	assert_int_equal(got.directories, 2);
	assert_int_equal(got.files, 3);
	assert_int_equal(got.others, 4);
	assert_int_equal(got.bytes, 5);
	assert_int_equal(got.added_raw, 6);
	assert_int_equal(got.added_stored, INT64_MAX);
	assert_int_equal(got.problems, 8);
	assert_string_equal(got.source_kind, "zip");
	must(catalogue_version_get(f->c, v.id, &got, &e));
	assert_string_equal(got.system_name, "人事");
	must(catalogue_version_proof(f->c, v.id, &statement, &signature, &size, &e));
	assert_string_equal(statement, "{\"a\":1}");
	assert_int_equal(size, 3);
	assert_memory_equal(signature, "sig", 3);
	free(statement);
	free(signature);
	must_fail(catalogue_version_find(f->c, v.system, "2022", &got, &e), MUNI_NOT_FOUND);
	must_fail(catalogue_version_get(f->c, v.id + 1, &got, &e), MUNI_NOT_FOUND);
}

static void a_label_is_taken_once_in_a_system(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v = fixture_begin(f, "hr", "1");

	fixture_seal(f, &v);
	struct version other = fixture_begin(f, "crm", "1");
	fixture_seal(f, &other);
	must(catalogue_begin(f->c, &e));
	must_fail(catalogue_version_begin(f->c, &v, &e), MUNI_EXISTS);
	catalogue_rollback(f->c);
	assert_int_equal(versions_seen(f->c, 0), 2);
	assert_int_equal(versions_seen(f->c, v.system), 1);
}

static void previous_is_the_one_before_in_its_own_system(void **state)
{
	struct fixture *f = *state;
	struct version a1 = fixture_begin(f, "a", "1");

	assert_int_equal(a1.previous, 0);
	fixture_seal(f, &a1);
	struct version b1 = fixture_begin(f, "b", "1");
	assert_int_equal(b1.previous, 0);
	fixture_seal(f, &b1);
	struct version a2 = fixture_begin(f, "a", "2");
	assert_int_equal(a2.previous, a1.id);
	assert_int_equal(a2.root, a1.root);
	assert_int_not_equal(a2.root, b1.root);
	fixture_seal(f, &a2);
	assert_true(a1.id < b1.id && b1.id < a2.id);
}

static void the_version_at_a_time_is_the_newest_not_after_it(void **state)
{
	static const int64_t at[] = { 100, 300, 200, 300 };
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v[4], got;
	char label[16];

	for (int i = 0; i < 4; i++) {
		snprintf(label, sizeof label, "v%d", i);
		v[i] = fixture_begin(f, "hr", label);
		v[i].at = at[i];
		fixture_seal(f, &v[i]);
	}
	must_fail(catalogue_version_at(f->c, v[0].system, 99, &got, &e), MUNI_NOT_FOUND);
	must(catalogue_version_at(f->c, v[0].system, 100, &got, &e));
	assert_string_equal(got.label, "v0");
	must(catalogue_version_at(f->c, v[0].system, 299, &got, &e));
	assert_string_equal(got.label, "v2");
	must(catalogue_version_at(f->c, v[0].system, 300, &got, &e));
	assert_string_equal(got.label, "v3");
	must(catalogue_version_at(f->c, v[0].system, INT64_MAX, &got, &e));
	assert_string_equal(got.label, "v3");
	must(catalogue_version_find(f->c, v[0].system, NULL, &got, &e));
	assert_string_equal(got.label, "v3");
}

static void readers_see_sealed_versions_only(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct catalogue *reader = fixture_reader(f);
	struct version v1 = fixture_begin(f, "hr", "1"), got;
	struct system s;
	unsigned systems = 0;
	int64_t before, after;
	char names[64];

	fixture_directory_row(f, &v1, v1.root, 0);
	fixture_file(f, &v1, v1.root, "a", 0);
	must(catalogue_data_version(reader, &before, &e));
	must(catalogue_commit(f->c, &e));	/* in the middle of the ingest */
	must(catalogue_data_version(reader, &after, &e));
	assert_int_not_equal(before, after);
	assert_int_equal(versions_seen(reader, 0), 0);
	must(catalogue_systems(reader, count_system, &systems, &e));
	assert_int_equal(systems, 0);
	must_fail(catalogue_system_find(reader, "hr", &s, &e), MUNI_NOT_FOUND);
	must_fail(catalogue_version_find(reader, v1.system, "1", &got, &e), MUNI_NOT_FOUND);
	must_fail(catalogue_version_get(reader, v1.id, &got, &e), MUNI_NOT_FOUND);

	must(catalogue_begin(f->c, &e));
	fixture_seal(f, &v1);
	must(catalogue_version_find(reader, v1.system, NULL, &got, &e));
	must(catalogue_system_find(reader, "hr", &s, &e));
	assert_int_equal(s.root, v1.root);

	/* The next version removes "a"; version 1 goes on showing it. */
	struct version v2 = fixture_begin(f, "hr", "2");
	must(catalogue_entry_close(f->c, v2.root, "a", 1, v1.id, v2.previous, &e));
	fixture_file(f, &v2, v2.root, "b", 0);
	must(catalogue_commit(f->c, &e));
	fixture_names(reader, v1.id, v1.root, names);
	assert_string_equal(names, "a");
	catalogue_close(reader);
}

static void a_reader_keeps_no_transaction_between_calls(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct catalogue *reader = fixture_reader(f);
	struct version v = fixture_begin(f, "hr", "1"), got;
	struct stat st;
	char wal[96];

	fixture_seal(f, &v);
	must(catalogue_version_find(reader, v.system, NULL, &got, &e));
	must(catalogue_checkpoint(f->c, &e));
	snprintf(wal, sizeof wal, "%s/catalogue.%d-wal", f->path, FIXTURE_EPOCH);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_size, 0);
	catalogue_close(reader);
}

/* The other process: this program run again with the folder and a version id. */
static int look_from_outside(const char *folder, const char *version)
{
	struct fixture f = { .dirfd = open(folder, O_RDONLY | O_DIRECTORY) };
	struct version got;
	struct err e = ERR_NONE;

	if (f.dirfd < 0 || fixture_key(&f, &e) < 0 ||
	    catalogue_open(f.dirfd, FIXTURE_EPOCH, f.key_id, CATALOGUE_READ, FIXTURE_CACHE, &f.c,
			   &e) < 0 ||
	    catalogue_version_get(f.c, strtoll(version, NULL, 10), &got, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	catalogue_close(f.c);
	return 0;
}

static void two_processes_share_the_wal(void **state)
{
	struct fixture *f = *state;
	struct version v = fixture_begin(f, "hr", "1");
	char command[128];

	fixture_seal(f, &v);	/* in the WAL only: no checkpoint yet */
	snprintf(command, sizeof command, "/proc/%d/exe %s %" PRId64, getpid(), f->path, v.id);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof command, "/proc/%d/exe %s %" PRId64 " 2>&-", getpid(), f->path,
		 v.id + 1);
	assert_int_not_equal(system(command), 0);
}

static void writes_outside_a_transaction_are_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct system s;
	int64_t id;

	must_fail(catalogue_system_intern(f->c, "hr", &s, &e), MUNI_USAGE);
	must_fail(catalogue_reserve(f->c, SEQUENCE_NODE, 1, &id, &e), MUNI_USAGE);
	must_fail(catalogue_commit(f->c, &e), MUNI_USAGE);
	must(catalogue_begin(f->c, &e));
	must_fail(catalogue_begin(f->c, &e), MUNI_USAGE);
	catalogue_rollback(f->c);
}

/* ---- recovery -------------------------------------------------------------------- */

static int64_t count_rows(struct fixture *f, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(catalogue_sqlite(f->c), sql, -1, &stmt, NULL), 0);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

static void crash_in_second_version(struct fixture *f, struct version *v1, struct version *v2)
{
	struct err e = ERR_NONE;
	struct extent x = { .offset = 0, .size = 10, .block = 1 };
	struct digest sha = { { 0 } };

	*v1 = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, v1, v1->root, 0);
	fixture_file(f, v1, v1->root, "changed", 0);
	fixture_file(f, v1, v1->root, "removed", 0);
	fixture_file(f, v1, v1->root, "same", 0);
	fixture_seal(f, v1);

	*v2 = fixture_begin(f, "hr", "2");
	must(catalogue_directory_close(f->c, v1->root, v1->id, v2->previous, &e));
	fixture_directory_row(f, v2, v1->root, 0);
	must(catalogue_entry_close(f->c, v1->root, "changed", 7, v1->id, v2->previous, &e));
	must(catalogue_entry_close(f->c, v1->root, "removed", 7, v1->id, v2->previous, &e));
	int64_t content = fixture_id(f, SEQUENCE_CONTENT);
	must(catalogue_content_add(f->c, content, &sha, &x, 1, &e));
	fixture_file(f, v2, v1->root, "changed", content);
	must(catalogue_xattrs_add(f->c, fixture_id(f, SEQUENCE_XATTRS), "\0", 1, &e));
	must(catalogue_problem_add(f->c, v2->id, "x", 1, "vanished", &e));
	must(catalogue_chunk_add(f->c, (const uint8_t *)"0123456789abcdef",
				 &(struct chunk_place){ 1, 0, 10 }, &e));
	must(catalogue_commit(f->c, &e));
}

static void recovery_takes_a_crashed_version_back_exactly(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v1, v2, v3;
	struct chunk_place place;
	struct directory d;
	bool is_found;
	unsigned count;
	char names[64];

	crash_in_second_version(f, &v1, &v2);
	fixture_reopen(f);
	must(catalogue_begin(f->c, &e));
	struct version again = v2;
	must_fail(catalogue_version_begin(f->c, &again, &e), MUNI_BUSY);
	catalogue_rollback(f->c);

	must(catalogue_recover(f->c, &count, &e));
	assert_int_equal(count, 1);
	fixture_names(f->c, v1.id, v1.root, names);
	assert_string_equal(names, "changed,removed,same");
	assert_int_equal(count_rows(f, "SELECT count(*) FROM entry WHERE last IS NOT NULL"), 0);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM entry"), 3);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM directory"), 1);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM node"), 4);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM content"), 0);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM xattr"), 0);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM problem"), 0);
	must(catalogue_directory(f->c, v1.id, v1.root, &d, &e));
	assert_int_equal(d.last, CATALOGUE_OPEN_ENDED);
	must(catalogue_chunk_find(f->c, (const uint8_t *)"0123456789abcdef", &place, &is_found,
				  &e));
	assert_true(is_found);

	/* The label is free again; no id comes back (C2). */
	v3 = fixture_begin(f, "hr", "2");
	assert_true(v3.id > v2.id);
	assert_int_equal(v3.previous, v1.id);
	int64_t node = fixture_node(f, NODE_FILE, 0);
	assert_true(node > 6);
	assert_true(fixture_id(f, SEQUENCE_CONTENT) > 1);
	assert_true(fixture_id(f, SEQUENCE_XATTRS) > 1);
	fixture_seal(f, &v3);
	must(catalogue_recover(f->c, &count, &e));
	assert_int_equal(count, 0);
}

static void recovery_leaves_other_systems_alone(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v1, v2;
	unsigned count;
	char names[64];

	struct version c1 = fixture_begin(f, "crm", "1");
	fixture_directory_row(f, &c1, c1.root, 0);
	fixture_file(f, &c1, c1.root, "old", 0);
	fixture_seal(f, &c1);
	struct version c2 = fixture_begin(f, "crm", "2");
	must(catalogue_entry_close(f->c, c2.root, "old", 3, c1.id, c2.previous, &e));
	fixture_seal(f, &c2);

	crash_in_second_version(f, &v1, &v2);
	must(catalogue_recover(f->c, &count, &e));
	fixture_names(f->c, c1.id, c1.root, names);
	assert_string_equal(names, "old");
	fixture_names(f->c, c2.id, c1.root, names);
	assert_string_equal(names, "");
	fixture_names(f->c, v1.id, v1.root, names);
	assert_string_equal(names, "changed,removed,same");
}

static void recovery_of_a_first_version_leaves_nothing_of_it(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v = fixture_begin(f, "hr", "1");
	unsigned count;

	fixture_directory_row(f, &v, v.root, 0);
	fixture_file(f, &v, v.root, "a", 0);
	must(catalogue_commit(f->c, &e));
	must(catalogue_recover(f->c, &count, &e));
	assert_int_equal(count, 1);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM entry"), 0);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM directory"), 0);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM node"), 0);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM version"), 0);
	struct version next = fixture_begin(f, "hr", "1");
	assert_int_equal(next.root, v.root);
	assert_true(next.id > v.id);
	catalogue_rollback(f->c);
}

/* ---- settings, log, small tables --------------------------------------------------- */

static void settings_and_the_logs_position_read_back(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct catalogue_settings s = { .epoch = 3, .generation = 4, .block_size = 65536,
		.level = 3, .parity = { 20, 1 }, .page_seals = 77 }, got;
	struct log_position p = { 0 }, read;
	struct digest leaf = digest_of("x", 1);
	uint8_t salt[16], zeros[16] = { 0 };
	char *details;

	must_fail(catalogue_settings_get(f->c, &got, &e), MUNI_DAMAGED);
	must(catalogue_log_position_get(f->c, &read, &e));
	assert_int_equal(read.frontier.count, 0);
	memset(s.archive_id, 1, 16);
	memset(s.base_digest.bytes, 2, DIGEST_SIZE);
	for (int i = 0; i < 5; i++)
		merkle_frontier_add(&p.frontier, &leaf);
	must(catalogue_begin(f->c, &e));
	must(catalogue_settings_put(f->c, &s, &e));
	s.generation++;
	must(catalogue_settings_put(f->c, &s, &e));
	must(catalogue_log_position_put(f->c, &p, &e));
	must(catalogue_log_detail_add(f->c, 0, (const uint8_t *)"0123456789abcdef", "{}", &e));
	must(catalogue_commit(f->c, &e));
	fixture_reopen(f);

	must(catalogue_settings_get(f->c, &got, &e));
	assert_memory_equal(&got, &s, sizeof s);
	must(catalogue_log_position_get(f->c, &read, &e));
	assert_int_equal(read.frontier.count, 5);
	assert_memory_equal(&read.frontier.peaks[2], &p.frontier.peaks[2], DIGEST_SIZE);
	must(catalogue_log_detail_get(f->c, 0, salt, &details, &e));
	assert_string_equal(details, "{}");
	assert_memory_equal(salt, "0123456789abcdef", 16);
	free(details);
	fixture_sql(f, "UPDATE log_detail SET salt = NULL, details = NULL");
	must(catalogue_log_detail_get(f->c, 0, salt, &details, &e));
	assert_null(details);
	assert_memory_equal(salt, zeros, 16);
	fixture_sql(f, "UPDATE meta SET value = x'0500' WHERE key = 'log_position'");
	must_fail(catalogue_log_position_get(f->c, &read, &e), MUNI_DAMAGED);
}

static int first_class(void *arg, const struct record_class *k)
{
	*(struct record_class *)arg = *k;
	return 1;
}

static int join_problem(void *arg, const void *path, size_t size, const char *what)
{
	char *out = arg;

	snprintf(out + strlen(out), 64, "%.*s:%s;", (int)size, (const char *)path, what);
	return 0;
}

static void classes_accounts_and_problems_read_back(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct record_class k;
	int64_t a, b;
	char name[256], problems[128] = "";

	must(catalogue_classes(f->c, first_class, &k, &e));
	assert_int_equal(k.id, 1);
	assert_string_equal(k.code, "");
	must(catalogue_begin(f->c, &e));
	must(catalogue_class_intern(f->c, "", &a, &e));
	assert_int_equal(a, 1);
	must(catalogue_class_intern(f->c, "FIN-INV", &a, &e));
	must(catalogue_class_intern(f->c, "FIN-INV", &b, &e));
	assert_int_equal(a, b);
	assert_int_not_equal(a, 1);
	must(catalogue_account_intern(f->c, "王伟", &a, &e));
	must(catalogue_account_intern(f->c, "root", &b, &e));
	assert_int_not_equal(a, b);
	must(catalogue_account(f->c, a, name, &e));
	assert_string_equal(name, "王伟");
	must_fail(catalogue_account(f->c, 99, name, &e), MUNI_NOT_FOUND);
	must(catalogue_problem_add(f->c, 1, "b", 1, "vanished", &e));
	must(catalogue_problem_add(f->c, 1, "a\xff", 2, "cannot be read", &e));
	must(catalogue_problem_add(f->c, 1, "b", 1, "vanished", &e));
	must(catalogue_commit(f->c, &e));
	must(catalogue_problems(f->c, 1, join_problem, problems, &e));
	assert_string_equal(problems, "a\xff:cannot be read;b:vanished;");
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return look_from_outside(argv[1], argv[2]);

	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(a_sealed_version_reads_back_as_it_was_given),
		T(a_label_is_taken_once_in_a_system),
		T(previous_is_the_one_before_in_its_own_system),
		T(the_version_at_a_time_is_the_newest_not_after_it),
		T(readers_see_sealed_versions_only),
		T(a_reader_keeps_no_transaction_between_calls),
		T(two_processes_share_the_wal),
		T(writes_outside_a_transaction_are_refused),
		T(recovery_takes_a_crashed_version_back_exactly),
		T(recovery_leaves_other_systems_alone),
		T(recovery_of_a_first_version_leaves_nothing_of_it),
		T(settings_and_the_logs_position_read_back),
		T(classes_accounts_and_problems_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

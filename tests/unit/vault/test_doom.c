#include "tests/unit/vault/doomed.h"

#include "fs/store/catalogue_decisions.h"
#include "fs/vault/execution.h"
#include "fs/vault/traces.h"

static int setup(void **state)
{
	struct doomed_fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	doomed_open(f, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	doomed_close(*state);
	free(*state);
	return 0;
}

static const struct doomed_seen *at(const struct doomed_view *w, int64_t version,
				    const char *path)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].version == version && strcmp(w->list[i].path, path) == 0)
			return &w->list[i];
	return NULL;
}

static int64_t doom_one(struct doomed_fixture *f, const struct doomed_view *w, int64_t version,
			const char *path)
{
	struct doomed_list l = { .count = 0 };
	const struct doomed_seen *s = at(w, version, path);

	assert_non_null(s);
	doomed_add(&l, &s->key);
	int64_t id = doomed_propose(f, &l, "{}", ITEM_NAMES_COMMIT);
	free(l.keys);
	return id;
}

struct outcomes {		/* by the first byte of the name */
	enum item_outcome of[256];
};

static int take_outcome(void *arg, const struct disposition_item *i)
{
	struct outcomes *o = arg;

	o->of[(uint8_t)i->key.name[0]] = i->outcome;
	return 0;
}

static struct outcomes outcomes_of(struct doomed_fixture *f, int64_t disposition)
{
	struct outcomes o = { { OUTCOME_PENDING } };
	struct err e = ERR_NONE;

	must(catalogue_disposition_items(f->v->catalogue, disposition, take_outcome, &o, &e));
	return o;
}

static void without_a_disposition_everything_is_copied(void **state)
{
	struct doomed_fixture *f = *state;

	doomed_run("cd %s && mkdir -p a/b c && echo one > a/x && echo two > a/b/y && ln a/x z"
		   " && ln -s x a/l", f->source);
	doomed_ingest(f, "hr");
	doomed_run("cd %s && echo three > a/x", f->source);
	doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);
	struct doom_result r = doomed_switch(f, 0);
	struct doomed_view after = doomed_look(f);

	assert_int_equal(before.count, after.count);
	assert_memory_equal(before.list, after.list, before.count * sizeof *before.list);
	assert_int_equal(r.records, 0);
	doomed_check_roots(f);
	free(before.list);
	free(after.list);
}

static void a_record_goes_with_its_name_key_and_bytes_and_others_stay(void **state)
{
	struct doomed_fixture *f = *state;

	doomed_run("cd %s && mkdir -p a/b && echo secretbytes > a/secretname"
		   " && echo other > a/b/y && echo more > z", f->source);
	struct version v = doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);
	struct doom_result r = doomed_switch(f, doom_one(f, &before, v.id, "a/secretname"));
	struct doomed_view after = doomed_look(f);
	size_t size;
	uint8_t *pages = doomed_pages(f, &size);

	assert_int_equal(after.count, before.count - 1);
	assert_null(at(&after, v.id, "a/secretname"));
	assert_int_equal(r.records, 1);
	assert_int_equal(r.contents_gone, 1);
	assert_int_equal(r.blocks_gone, 1);
	assert_int_equal(r.blocks_repacked, 1);
	assert_false(doomed_is_in(pages, size, "secretname", 10));
	assert_true(doomed_is_in(pages, size, "z", 1));
	doomed_check_roots(f);
	sqlite3_free(pages);
	free(before.list);
	free(after.list);
}

/* ---- bytes ---------------------------------------------------------------------------- */

static void a_copy_keeps_its_bytes_and_the_outcome_says_so(void **state)
{
	struct doomed_fixture *f = *state;

	doomed_run("cd %s && echo shared > a && cp a b && echo alone > c && ln c d && echo e > e",
		   f->source);
	struct version v = doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);
	struct doomed_list l = { .count = 0 };

	doomed_add(&l, &at(&before, v.id, "a")->key);
	doomed_add(&l, &at(&before, v.id, "c")->key);
	doomed_add(&l, &at(&before, v.id, "e")->key);
	int64_t id = doomed_propose(f, &l, "{}", ITEM_NAMES_KEEP);
	struct doom_result r = doomed_switch(f, id);
	struct doomed_view after = doomed_look(f);
	struct outcomes got = outcomes_of(f, id);

	assert_int_equal(r.contents_shared, 2);
	assert_int_equal(r.contents_gone, 1);
	assert_int_equal(got.of['a'], OUTCOME_BYTES_STAY);
	assert_int_equal(got.of['c'], OUTCOME_BYTES_STAY);	/* another name of it */
	assert_int_equal(got.of['e'], OUTCOME_GONE);
	assert_non_null(at(&after, v.id, "b"));
	assert_non_null(at(&after, v.id, "d"));
	free(l.keys);
	free(before.list);
	free(after.list);
}

static int64_t number(struct doomed_fixture *f, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(catalogue_sqlite(f->v->catalogue), sql, -1, &stmt,
					    NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

static void what_is_based_on_a_block_that_goes_is_encoded_anew(void **state)
{
	struct doomed_fixture *f = *state;
	uint8_t data[20000];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)doomed_random(f);
	doomed_write(f, "base", data, sizeof data);
	doomed_ingest(f, "hr");
	data[100] ^= 1;
	doomed_write(f, "dependent", data, sizeof data);
	struct version v = doomed_ingest(f, "hr");
	data[100] ^= 1;
	struct doomed_view before = doomed_look(f);
	assert_int_equal(number(f, "SELECT count(*) FROM block"), 2);
	assert_int_equal(number(f, "SELECT base1 FROM block WHERE id = (SELECT max(id) FROM"
				" block)"), number(f, "SELECT min(id) FROM block"));
	assert_int_equal(number(f, "SELECT codec FROM block WHERE base1 IS NOT NULL"),
			 BLOCK_ZSTD_BASED);
	assert_int_equal(number(f, "SELECT sum(depth) FROM sketch"), 1);
	doomed_switch(f, doom_one(f, &before, v.id, "base"));
	struct doomed_view after = doomed_look(f);

	assert_null(at(&after, v.id, "base"));
	assert_memory_equal(at(&after, v.id, "dependent")->bytes.bytes,
			    at(&before, v.id, "dependent")->bytes.bytes, DIGEST_SIZE);
	assert_int_equal(number(f, "SELECT count(*) FROM block"), 1);
	assert_int_equal(number(f, "SELECT count(base1) FROM block"), 0);
	/* It stands alone now; the sketch of what went is gone. */
	assert_int_equal(number(f, "SELECT sum(depth) FROM sketch"), 0);
	assert_int_equal(number(f, "SELECT count(*) FROM sketch JOIN block ON id = block"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM sketch"), 1);
	free(before.list);
	free(after.list);
}

static void what_stays_is_found_by_its_content_and_what_went_is_not(void **state)
{
	struct doomed_fixture *f = *state;
	uint8_t data[300000];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)doomed_random(f);
	doomed_write(f, "large", data, sizeof data);
	doomed_write(f, "goes", data + 7, 50000);
	doomed_write(f, "small", data + 70000, 5000);
	struct version v = doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);

	doomed_switch(f, doom_one(f, &before, v.id, "goes"));
	struct version again = doomed_ingest(f, "other");
	assert_int_equal(again.added_raw, 50000);
	doomed_check_roots(f);
	free(before.list);
}

/* ---- words ------------------------------------------------------------------------------ */

static void put_item(struct doomed_fixture *f, int64_t system, int64_t scan, const char *path)
{
	struct stored_finding finding = { .id = (char *)"made-up", .count = 1,
					  .where = (char *)"line 1",
					  .samples = (char *)"[{\"text\":\"sam***ple\"}]" };
	struct item_row r = { .system = system, .scan = scan, .path = (char *)path,
			      .path_size = strlen(path), .kind = NODE_FILE, .size = 5,
			      .allocated = 5, .owner = (char *)(strstr(path, "secret") ?
								"ownergone" : "ownerkept"),
			      .findings = &finding, .finding_count = 1 };
	struct decision_row d = { .decision = 2, .evidence = (char *)path };
	struct override_row o = { .decision = 2, .officer = (char *)"anna",
				  .reason = (char *)path };
	struct catalogue *c = f->v->catalogue;
	struct err e = ERR_NONE;

	must(catalogue_item_put(c, &r, &e));
	must(catalogue_decision_put(c, r.id, &d, &e));
	must(catalogue_override_put(c, system, path, strlen(path), &o, &e));
	must(catalogue_scan_problem_add(c, scan, path, strlen(path), "it was odd", &e));
}

static void say(struct doomed_fixture *f, enum log_act act, const char *details)
{
	struct err e = ERR_NONE;

	must(catalogue_begin(f->v->catalogue, &e));
	must(vault_commit_act(f->v, act, details, &e));
}

static void inventory_decisions_problems_and_words_go_with_a_record(void **state)
{
	struct doomed_fixture *f = *state;
	struct scan scan = { .source = (char *)"/srv/hr", .source_kind = "directory",
			     .began = 1 };
	struct hold_row hold = { .scope = { .path = "a/secret*" }, .case_ref = "X",
				 .reason = "asked", .placed = 1 };
	struct catalogue *c = f->v->catalogue;
	bool is_resumed;
	size_t size;
	struct err e = ERR_NONE;

	doomed_run("cd %s && mkdir a && echo one > a/secretname && echo two > a/kept",
		   f->source);
	struct version v = doomed_ingest(f, "hr");
	must(catalogue_begin(c, &e));
	must(catalogue_scan_begin(c, "hr", &scan, &is_resumed, &e));
	must(catalogue_classification_begin(c, v.system, &(struct classification){ 1, 1, scan.id },
					    &e));
	put_item(f, v.system, scan.id, "a/secretname");
	put_item(f, v.system, scan.id, "a/kept");
	/* As settling leaves it: a copy of what goes. */
	assert_int_equal(sqlite3_exec(catalogue_sqlite(c), "UPDATE item SET first = 1,"
				      " original = CAST('a/secretname' AS BLOB) WHERE path ="
				      " CAST('a/kept' AS BLOB);"
				      "UPDATE decision SET evidence = 'a copy of a/secretname'"
				      " WHERE item = 2", NULL, NULL, NULL), SQLITE_OK);
	must(catalogue_problem_add(c, v.id, "a/secretname", 12, "it changed", &e));
	must(catalogue_problem_add(c, v.id, "a/kept", 6, "it changed", &e));
	must(catalogue_scan_end(c, &scan, &e));
	must(catalogue_hold_add(c, &hold, &e));
	must(catalogue_hold_release(c, hold.id, 2, "over", &e));
	must(catalogue_commit(c, &e));
	say(f, LOG_REFUSED, "{\"why\":\"\\\"a/secretname\\\" is held\"}");
	say(f, LOG_OPEN, "{\"opened\":[{\"path\":\"a/secretname\",\"system\":\"hr\"}]}");
	say(f, LOG_OPEN, "{\"opened\":[{\"path_base64\":\"YS9zZWNyZXRuYW1l\"}]}");
	say(f, LOG_SCAN, "{\"digest\":\"d1d1d1d1\",\"system\":\"hr\"}");
	say(f, LOG_HOLD_PLACED, "{\"hold\":\"H1\",\"scope\":{\"path\":\"a/secret*\"}}");
	say(f, LOG_REFUSED, "{\"why\":\"\\\"a/kept\\\" is held\"}");

	struct doomed_view before = doomed_look(f);
	doomed_switch(f, doom_one(f, &before, v.id, "a/secretname"));
	uint8_t *pages = doomed_pages(f, &size);

	assert_false(doomed_is_in(pages, size, "secret", 6));
	assert_false(doomed_is_in(pages, size, "YS9zZWNyZXRuYW1l", 16));
	assert_false(doomed_is_in(pages, size, "ownergone", 9));
	assert_false(doomed_is_in(pages, size, "d1d1d1d1", 8));
	assert_true(doomed_is_in(pages, size, "ownerkept", 9));
	assert_true(doomed_is_in(pages, size, "\\\"a/kept\\\" is held", 18));
	assert_int_equal(number(f, "SELECT count(*) FROM item"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM finding"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM decision"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM override"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM problem"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM scan_problem"), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM hold"), 1);
	sqlite3_free(pages);
	free(before.list);
}

static void what_is_said_of_a_path_stays_with_the_record_that_stands_there_now(void **state)
{
	struct doomed_fixture *f = *state;
	struct scan scan = { .source = (char *)"/srv/hr", .source_kind = "directory",
			     .began = 1 };
	struct catalogue *c = f->v->catalogue;
	bool is_resumed;
	struct err e = ERR_NONE;

	doomed_run("cd %s && mkdir a b && echo one > a/x && echo one > b/y", f->source);
	struct version v = doomed_ingest(f, "hr");
	/* Another file of that name; another directory of that name with such a file. */
	doomed_run("cd %s && rm -r a/x b && mkdir b && echo other > a/x && echo other > b/y",
		   f->source);
	struct version w = doomed_ingest(f, "hr");
	must(catalogue_begin(c, &e));
	must(catalogue_scan_begin(c, "hr", &scan, &is_resumed, &e));
	must(catalogue_classification_begin(c, v.system, &(struct classification){ 1, 1, scan.id },
					    &e));
	put_item(f, v.system, scan.id, "a/x");
	put_item(f, v.system, scan.id, "b/y");
	must(catalogue_scan_end(c, &scan, &e));
	must(catalogue_commit(c, &e));
	say(f, LOG_SCAN, "{}");

	struct doomed_view before = doomed_look(f);
	struct doomed_list l = { .count = 0 };
	doomed_add(&l, &at(&before, v.id, "a/x")->key);
	doomed_add(&l, &at(&before, v.id, "b/y")->key);
	doomed_switch(f, doomed_propose(f, &l, "{}", ITEM_NAMES_COMMIT));
	struct doomed_view after = doomed_look(f);

	assert_null(at(&after, v.id, "a/x"));
	assert_non_null(at(&after, w.id, "a/x"));
	assert_non_null(at(&after, w.id, "b/y"));
	assert_int_equal(number(f, "SELECT count(*) FROM item"), 2);
	assert_int_equal(number(f, "SELECT count(*) FROM override"), 2);
	free(l.keys);
	free(before.list);
	free(after.list);
}

/* ---- versions and systems ------------------------------------------------------------------ */

static void a_version_that_was_asked_for_is_hidden_and_its_signature_stays(void **state)
{
	struct doomed_fixture *f = *state;
	struct version found;
	char *statement, scope[80];
	uint8_t *signature;
	size_t size;
	struct err e = ERR_NONE;

	doomed_run("cd %s && echo same > same && echo one > x", f->source);
	doomed_ingest(f, "hr");
	doomed_run("cd %s && echo two > x", f->source);
	struct version v = doomed_ingest(f, "hr");
	doomed_run("cd %s && echo three > x", f->source);
	struct version w = doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);
	struct doomed_list l = { .count = 0 };

	doomed_add(&l, &at(&before, v.id, "x")->key);
	snprintf(scope, sizeof scope, "{\"scope\":\"version\",\"version_id\":%lld}",
		 (long long)v.id);
	doomed_switch(f, doomed_propose(f, &l, scope, ITEM_NAMES_DROP));
	struct doomed_view after = doomed_look(f);

	assert_null(at(&after, v.id, "same"));
	assert_non_null(at(&after, w.id, "same"));
	assert_int_equal(catalogue_version_get(f->v->catalogue, v.id, &found, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	e = ERR_NONE;
	must(catalogue_version_proof(f->v->catalogue, v.id, &statement, &signature, &size, &e));
	doomed_check_roots(f);
	doomed_ingest(f, "hr");
	doomed_check_roots(f);
	free(statement);
	free(signature);
	free(l.keys);
	free(before.list);
	free(after.list);
}

static void a_version_of_which_something_was_left_out_is_shown(void **state)
{
	struct doomed_fixture *f = *state;
	char scope[80];

	doomed_run("cd %s && echo one > x && echo one > y", f->source);
	struct version v = doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);
	struct doomed_list l = { .count = 0 };

	doomed_add(&l, &at(&before, v.id, "x")->key);
	snprintf(scope, sizeof scope, "{\"version_id\":%lld}", (long long)v.id);
	doomed_switch(f, doomed_propose(f, &l, scope, ITEM_NAMES_DROP));
	struct doomed_view after = doomed_look(f);

	assert_non_null(at(&after, v.id, "y"));
	free(l.keys);
	free(before.list);
	free(after.list);
}

static void a_system_of_which_nothing_is_left_frees_its_name(void **state)
{
	struct doomed_fixture *f = *state;
	struct system s;
	size_t size;
	struct err e = ERR_NONE;

	doomed_run("cd %s && mkdir a && echo one > a/x", f->source);
	struct version v = doomed_ingest(f, "payrollsystem");
	struct doomed_view before = doomed_look(f);

	doomed_switch(f, doom_one(f, &before, v.id, "a/x"));
	uint8_t *pages = doomed_pages(f, &size);
	assert_false(doomed_is_in(pages, size, "payrollsystem", 13));
	assert_int_equal(catalogue_system_find(f->v->catalogue, "payrollsystem", &s, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	assert_int_equal(number(f, "SELECT count(*) FROM node"), 0);
	assert_int_equal(number(f, "SELECT count(*) FROM block"), 0);
	assert_int_equal(number(f, "SELECT count(*) FROM version WHERE state = 3"), 1);
	struct version again = doomed_ingest(f, "payrollsystem");
	assert_true(again.system != v.system && again.id > v.id);
	sqlite3_free(pages);
	free(before.list);
}

/* Traces of a kind that the next adversarial check is given. */
static size_t traces_of(struct doomed_fixture *f, enum trace_kind kind)
{
	struct traces t = { .list = NULL };
	struct err e = ERR_NONE;
	uint8_t *data = NULL;
	size_t size, n = 0;

	must(catalogue_traces_get(f->v->catalogue, &data, &size, &e));
	assert_non_null(data);
	must(traces_unpack(data, size, &t, &e));
	for (size_t i = 0; i < t.count; i++)
		n += t.list[i].kind == kind;
	traces_clear(&t);
	free(data);
	return n;
}

static void what_a_check_looks_for_stays_until_the_certificate_is_made(void **state)
{
	struct doomed_fixture *f = *state;
	struct err e = ERR_NONE;

	doomed_write(f, "a", "one", 3);
	doomed_write(f, "b", "two", 3);
	doomed_write(f, "c", "three", 5);
	struct version v = doomed_ingest(f, "s");
	struct doomed_view w = doomed_look(f);
	int64_t first = doom_one(f, &w, v.id, "a"), second;
	doomed_switch(f, first);
	assert_int_equal(traces_of(f, TRACE_SALT), 1);
	/* The keys are renewed, and something else goes, before its certificate is made. */
	doomed_switch(f, 0);
	assert_int_equal(traces_of(f, TRACE_SALT), 1);
	second = doom_one(f, &w, v.id, "b");
	doomed_switch(f, second);
	assert_int_equal(traces_of(f, TRACE_SALT), 2);
	must(catalogue_begin(f->v->catalogue, &e));
	must(catalogue_disposition_state(f->v->catalogue, first, DISPOSITION_CERTIFIED, NULL, &e));
	must(catalogue_disposition_state(f->v->catalogue, second, DISPOSITION_CERTIFIED, NULL,
					 &e));
	must(catalogue_commit(f->v->catalogue, &e));
	doomed_switch(f, doom_one(f, &w, v.id, "c"));
	assert_int_equal(traces_of(f, TRACE_SALT), 1);
	free(w.list);
}

static void what_the_certificate_needs_is_kept_by_the_copy_itself(void **state)
{
	struct doomed_fixture *f = *state;
	struct execution facts;
	struct disposition_row row;
	struct err e = ERR_NONE;

	doomed_write(f, "a", "one", 3);
	struct version v = doomed_ingest(f, "s");
	struct doomed_view w = doomed_look(f);
	int64_t id = doom_one(f, &w, v.id, "a");
	doomed_switch(f, id);
	must(catalogue_disposition_get(f->v->catalogue, id, &row, &e));
	must(execution_read(row.result, &facts, &e));
	assert_int_equal(facts.began, doomed_now);
	assert_int_equal(facts.epoch.doom.records, 1);
	execution_clear(&facts);
	disposition_row_clear(&row);
	free(w.list);
}

static void ids_are_never_given_again(void **state)
{
	static const char sql[] = "SELECT sum(next) FROM sequence";
	struct doomed_fixture *f = *state;

	doomed_run("cd %s && mkdir a && echo one > a/x && echo two > y", f->source);
	struct version v = doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);
	struct doomed_list l = { .count = 0 };

	doomed_add(&l, &at(&before, v.id, "a/x")->key);
	doomed_add(&l, &at(&before, v.id, "y")->key);
	int64_t id = doomed_propose(f, &l, "{}", ITEM_NAMES_COMMIT);
	int64_t marks = number(f, sql);
	doomed_switch(f, id);
	assert_int_equal(number(f, sql), marks);
	free(l.keys);
	free(before.list);
}

static void a_table_that_no_rule_names_stops_the_copy(void **state)
{
	struct doomed_fixture *f = *state;
	struct vault *v = f->v;
	const uint8_t key[32] = { 1 };
	struct catalogue *next;
	struct doom *d;
	unsigned key_id;
	struct err e = ERR_NONE;

	must(catalogue_begin(v->catalogue, &e));
	assert_int_equal(sqlite3_exec(catalogue_sqlite(v->catalogue), "CREATE TABLE stranger(x)",
				      NULL, NULL, NULL), SQLITE_OK);
	must(catalogue_commit(v->catalogue, &e));
	must(pagevfs_key_add(key, v->id, v->epoch + 1, &key_id, &e));
	must(catalogue_create(v->dirfd, v->epoch + 1, key_id, &next, &e));
	must(doom_mark(v, 0, &d, &e));
	assert_int_equal(doom_copy(d, v, next, NULL, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	doom_free(d);
	catalogue_close(next);
}

static void a_list_that_does_not_fit_the_archive_is_refused(void **state)
{
	struct doomed_fixture *f = *state;
	struct doomed_list l = { .count = 0 };
	struct record_key key = { .directory = 1, .first = 1, .name_size = 4, .name = "none" };
	struct doom *d;
	struct err e = ERR_NONE;

	doomed_run("cd %s && mkdir a && echo one > a/x", f->source);
	struct version v = doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);

	doomed_add(&l, &key);
	assert_int_equal(doom_mark(f->v, doomed_propose(f, &l, "{}", ITEM_NAMES_KEEP), &d, &e),
			 -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	l.keys[0] = at(&before, v.id, "a")->key;	/* a directory that is not empty */
	assert_int_equal(doom_mark(f->v, doomed_propose(f, &l, "{}", ITEM_NAMES_KEEP), &d, &e),
			 -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	free(l.keys);
	free(before.list);
}

static void an_ingest_that_is_taken_back_opens_the_stubs_again(void **state)
{
	struct doomed_fixture *f = *state;
	struct version open = { .system = 0, .label = "x", .source_kind = "directory" };
	struct catalogue *c = f->v->catalogue;
	unsigned count;
	struct err e = ERR_NONE;

	doomed_run("cd %s && echo one > x && echo one > y", f->source);
	struct version v = doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);
	uint64_t closed;

	doomed_switch(f, doom_one(f, &before, v.id, "x"));
	c = f->v->catalogue;
	open.system = v.system;
	must(catalogue_begin(c, &e));
	must(catalogue_version_begin(c, &open, &e));
	must(catalogue_stubs_close(c, v.root, open.previous, &closed, &e));
	must(catalogue_commit(c, &e));
	assert_int_equal(closed, 1);
	assert_int_equal(number(f, "SELECT count(last) FROM stub"), 1);
	must(catalogue_recover(c, &count, &e));
	assert_int_equal(number(f, "SELECT count(last) FROM stub"), 0);
	doomed_check_roots(f);
	free(before.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(without_a_disposition_everything_is_copied),
		T(a_record_goes_with_its_name_key_and_bytes_and_others_stay),
		T(a_copy_keeps_its_bytes_and_the_outcome_says_so),
		T(what_is_based_on_a_block_that_goes_is_encoded_anew),
		T(what_stays_is_found_by_its_content_and_what_went_is_not),
		T(inventory_decisions_problems_and_words_go_with_a_record),
		T(what_is_said_of_a_path_stays_with_the_record_that_stands_there_now),
		T(a_version_that_was_asked_for_is_hidden_and_its_signature_stays),
		T(a_version_of_which_something_was_left_out_is_shown),
		T(a_system_of_which_nothing_is_left_frees_its_name),
		T(what_a_check_looks_for_stays_until_the_certificate_is_made),
		T(what_the_certificate_needs_is_kept_by_the_copy_itself),
		T(ids_are_never_given_again),
		T(a_table_that_no_rule_names_stops_the_copy),
		T(a_list_that_does_not_fit_the_archive_is_refused),
		T(an_ingest_that_is_taken_back_opens_the_stubs_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

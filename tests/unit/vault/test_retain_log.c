/* Whatever is changed behind the log's back in the tables of what keeps records is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/store/catalogue_decisions.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/inside.h"
#include "fs/vault/retain.h"

struct fixture {
	char folder[64], path[96], keyring[96], key[96];
	struct vault *v;
};

static int64_t clock_of_test(void)
{
	return 1700000000;
}

#define must(call)                                                              \
	do {                                                                    \
		if ((call) < 0)                                                 \
			fail_msg("%s: %s", #call, e.text);                      \
	} while (0)

static void seal_a_version(struct fixture *f)
{
	struct version v = { .at = 1000, .ingested = 2000, .label = "1",
			     .source_kind = "directory" };
	struct catalogue *c = vault_catalogue(f->v);
	struct system s;
	struct err e = ERR_NONE;

	must(catalogue_begin(c, &e));
	must(catalogue_system_intern(c, "hr", &s, &e));
	v.system = s.id;
	must(catalogue_version_begin(c, &v, &e));
	v.state = VERSION_COMPLETE;
	must(catalogue_version_seal(c, &v, "{}", (const uint8_t *)"", 0, &e));
	must(vault_commit_act(f->v, LOG_INGEST, "{}", &e));
}

static void classify(struct fixture *f)
{
	static char text[] = "policy: crm\nversion: 1\ncalendar: UTC\nclasses:\n"
		"  - {id: FIN, title: {en: F}, retain: {trigger: modified, period: P1Y},"
		" then: destroy, approve: {quorum: 1}}\n"
		"rules:\n  - {id: all, when: {path: '**'}, decide: archive, class: FIN}\n";
	struct policy_row p = { .name = (char *)(uintptr_t)"crm", .version = 1, .text = text,
				.text_size = strlen(text),
				.digest = digest_of(text, strlen(text)) };
	struct catalogue *c = vault_catalogue(f->v);
	char details[200], hex[DIGEST_HEX_SIZE];
	struct err e = ERR_NONE;

	digest_hex(&p.digest, hex);
	must(catalogue_begin(c, &e));
	must(catalogue_policy_intern(c, &p, &e));
	must(catalogue_class_define(c, "FIN", "", p.id, "{}", &e));
	snprintf(details, sizeof details, "{\"policy_sha256\":\"%s\",\"policy_id\":%lld}", hex,
		 (long long)p.id);
	must(vault_commit_act(f->v, LOG_CLASSIFY, details, &e));
}

static void appoint(struct fixture *f)
{
	const struct officer_row o = {
		.id = "O1", .roles = "records", .person = "CN=O", .added = 5,
		.cert = (const uint8_t *)"certificate", .cert_size = 11,
		.fingerprint = digest_of("certificate", 11),
	};
	char details[200], hex[DIGEST_HEX_SIZE];
	struct err e = ERR_NONE;

	digest_hex(&o.fingerprint, hex);
	must(catalogue_begin(vault_catalogue(f->v), &e));
	must(catalogue_officer_add(vault_catalogue(f->v), &o, &e));
	snprintf(details, sizeof details, "{\"id\":\"O1\",\"roles\":\"records\","
		 "\"fingerprint\":\"%s\"}", hex);
	must(vault_commit_act(f->v, LOG_OFFICER_ADDED, details, &e));
}

static int setup(void **state)
{
	static const struct scope_request scope = { .system = "hr", .path = "a/**" };
	static const struct scope_request all = { .is_standing = true };
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;
	char id_hex[33], *keyring;
	bool is_inside;
	int64_t id;

	strcpy(f->folder, "/tmp/muniment-retain.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/a", f->folder);
	snprintf(f->keyring, sizeof f->keyring, "%s/k", f->folder);
	snprintf(f->key, sizeof f->key, "%s/key", f->folder);
	FILE *key = fopen(f->key, "wb");
	fputs("forty bytes of a key that is in this test", key);
	fclose(key);
	const struct vault_options o = { .keys = { .keyring = f->keyring, .key_file = f->key },
					 .now = clock_of_test };
	const struct vault_init_options i = { .keys = o.keys, .now = clock_of_test };
	must(vault_init(f->path, &i, id_hex, &keyring, &is_inside, &e));
	free(keyring);
	must(vault_open(f->path, &o, VAULT_WRITE, &f->v, &e));
	seal_a_version(f);
	classify(f);
	appoint(f);
	must(vault_hold_add(f->v, &scope, "case 1", "ministry", "why", NULL, &id, &e));
	must(vault_hold_add(f->v, &all, "case 2", NULL, "why", NULL, &id, &e));
	must(vault_hold_release(f->v, 2, "over", NULL, &e));
	must(vault_retain_extend(f->v, &scope, (struct civil){ 2040, 1, 1 }, "board", &id, &e));
	must(vault_event(f->v, "hr", "system-retired", 86400 * 100, true, "gone", &e));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[200];

	vault_close(f->v);
	snprintf(command, sizeof command, "rm -rf %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* What it says of the tables as the SQL leaves them. */
static enum muni_code check_after(struct fixture *f, const char *sql, struct err *e)
{
	struct catalogue *c = vault_catalogue(f->v);
	struct err none = ERR_NONE;
	int rc;

	*e = none;
	assert_int_equal(catalogue_begin(c, &none), 0);
	if (sqlite3_exec(catalogue_sqlite(c), sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(catalogue_sqlite(c)));
	rc = retention_check_log(f->v, e);
	catalogue_rollback(c);
	return rc == 0 ? MUNI_OK : e->code;
}

static void what_was_done_by_acts_agrees_with_the_log(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	must(retention_check_log(f->v, &e));
	assert_int_equal(check_after(f, "SELECT 1", &e), MUNI_OK);
}

static void every_change_behind_the_log_is_damage(void **state)
{
	static const char *const changes[] = {
		"DELETE FROM hold WHERE id = 1",
		"DELETE FROM hold WHERE id = 2",
		"UPDATE hold SET released = 1, released_because = 'x' WHERE id = 1",
		"UPDATE hold SET released = NULL WHERE id = 2",
		"UPDATE hold SET path = x'62'",
		"UPDATE hold SET upto = 0 WHERE id = 1",
		"UPDATE hold SET class = 'NONE' WHERE id = 1",
		"UPDATE hold SET system = 7 WHERE id = 1",
		"UPDATE hold SET query = '{path: x}' WHERE id = 1",
		"INSERT INTO hold SELECT 9, case_ref, mandate, reason, system, path, class, query,"
		"  upto, placed, released, released_because FROM hold WHERE id = 1",
		"DELETE FROM extension",
		"UPDATE extension SET until = until - 1",
		"UPDATE extension SET path = x'62'",
		"DELETE FROM event",
		"UPDATE event SET at = 0",
		"INSERT INTO event SELECT system, 'case-closed', at, day, recorded, reason FROM event",
		"DELETE FROM officer",
		"UPDATE officer SET roles = 'records,owner'",
		"UPDATE officer SET removed = 9",
		"UPDATE officer SET cert = x'00'",
		"INSERT INTO officer(id, roles, person, cert, fingerprint, added)"
		"  SELECT 'O2', roles, person, x'01', x'02', added FROM officer",
		"INSERT INTO shortening(class, policy, upto, disposition, made)"
		"  VALUES('FIN', 1, 9, 1, 1)",
		"DELETE FROM class_definition",
		"DELETE FROM policy",
		"UPDATE log_detail SET details = replace(details, 'case 1', 'case 3')",
		"DELETE FROM log_detail WHERE details LIKE '%case 1%'",
		/* A hold that stands has its words; what is gone can be no reason to let go. */
		"UPDATE log_detail SET details = NULL WHERE details LIKE '%case 1%';"
		"  DELETE FROM hold WHERE id = 1",
		"UPDATE log_detail SET details = NULL WHERE details LIKE '%until%'",
		"UPDATE log_detail SET details = NULL WHERE details LIKE '%case 2%'",
		"UPDATE log_detail SET details = NULL WHERE details LIKE '%system-retired%';"
		"  DELETE FROM event",
	};
	struct fixture *f = *state;
	struct err e;

	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		if (check_after(f, changes[i], &e) == MUNI_OK)
			fail_msg("not found: %s", changes[i]);
		else if (e.code != MUNI_DAMAGED && e.code != MUNI_FORMAT)
			fail_msg("%s: code %d: %s", changes[i], e.code, e.text);
}

static int64_t entry_that_says(struct fixture *f, const char *word)
{
	sqlite3_stmt *stmt = NULL;
	int64_t sequence;

	assert_int_equal(sqlite3_prepare_v2(catalogue_sqlite(vault_catalogue(f->v)),
					    "SELECT min(seq) FROM log_detail WHERE instr(details, ?)",
					    -1, &stmt, NULL), SQLITE_OK);
	sqlite3_bind_text(stmt, 1, word, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	sequence = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return sequence;
}

/* A switch says that it took the words of the entry that has this one. */
static void say_taken(struct fixture *f, const char *word)
{
	char details[100];
	struct err e = ERR_NONE;

	snprintf(details, sizeof details, "{\"disposition\":1,\"words\":\"%lld\"}",
		 (long long)entry_that_says(f, word));
	must(catalogue_begin(vault_catalogue(f->v), &e));
	must(vault_commit_act(f->v, LOG_EPOCH_SWITCHED, details, &e));
}

static void words_are_missing_only_where_a_switch_says_that_it_took_them(void **state)
{
	static const char no_case_2[] = "UPDATE log_detail SET details = NULL, salt = NULL"
					" WHERE details LIKE '%case 2%'";
	static const char no_event[] = "UPDATE log_detail SET details = NULL"
				       " WHERE details LIKE '%system-retired%'";
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	must(catalogue_begin(vault_catalogue(f->v), &e));
	must(vault_commit_act(f->v, LOG_EPOCH_SWITCHED, "{\"disposition\":1,\"words\":\"\"}", &e));
	assert_int_equal(check_after(f, no_case_2, &e), MUNI_DAMAGED);
	say_taken(f, "case 2");
	assert_int_equal(check_after(f, no_case_2, &e), MUNI_OK);
	/* That excuses no other. */
	assert_int_equal(check_after(f, no_event, &e), MUNI_DAMAGED);
	/* The hold's row may go with them, but not that of one that stands. */
	assert_int_equal(check_after(f, "UPDATE log_detail SET details = NULL"
				     " WHERE details LIKE '%case 2%';"
				     "  DELETE FROM hold WHERE id = 2", &e), MUNI_OK);
	say_taken(f, "case 1");
	assert_int_equal(check_after(f, "UPDATE log_detail SET details = NULL"
				     " WHERE details LIKE '%case 1%';"
				     "  DELETE FROM hold WHERE id = 1", &e), MUNI_DAMAGED);
	/* An event's words go with its system, with or without its row. */
	say_taken(f, "system-retired");
	assert_int_equal(check_after(f, no_event, &e), MUNI_OK);
	assert_int_equal(check_after(f, "UPDATE log_detail SET details = NULL"
				     " WHERE details LIKE '%system-retired%';"
				     "  DELETE FROM event", &e), MUNI_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_done_by_acts_agrees_with_the_log),
		cmocka_unit_test(every_change_behind_the_log_is_damage),
		cmocka_unit_test(words_are_missing_only_where_a_switch_says_that_it_took_them),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

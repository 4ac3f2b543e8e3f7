#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/vault/epoch.h"
#include "fs/vault/inside.h"

static const struct epoch_options keys_only = { .disposition = 0 };
static int64_t now = 1700000000;

static int64_t clock_of_test(void)
{
	return now;
}

struct fixture {
	char folder[64];
	char path[96], keyring[96], key[96], other_key[96];
	struct vault_options options;
};

static void put(const char *path, char fill)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	for (int i = 0; i < 40; i++)
		fputc(fill, file);
	fclose(file);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct vault_init_options o = { .now = clock_of_test };
	char id[33], *keyring;
	bool is_inside;
	struct err e = ERR_NONE;

	strcpy(f->folder, "/tmp/muniment-archive.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/a", f->folder);
	snprintf(f->keyring, sizeof f->keyring, "%s/k", f->folder);
	snprintf(f->key, sizeof f->key, "%s/key", f->folder);
	snprintf(f->other_key, sizeof f->other_key, "%s/other", f->folder);
	put(f->key, 'k');
	put(f->other_key, 'o');
	f->options = (struct vault_options){
		.keys = { .keyring = f->keyring, .key_file = f->key },
		.now = clock_of_test,
	};
	o.keys = f->options.keys;
	if (vault_init(f->path, &o, id, &keyring, &is_inside, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(strlen(id), 32);
	assert_false(is_inside);
	free(keyring);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[200];

	snprintf(command, sizeof command, "rm -r %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static struct vault *open_vault(const struct fixture *f, enum vault_mode mode)
{
	struct vault *v;
	struct err e = ERR_NONE;

	if (vault_open(f->path, &f->options, mode, &v, &e) < 0)
		fail_msg("%s", e.text);
	return v;
}

static enum muni_code code_of_opening(const struct fixture *f, enum vault_mode mode)
{
	struct vault *v;
	struct err e = ERR_NONE;

	if (vault_open(f->path, &f->options, mode, &v, &e) == 0) {
		vault_close(v);
		return MUNI_OK;
	}
	assert_null(v);
	return e.code;
}

/* A version without entries; `at` decides SYSTEM@DATE. */
static void begin_version(struct vault *v, const char *system, const char *label, int64_t at,
			  struct version *out)
{
	struct system s;
	struct err e = ERR_NONE;

	*out = (struct version){ .at = at, .ingested = now };
	assert_int_equal(catalogue_begin(v->catalogue, &e), 0);
	assert_int_equal(catalogue_system_intern(v->catalogue, system, &s, &e), 0);
	out->system = s.id;
	strcpy(out->label, label);
	strcpy(out->source_kind, "directory");
	assert_int_equal(catalogue_version_begin(v->catalogue, out, &e), 0);
}

static void add_version(struct vault *v, const char *system, const char *label, int64_t at)
{
	struct version version;
	struct err e = ERR_NONE;

	begin_version(v, system, label, at, &version);
	version.state = VERSION_COMPLETE;
	assert_int_equal(catalogue_version_seal(v->catalogue, &version, "{}",
						(const uint8_t *)"s", 1, &e), 0);
	if (vault_commit_act(v, LOG_INGEST, "{\"version\":1}", &e) < 0)
		fail_msg("%s", e.text);
}

static uint64_t count_of(struct vault *v)
{
	return log_count(v->log);
}

static void an_act_is_in_log_catalogue_head_and_anchor(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	struct log_head head;
	struct log_entry entry;
	struct digest commitment;
	uint8_t salt[16];
	char *details;
	struct err e = ERR_NONE;

	assert_null(vault_notice(v, 0));
	assert_int_equal(count_of(v), 1);
	add_version(v, "hr", "first", now);
	vault_close(v);

	v = open_vault(f, VAULT_READ);
	assert_int_equal(count_of(v), 2);
	assert_int_equal(log_newest_head(v->log, &head, &e), 0);
	assert_int_equal(head.count, 2);
	assert_int_equal(head.generation, 2);
	assert_int_equal(log_read(v->log, 1, &entry, &e), 0);
	assert_int_equal(entry.act, LOG_INGEST);
	assert_int_equal(entry.time, now);
	assert_int_equal(catalogue_log_detail_get(v->catalogue, 1, salt, &details, &e), 0);
	commitment = digest_of_pair(salt, 16, details, strlen(details));
	assert_true(digest_equal(&commitment, &entry.commitment));
	assert_string_equal(details, "{\"version\":1}");
	free(details);
	vault_close(v);
}

static void a_second_writer_is_told_who_writes_and_readers_are_not_kept_out(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE), *second;
	struct err e = ERR_NONE;
	char pid[32];

	assert_int_equal(vault_open(f->path, &f->options, VAULT_WRITE, &second, &e), -1);
	assert_int_equal(e.code, MUNI_BUSY);
	snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
	assert_non_null(strstr(e.text, pid));
	assert_int_equal(code_of_opening(f, VAULT_READ), MUNI_OK);
	vault_close(v);
	assert_int_equal(code_of_opening(f, VAULT_WRITE), MUNI_OK);
}

static void a_version_that_was_not_sealed_is_rolled_back_and_logged(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	struct version version;
	struct log_entry entry;
	bool is_in_progress;
	struct err e = ERR_NONE;

	/* By closing, as after an ingest that failed ... */
	begin_version(v, "hr", "first", now, &version);
	assert_int_equal(catalogue_commit(v->catalogue, &e), 0);
	vault_close(v);
	v = open_vault(f, VAULT_WRITE);
	assert_null(vault_notice(v, 0));
	assert_int_equal(count_of(v), 2);
	assert_int_equal(log_read(v->log, 1, &entry, &e), 0);
	assert_int_equal(entry.act, LOG_INGEST_ABANDONED);
	vault_close(v);

	/* ... and by the next opening, as after a kill. */
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (vault_open(f->path, &f->options, VAULT_WRITE, &v, &e) < 0)
			_exit(1);
		begin_version(v, "hr", "first", now, &version);
		_exit(catalogue_commit(v->catalogue, &e) < 0);
	}
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	v = open_vault(f, VAULT_READ);	/* a reader sees nothing of it */
	assert_int_equal(vault_resolve(v->catalogue, "hr", &version, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	vault_close(v);
	v = open_vault(f, VAULT_WRITE);
	assert_non_null(vault_notice(v, 0));
	assert_int_equal(count_of(v), 3);
	assert_int_equal(catalogue_is_in_progress(v->catalogue, &is_in_progress, &e), 0);
	assert_false(is_in_progress);
	add_version(v, "hr", "first", now);	/* the label is free */
	vault_close(v);
}

/* T2: the catalogue has committed, and the power went before the head. */
static void an_act_without_its_head_gets_it_at_the_next_opening(void **state)
{
	struct fixture *f = *state;
	struct log_head head;
	struct err e = ERR_NONE;
	char command[400];
	struct vault *v;

	snprintf(command, sizeof command, "cp -a %s/audit/heads %s/heads", f->path, f->folder);
	assert_int_equal(system(command), 0);
	v = open_vault(f, VAULT_WRITE);
	add_version(v, "hr", "first", now);
	vault_close(v);
	snprintf(command, sizeof command, "cp %s/heads %s/audit/heads && "
		 "cp %s/heads %s/audit/heads.2", f->folder, f->path, f->folder, f->path);
	assert_int_equal(system(command), 0);
	v = open_vault(f, VAULT_READ);
	assert_int_equal(log_newest_head(v->log, &head, &e), 0);
	assert_int_equal(head.count, 1);
	vault_close(v);
	v = open_vault(f, VAULT_WRITE);
	assert_int_equal(log_newest_head(v->log, &head, &e), 0);
	assert_int_equal(head.count, 2);
	vault_close(v);
}

/* T3 */
static void a_change_that_nothing_explains_is_refused(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	struct catalogue_settings s;
	struct err e = ERR_NONE;

	assert_int_equal(catalogue_begin(v->catalogue, &e), 0);
	assert_int_equal(catalogue_settings_get(v->catalogue, &s, &e), 0);
	s.level = 7;
	assert_int_equal(catalogue_settings_put(v->catalogue, &s, &e), 0);
	assert_int_equal(catalogue_commit(v->catalogue, &e), 0);
	vault_close(v);
	assert_int_equal(code_of_opening(f, VAULT_WRITE), MUNI_DAMAGED);
}

static void versions_are_found_as_people_name_them(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	struct catalogue *c;
	struct version version;
	struct err e = ERR_NONE;

	add_version(v, "hr", "first", 1609459200);	/* 2021-01-01 */
	add_version(v, "hr", "second", 1625054400);	/* 2021-06-30T12:00 */
	add_version(v, "crm", "only", 0);
	vault_close(v);
	v = open_vault(f, VAULT_READ);
	assert_int_equal(vault_connect(v, 1 << 20, &c, &e), 0);
	struct { const char *spec, *label; } found[] = {
		{ "hr", "second" }, { "hr@first", "first" }, { "hr@second", "second" },
		{ "hr@2021-06-29", "first" }, { "hr@2021-06-30", "second" },
		{ "hr@2021-06-30T11:59:59Z", "first" }, { "hr@2030-01-01", "second" },
		{ "crm", "only" }, { "crm@1970-01-01", "only" },
	};

	for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
		if (vault_resolve(c, found[i].spec, &version, &e) < 0)
			fail_msg("%s: %s", found[i].spec, e.text);
		assert_string_equal(version.label, found[i].label);
	}
	const char *lost[] = { "", "h", "hrx", "hr@", "hr@third", "hr@2020-12-31", "@first",
			       "hr@first@second" };

	for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
		assert_int_equal(vault_resolve(c, lost[i], &version, &e), -1);
		assert_int_equal(e.code, MUNI_NOT_FOUND);
	}
	catalogue_close(c);
	vault_close(v);
}

static void keys_come_and_go_and_the_log_tells(void **state)
{
	struct fixture *f = *state;
	const struct vault_keys other = { .key_file = f->other_key };
	struct fixture g = *f;
	struct vault *v = open_vault(f, VAULT_WRITE);
	struct vault_key *keys;
	struct log_entry entry;
	struct epoch_result result;
	unsigned number;
	size_t count;
	struct err e = ERR_NONE;

	g.options.keys.key_file = f->other_key;
	assert_int_equal(code_of_opening(&g, VAULT_READ), MUNI_CANNOT_UNLOCK);
	assert_int_equal(vault_key_add(v, &other, NULL, "\"desk\"", &number, &e), 0);
	assert_int_equal(number, 2);
	assert_int_equal(vault_key_list(v, &keys, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_string_equal(keys[1].label, "\"desk\"");
	assert_string_equal(keys[1].kind, "key file");
	assert_int_equal(keys[1].created, now);
	free(keys);
	assert_int_equal(vault_key_message(v, 2, (uint8_t **)&keys, &count, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	vault_close(v);

	v = open_vault(&g, VAULT_WRITE);
	if (vault_key_remove(v, 1, &keys_only, NULL, &result, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(result.new_epoch, 2);
	assert_int_equal(vault_key_remove(v, 2, &keys_only, NULL, &result, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_int_equal(count_of(v), 6);	/* intent, switched, ended */
	assert_int_equal(log_read(v->log, 1, &entry, &e), 0);
	assert_int_equal(entry.act, LOG_KEY_ADDED);
	assert_int_equal(log_read(v->log, 2, &entry, &e), 0);
	assert_int_equal(entry.act, LOG_KEY_REMOVED);
	vault_close(v);
	assert_int_equal(code_of_opening(f, VAULT_READ), MUNI_CANNOT_UNLOCK);
	assert_int_equal(code_of_opening(&g, VAULT_WRITE), MUNI_OK);
}

static void a_reader_changes_no_key(void **state)
{
	struct fixture *f = *state;
	const struct vault_keys other = { .key_file = f->other_key };
	struct vault *v = open_vault(f, VAULT_READ);
	struct epoch_result result;
	unsigned number;
	struct err e = ERR_NONE;

	assert_int_equal(vault_key_add(v, &other, NULL, NULL, &number, &e), -1);
	assert_int_equal(vault_key_remove(v, 1, &keys_only, NULL, &result, &e), -1);
	assert_int_equal(vault_key_rotate(v, &keys_only, NULL, &result, &e), -1);
	vault_close(v);
}

static int prompt(void *arg, const char *question, char *out, size_t size)
{
	const char ***answers = arg;
	const char *answer = *(*answers)++;

	assert_non_null(question);
	if (!answer || strlen(answer) >= size)
		return -1;
	strcpy(out, answer);
	return (int)strlen(answer);
}

static void a_passphrase_is_asked_for_twice_and_opens(void **state)
{
	struct fixture *f = *state;
	const char *answers[] = { "horse", "horse", "horsf", "horse", "one", "two", NULL };
	const char **next = answers;
	struct vault_init_options o = { .keys = { .prompt = prompt, .prompt_arg = &next } };
	struct vault_options open = { .keys = o.keys };
	char id[33], *keyring, path[120], inside[140];
	bool is_inside;
	struct vault *v;
	struct err e = ERR_NONE;

	snprintf(path, sizeof path, "%s/b", f->folder);
	snprintf(inside, sizeof inside, "%s/keyring", path);
	o.keys.keyring = inside;
	assert_int_equal(vault_init(path, &o, id, &keyring, &is_inside, &e), 0);
	assert_true(is_inside);
	free(keyring);
	assert_int_equal(vault_open(path, &open, VAULT_READ, &v, &e), -1);
	assert_int_equal(e.code, MUNI_CANNOT_UNLOCK);
	assert_int_equal(vault_open(path, &open, VAULT_READ, &v, &e), 0);
	vault_close(v);

	snprintf(path, sizeof path, "%s/c", f->folder);
	snprintf(inside, sizeof inside, "%s.keyring", path);
	assert_int_equal(vault_init(path, &o, id, &keyring, &is_inside, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	assert_int_equal(access(path, F_OK), -1);
}

static void the_archives_certificate_lies_open_and_is_watched(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	char path[140];
	bool is_whole;
	struct err e = ERR_NONE;

	assert_int_equal(vault_certificate_check(v, &is_whole, &e), 0);
	assert_true(is_whole);
	snprintf(path, sizeof path, "%s/certificates/archive.pem", f->path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(vault_certificate_check(v, &is_whole, &e), 0);
	assert_false(is_whole);
	put(path, 'x');
	assert_int_equal(vault_certificate_check(v, &is_whole, &e), 0);
	assert_false(is_whole);
	assert_int_equal(vault_certificate_put(v, &e), 0);
	assert_int_equal(vault_certificate_check(v, &is_whole, &e), 0);
	assert_true(is_whole);
	vault_close(v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_act_is_in_log_catalogue_head_and_anchor),
		TEST(a_second_writer_is_told_who_writes_and_readers_are_not_kept_out),
		TEST(a_version_that_was_not_sealed_is_rolled_back_and_logged),
		TEST(an_act_without_its_head_gets_it_at_the_next_opening),
		TEST(a_change_that_nothing_explains_is_refused),
		TEST(versions_are_found_as_people_name_them),
		TEST(keys_come_and_go_and_the_log_tells),
		TEST(a_reader_changes_no_key),
		TEST(a_passphrase_is_asked_for_twice_and_opens),
		TEST(the_archives_certificate_lies_open_and_is_watched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/epoch.h"
#include "fs/vault/inside.h"
#include "fs/vault/presence.h"

#define SOON_MS 200

static const struct epoch_options keys_only = { .mounts_timeout_ms = SOON_MS };

static int64_t clock_of_test(void)
{
	return 1700000000;
}

struct fixture {
	char folder[64], path[96], keyring[96], key[96];
	struct vault_options options;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct vault_init_options o = { .now = clock_of_test };
	char id[33], *keyring;
	bool is_inside;
	struct err e = ERR_NONE;
	FILE *file;

	strcpy(f->folder, "/tmp/muniment-epoch.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/a", f->folder);
	snprintf(f->keyring, sizeof f->keyring, "%s/k", f->folder);
	snprintf(f->key, sizeof f->key, "%s/key", f->folder);
	file = fopen(f->key, "wb");
	assert_non_null(file);
	fputs("0123456789abcdef0123456789abcdef0123456789abcdef", file);
	fclose(file);
	f->options = (struct vault_options){
		.keys = { .keyring = f->keyring, .key_file = f->key }, .now = clock_of_test };
	o.keys = f->options.keys;
	if (vault_init(f->path, &o, id, &keyring, &is_inside, &e) < 0)
		fail_msg("%s", e.text);
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

static bool is_there(const struct fixture *f, const char *name)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", f->path, name);
	return stat(path, &st) == 0;
}

static enum log_act act_at(struct vault *v, uint64_t from_end)
{
	struct log_entry entry;
	struct err e = ERR_NONE;

	assert_int_equal(log_read(v->log, log_count(v->log) - from_end, &entry, &e), 0);
	return entry.act;
}

static bool has_notice(struct vault *v, const char *part)
{
	const char *notice;

	for (unsigned i = 0; (notice = vault_notice(v, i)) != NULL; i++)
		if (strstr(notice, part))
			return true;
	return false;
}

static void assert_on_epoch(struct fixture *f, struct vault *v, uint64_t epoch)
{
	struct catalogue_settings s;
	struct log_head head;
	char name[32];
	struct err e = ERR_NONE;

	assert_int_equal(v->epoch, epoch);
	assert_int_equal(keyring_epoch(v->keyring), epoch);
	assert_int_equal(keyring_successor_epoch(v->keyring), 0);
	assert_int_equal(catalogue_settings_get(v->catalogue, &s, &e), 0);
	assert_int_equal(s.epoch, epoch);
	assert_int_equal(log_newest_head(v->log, &head, &e), 0);
	assert_int_equal(head.epoch, epoch);
	assert_int_equal(head.count, log_count(v->log));
	for (uint64_t other = epoch - 1; other <= epoch + 1; other++) {
		snprintf(name, sizeof name, "catalogue.%llu", (unsigned long long)other);
		assert_int_equal(is_there(f, name), other == epoch);
	}
}

static void a_rotated_archive_goes_on_under_its_new_key(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	uint8_t old_key[32];
	struct epoch_result r;
	char *details;
	uint8_t salt[16];
	struct err e = ERR_NONE;

	memcpy(old_key, keyring_catalogue_key(v->keyring, 1), sizeof old_key);
	if (vault_key_rotate(v, &keys_only, NULL, &r, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(r.old_epoch, 1);
	assert_int_equal(r.new_epoch, 2);
	assert_int_equal(r.before.count, 1);
	assert_int_equal(r.before.epoch, 1);
	assert_int_equal(r.after.count + 1, log_count(v->log));	/* the end is an act too */
	assert_int_equal(r.after.epoch, 2);
	assert_false(r.keyring_inside);
	assert_on_epoch(f, v, 2);
	assert_null(keyring_catalogue_key(v->keyring, 1));
	assert_memory_not_equal(keyring_catalogue_key(v->keyring, 2), old_key, sizeof old_key);
	assert_int_equal(act_at(v, 3), LOG_EPOCH_INTENT);
	assert_int_equal(act_at(v, 2), LOG_EPOCH_SWITCHED);
	assert_int_equal(act_at(v, 1), LOG_EPOCH_ENDED);
	/* Every entry has its details, also that of the switch itself. */
	for (uint64_t i = 0; i < log_count(v->log); i++) {
		assert_int_equal(catalogue_log_detail_get(v->catalogue, i, salt, &details, &e),
				 0);
		assert_non_null(details);
		free(details);
	}
	/* The same handle goes on. */
	assert_int_equal(catalogue_begin(v->catalogue, &e), 0);
	assert_int_equal(vault_commit_act(v, LOG_VERIFY, "{}", &e), 0);
	assert_int_equal(vault_epoch_switch(v, &keys_only, NULL, &r, &e), 0);
	vault_close(v);
	v = open_vault(f, VAULT_WRITE);
	assert_null(vault_notice(v, 0));
	assert_on_epoch(f, v, 3);
	vault_close(v);
}

static void a_switch_that_fails_takes_itself_back(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	struct epoch_result r;
	char path[160];
	FILE *file;
	struct err e = ERR_NONE;

	snprintf(path, sizeof path, "%s/catalogue.2", f->path);
	file = fopen(path, "wb");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(vault_epoch_switch(v, &keys_only, NULL, &r, &e), -1);
	assert_non_null(strstr(e.text, "all is as it was"));
	assert_on_epoch(f, v, 1);
	assert_int_equal(act_at(v, 2), LOG_EPOCH_INTENT);
	assert_int_equal(act_at(v, 1), LOG_EPOCH_ABANDONED);
	e = ERR_NONE;
	if (vault_epoch_switch(v, &keys_only, NULL, &r, &e) < 0)
		fail_msg("%s", e.text);
	assert_on_epoch(f, v, 2);
	vault_close(v);
}

static bool yes(void *arg)
{
	(void)arg;
	return true;
}

static void a_switch_that_is_cancelled_takes_itself_back(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	const struct vault_monitor impatient = { .is_cancelled = yes };
	struct epoch_result r;
	struct err e = ERR_NONE;

	assert_int_equal(vault_epoch_switch(v, &keys_only, &impatient, &r, &e), -1);
	assert_int_equal(e.code, MUNI_CANCELLED);
	assert_on_epoch(f, v, 1);
	assert_int_equal(act_at(v, 1), LOG_EPOCH_ABANDONED);
	vault_close(v);
}

static void a_folder_in_the_way_stops_a_switch_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	struct epoch_result r;
	char path[160];
	struct err e = ERR_NONE;

	snprintf(path, sizeof path, "%s/catalogue.2", f->path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(vault_epoch_switch(v, &keys_only, NULL, &r, &e), -1);
	assert_non_null(strstr(e.text, "catalogue.2"));
	vault_close(v);
	v = open_vault(f, VAULT_WRITE);
	assert_null(vault_notice(v, 0));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(vault_epoch_switch(v, &keys_only, NULL, &r, &e), 0);
	assert_on_epoch(f, v, 2);
	vault_close(v);
}

/* Past the point of no return, with the old key still there. */
static void assert_stopped_then_ended(struct fixture *f, struct vault *v, void (*release)(void *),
				      void *arg)
{
	struct vault *beside;
	struct err e = ERR_NONE;

	assert_int_equal(v->epoch, 2);
	assert_int_equal(keyring_epoch(v->keyring), 1);
	assert_int_equal(keyring_successor_epoch(v->keyring), 2);
	assert_true(is_there(f, "catalogue.1"));
	vault_close(v);
	beside = open_vault(f, VAULT_READ);
	assert_int_equal(beside->epoch, 2);
	vault_close(beside);
	/* A writer that comes too early meets the same, in the time that it gives. */
	f->options.epoch = &keys_only;
	assert_int_equal(vault_open(f->path, &f->options, VAULT_WRITE, &v, &e), -1);
	assert_int_equal(e.code, MUNI_BUSY);
	release(arg);
	v = open_vault(f, VAULT_WRITE);
	assert_true(has_notice(v, "brought to its end"));
	assert_on_epoch(f, v, 2);
	assert_int_equal(act_at(v, 1), LOG_EPOCH_ENDED);
	vault_close(v);
}

static void forget_mount(void *arg)
{
	presence_close(arg);
}

static void a_mount_that_does_not_answer_stops_it_and_the_next_writer_goes_on(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	struct presence *mount;
	struct epoch_result r;
	struct err e = ERR_NONE;

	assert_int_equal(presence_register(v, "mounted on /mnt/deaf", &mount, &e), 0);
	assert_int_equal(vault_epoch_switch(v, &keys_only, NULL, &r, &e), -1);
	assert_int_equal(e.code, MUNI_BUSY);
	assert_non_null(strstr(e.text, "/mnt/deaf"));
	assert_stopped_then_ended(f, v, forget_mount, mount);
}

static void end_reader(void *arg)
{
	pid_t pid = *(pid_t *)arg;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_process_that_reads_the_old_epoch_is_waited_for_and_named(void **state)
{
	struct fixture *f = *state;
	struct epoch_result r;
	struct vault *v;
	char number[24];
	int ready[2];
	char byte;
	pid_t pid;
	struct err e = ERR_NONE;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		v = open_vault(f, VAULT_READ);
		(void)!write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	v = open_vault(f, VAULT_WRITE);
	assert_int_equal(vault_epoch_switch(v, &keys_only, NULL, &r, &e), -1);
	assert_int_equal(e.code, MUNI_BUSY);
	snprintf(number, sizeof number, "process %ld ", (long)pid);
	assert_non_null(strstr(e.text, number));
	assert_stopped_then_ended(f, v, end_reader, &pid);
}

static void a_key_that_has_sealed_too_much_asks_for_a_new_epoch(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	struct catalogue_settings s;
	struct epoch_result r;
	struct err e = ERR_NONE;

	assert_int_equal(catalogue_begin(v->catalogue, &e), 0);
	assert_int_equal(catalogue_settings_get(v->catalogue, &s, &e), 0);
	assert_true(s.page_seals > 0);
	s.page_seals = UINT64_C(1) << 31;
	assert_int_equal(catalogue_settings_put(v->catalogue, &s, &e), 0);
	assert_int_equal(vault_commit_act(v, LOG_VERIFY, "{}", &e), 0);
	vault_close(v);
	v = open_vault(f, VAULT_WRITE);
	assert_true(has_notice(v, "key rotate"));
	assert_int_equal(vault_epoch_switch(v, &keys_only, NULL, &r, &e), 0);
	vault_close(v);
	v = open_vault(f, VAULT_WRITE);
	assert_false(has_notice(v, "key rotate"));
	assert_int_equal(catalogue_settings_get(v->catalogue, &s, &e), 0);
	assert_in_range(s.page_seals, 1, 10000);
	vault_close(v);
}

static void nothing_is_switched_while_a_version_is_in_progress(void **state)
{
	struct fixture *f = *state;
	struct vault *v = open_vault(f, VAULT_WRITE);
	struct version version = { .at = 1, .ingested = 1 };
	struct epoch_result r;
	struct system s;
	struct err e = ERR_NONE;

	assert_int_equal(catalogue_begin(v->catalogue, &e), 0);
	assert_int_equal(catalogue_system_intern(v->catalogue, "hr", &s, &e), 0);
	version.system = s.id;
	strcpy(version.label, "one");
	strcpy(version.source_kind, "directory");
	assert_int_equal(catalogue_version_begin(v->catalogue, &version, &e), 0);
	assert_int_equal(catalogue_commit(v->catalogue, &e), 0);
	assert_int_equal(vault_epoch_switch(v, &keys_only, NULL, &r, &e), -1);
	assert_int_equal(e.code, MUNI_BUSY);
	vault_close(v);
	v = open_vault(f, VAULT_READ);
	assert_int_equal(v->epoch, 1);
	vault_close(v);
}

static void a_keyring_inside_is_said_to_be_there(void **state)
{
	struct fixture *f = *state;
	struct epoch_result r;
	struct vault *v;
	char inside[160];
	struct err e = ERR_NONE;

	snprintf(inside, sizeof inside, "%s/k", f->path);
	assert_int_equal(rename(f->keyring, inside), 0);
	f->options.keys.keyring = inside;
	v = open_vault(f, VAULT_WRITE);
	assert_int_equal(vault_epoch_switch(v, &keys_only, NULL, &r, &e), 0);
	assert_true(r.keyring_inside);
	vault_close(v);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_rotated_archive_goes_on_under_its_new_key),
		TEST(a_switch_that_fails_takes_itself_back),
		TEST(a_switch_that_is_cancelled_takes_itself_back),
		TEST(a_folder_in_the_way_stops_a_switch_and_nothing_else),
		TEST(a_mount_that_does_not_answer_stops_it_and_the_next_writer_goes_on),
		TEST(a_process_that_reads_the_old_epoch_is_waited_for_and_named),
		TEST(a_key_that_has_sealed_too_much_asks_for_a_new_epoch),
		TEST(nothing_is_switched_while_a_version_is_in_progress),
		TEST(a_keyring_inside_is_said_to_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

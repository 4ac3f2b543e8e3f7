#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
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
#include "fs/vault/inside.h"
#include "fs/vault/presence.h"

#define OK(call) do { if ((call) < 0) fail_msg("%s: %s", #call, e.text); } while (0)

struct fixture {
	char folder[64], path[96], keyring[96], key[96];
	struct vault *vault;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct vault_options options;
	struct vault_init_options o = { 0 };
	struct err e = ERR_NONE;
	char id[33], *keyring;
	bool is_inside;
	FILE *key;

	strcpy(f->folder, "/tmp/muniment-presence.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/a", f->folder);
	snprintf(f->keyring, sizeof f->keyring, "%s/k", f->folder);
	snprintf(f->key, sizeof f->key, "%s/key", f->folder);
	key = fopen(f->key, "w");
	fprintf(key, "%064d", 7);
	fclose(key);
	options = (struct vault_options){ .keys = { .keyring = f->keyring, .key_file = f->key } };
	o.keys = options.keys;
	OK(vault_init(f->path, &o, id, &keyring, &is_inside, &e));
	free(keyring);
	OK(vault_open(f->path, &options, VAULT_READ, &f->vault, &e));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	vault_close(f->vault);
	snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
	free(f);
	return system(command) == 0 ? 0 : -1;
}

static int run_folder(struct fixture *f)
{
	struct err e = ERR_NONE;
	int fd = vault_run_dir(f->vault, true, &e);

	if (fd < 0)
		fail_msg("%s", e.text);
	return fd;
}

static unsigned files_in(int folder)
{
	DIR *dir = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *entry;
	unsigned count = 0;

	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

struct listener {
	struct presence *p;
	struct presence_event event;
	bool is_done;
	bool is_mute;
};

static void *listen_once(void *arg)
{
	struct listener *l = arg;

	for (unsigned i = 0; i < 50 && !presence_wait(l->p, 100, &l->event); i++)
		;
	if (l->is_mute)
		close(l->event.fd);
	else
		presence_answer(&l->event, l->is_done);
	return NULL;
}

static void count_silent(void *arg, const struct presence_mount *m)
{
	assert_string_equal(m->about, "on /mnt/hr");
	*(unsigned *)arg += !m->has_answered;
}

/* One mount is told of epoch 9; returns what presence_tell() counted. */
static void tell_one(struct fixture *f, struct listener *l, unsigned *answered,
		     unsigned *silent)
{
	int run = run_folder(f);
	unsigned silent_rows = 0;
	pthread_t thread;
	struct err e = ERR_NONE;

	OK(presence_register(f->vault, "on /mnt/hr", &l->p, &e));
	assert_int_equal(files_in(run), 2);
	pthread_create(&thread, NULL, listen_once, l);
	OK(presence_tell(run, PRESENCE_EPOCH, 9, 3000, count_silent, &silent_rows, answered,
			 silent, &e));
	pthread_join(thread, NULL);
	assert_int_equal(silent_rows, *silent);
	presence_close(l->p);
	assert_int_equal(files_in(run), 0);
	close(run);
}

static void a_mount_is_told_and_its_answer_counts(void **state)
{
	struct listener l = { .is_done = true };
	unsigned answered, silent;

	tell_one(*state, &l, &answered, &silent);
	assert_int_equal(l.event.kind, PRESENCE_EPOCH);
	assert_int_equal(l.event.epoch, 9);
	assert_int_equal(answered, 1);
	assert_int_equal(silent, 0);
}

static void a_mount_that_says_not_done_or_nothing_is_silent(void **state)
{
	struct listener refusing = { .is_done = false }, mute = { .is_mute = true };
	unsigned answered, silent;

	tell_one(*state, &refusing, &answered, &silent);
	assert_int_equal(answered, 0);
	assert_int_equal(silent, 1);
	tell_one(*state, &mute, &answered, &silent);
	assert_int_equal(answered, 0);
	assert_int_equal(silent, 1);
}

static void a_dead_mount_is_none_and_its_files_go(void **state)
{
	struct fixture *f = *state;
	int run = run_folder(f), status;
	unsigned answered, silent;
	struct err e = ERR_NONE;

	if (fork() == 0) {
		struct presence *p;
		_exit(presence_register(f->vault, "x", &p, &e) < 0);
	}
	wait(&status);
	assert_int_equal(status, 0);
	assert_int_equal(files_in(run), 2);
	OK(presence_tell(run, PRESENCE_CHANGED, 1, 1000, NULL, NULL, &answered, &silent, &e));
	assert_int_equal(answered + silent, 0);
	assert_int_equal(files_in(run), 0);
	close(run);
}

static void stopping_wakes_who_waits(void **state)
{
	struct fixture *f = *state;
	struct presence_event event;
	struct presence *p;
	struct err e = ERR_NONE;

	OK(presence_register(f->vault, "x", &p, &e));
	presence_stop(p);
	assert_int_equal(presence_wait(p, 60000, &event), 0);
	presence_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mount_is_told_and_its_answer_counts),
		cmocka_unit_test(a_mount_that_says_not_done_or_nothing_is_silent),
		cmocka_unit_test(a_dead_mount_is_none_and_its_files_go),
		cmocka_unit_test(stopping_wakes_who_waits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

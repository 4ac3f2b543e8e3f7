#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/crypt/secret.h"
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
	uint8_t key[32];	/* that it was told */
	enum presence_outcome outcome;	/* as the teller saw it */
	char why[256];
};

static void *listen_once(void *arg)
{
	struct listener *l = arg;

	for (unsigned i = 0; i < 50 && !presence_wait(l->p, 100, &l->event); i++)
		;
	if (l->event.key)
		memcpy(l->key, l->event.key, sizeof l->key);
	if (l->is_mute) {
		close(l->event.fd);
		secret_free(l->event.key);
	} else {
		presence_answer(&l->event, l->is_done, l->is_done ? NULL : "a reason");
	}
	return NULL;
}

static void keep_row(void *arg, const struct presence_mount *m)
{
	struct listener *l = arg;

	assert_string_equal(m->about, "on /mnt/hr");
	l->outcome = m->outcome;
	snprintf(l->why, sizeof l->why, "%s", m->why);
}

static const uint8_t a_key[32] = "the key of epoch nine, in bytes";

/* One mount is told of epoch 9; returns what presence_tell() counted. */
static struct presence_count tell_one(struct fixture *f, struct listener *l)
{
	int run = run_folder(f);
	struct presence_ask ask = { .kind = PRESENCE_EPOCH, .epoch = 9, .key = a_key,
				    .timeout_ms = 3000, .row = keep_row, .arg = l };
	struct presence_count count;
	pthread_t thread;
	struct err e = ERR_NONE;

	OK(presence_register(f->vault, "on /mnt/hr", &l->p, &e));
	assert_int_equal(files_in(run), 2);
	pthread_create(&thread, NULL, listen_once, l);
	OK(presence_tell(run, &ask, &count, &e));
	pthread_join(thread, NULL);
	presence_close(l->p);
	assert_int_equal(files_in(run), 0);
	close(run);
	return count;
}

static void a_mount_is_told_with_the_key_and_its_answer_counts(void **state)
{
	struct listener l = { .is_done = true };
	struct presence_count count = tell_one(*state, &l);

	assert_int_equal(l.event.kind, PRESENCE_EPOCH);
	assert_int_equal(l.event.epoch, 9);
	assert_memory_equal(l.key, a_key, 32);
	assert_int_equal(count.done, 1);
	assert_int_equal(count.silent + count.not_done + count.ended, 0);
}

static void a_mount_that_cannot_and_one_that_is_silent_are_told_apart(void **state)
{
	struct listener refusing = { .is_done = false }, mute = { .is_mute = true };
	struct presence_count count = tell_one(*state, &refusing);

	assert_int_equal(count.not_done, 1);
	assert_int_equal(count.done + count.silent, 0);
	assert_int_equal(refusing.outcome, PRESENCE_NOT_DONE);
	assert_string_equal(refusing.why, "a reason");
	count = tell_one(*state, &mute);
	assert_int_equal(count.silent, 1);
	assert_int_equal(count.done + count.not_done, 0);
	assert_int_equal(mute.outcome, PRESENCE_SILENT);
}

/* ---- processes that stand for mounts --------------------------------------------- */

/* A registered process that never listens; returns its number. */
static pid_t silent_process(struct fixture *f)
{
	struct err e = ERR_NONE;
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct presence *p;
		if (presence_register(f->vault, "on /mnt/hr", &p, &e) < 0)
			_exit(1);
		(void)!write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void the_switch_stops_at_a_silent_mount_and_names_it(void **state)
{
	struct fixture *f = *state;
	struct presence_ask ask = { .epoch = 9, .key = a_key, .timeout_ms = 300 };
	struct presence_count count;
	struct err e = ERR_NONE;
	int run = run_folder(f), status;
	pid_t pid = silent_process(f);

	assert_int_equal(presence_switch(run, &ask, &count, &e), -1);
	assert_int_equal(e.code, MUNI_BUSY);
	assert_non_null(strstr(e.text, "on /mnt/hr (silent)"));
	assert_int_equal(count.silent, 1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	OK(presence_switch(run, &ask, &count, &e));
	close(run);
}

static void a_silent_mount_is_ended_where_that_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct listener l = { 0 };
	struct presence_ask ask = { .epoch = 9, .key = a_key, .timeout_ms = 300,
				    .may_end = true, .row = keep_row, .arg = &l };
	struct presence_count count;
	struct err e = ERR_NONE;
	int run = run_folder(f), status;
	pid_t pid = silent_process(f);

	kill(pid, SIGSTOP);
	OK(presence_switch(run, &ask, &count, &e));
	assert_int_equal(count.ended, 1);
	assert_int_equal(l.outcome, PRESENCE_ENDED);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(files_in(run), 0);
	close(run);
}

/* The files of one process, under the number of another. */
static void nobody_is_ended_who_is_not_provably_the_mount(void **state)
{
	struct fixture *f = *state;
	struct presence_ask ask = { .epoch = 9, .key = a_key, .timeout_ms = 300,
				    .may_end = true };
	struct presence_count count;
	struct err e = ERR_NONE;
	int run = run_folder(f), status;
	pid_t pid = silent_process(f), innocent = fork();
	struct dirent *entry;
	char name[128];
	DIR *dir;

	if (innocent == 0)
		for (;;)
			pause();
	dir = fdopendir(openat(run, ".", O_RDONLY | O_DIRECTORY));
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, "mount.", 6) == 0) {
			snprintf(name, sizeof name, "mount.%d.%s", (int)innocent,
				 strstr(entry->d_name + 6, ".") + 1);
			assert_int_equal(renameat(run, entry->d_name, run, name), 0);
		}
	closedir(dir);
	assert_int_equal(presence_switch(run, &ask, &count, &e), -1);
	assert_int_equal(count.silent, 1);
	assert_int_equal(kill(innocent, 0), 0);
	assert_int_equal(waitpid(innocent, &status, WNOHANG), 0);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(innocent, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(innocent, &status, 0);
	waitpid(pid, &status, 0);
	OK(presence_switch(run, &ask, &count, &e));
	assert_int_equal(files_in(run), 0);
	close(run);
}

/* A registered process that hangs up on whoever asks first.  Asked again it answers, or,
 * leaving, ends without a word. */
static pid_t process_that_hangs_up_once(struct fixture *f, bool is_leaving)
{
	struct err e = ERR_NONE;
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct presence_event event;
		struct presence *p;
		if (presence_register(f->vault, "on /mnt/hr", &p, &e) < 0)
			_exit(1);
		(void)!write(ready[1], "r", 1);
		if (presence_wait(p, 60000, &event) != 1)
			_exit(2);
		close(event.fd);
		if (presence_wait(p, 60000, &event) != 1)
			_exit(3);
		if (!is_leaving)
			presence_answer(&event, true, "so");
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void keep_why(void *arg, const struct presence_mount *m)
{
	snprintf(arg, 64, "%s", m->why);
}

/* A mount that is being unmounted closes its socket before it lets go of its lock: that
 * is no silence, and no reason to leave an epoch half changed. */
static void a_mount_that_hangs_up_on_its_way_out_is_waited_for(void **state)
{
	struct fixture *f = *state;
	struct presence_ask ask = { .epoch = 9, .key = a_key, .timeout_ms = 30000 };
	struct presence_count count;
	struct err e = ERR_NONE;
	int run = run_folder(f), status;
	char why[64] = "";
	pid_t pid = process_that_hangs_up_once(f, true);

	OK(presence_switch(run, &ask, &count, &e));
	assert_int_equal(count.ended, 1);
	assert_int_equal(count.silent + count.not_done + count.done, 0);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(files_in(run), 0);
	pid = process_that_hangs_up_once(f, false);
	ask.row = keep_why;
	ask.arg = why;
	OK(presence_switch(run, &ask, &count, &e));
	assert_string_equal(why, "so");	/* and nothing of what it said before */
	assert_int_equal(count.done, 1);
	assert_int_equal(count.silent + count.not_done + count.ended, 0);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	close(run);
}

/* Whoever tells mounts looks at every registration, also at one that is just being made, and
 * takes one that is not locked yet for a dead one's: that costs no mount its place. */
static void a_mount_registers_beside_whoever_looks(void **state)
{
	struct fixture *f = *state;
	struct presence_ask ask = { .kind = PRESENCE_CHANGED, .timeout_ms = 1 };
	struct presence_count count;
	struct err e = ERR_NONE;
	int run = run_folder(f), status;
	pid_t pids[2];

	for (unsigned i = 0; i < 2; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (presence_tell(run, &ask, &count, &e) == 0)
				;
			_exit(1);
		}
	}
	for (unsigned i = 0; i < 1000; i++) {
		struct presence *p;
		OK(presence_register(f->vault, "on /mnt/hr", &p, &e));
		presence_close(p);
	}
	for (unsigned i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	OK(presence_tell(run, &ask, &count, &e));
	assert_int_equal(files_in(run), 0);
	close(run);
}

static void no_key_goes_into_a_folder_that_others_can_write(void **state)
{
	struct fixture *f = *state;
	struct presence_ask ask = { .epoch = 9, .key = a_key, .timeout_ms = 300 };
	struct presence_count count;
	struct err e = ERR_NONE;
	int run = run_folder(f);

	assert_int_equal(fchmod(run, 0777), 0);
	assert_int_equal(presence_switch(run, &ask, &count, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_int_equal(fchmod(run, 0700), 0);
	close(run);
}

static void a_dead_mount_is_none_and_its_files_go(void **state)
{
	struct fixture *f = *state;
	int run = run_folder(f), status;
	struct presence_ask ask = { .kind = PRESENCE_CHANGED, .epoch = 1,
				    .timeout_ms = 1000 };
	struct presence_count count;
	struct err e = ERR_NONE;

	if (fork() == 0) {
		struct presence *p;
		_exit(presence_register(f->vault, "x", &p, &e) < 0);
	}
	wait(&status);
	assert_int_equal(status, 0);
	assert_int_equal(files_in(run), 2);
	OK(presence_tell(run, &ask, &count, &e));
	assert_int_equal(count.done + count.silent + count.not_done + count.ended, 0);
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
		cmocka_unit_test(a_mount_is_told_with_the_key_and_its_answer_counts),
		cmocka_unit_test(a_mount_that_cannot_and_one_that_is_silent_are_told_apart),
		cmocka_unit_test(the_switch_stops_at_a_silent_mount_and_names_it),
		cmocka_unit_test(a_silent_mount_is_ended_where_that_is_asked_for),
		cmocka_unit_test(a_mount_that_hangs_up_on_its_way_out_is_waited_for),
		cmocka_unit_test(a_mount_registers_beside_whoever_looks),
		cmocka_unit_test(nobody_is_ended_who_is_not_provably_the_mount),
		cmocka_unit_test(no_key_goes_into_a_folder_that_others_can_write),
		cmocka_unit_test(a_dead_mount_is_none_and_its_files_go),
		cmocka_unit_test(stopping_wakes_who_waits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/*
 * The pool with the real muni-examine: files, pipes, many threads, beginning and end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/content/wire.h"
#include "fs/vault/examiner.h"
#include "tests/unit/vault/examining.h"

/* ---- files ------------------------------------------------------------------------------------ */

static void a_file_is_looked_into(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_card_found(x);
	examiner_close(x);
}

static void a_file_is_read_to_the_size_that_is_told(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
	int fd = file_with(card, sizeof card - 1);
	struct examination found;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(examiner_look(x, fd, NULL, 4, &found, &e), 0);
	assert_digest(&found, card, 4);
	assert_int_equal(found.finding_count, 0);
	examination_clear(&found);
	/* It has become shorter meanwhile. */
	assert_int_equal(examiner_look(x, fd, NULL, 1 << 20, &found, &e), 0);
	assert_digest(&found, card, sizeof card - 1);
	examination_clear(&found);
	close(fd);
	examiner_close(x);
}

static void a_name_of_any_bytes_and_length_is_taken(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
	char *name = malloc(3 * WIRE_NAME_MAX);
	int fd = file_with(card, sizeof card - 1);
	struct examination found;
	struct err e = ERR_NONE;

	(void)state;
	assert_non_null(name);
	memset(name, 0xff, 3 * WIRE_NAME_MAX);
	strcpy(name + 3 * WIRE_NAME_MAX - 5, ".csv");
	assert_int_equal(examiner_look(x, fd, name, sizeof card - 1, &found, &e), 0);
	assert_digest(&found, card, sizeof card - 1);
	examination_clear(&found);
	free(name);
	close(fd);
	examiner_close(x);
}

static void a_file_that_cannot_be_read_is_an_error_and_the_pool_goes_on(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	struct examination found;
	struct err e = ERR_NONE;

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(examiner_look(x, fd, "mem", 4096, &found, &e), -1);
	assert_int_equal(e.code, MUNI_IO);
	close(fd);
	assert_card_found(x);
	examiner_close(x);
}

/* ---- pipes ------------------------------------------------------------------------------------ */

struct feed {
	int fd;
	uint64_t size;
	const char *line;
};

static void *feed_pipe(void *arg)
{
	const struct feed *f = arg;
	size_t size = strlen(f->line);
	char *block = malloc(64 << 10);
	uint64_t left = f->size;

	assert_non_null(block);
	for (size_t i = 0; i < 64 << 10; i++)
		block[i] = f->line[i % size];
	while (left > 0) {
		size_t part = (64 << 10) / size * size;

		if (part > left)
			part = (size_t)left;
		for (size_t done = 0; done < part;) {
			ssize_t n = write(f->fd, block + done, part - done);

			if (n < 0)
				goto out;
			done += (size_t)n;
		}
		left -= part;
	}
out:
	close(f->fd);
	free(block);
	return NULL;
}

static int look_at_pipe(struct examiner *x, struct feed *f, uint64_t told,
			struct examination *found, struct err *e)
{
	pthread_t thread;
	int ends[2], rc;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	f->fd = ends[1];
	assert_int_equal(pthread_create(&thread, NULL, feed_pipe, f), 0);
	rc = examiner_look(x, ends[0], "stream.txt", told, found, e);
	close(ends[0]);
	pthread_join(thread, NULL);
	return rc;
}

static void a_pipe_is_looked_into(void **state)
{
	static const uint64_t sizes[] = { 0, 1, sizeof card - 1, 200 * (sizeof card - 1),
					  100000 * (sizeof card - 1) };
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct feed f = { .size = sizes[i], .line = card };
		struct examination found;
		struct err e = ERR_NONE;
		struct hasher *h = hasher_new();
		struct digest wanted;

		assert_int_equal(look_at_pipe(x, &f, UINT64_MAX, &found, &e), 0);
		for (uint64_t at = 0; at < sizes[i]; at += sizeof card - 1)
			hasher_update(h, card, sizes[i] - at < sizeof card - 1 ? sizes[i] - at
									       : sizeof card - 1);
		wanted = hasher_finish(h);
		hasher_free(h);
		assert_true(digest_equal(&found.sha256, &wanted));
		assert_int_equal(found.size, sizes[i]);
		assert_string_equal(found.opaque, "");
		if (sizes[i] >= sizeof card - 1)
			assert_int_equal(found.findings->count, sizes[i] / (sizeof card - 1));
		examination_clear(&found);
	}
	examiner_close(x);
}

static void a_worker_that_takes_too_long_is_cut_and_the_digest_is_made(void **state)
{
	static const char line[] = "a line of plain words that nobody would look at twice\n";
	struct feed f = { .size = 3ull << 30, .line = line };
	struct examination found;
	struct err e = ERR_NONE;
	struct examiner *x;

	(void)state;
	if (IS_SANITIZED)
		skip();
	x = open_with((struct examiner_options){ .workers = 1, .seconds = 1 });
	/* Told to be small: its size grants no time. */
	assert_int_equal(look_at_pipe(x, &f, 0, &found, &e), 0);
	assert_string_equal(found.opaque,
			    "looking into it took more than 1 s of processor time");
	assert_string_equal(found.format, "text/plain");
	assert_int_equal(found.size, f.size);
	assert_true(found.has_sha256);
	examination_clear(&found);
	assert_card_found(x);
	examiner_close(x);
}

/* ---- many ------------------------------------------------------------------------------------- */

#define MANY 2500u

struct many {
	struct examiner *x;
	unsigned next;
	struct digest digests[MANY];
	uint64_t counts[MANY];
	unsigned failures;
};

static void *look_at_many(void *arg)
{
	struct many *m = arg;
	unsigned i;

	while ((i = __atomic_fetch_add(&m->next, 1, __ATOMIC_RELAXED)) < MANY) {
		char text[64 * 20] = "";
		struct examination found;
		struct err e = ERR_NONE;
		int fd;

		for (unsigned k = 0; k < i % 20; k++)
			strcat(text, card);
		fd = file_with(text, strlen(text));
		if (examiner_look(m->x, fd, "many.txt", strlen(text), &found, &e) < 0 ||
		    *found.opaque) {
			__atomic_fetch_add(&m->failures, 1, __ATOMIC_RELAXED);
		} else {
			m->digests[i] = found.sha256;
			m->counts[i] = found.finding_count ? found.findings->count : 0;
		}
		examination_clear(&found);
		close(fd);
	}
	return NULL;
}

static void any_number_of_threads_get_the_same_of_each_file(void **state)
{
	struct many *m = calloc(1, sizeof *m);
	pthread_t threads[8];

	(void)state;
	assert_non_null(m);
	m->x = open_with((struct examiner_options){ .workers = 2 });
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_at_many, m), 0);
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(m->failures, 0);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(m->counts[i], i % 20);
		assert_true(i < 20 || digest_equal(&m->digests[i], &m->digests[i % 20]));
	}
	examiner_close(m->x);
	free(m);
}

/* ---- beginning and end ------------------------------------------------------------------------ */

static void a_recogniser_of_a_policy_is_used_and_a_bad_one_refused(void **state)
{
	char id[] = "badge", pattern[] = "BADGE-[0-9]{6}", bad[] = "BADGE-([0-9]";
	struct custom_recogniser custom = { .id = id, .pattern = pattern, .alone = 80,
					    .in_context = 95 };
	struct examiner_options o = { .program = real_program(), .workers = 1, .custom = &custom,
				      .custom_count = 1 };
	static const char text[] = "the badge of a visitor is BADGE-123456 today\n";
	int fd = file_with(text, sizeof text - 1);
	struct examination found;
	struct examiner *x;
	struct err e = ERR_NONE;

	(void)state;
	x = open_with(o);
	assert_int_equal(examiner_look(x, fd, "a.txt", sizeof text - 1, &found, &e), 0);
	assert_int_equal(found.finding_count, 1);
	assert_string_equal(found.findings->id, "badge");
	assert_null(strstr(found.findings->samples[0].text, "123456"));
	examination_clear(&found);
	examiner_close(x);
	close(fd);
	custom.pattern = bad;
	assert_int_equal(examiner_open(&o, &x, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	assert_non_null(strstr(e.text, "badge"));
	assert_null(x);
}

static void a_program_that_is_not_there_or_is_another_is_said(void **state)
{
	struct examiner_options o = { .program = "/nonexistent/muni-examine" };
	struct examiner *x;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(examiner_open(&o, &x, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	o.program = "/bin/true";
	assert_int_equal(examiner_open(&o, &x, &e), -1);
	assert_int_equal(e.code, MUNI_IO);
}

/* As in a container whose own filter lets nobody make one. */
static void without_a_filter_nothing_is_looked_into(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct scmp_arg_cmp old = SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP);
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
		struct examiner_options o = { .program = real_program() };
		struct examiner *x = NULL;
		struct err e = ERR_NONE;

		if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0) < 0 ||
		    seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1,
					   &old) < 0 || seccomp_load(ctx) < 0)
			_exit(100);
		_exit(examiner_open(&o, &x, &e) == 0 ? 101 : (int)e.code);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), MUNI_UNSUPPORTED);
}

/* Limits of our own are kept: lower ones are not raised, and do not stop it. */
static void a_limited_process_looks_into_files_too(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (IS_SANITIZED)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit space = { 1u << 30, 1u << 30 }, files = { 20, 20 };
		struct examiner_options o = { .program = real_program(), .workers = 1,
					      .memory = 8ull << 30 };
		int fd = file_with(card, sizeof card - 1);
		struct examiner *x = NULL;
		struct examination found;
		struct err e = ERR_NONE;

		if (setrlimit(RLIMIT_AS, &space) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0)
			_exit(100);
		if (examiner_open(&o, &x, &e) < 0 ||
		    examiner_look(x, fd, "a", sizeof card - 1, &found, &e) < 0)
			_exit(101);
		_exit(found.finding_count == 1 ? 0 : 102);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Until the process is gone, or is a zombie that somebody else has to reap. */
static bool has_ended(pid_t pid)
{
	for (unsigned i = 0; i < TRIES; i++) {
		char path[64], state = 'Z';
		FILE *f;

		snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
		f = fopen(path, "re");
		if (!f)
			return true;
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 'Z';
		fclose(f);
		if (state == 'Z')
			return true;
		usleep(10000);
	}
	return false;
}

static void the_program_and_its_workers_end_with_their_parent(void **state)
{
	pid_t scan = fork(), keeper, worker;

	(void)state;
	assert_true(scan >= 0);
	if (scan == 0) {
		struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
		struct examination found;
		struct err e = ERR_NONE;
		int ends[2];

		if (pipe(ends) == 0)	/* nothing will come: for ever in the middle of it */
			(void)examiner_look(x, ends[0], "x", 1, &found, &e);
		_exit(1);
	}
	keeper = wait_for_child_of(scan);
	worker = wait_for_child_of(keeper);
	kill(scan, SIGKILL);
	assert_int_equal(waitpid(scan, NULL, 0), scan);
	assert_true(has_ended(keeper));
	assert_true(has_ended(worker));
}

static void nothing_of_ours_is_left_open_or_running(void **state)
{
	int before = dup(0), after;
	struct examiner *x;

	(void)state;
	close(before);
	x = open_with((struct examiner_options){ .workers = 3 });
	assert_card_found(x);
	examiner_close(x);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
	assert_int_equal(child_of(getpid()), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_looked_into),
		cmocka_unit_test(a_file_is_read_to_the_size_that_is_told),
		cmocka_unit_test(a_name_of_any_bytes_and_length_is_taken),
		cmocka_unit_test(a_file_that_cannot_be_read_is_an_error_and_the_pool_goes_on),
		cmocka_unit_test(a_pipe_is_looked_into),
		cmocka_unit_test(a_worker_that_takes_too_long_is_cut_and_the_digest_is_made),
		cmocka_unit_test(any_number_of_threads_get_the_same_of_each_file),
		cmocka_unit_test(a_recogniser_of_a_policy_is_used_and_a_bad_one_refused),
		cmocka_unit_test(a_program_that_is_not_there_or_is_another_is_said),
		cmocka_unit_test(without_a_filter_nothing_is_looked_into),
		cmocka_unit_test(a_limited_process_looks_into_files_too),
		cmocka_unit_test(the_program_and_its_workers_end_with_their_parent),
		cmocka_unit_test(nothing_of_ours_is_left_open_or_running),
	};

	signal(SIGPIPE, SIG_IGN);	/* a feeder whose reader stopped */
	return cmocka_run_group_tests_name("examiner", tests, NULL, NULL);
}

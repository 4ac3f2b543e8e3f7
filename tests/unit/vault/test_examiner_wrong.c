/*
 * The pool when something goes wrong: workers that want memory, or die;
 * files that are damaged; a caller who wants no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/vault/examiner.h"
#include "tests/unit/vault/examining.h"

/* Packed so that unpacking takes a dictionary of 64 MiB, whatever is in it. */
static size_t pack_wide(uint8_t *out, size_t room)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t size = 0;

	assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter_xz(a), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(a, "xz:compression-level=9"), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, out, room, &size), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, card, sizeof card - 1), sizeof card - 1);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_entry_free(entry);
	archive_write_free(a);
	return size;
}

static void too_little_memory_is_said_and_the_digest_is_made(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1,
								  .memory = 16 << 20 });
	uint8_t packed[4096];
	size_t size = pack_wide(packed, sizeof packed);
	int fd = file_with(packed, size);

	(void)state;
	for (unsigned i = 0; i < 2 && !IS_SANITIZED; i++) {
		struct examination found;
		struct err e = ERR_NONE;

		assert_int_equal(examiner_look(x, fd, "wide.xz", size, &found, &e), 0);
		if (!strstr(found.opaque, "memory") || strstr(found.opaque, "this machine"))
			fail_msg("\"%s\"", found.opaque);
		assert_digest(&found, packed, size);
		examination_clear(&found);
		assert_card_found(x);
	}
	close(fd);
	examiner_close(x);
}

/* A limit of data is to the examiner what a machine without memory is: its own limit, of
 * addresses, would have let it. */
static void a_machine_without_memory_is_not_the_files_fault(void **state)
{
	uint8_t packed[4096];
	size_t size = pack_wide(packed, sizeof packed);
	int fd = file_with(packed, size), status;
	pid_t pid;

	(void)state;
	if (IS_SANITIZED)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit data = { 60u << 20, 60u << 20 };
		struct examiner_options o = { .program = real_program(), .workers = 1 };
		struct examiner *x = NULL;
		struct examination found;
		struct err e = ERR_NONE;

		if (setrlimit(RLIMIT_DATA, &data) < 0)
			_exit(100);
		if (examiner_open(&o, &x, &e) < 0 ||
		    examiner_look(x, fd, "wide.xz", size, &found, &e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			_exit(101);
		}
		if (!strstr(found.opaque, "this machine") || !strstr(found.opaque, "nothing of the")) {
			fprintf(stderr, "%s\n", found.opaque);
			_exit(102);
		}
		_exit(found.has_sha256 && found.size == size ? 0 : 103);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(fd);
}

static void a_damaged_file_is_not_told_as_want_of_memory(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
	uint8_t packed[4096];
	size_t size = pack_wide(packed, sizeof packed);
	struct examination found;
	struct err e = ERR_NONE;
	int fd;

	(void)state;
	packed[size / 2] ^= 0x40;
	fd = file_with(packed, size);
	assert_int_equal(examiner_look(x, fd, "wide.xz", size, &found, &e), 0);
	assert_string_not_equal(found.opaque, "");
	if (strstr(found.opaque, "memory"))
		fail_msg("\"%s\"", found.opaque);
	examination_clear(&found);
	close(fd);
	examiner_close(x);
}

static void enough_memory_unpacks_the_same(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
	uint8_t packed[4096];
	size_t size = pack_wide(packed, sizeof packed);
	int fd = file_with(packed, size);
	struct examination found;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(examiner_look(x, fd, "wide.xz", size, &found, &e), 0);
	assert_string_equal(found.opaque, "");
	assert_int_equal(found.finding_count, 1);
	examination_clear(&found);
	close(fd);
	examiner_close(x);
}

struct victim {
	int to;
	int signal;
};

/* Kills the worker in the middle of a stream, then gives the rest of it. */
static void *kill_worker(void *arg)
{
	struct victim *v = arg;
	pid_t keeper = wait_for_child_of(getpid()), worker = wait_for_child_of(keeper);

	assert_int_equal(write(v->to, card, sizeof card - 1), (ssize_t)sizeof card - 1);
	usleep(50000);
	kill(worker, v->signal);
	usleep(50000);
	assert_int_equal(write(v->to, card, sizeof card - 1), (ssize_t)sizeof card - 1);
	close(v->to);
	return NULL;
}

static void a_worker_that_dies_is_replaced_and_its_file_recorded(void **state)
{
	static const struct {
		int signal;
		const char *why;
	} deaths[] = { { SIGSEGV, "crashed" }, { SIGABRT, "crashed" },
		       { SIGSYS, "may not do" }, { SIGKILL, "killed from outside" } };
	char both[2 * sizeof card];
	struct examiner *x;

	(void)state;
	if (IS_SANITIZED)
		skip();		/* their run time takes the signals */
	x = open_with((struct examiner_options){ .workers = 1 });
	snprintf(both, sizeof both, "%s%s", card, card);
	for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
		struct victim v = { .signal = deaths[i].signal };
		struct examination found;
		struct err e = ERR_NONE;
		pthread_t thread;
		int ends[2];

		assert_card_found(x);
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		v.to = ends[1];
		assert_int_equal(pthread_create(&thread, NULL, kill_worker, &v), 0);
		assert_int_equal(examiner_look(x, ends[0], "x.txt", 100, &found, &e), 0);
		pthread_join(thread, NULL);
		close(ends[0]);
		assert_non_null(strstr(found.opaque, deaths[i].why));
		assert_digest(&found, both, strlen(both));
		examination_clear(&found);
		assert_card_found(x);
	}
	examiner_close(x);
}

static bool is_set(void *arg)
{
	return __atomic_load_n((bool *)arg, __ATOMIC_RELAXED);
}

static void *set_soon(void *arg)
{
	usleep(100000);
	__atomic_store_n((bool *)arg, true, __ATOMIC_RELAXED);
	return NULL;
}

static void a_pool_that_is_told_to_stop_waits_for_nothing(void **state)
{
	bool is_cancelled = false;
	struct examiner *x = open_with((struct examiner_options){
		.workers = 1, .is_cancelled = is_set, .arg = &is_cancelled });
	struct examination found;
	struct err e = ERR_NONE;
	pthread_t thread;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&thread, NULL, set_soon, &is_cancelled), 0);
	assert_int_equal(examiner_look(x, ends[0], "x", UINT64_MAX, &found, &e), -1);
	assert_int_equal(e.code, MUNI_CANCELLED);
	pthread_join(thread, NULL);
	close(ends[0]);
	close(ends[1]);
	is_cancelled = false;
	assert_card_found(x);
	examiner_close(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_little_memory_is_said_and_the_digest_is_made),
		cmocka_unit_test(enough_memory_unpacks_the_same),
		cmocka_unit_test(a_machine_without_memory_is_not_the_files_fault),
		cmocka_unit_test(a_damaged_file_is_not_told_as_want_of_memory),
		cmocka_unit_test(a_worker_that_dies_is_replaced_and_its_file_recorded),
		cmocka_unit_test(a_pool_that_is_told_to_stop_waits_for_nothing),
	};

	signal(SIGPIPE, SIG_IGN);	/* a feeder whose reader stopped */
	return cmocka_run_group_tests_name("examiner-wrong", tests, NULL, NULL);
}

#include "tests/unit/crypt/unit.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/crypt/secret.h"

/* What stood there when its pages were given back: nobody sees them afterwards. */
static struct {
	const uint8_t *at;
	uint8_t last[32];
} watched;

int munmap(void *start, size_t size)
{
	const uint8_t *from = start;

	if (watched.at && watched.at >= from && watched.at < from + size)
		memcpy(watched.last, watched.at, sizeof watched.last);
	return (int)syscall(SYS_munmap, start, size);
}

static void a_secret_is_wiped_before_its_pages_go(void **state)
{
	static const uint8_t zeros[sizeof watched.last];
	uint8_t *s = secret_new(sizeof watched.last);

	(void)state;
	assert_non_null(s);
	memset(s, 0x5a, sizeof watched.last);
	memset(watched.last, 1, sizeof watched.last);
	watched.at = s;
	secret_free(s);
	watched.at = NULL;
	assert_memory_equal(watched.last, zeros, sizeof zeros);
}

static void who_forbids_cores_leaves_none_and_is_not_traced(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit core;

		secret_forbid_cores();
		_exit(prctl(PR_GET_DUMPABLE) == 0 && getrlimit(RLIMIT_CORE, &core) == 0 &&
		      core.rlim_cur == 0 && core.rlim_max == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_new_secret_is_zero_and_can_be_written_whole(void **state)
{
	size_t sizes[] = {1, 32, 4096, 4097, 100000};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint8_t *s = secret_new(sizes[i]);

		assert_non_null(s);
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(s[j], 0);
		memset(s, 0xff, sizes[i]);
		secret_free(s);
	}
	secret_free(NULL);
}

/* How the child ended that touched s[offset]: 0, or the signal. */
static int end_of_touching(volatile uint8_t *s, long offset)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* A sanitizer's handler would turn the signal into an exit. */
		signal(SIGSEGV, SIG_DFL);
		s[offset] = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void the_pages_beside_a_secret_cannot_be_touched(void **state)
{
	uint8_t *s = secret_new(4096);

	(void)state;
	assert_int_equal(end_of_touching(s, 0), 0);
	assert_int_equal(end_of_touching(s, -1), SIGSEGV);
	assert_int_equal(end_of_touching(s, sysconf(_SC_PAGESIZE)), SIGSEGV);
	secret_free(s);
}

static void a_child_finds_zeros_and_can_free_them(void **state)
{
	uint8_t *s = secret_new(32);
	int status;

	(void)state;
	memset(s, 0xaa, 32);
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		int sum = 0;

		for (int i = 0; i < 32; i++)
			sum |= s[i];
		secret_free(s);
		_exit(sum);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(s[31], 0xaa);
	secret_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_secret_is_zero_and_can_be_written_whole),
		cmocka_unit_test(a_secret_is_wiped_before_its_pages_go),
		cmocka_unit_test(who_forbids_cores_leaves_none_and_is_not_traced),
		cmocka_unit_test(the_pages_beside_a_secret_cannot_be_touched),
		cmocka_unit_test(a_child_finds_zeros_and_can_free_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

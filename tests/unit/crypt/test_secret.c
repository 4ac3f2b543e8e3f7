#include "tests/unit/crypt/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/crypt/secret.h"

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
		cmocka_unit_test(the_pages_beside_a_secret_cannot_be_touched),
		cmocka_unit_test(a_child_finds_zeros_and_can_free_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

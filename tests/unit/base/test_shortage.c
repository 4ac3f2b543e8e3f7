/* Why memory was refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/confine.h"
#include "fs/base/shortage.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1	/* its addresses are beyond any limit */
#else
#define IS_SANITIZED 0
#endif

#define MIB ((size_t)1 << 20)
#define WANTED (64 * MIB)

/* What it says where `resource` leaves some 32 MiB. */
static enum shortage under(int resource)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* Of data much less is in use than of addresses. */
		rlim_t most = resource == RLIMIT_AS ? confine_mapped() + 32 * MIB : 32 * MIB;
		const struct rlimit l = { most, most };
		void *p;

		if (setrlimit((__rlimit_resource_t)resource, &l) < 0)
			_exit(100);
		p = malloc(WANTED);
		errno = EPERM;
		if (p || shortage_of(WANTED) == SHORTAGE_NONE || errno != EPERM)
			_exit(101);
		_exit((int)shortage_of(WANTED));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (enum shortage)WEXITSTATUS(status);
}

static void a_limit_of_addresses_is_the_process_own(void **state)
{
	(void)state;
	if (IS_SANITIZED)
		skip();
	assert_int_equal(under(RLIMIT_AS), SHORTAGE_LIMIT);
}

static void what_the_limit_would_have_let_is_the_machines_want(void **state)
{
	(void)state;
	if (IS_SANITIZED)
		skip();
	assert_int_equal(under(RLIMIT_DATA), SHORTAGE_MACHINE);
}

static void a_length_that_no_program_means_is_neither(void **state)
{
	(void)state;
	assert_int_equal(shortage_of(SIZE_MAX), SHORTAGE_NONE);
	assert_int_equal(shortage_of(SIZE_MAX / 2), SHORTAGE_NONE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_of_addresses_is_the_process_own),
		cmocka_unit_test(what_the_limit_would_have_let_is_the_machines_want),
		cmocka_unit_test(a_length_that_no_program_means_is_neither),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

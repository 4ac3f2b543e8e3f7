/* Names of accounts, on a machine whose memory ends while they are looked up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/vault/ingest_inside.h"

#define ANSWER (((size_t)1 << 20) + 4096)	/* what a look-up maps apart */
#define PIECE 4096u			/* of the heap: so many are left, at most */
#define PIECES 28			/* fewer than malloc() maps apart; nearly twice what is asked for */
#define SPARE ((size_t)4 << 20)		/* of addresses, for the heap to be filled into */

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
/* Asks in a process whose heap is full but for so many pieces.  0: it was answered; 1: it was
 * told that there is no memory; never anything else. */
static int ask(int pieces, bool is_full)
{
	struct meta m = { .uid = 0, .gid = 0 };
	struct rlimit limit, none = { 0, 0 };
	struct ingest_accounts accounts;
	struct err e = ERR_NONE;
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	void *left = pieces ? malloc((size_t)pieces * PIECE - 16) : NULL;
	void *hole = mmap(NULL, ANSWER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!f || fscanf(f, "%lu", &pages) != 1 || hole == MAP_FAILED)
		return 2;
	fclose(f);
	ingest_accounts_init(&accounts);
	limit.rlim_cur = limit.rlim_max = pages * (size_t)sysconf(_SC_PAGESIZE) + SPARE;
	if (setrlimit(RLIMIT_CORE, &none) < 0 ||
	    (is_full && setrlimit(RLIMIT_AS, &limit) < 0))
		return 3;
	for (size_t size = PIECE; is_full && size >= 16; size /= 2)
		while (malloc(size))
			;
	free(left);
	munmap(hole, ANSWER);
	if (ingest_accounts_name(&accounts, &m, &e) == 0)
		return 0;
	return e.code == MUNI_NO_MEMORY ? 1 : 4;
}
#endif

static void who_finds_no_memory_is_told_so_and_glibc_is_not_asked(void **state)
{
	(void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	skip();		/* a sanitizer's allocator is not glibc's */
#else
	int refused = 0;

	for (int pieces = 0; pieces <= PIECES; pieces++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0)
			_exit(ask(pieces, pieces < PIECES));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_in_range(WEXITSTATUS(status), 0, pieces < PIECES);
		refused += WEXITSTATUS(status);
	}
	assert_true(refused > 0);	/* else nothing was tried */
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_finds_no_memory_is_told_so_and_glibc_is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

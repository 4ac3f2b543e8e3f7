/* A worker that meets its share of memory asks, waits, and goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/content/wire.h"
#include "fs/examine/growth.h"
#include "fs/examine/jail.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

#define MIB ((size_t)1 << 20)
#define LEAN (8 * MIB)
#define MOST (40 * MIB)
#define BY_SIGNAL 1000		/* added to a signal that ended the child */

/* ---- a worker, as far as memory goes ------------------------------------------------------ */

static void share_out(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	struct rlimit l;

	if (!f || fscanf(f, "%llu", &pages) != 1)
		_exit(200);
	fclose(f);
	(void)malloc_trim(0);
	l.rlim_cur = pages * (size_t)sysconf(_SC_PAGESIZE) + LEAN;
	l.rlim_max = pages * (size_t)sysconf(_SC_PAGESIZE) + MOST;
	if (setrlimit(RLIMIT_AS, &l) < 0)
		_exit(201);
}

/* The exit status of act() in a worker that is let grow when it asks; *asked: how
 * often it did. */
static int in_worker(int (*act)(void), unsigned *asked)
{
	static const uint8_t grown[] = { WIRE_GROWN, 0 };
	uint8_t packet[64];
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	*asked = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (dup2(ends[1], JAIL_SOCKET) < 0)
			_exit(202);
		for (int fd = JAIL_SOCKET + 1; fd < 64; fd++)
			close(fd);
		growth_prepare();
		share_out();
		growth_begin(NULL);
		_exit(act());
	}
	close(ends[1]);
	while ((n = recv(ends[0], packet, sizeof packet, 0)) > 0) {
		struct rlimit l;

		assert_int_equal(n, 2);
		assert_int_equal(packet[0], WIRE_GROW);
		++*asked;
		assert_int_equal(prlimit(pid, RLIMIT_AS, NULL, &l), 0);
		l.rlim_cur = l.rlim_max;
		assert_int_equal(prlimit(pid, RLIMIT_AS, &l, NULL), 0);
		assert_int_equal(send(ends[0], grown, sizeof grown, 0), 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ends[0]);
	return WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- what it does -------------------------------------------------------------------------- */

static void *take(unsigned way, size_t size)
{
	void *p = NULL;

	switch (way) {
	case 0: return malloc(size);
	case 1: return calloc(1, size);
	case 2: return realloc(NULL, size);
	case 3: return aligned_alloc(64, size);
	case 4: return posix_memalign(&p, 64, size) == 0 ? p : NULL;
	default: return memalign(64, size);
	}
}

static unsigned way;

/* In pieces, to the end: how many MiB it came to. */
static int act_take_all(void)
{
	unsigned most = 0;

	for (void *p; most < 200 && (p = take(way, MIB)); most++)
		memset(p, 1, MIB);
	return (int)most;
}

static int act_take_little(void)
{
	void *p = take(way, 2 * MIB);

	return p ? 7 : 1;
}

static int act_grow_one(void)
{
	char *p = NULL;

	for (size_t size = MIB; size <= 24 * MIB; size += MIB) {
		char *more = realloc(p, size);

		if (!more || (p && more[0] != 5))
			return 1;
		memset(more, 5, size);
		p = more;
	}
	return 7;
}

static int act_ask_for_too_much(void)
{
	return malloc(400 * MIB) || malloc(400 * MIB) ? 1 : 7;
}

static unsigned descend(unsigned depth)
{
	volatile char room[4096];

	room[0] = (char)depth;
	return depth == 0 ? 0 : descend(depth - 1) + (unsigned)(room[0] == (char)depth);
}

/* The address space taken to the last page, then 3 MiB of stack. */
static int act_deep_stack(void)
{
	while (mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		;
	return descend(768) == 768 ? 7 : 1;
}

static int act_fault(void)
{
	volatile char *closed = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return *closed;
}

static void *take_in_thread(void *arg)
{
	bool *is_good = arg;

	*is_good = malloc(9 * MIB) != NULL;
	return NULL;
}

static int act_take_in_threads(void)
{
	pthread_t threads[3];
	bool good[3] = { false };
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 << 10);
	for (int i = 0; i < 3; i++)
		if (pthread_create(&threads[i], &small, take_in_thread, &good[i]) != 0)
			return 1;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return good[0] && good[1] && good[2] ? 7 : 2;
}

/* ---- tests --------------------------------------------------------------------------------- */

static void what_is_within_the_share_is_not_asked_for(void **state)
{
	unsigned asked;

	(void)state;
	for (way = 0; way < 6; way++) {
		assert_int_equal(in_worker(act_take_little, &asked), 7);
		assert_int_equal(asked, 0);
	}
}

static void every_way_to_allocate_asks_once_and_reaches_the_most(void **state)
{
	unsigned asked;

	(void)state;
	if (IS_SANITIZED)
		skip();		/* the allocator is theirs */
	for (way = 0; way < 6; way++) {
		int taken = in_worker(act_take_all, &asked);

		assert_int_equal(asked, 1);
		assert_in_range(taken, MOST / MIB - 6, MOST / MIB + 4);
	}
}

static void what_was_there_stays_when_it_grows(void **state)
{
	unsigned asked;

	(void)state;
	if (IS_SANITIZED)
		skip();
	assert_int_equal(in_worker(act_grow_one, &asked), 7);
	assert_int_equal(asked, 1);
}

static void more_than_the_most_is_refused_as_ever(void **state)
{
	unsigned asked;

	(void)state;
	if (IS_SANITIZED)
		skip();
	assert_int_equal(in_worker(act_ask_for_too_much, &asked), 7);
	assert_int_equal(asked, 1);
}

static void the_stack_asks_too(void **state)
{
	unsigned asked;

	(void)state;
	if (IS_SANITIZED)
		skip();
	assert_int_equal(in_worker(act_deep_stack, &asked), 7);
	assert_int_equal(asked, 1);
}

static void a_crash_is_a_crash(void **state)
{
	unsigned asked;

	(void)state;
	if (IS_SANITIZED)
		skip();
	assert_int_equal(in_worker(act_fault, &asked), BY_SIGNAL + SIGSEGV);
	assert_int_equal(asked, 0);
}

static void threads_that_want_more_at_once_ask_once(void **state)
{
	unsigned asked;

	(void)state;
	if (IS_SANITIZED)
		skip();
	assert_int_equal(in_worker(act_take_in_threads, &asked), 7);
	assert_int_equal(asked, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_within_the_share_is_not_asked_for),
		cmocka_unit_test(every_way_to_allocate_asks_once_and_reaches_the_most),
		cmocka_unit_test(what_was_there_stays_when_it_grows),
		cmocka_unit_test(more_than_the_most_is_refused_as_ever),
		cmocka_unit_test(the_stack_asks_too),
		cmocka_unit_test(a_crash_is_a_crash),
		cmocka_unit_test(threads_that_want_more_at_once_ask_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

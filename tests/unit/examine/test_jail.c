/* What may not be done behind the door is tried from inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/examine/jail.h"

#define INHERITED 17		/* a descriptor that somebody forgot to close */
#define BY_SIGNAL 1000		/* added to a signal that ended the child */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

static const struct jail_memory memory = { .lean = 32u << 20, .most = 64u << 20 };

enum door { DOOR_KEEPER, DOOR_WORKER };

/* Exit status of act() behind the door, or BY_SIGNAL and the signal. */
static int behind(enum door door, int (*act)(void))
{
	int ends[2], status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = ERR_NONE;

		if (dup2(ends[1], JAIL_SOCKET) < 0 || dup2(ends[0], INHERITED) < 0 ||
		    jail_descriptors(&e) < 0 ||
		    jail_close(&memory, &e) < 0 ||
		    (door == DOOR_WORKER && jail_close_worker(&e) < 0))
			_exit(200);
		_exit(act());
	}
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ends[0]);
	return WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static int act_nothing(void)
{
	return 7;
}

static int is_refused(long rc)
{
	return rc < 0 && errno == EACCES ? 0 : 1;
}

static int act_open(void)
{
	return is_refused(open("/etc/passwd", O_RDONLY));
}

static int act_create(void)
{
	return is_refused(open("/tmp/muniment-never", O_WRONLY | O_CREAT, 0600));
}

static int act_stat(void)
{
	struct stat st;

	return is_refused(stat("/etc/passwd", &st));
}

static int act_read_link(void)
{
	char out[100];

	return is_refused(readlink("/proc/self/exe", out, sizeof out));
}

static int act_unlink(void)
{
	return is_refused(unlink("/tmp/muniment-never"));
}

static int act_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int act_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int act_execute(void)
{
	char path[] = "/bin/true", *args[] = { path, NULL }, *none[] = { NULL };

	return execve(path, args, none);
}

static int act_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid ? 7 : 1;
}

static int act_kill_parent(void)
{
	return kill(getppid(), 0);
}

static int act_signal_parent(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int act_queue_signal(void)
{
	const union sigval none = { 0 };

	return sigqueue(getppid(), SIGUSR1, none);
}

static int act_trace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int act_read_parent(void)
{
	char out;
	struct iovec to = { &out, 1 }, from = { (void *)act_read_parent, 1 };

	return (int)process_vm_readv(getppid(), &to, 1, &from, 1, 0);
}

static int act_map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static int act_turn_into_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int act_write_elsewhere(void)
{
	return (int)write(9, "x", 1);
}

static int act_send_elsewhere(void)
{
	return (int)send(9, "x", 1, 0);
}

static int act_warn(void)
{
	return write(2, "x", 1) == 1 ? 7 : 1;	/* into /dev/null */
}

static int act_answer(void)
{
	return send(JAIL_SOCKET, "x", 1, 0) == 1 ? 7 : 1;
}

static int act_mount(void)
{
	return (int)syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL);
}

static int act_new_namespace(void)
{
	return (int)syscall(SYS_unshare, 0x10000000);
}

static int act_become_root(void)
{
	return (int)syscall(SYS_setuid, 0);
}

static int act_undo_filter(void)
{
	return (int)syscall(SYS_seccomp, 1, 0, NULL);
}

static int act_be_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int act_raise_memory(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_AS, &all);
}

static int act_limit_parent(void)
{
	const struct rlimit none = { 0, 0 };

	return (int)syscall(SYS_prlimit64, getppid(), RLIMIT_CPU, &none, NULL);
}

static int act_io_uring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int act_bpf(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static void *in_thread(void *arg)
{
	*(int *)arg = 7;
	return NULL;
}

static int act_thread(void)
{
	pthread_t t;
	int done = 0;

	if (pthread_create(&t, NULL, in_thread, &done) != 0)
		return 1;
	pthread_join(t, NULL);
	return done;
}

static int act_abort(void)
{
	abort();
}

static int act_grow(void)
{
	for (unsigned i = 0; i < 1024; i++) {
		void *more = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (more == MAP_FAILED)
			return i < 2 * (memory.most >> 20) ? 7 : 1;
	}
	return 1;
}

static void grow_when_told(atomic_int *go)
{
	struct err e = ERR_NONE;

	if (jail_close_worker(&e) < 0)
		_exit(200);
	atomic_store(go, 1);
	while (atomic_load(go) == 1)
		sched_yield();
	_exit(act_grow());
}

/* The keeper lifts the limit of a worker that needs more: up to the most, not away. */
static int act_lift(void)
{
	atomic_int *go = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct err e = ERR_NONE;
	int status = 0, rc;
	pid_t pid;

	if (go == MAP_FAILED || (pid = fork()) < 0)
		return 2;
	if (pid == 0)
		grow_when_told(go);
	while (atomic_load(go) == 0)
		sched_yield();
	rc = jail_lift(pid, &e);
	atomic_store(go, 2);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 3;
	return rc < 0 ? 4 : WEXITSTATUS(status);
}

static int act_inherited(void)
{
	struct stat st;

	/* Not by libc, which looks by path, and is refused that. */
	return syscall(SYS_fstat, INHERITED, &st) < 0 && errno == EBADF ? 7 : 1;
}

static int act_compute(void)
{
	volatile bool is_for_ever = true;

	jail_allow_seconds(0);
	while (is_for_ever)
		;
	return 1;
}

static void what_a_worker_needs_goes_on(void **state)
{
	(void)state;
	for (enum door d = DOOR_KEEPER; d <= DOOR_WORKER; d++) {
		assert_int_equal(behind(d, act_nothing), 7);
		assert_int_equal(behind(d, act_warn), 7);
		assert_int_equal(behind(d, act_answer), 7);
		assert_int_equal(behind(d, act_thread), 7);
		assert_int_equal(behind(d, act_abort), BY_SIGNAL + SIGABRT);
	}
	assert_int_equal(behind(DOOR_KEEPER, act_fork), 7);
}

static void files_are_refused_without_a_death(void **state)
{
	static int (*const acts[])(void) = { act_open, act_create, act_stat, act_read_link,
					     act_unlink };

	(void)state;
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		assert_int_equal(behind(DOOR_KEEPER, acts[i]), 0);
		assert_int_equal(behind(DOOR_WORKER, acts[i]), 0);
	}
}

static void all_else_ends_the_process(void **state)
{
	static int (*const acts[])(void) = {
		act_socket, act_unix_socket, act_execute, act_queue_signal, act_trace,
		act_read_parent, act_map_code, act_turn_into_code, act_write_elsewhere,
		act_send_elsewhere, act_mount, act_new_namespace, act_become_root,
		act_be_dumpable, act_raise_memory, act_limit_parent, act_io_uring, act_bpf,
	};

	(void)state;
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		assert_int_equal(behind(DOOR_KEEPER, acts[i]), BY_SIGNAL + SIGSYS);
		assert_int_equal(behind(DOOR_WORKER, acts[i]), BY_SIGNAL + SIGSYS);
	}
}

static void a_worker_may_not_keep_workers(void **state)
{
	(void)state;
	assert_int_equal(behind(DOOR_WORKER, act_fork), BY_SIGNAL + SIGSYS);
	assert_int_equal(behind(DOOR_WORKER, act_kill_parent), BY_SIGNAL + SIGSYS);
	assert_int_equal(behind(DOOR_WORKER, act_signal_parent), BY_SIGNAL + SIGSYS);
	assert_int_equal(behind(DOOR_WORKER, act_undo_filter), BY_SIGNAL + SIGSYS);
}

static void memory_ends_at_its_limit(void **state)
{
	(void)state;
	if (IS_SANITIZED)
		skip();
	assert_int_equal(behind(DOOR_WORKER, act_grow), 7);
	assert_int_equal(behind(DOOR_KEEPER, act_lift), 7);
}

static void no_descriptor_of_before_is_there(void **state)
{
	(void)state;
	assert_int_equal(behind(DOOR_KEEPER, act_inherited), 7);
	assert_int_equal(behind(DOOR_WORKER, act_inherited), 7);
}

static void processor_time_ends_at_its_limit(void **state)
{
	(void)state;
	assert_int_equal(behind(DOOR_WORKER, act_compute), BY_SIGNAL + SIGXCPU);
}

static int act_who(void)
{
	return getuid() == 0 || geteuid() == 0 || getgid() == 0 ? 1 : 0;
}

static void root_is_nobody_behind_the_door(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(behind(DOOR_WORKER, act_who), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_worker_needs_goes_on),
		cmocka_unit_test(files_are_refused_without_a_death),
		cmocka_unit_test(all_else_ends_the_process),
		cmocka_unit_test(a_worker_may_not_keep_workers),
		cmocka_unit_test(memory_ends_at_its_limit),
		cmocka_unit_test(no_descriptor_of_before_is_there),
		cmocka_unit_test(processor_time_ends_at_its_limit),
		cmocka_unit_test(root_is_nobody_behind_the_door),
	};

	return cmocka_run_group_tests_name("jail", tests, NULL, NULL);
}

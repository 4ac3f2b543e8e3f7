/*
 * Two filters, one on top of the other: a call passes if both let it.  The first
 * is a list of what is allowed; the second takes away what only muni-examine
 * itself needs to keep workers.
 */
#include "fs/examine/jail_filter.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fs/base/calls.h"
#include "fs/base/err.h"
#include "fs/examine/jail.h"

/* What malloc, the decoders, threads and _exit() need. */
static const int allowed[] = {
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), SCMP_SYS(gettid),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getcpu),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(getrusage),
	SCMP_SYS(getrandom), SCMP_SYS(sysinfo), SCMP_SYS(uname),
#ifdef __SANITIZE_THREAD__
	SCMP_SYS(nanosleep),	/* its run time has a thread of its own, which waits */
#endif
	/* descriptors that were sent */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(lseek),
	SCMP_SYS(fstat), SCMP_SYS(fadvise64), SCMP_SYS(close),
	/* so that a worker may close its own door behind this one */
	SCMP_SYS(seccomp),
	/* muni-examine's own, which the second filter takes away */
	SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(kill), SCMP_SYS(dup3), SCMP_SYS(tgkill),
};

/* Libraries that look for a file are told that they may not; all else ends us. */
static const int refused[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
	SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(fcntl), SCMP_SYS(ioctl),
	SCMP_SYS(unlink), SCMP_SYS(mkdir), SCMP_SYS(chdir),
};

static void add_arguments(struct calls *c)
{
	const struct scmp_arg_cmp on_socket = SCMP_A0(SCMP_CMP_EQ, JAIL_SOCKET);
	/* Warnings of libraries: 1 and 2 are /dev/null. */
	const struct scmp_arg_cmp to_null = SCMP_A0(SCMP_CMP_LT, JAIL_SOCKET);
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp no_namespace =
		SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
			CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP, 0);
	const struct scmp_arg_cmp own_time[] = { SCMP_A0(SCMP_CMP_EQ, 0),
						 SCMP_A1(SCMP_CMP_EQ, RLIMIT_CPU) };
	const struct scmp_arg_cmp memory[] = { SCMP_A0(SCMP_CMP_NE, 0),
					       SCMP_A1(SCMP_CMP_EQ, RLIMIT_AS) };
	const struct scmp_arg_cmp death = SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG);
	const struct scmp_arg_cmp no_new = SCMP_A0(SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS);
	const struct {
		int call;
		unsigned count;
		const struct scmp_arg_cmp *arguments;
	} rules[] = {
		{ SCMP_SYS(recvmsg), 1, &on_socket }, { SCMP_SYS(recvfrom), 1, &on_socket },
		{ SCMP_SYS(sendmsg), 1, &on_socket }, { SCMP_SYS(sendto), 1, &on_socket },
		{ SCMP_SYS(write), 1, &to_null }, { SCMP_SYS(writev), 1, &to_null },
		{ SCMP_SYS(mmap), 1, &no_code }, { SCMP_SYS(mprotect), 1, &no_code },
		{ SCMP_SYS(clone), 1, &no_namespace },
		{ SCMP_SYS(prlimit64), 2, own_time }, { SCMP_SYS(prlimit64), 2, memory },
		{ SCMP_SYS(prctl), 1, &death }, { SCMP_SYS(prctl), 1, &no_new },
	};

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		calls_rule_if(c, SCMP_ACT_ALLOW, rules[i].call, rules[i].count,
			      rules[i].arguments);
	/* The flags of clone3 lie in memory where no filter sees them: told that it is
	 * not there, libc takes clone. */
	calls_rule_if(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
}

static int enter(const struct calls *c, struct err *e)
{
	if (calls_enter(c) == 0)
		return 0;
	err_errno(e, "the kernel refuses the system call filter (seccomp; let this container "
		  "use it), and files are only looked into behind one");
	if (e->code != MUNI_NO_MEMORY)
		e->code = MUNI_UNSUPPORTED;
	return -1;
}

int jail_filter(struct err *e)
{
	struct calls c;

	calls_begin(&c, SCMP_ACT_KILL_PROCESS);
	calls_rule(&c, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof *allowed);
	calls_rule(&c, SCMP_ACT_ERRNO(EACCES), refused, sizeof refused / sizeof *refused);
	add_arguments(&c);
	calls_end(&c);
	return enter(&c, e);
}

/* Threads, but no process; its own signals (abort()), nobody else's. */
int jail_filter_worker(struct err *e)
{
	static const int taken[] = { SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(kill),
				     SCMP_SYS(dup3), SCMP_SYS(prctl), SCMP_SYS(seccomp) };
	const struct {
		int call;
		struct scmp_arg_cmp argument;
	} others[] = {
		{ SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0) },
		{ SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid()) },
		{ SCMP_SYS(prlimit64), SCMP_A1(SCMP_CMP_EQ, RLIMIT_AS) },
	};
	struct calls c;

	calls_begin(&c, SCMP_ACT_ALLOW);
	calls_rule(&c, SCMP_ACT_KILL_PROCESS, taken, sizeof taken / sizeof *taken);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		calls_rule_if(&c, SCMP_ACT_KILL_PROCESS, others[i].call, 1,
			      &others[i].argument);
	calls_end(&c);
	return enter(&c, e);
}

#include "fs/vault/foreign_jail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fs/base/calls.h"
#include "fs/base/confine.h"
#include "fs/base/err.h"

int jail_descriptors(int input, int output, struct err *e)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGHUP, SIGPIPE };
	int in, out;

	/* The terminal's ^C is for our parent, who ends us when it wants to. */
	confine_signals(ignored, sizeof ignored / sizeof *ignored);
	/* Both above the two places first: they may stand on each other's. */
	in = fcntl(input, F_DUPFD, 10);
	out = fcntl(output, F_DUPFD, 10);
	if (in < 0 || out < 0 || dup2(in, JAIL_INPUT) < 0 || dup2(out, JAIL_OUTPUT) < 0)
		return err_errno(e, "arranging descriptors");
	return confine_descriptors(JAIL_OUTPUT + 1, e);
}

/* Never above what this process was given: only root raises that. */
static int lower(int resource, rlim_t most)
{
	struct rlimit l;

	if (getrlimit(resource, &l) < 0)
		return -1;
	if (l.rlim_max > most)	/* RLIM_INFINITY is the largest there is */
		l.rlim_max = most;
	l.rlim_cur = l.rlim_max;
	return setrlimit(resource, &l);
}

static int set_limits(unsigned long long most, struct err *e)
{
	unsigned long long mapped = confine_mapped();

	if ((mapped && lower(RLIMIT_AS, mapped + most) < 0) || lower(RLIMIT_CORE, 0) < 0 ||
	    lower(RLIMIT_FSIZE, 0) < 0 || lower(RLIMIT_NOFILE, JAIL_OUTPUT + 2) < 0)
		return err_errno(e, "limiting the process that reads the archive");
	return 0;
}

/* What malloc, the decoders and _exit() need. */
static const int allowed[] = {
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall), SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(sysinfo),
	SCMP_SYS(sched_yield), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(sigaltstack),	/* the sanitizers, at each function that does not return */
};

/* Libraries that look for a file are told that they may not; all else ends us. */
static const int refused[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
	SCMP_SYS(fcntl), SCMP_SYS(ioctl), SCMP_SYS(uname),
};

static int close_calls(struct err *e)
{
	const struct scmp_arg_cmp from_input = SCMP_A0(SCMP_CMP_EQ, JAIL_INPUT);
	const struct scmp_arg_cmp to_output = SCMP_A0(SCMP_CMP_EQ, JAIL_OUTPUT);
	const struct scmp_arg_cmp to_error = SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO);
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	static const int reads[] = { SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek),
				     SCMP_SYS(fstat) };
	static const int maps[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	const uint32_t let = SCMP_ACT_ALLOW;
	struct calls c;

	calls_begin(&c, SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
		calls_rule_if(&c, let, reads[i], 1, &from_input);
	for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
		calls_rule_if(&c, let, maps[i], 1, &no_code);
	calls_rule_if(&c, let, SCMP_SYS(write), 1, &to_output);
	calls_rule_if(&c, let, SCMP_SYS(writev), 1, &to_output);
	/* It is closed.  libarchive says there that it found no memory, before it ends. */
	calls_rule_if(&c, SCMP_ACT_ERRNO(EBADF), SCMP_SYS(write), 1, &to_error);
	calls_rule(&c, let, allowed, sizeof allowed / sizeof *allowed);
	calls_rule(&c, SCMP_ACT_ERRNO(EACCES), refused, sizeof refused / sizeof *refused);
	calls_end(&c);
	if (calls_enter(&c) == 0)
		return 0;
	err_errno(e, "the kernel refused the system call filter that archives are only read behind");
	if (e->code != MUNI_NO_MEMORY)
		e->code = MUNI_UNSUPPORTED;
	return -1;
}

int jail_close(unsigned long long most, struct err *e)
{
	/* The limit needs /proc, which goes with the rest. */
	if (set_limits(most, e) < 0 || confine_powers(e) < 0 || confine_files(e) < 0)
		return -1;
	return close_calls(e);
}

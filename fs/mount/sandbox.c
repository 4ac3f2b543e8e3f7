#include "fs/mount/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "fs/base/calls.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/landlock.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1		/* their run time makes calls of its own */
#else
#define IS_SANITIZED 0
#endif

/* ---- Landlock -------------------------------------------------------------------- */

/* SQLite's readers write the index of the WAL, and may have to recover it. */
static int allow_wal(int ruleset, uint64_t known, int archive)
{
	int fd = openat(archive, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	while (dir && rc == 0 && (entry = readdir(dir))) {
		const char *dash = strrchr(entry->d_name, '-');
		if (strncmp(entry->d_name, "catalogue.", 10) != 0 || !dash ||
		    (strcmp(dash, "-shm") != 0 && strcmp(dash, "-wal") != 0))
			continue;
		int file = openat(archive, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (file < 0)
			continue;
		rc = landlock_allow(ruleset, known, file,
				    LANDLOCK_READ | LANDLOCK_WRITE | LANDLOCK_TRUNCATE);
		close(file);
	}
	if (dir)
		closedir(dir);
	else
		file_close(&fd);
	return rc;
}

static int landlock(const struct sandbox_paths *paths, struct err *e)
{
	uint64_t known;
	int archive = -1, ruleset = landlock_begin(&known), rc = -1;

	if (known == 0)
		return 0;	/* this kernel has none: the rest of the sandbox stands */
	archive = open(paths->archive, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ruleset < 0 || archive < 0 ||
	    landlock_allow(ruleset, known, archive, LANDLOCK_READ | LANDLOCK_READ_FOLDER) < 0 ||
	    allow_wal(ruleset, known, archive) < 0 ||
	    (paths->run >= 0 &&
	     landlock_allow(ruleset, known, paths->run, LANDLOCK_REMOVE_FILE) < 0) ||
	    landlock_close(ruleset) < 0)
		err_errno(e, "closing the sandbox (Landlock)");
	else
		rc = 0;
	file_close(&archive);
	file_close(&ruleset);
	return rc;
}

/* ---- seccomp ---------------------------------------------------------------------- */

/* What munifs, glibc, libfuse and SQLite were seen to call under load (strace
 * -f -c), and what the same calls are named on other kernels and libcs. */
static const int allowed[] = {
	/* the kernel's requests and our answers */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(close),
	/* files of the archive */
	SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(pread64), SCMP_SYS(preadv),
	SCMP_SYS(pwrite64), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(lseek), SCMP_SYS(fcntl),
	SCMP_SYS(getdents64), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(fstatfs),
	SCMP_SYS(statfs), SCMP_SYS(fadvise64), SCMP_SYS(ftruncate), SCMP_SYS(fallocate),
	SCMP_SYS(fdatasync), SCMP_SYS(fsync), SCMP_SYS(unlinkat), SCMP_SYS(unlink),
	SCMP_SYS(geteuid), SCMP_SYS(getuid), SCMP_SYS(getegid), SCMP_SYS(getgid),
	/* memory */
	SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mlock), SCMP_SYS(mlock2),
	SCMP_SYS(munlock), SCMP_SYS(membarrier),
	/* threads */
	SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(set_tid_address), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(gettid), SCMP_SYS(getpid),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall),
	SCMP_SYS(arch_prctl), SCMP_SYS(getrlimit), SCMP_SYS(getrusage),
	SCMP_SYS(getcpu), SCMP_SYS(sysinfo),
	/* signals */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sigaltstack),
	/* time and chance */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	/* sockets that are open already: presence, syslog, helpers */
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
	SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	/* leaving the terminal, once the mount serves */
	SCMP_SYS(dup2), SCMP_SYS(dup3),
};

/* No code that was not loaded before, no signal to others, limits only to be read (0: our
 * own, and no new one), of a terminal only whether it is one. */
static void allow_some(struct calls *c)
{
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp us = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
	const struct scmp_arg_cmp read_own[] = { SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0) };
	const struct scmp_arg_cmp is_terminal = SCMP_A1(SCMP_CMP_EQ, TCGETS);
	/* Threads, but no process. */
	const struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);

	calls_rule_if(c, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_code);
	calls_rule_if(c, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_code);
	calls_rule_if(c, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &us);
	calls_rule_if(c, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, read_own);
	calls_rule_if(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, &is_terminal);
	calls_rule_if(c, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &thread);
}

static int enter(struct err *e)
{
	struct calls c;

	calls_begin(&c, SCMP_ACT_ERRNO(EPERM));
	calls_rule(&c, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof *allowed);
	allow_some(&c);
	/* The flags of clone3 lie in memory where no filter sees them: told that it is not
	 * there, libc takes clone. */
	calls_rule_if(&c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
	/* SQLite, as root, gives a new WAL index the database's owner: it has it. */
	calls_rule_if(&c, SCMP_ACT_ERRNO(0), SCMP_SYS(fchown), 0, NULL);
	/* PR_SET_VMA names memory for /proc, which malloc may want. */
	calls_rule_if(&c, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 0, NULL);
	calls_end(&c);
	return calls_enter(&c) == 0 ? 0 : err_errno(e, "closing the sandbox (seccomp)");
}

int sandbox_enter(const struct sandbox_paths *paths, struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_errno(e, "closing the sandbox");
	if (IS_SANITIZED)
		return 0;
	return landlock(paths, e) < 0 || enter(e) < 0 ? -1 : 0;
}

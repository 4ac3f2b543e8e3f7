#include "fs/mount/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

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
static int allow_some(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp us = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
	const struct scmp_arg_cmp read_own[] = { SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0) };
	const struct scmp_arg_cmp is_terminal = SCMP_A1(SCMP_CMP_EQ, TCGETS);
	int rc = 0;

	rc |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_code);
	rc |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_code);
	rc |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &us);
	rc |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, read_own);
	rc |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, &is_terminal);
	return rc;
}

static int rules(scmp_filter_ctx filter)
{
	int rc = allow_some(filter);

	for (size_t i = 0; rc == 0 && i < sizeof allowed / sizeof *allowed; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	/* Threads, but no process.  The flags of clone3 lie in memory where no
	 * filter sees them: told that it is not there, libc takes clone. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* SQLite, as root, gives a new WAL index the database's owner: it has it. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(fchown), 0);
	/* PR_SET_VMA names memory for /proc, which malloc may want. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 0);
	return rc;
}

struct sandbox_filter {
	struct sock_filter *code;	/* owned */
	unsigned short count;
	int rc;			/* of making it: 0, or a negative errno */
};

/* The library writes its program to files only. */
static int compile(scmp_filter_ctx calls, struct sandbox_filter *f)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), rc;
	struct err ignored = ERR_NONE;
	uint64_t size = 0;

	if (fd < 0)
		return -errno;
	rc = seccomp_export_bpf(calls, fd);
	if (rc == 0 && (file_size(fd, &size, &ignored) < 0 || size == 0 ||
			size > BPF_MAXINSNS * sizeof *f->code))
		rc = -EINVAL;
	if (rc == 0 && !(f->code = malloc((size_t)size)))
		rc = -ENOMEM;
	if (rc == 0 && file_read_at(fd, 0, f->code, (size_t)size, &ignored) < 0)
		rc = -EIO;
	f->count = (unsigned short)(size / sizeof *f->code);
	close(fd);
	return rc;
}

struct sandbox_filter *sandbox_filter_new(void)
{
	struct sandbox_filter *f = calloc(1, sizeof *f);
	scmp_filter_ctx calls;

	if (!f)
		return NULL;
	calls = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	f->rc = calls ? rules(calls) : -ENOMEM;
	if (f->rc == 0)
		f->rc = compile(calls, f);
	if (calls)
		seccomp_release(calls);
	return f;
}

void sandbox_filter_free(struct sandbox_filter *f)
{
	if (!f)
		return;
	free(f->code);
	free(f);
}

static int seccomp(struct sandbox_filter *f, struct err *e)
{
	struct sandbox_filter *own = f ? NULL : sandbox_filter_new();
	int rc;

	if (!f)
		f = own;
	rc = f ? f->rc : -ENOMEM;
	if (rc == 0) {
		const struct sock_fprog program = { .len = f->count, .filter = f->code };
		rc = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
	}
	sandbox_filter_free(own);
	if (rc < 0) {
		errno = -rc;
		return err_errno(e, "closing the sandbox (seccomp)");
	}
	return 0;
}

int sandbox_enter(const struct sandbox_paths *paths, struct sandbox_filter *f, struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_errno(e, "closing the sandbox");
	if (IS_SANITIZED)
		return 0;
	return landlock(paths, e) < 0 || seccomp(f, e) < 0 ? -1 : 0;
}

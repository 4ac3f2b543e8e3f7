#include "fs/mount/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1		/* their run time makes calls of its own */
#else
#define IS_SANITIZED 0
#endif

/* ---- Landlock -------------------------------------------------------------------- */

/* What the first version of it knows; later rights (truncate, ioctl) are asked
 * for only where the kernel says that it has them. */
#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ALL_RIGHTS_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static int allow_path(int ruleset, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = fd };

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* SQLite's readers write the index of the WAL, and may have to recover it. */
static int allow_wal(int ruleset, int archive)
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
		rc = allow_path(ruleset, file, LANDLOCK_ACCESS_FS_READ_FILE |
				LANDLOCK_ACCESS_FS_WRITE_FILE);
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
	struct landlock_ruleset_attr attr = { .handled_access_fs = ALL_RIGHTS_1 };
	int archive = -1, ruleset, rc = -1;

	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
		return 0;	/* this kernel has none: the rest of the sandbox stands */
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	archive = open(paths->archive, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ruleset < 0 || archive < 0 || allow_path(ruleset, archive, READ_RIGHTS) < 0 ||
	    allow_wal(ruleset, archive) < 0 ||
	    (paths->run >= 0 &&
	     allow_path(ruleset, paths->run, LANDLOCK_ACCESS_FS_REMOVE_FILE) < 0) ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
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
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(close), SCMP_SYS(ioctl),
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
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
	SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mlock), SCMP_SYS(mlock2),
	SCMP_SYS(munlock), SCMP_SYS(membarrier),
	/* threads */
	SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(set_tid_address), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(tgkill),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall),
	SCMP_SYS(arch_prctl), SCMP_SYS(getrlimit), SCMP_SYS(prlimit64), SCMP_SYS(getrusage),
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

static int rules(scmp_filter_ctx filter)
{
	int rc = 0;

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

/*
 * Somebody who has taken over a sandboxed program and tries what he may not: preloaded with
 * LD_PRELOAD.
 *
 *   INSIDE_REPORT=F   a file of 64 KiB, mapped before the door closes: a line for each try
 *   INSIDE_TRY=A      only this one; "all": one after the other
 *   INSIDE_ARCHIVE=D  the archive's folder, INSIDE_OTHER=P a file outside it
 *   INSIDE_CHILD=1    not in the process that was started, in one that it forked
 *
 * He wakes at the first answer that the program gives: writev (munifs, to the kernel;
 * muni-unpack, to its parent), sendmsg (muni-examine).  A line is "NAME trying",
 * and when the call came back "NAME refused ERRNO" or "NAME done".
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define REPORT_SIZE 65536

static char *report;
static size_t used;
static const char *wanted, *archive, *other;
static pid_t starter;
static bool in_child;
static atomic_flag is_awake = ATOMIC_FLAG_INIT;
static char page[65536] __attribute__((aligned(4096)));

static const char *in_archive(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof path, "%s/%s", archive, name);
	return path;
}

static long sys(long number, long a, long b, long c, long d, long e)
{
	return syscall(number, a, b, c, d, e, 0L);
}

#define P(x) ((long)(uintptr_t)(x))

static long try_open_other(void) { return sys(SYS_openat, AT_FDCWD, P(other), O_RDONLY, 0, 0); }
static long try_write_other(void) { return sys(SYS_openat, AT_FDCWD, P(other), O_WRONLY, 0, 0); }
static long try_open_proc(void) { return sys(SYS_openat, AT_FDCWD, P("/proc/self/mem"), O_RDWR, 0, 0); }
static long try_create(void) { return sys(SYS_openat, AT_FDCWD, P(in_archive("inside")), O_CREAT | O_WRONLY, 0600, 0); }
static long try_write_toml(void) { return sys(SYS_openat, AT_FDCWD, P(in_archive("muniment.toml")), O_WRONLY | O_TRUNC, 0, 0); }
static long try_unlink(void) { return sys(SYS_unlinkat, AT_FDCWD, P(in_archive("muniment.toml")), 0, 0, 0); }
static long try_truncate(void) { return sys(SYS_truncate, P(in_archive("muniment.toml")), 0, 0, 0, 0); }
static long try_rename(void) { return sys(SYS_renameat2, AT_FDCWD, P(in_archive("muniment.toml")), AT_FDCWD, P(in_archive("x")), 0); }
static long try_link(void) { return sys(SYS_linkat, AT_FDCWD, P(in_archive("muniment.toml")), AT_FDCWD, P(in_archive("x")), 0); }
static long try_symlink(void) { return sys(SYS_symlinkat, P("x"), AT_FDCWD, P(in_archive("x")), 0, 0); }
static long try_mkdir(void) { return sys(SYS_mkdirat, AT_FDCWD, P(in_archive("x")), 0700, 0, 0); }
static long try_mknod(void) { return sys(SYS_mknodat, AT_FDCWD, P(in_archive("x")), S_IFREG | 0600, 0, 0); }
static long try_chmod(void) { return sys(SYS_fchmodat, AT_FDCWD, P(archive), 0777, 0, 0); }
static long try_chown(void) { return sys(SYS_fchownat, AT_FDCWD, P(archive), 1, 1, 0); }
static long try_utimes(void) { return sys(SYS_utimensat, AT_FDCWD, P(archive), 0, 0, 0); }
static long try_setxattr(void) { return sys(SYS_setxattr, P(archive), P("user.x"), P("x"), 1, 0); }
static long try_chdir(void) { return sys(SYS_chdir, P("/"), 0, 0, 0, 0); }
static long try_chroot(void) { return sys(SYS_chroot, P("/tmp"), 0, 0, 0, 0); }
static long try_inet(void) { return sys(SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0); }
static long try_unix(void) { return sys(SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0, 0); }
static long try_netlink(void) { return sys(SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0, 0); }
static long try_socketpair(void) { int ends[2]; return sys(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, P(ends), 0); }
static long try_connect(void) { struct sockaddr_un a = { AF_UNIX, "/run/x" }; return sys(SYS_connect, 3, P(&a), sizeof a, 0, 0); }
static long try_bind(void) { struct sockaddr_un a = { AF_UNIX, "/tmp/x" }; return sys(SYS_bind, 3, P(&a), sizeof a, 0, 0); }
static long try_execve(void) { const char *args[] = { "/bin/true", NULL }; return sys(SYS_execve, P(args[0]), P(args), 0, 0, 0); }
static long try_fork(void) { return sys(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
static long try_vfork(void) { return sys(SYS_clone, SIGCHLD | CLONE_PARENT, 0, 0, 0, 0); }
static long try_clone3(void) { uint64_t a[8] = { 0, 0, 0, 0, SIGCHLD, 0, 0, 0 }; return sys(SYS_clone3, P(a), sizeof a, 0, 0, 0); }
static long try_ptrace(void) { return sys(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0, 0); }
static long try_traceme(void) { return sys(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0, 0); }
static long try_kill(void) { return sys(SYS_kill, getppid(), 0, 0, 0, 0); }
static long try_tgkill(void) { return sys(SYS_tgkill, getppid(), getppid(), 0, 0, 0); }
/* Of nobody: who gets so far that it is not found was not refused by any filter. */
static long try_kill_absent(void) { return sys(SYS_kill, 0x3ffffffe, 0, 0, 0, 0); }
static long try_tgkill_absent(void) { return sys(SYS_tgkill, 0x3ffffffe, 0x3ffffffe, 0, 0, 0); }
static long try_open_absent(void) { return sys(SYS_openat, AT_FDCWD, P("/absent"), O_RDONLY, 0, 0); }
static long try_vm_readv(void) { struct iovec v = { page, 16 }; return sys(SYS_process_vm_readv, getppid(), P(&v), 1, P(&v), 1); }
static long try_vm_writev(void) { struct iovec v = { page, 16 }; return sys(SYS_process_vm_writev, getppid(), P(&v), 1, P(&v), 1); }
static long try_pidfd(void) { return sys(SYS_pidfd_open, getppid(), 0, 0, 0, 0); }
static long try_mount(void) { return sys(SYS_mount, P("none"), P("/tmp"), P("tmpfs"), 0, 0); }
static long try_umount(void) { return sys(SYS_umount2, P("/tmp"), 0, 0, 0, 0); }
static long try_unshare(void) { return sys(SYS_unshare, CLONE_NEWUSER, 0, 0, 0, 0); }
static long try_setns(void) { return sys(SYS_setns, 0, 0, 0, 0, 0); }
static long try_dumpable(void) { return sys(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }
static long try_seccomp(void) { return sys(SYS_prctl, PR_SET_SECCOMP, 0, 0, 0, 0); }
static long try_setuid(void) { return sys(SYS_setuid, 0, 0, 0, 0, 0); }
static long try_setresuid(void) { return sys(SYS_setresuid, 0, 0, 0, 0, 0); }
static long try_capset(void) { struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 }; return sys(SYS_capset, P(&h), P(page), 0, 0, 0); }
static long try_bpf(void) { return sys(SYS_bpf, 0, P(page), 64, 0, 0); }
static long try_io_uring(void) { memset(page, 0, 200); return sys(SYS_io_uring_setup, 4, P(page), 0, 0, 0); }
static long try_userfaultfd(void) { return sys(SYS_userfaultfd, O_CLOEXEC, 0, 0, 0, 0); }
static long try_perf(void) { memset(page, 0, 200); return sys(SYS_perf_event_open, P(page), 0, -1, -1, 0); }
static long try_keyctl(void) { return sys(SYS_keyctl, 0, -3, 0, 0, 0); }
static long try_mmap_exec(void) { void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return p == MAP_FAILED ? -1 : 0; }
static long try_mprotect_exec(void) { return sys(SYS_mprotect, P(page), 4096, PROT_READ | PROT_EXEC, 0, 0); }
static long try_memfd(void) { return sys(SYS_memfd_create, P("x"), 0, 0, 0, 0); }
static long try_execveat(void) { const char *args[] = { "x", NULL }; return sys(SYS_execveat, 0, P(""), P(args), 0, AT_EMPTY_PATH); }
static long try_prlimit(void) { struct rlimit l = { 9, 9 }; return sys(SYS_prlimit64, 0, RLIMIT_NPROC, P(&l), 0, 0); }
static long try_prlimit_other(void) { struct rlimit l; return sys(SYS_prlimit64, getppid(), RLIMIT_NPROC, 0, P(&l), 0); }
static long try_sti(void) { return sys(SYS_ioctl, 0, TIOCSTI, P("x"), 0, 0); }
static long try_handle(void) { return sys(SYS_open_by_handle_at, 0, P(page), O_RDONLY, 0, 0); }
static long try_inotify(void) { return sys(SYS_inotify_init1, 0, 0, 0, 0, 0); }
static long try_module(void) { return sys(SYS_finit_module, 0, P(""), 0, 0, 0); }
static long try_reboot(void) { return sys(SYS_reboot, 0, 0, 0, 0, 0); }
static long try_clock(void) { struct timespec t = { 0, 0 }; return sys(SYS_clock_settime, 0, P(&t), 0, 0, 0); }
static long try_personality(void) { return sys(SYS_personality, 0, 0, 0, 0, 0); }

#define TRY(name) { #name, try_##name }
static const struct {
	const char *name;
	long (*act)(void);
} tries[] = {
	TRY(open_other), TRY(write_other), TRY(open_proc), TRY(create), TRY(write_toml), TRY(unlink),
	TRY(truncate), TRY(rename), TRY(link), TRY(symlink), TRY(mkdir), TRY(mknod), TRY(chmod),
	TRY(chown), TRY(utimes), TRY(setxattr), TRY(chdir), TRY(chroot), TRY(inet), TRY(unix),
	TRY(netlink), TRY(socketpair), TRY(connect), TRY(bind), TRY(execve), TRY(fork), TRY(vfork),
	TRY(clone3), TRY(ptrace), TRY(traceme), TRY(kill), TRY(tgkill), TRY(kill_absent),
	TRY(tgkill_absent), TRY(open_absent), TRY(vm_readv),
	TRY(vm_writev), TRY(pidfd), TRY(mount), TRY(umount), TRY(unshare), TRY(setns),
	TRY(dumpable), TRY(seccomp), TRY(setuid), TRY(setresuid), TRY(capset), TRY(bpf),
	TRY(io_uring), TRY(userfaultfd), TRY(perf), TRY(keyctl), TRY(mmap_exec),
	TRY(mprotect_exec), TRY(memfd), TRY(execveat), TRY(prlimit), TRY(prlimit_other), TRY(sti),
	TRY(handle), TRY(inotify), TRY(module), TRY(reboot), TRY(clock), TRY(personality),
};

__attribute__((constructor)) static void inside_start(void)
{
	const char *path = getenv("INSIDE_REPORT");
	int fd = path ? open(path, O_RDWR) : -1;

	wanted = getenv("INSIDE_TRY");
	archive = getenv("INSIDE_ARCHIVE");
	other = getenv("INSIDE_OTHER");
	in_child = getenv("INSIDE_CHILD") != NULL;
	starter = getpid();
	if (fd < 0 || !wanted || !archive || !other)
		return;
	report = mmap(NULL, REPORT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (report == MAP_FAILED)
		report = NULL;
	close(fd);
}

static void say(const char *name, const char *how, int number)
{
	if (number)
		used += (size_t)snprintf(report + used, REPORT_SIZE - used, "%s %s %d\n", name, how, number);
	else
		used += (size_t)snprintf(report + used, REPORT_SIZE - used, "%s %s\n", name, how);
}

static void wake(void)
{
	if (!report || (getpid() != starter) != in_child || atomic_flag_test_and_set(&is_awake))
		return;
	int before = errno;
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		if (strcmp(wanted, "all") != 0 && strcmp(wanted, tries[i].name) != 0)
			continue;
		say(tries[i].name, "trying", 0);
		errno = 0;
		long rc = tries[i].act();
		if (rc == 0 && getpid() != starter && !in_child)
			_exit(0);	/* a child that should not be */
		say(tries[i].name, rc < 0 ? "refused" : "done", rc < 0 ? errno : 0);
	}
	errno = before;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	REAL(writev);

	if (fd != 2)
		wake();
	return real(fd, parts, count);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	REAL(sendmsg);

	wake();
	return real(fd, message, flags);
}

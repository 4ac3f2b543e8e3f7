/*
 * A disk that fails on order, for tests: preloaded with LD_PRELOAD.
 *
 *   FAULT_NTH=N      the Nth call counted fails (1 is the first); 0: only count
 *   FAULT_HOW=ENOSPC | EIO | kill | short | tear    what happens then
 *   FAULT_STICKY=1   and to every later call (a disk that stays full)
 *   FAULT_COUNT=F    on exit, the number of calls counted is written to file F
 *   FAULT_OPS=write,sync,name,truncate       which are counted (default: all)
 *
 * Counted are calls that change regular files or folders: write, pwrite,
 * writev, pwritev; fsync, fdatasync; rename, link, unlink, mkdir; ftruncate,
 * fallocate.  "kill" ends the process there and then, as a power cut would;
 * "short" writes half and says so, "tear" writes half and is killed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum op { OP_WRITE = 1, OP_SYNC = 2, OP_NAME = 4, OP_TRUNCATE = 8 };

static atomic_ulong counted;
static unsigned long nth;
static unsigned ops = OP_WRITE | OP_SYNC | OP_NAME | OP_TRUNCATE;
static int how = ENOSPC;	/* 0: kill; -1: short; -2: tear */
static bool is_sticky;
static pid_t main_pid;

__attribute__((constructor)) static void fault_start(void)
{
	const char *text = getenv("FAULT_NTH");

	nth = text != NULL ? strtoul(text, NULL, 10) : 0;
	text = getenv("FAULT_HOW");
	if (text != NULL)
		how = strcmp(text, "EIO") == 0 ? EIO : strcmp(text, "kill") == 0 ? 0 :
		      strcmp(text, "short") == 0 ? -1 : strcmp(text, "tear") == 0 ? -2 : ENOSPC;
	is_sticky = getenv("FAULT_STICKY") != NULL;
	text = getenv("FAULT_OPS");
	if (text != NULL)
		ops = (strstr(text, "write") ? OP_WRITE : 0u) | (strstr(text, "sync") ? OP_SYNC : 0u) |
		      (strstr(text, "name") ? OP_NAME : 0u) | (strstr(text, "truncate") ? OP_TRUNCATE : 0u);
	main_pid = getpid();
}

__attribute__((destructor)) static void fault_end(void)
{
	const char *path = getenv("FAULT_COUNT");
	FILE *f;

	if (path == NULL || getpid() != main_pid || (f = fopen(path, "w")) == NULL)
		return;
	nth = 0;
	fprintf(f, "%lu\n", atomic_load(&counted));
	fclose(f);
}

/* Does this call fail?  Sets errno. */
static bool fails(enum op op)
{
	unsigned long n;

	if ((ops & op) == 0)
		return false;
	n = atomic_fetch_add(&counted, 1) + 1;
	if (nth == 0 || n < nth || (n > nth && !is_sticky))
		return false;
	if (how == 0 || (how == -2 && op != OP_WRITE))
		kill(getpid(), SIGKILL);
	errno = how > 0 ? how : EIO;
	return true;
}

/* What a write that fails leaves of `size` bytes; 0: nothing, and it is refused. */
static size_t part_of(size_t size)
{
	return how < 0 && size > 1 ? size / 2 : 0;
}

static ssize_t after_part(ssize_t done)
{
	if (how == -2)
		kill(getpid(), SIGKILL);
	return done;
}

static bool is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

#define REAL(type, name, ...) \
	static type (*real)(__VA_ARGS__); \
	if (real == NULL) { \
		void *found = dlsym(RTLD_NEXT, #name); \
		memcpy(&real, &found, sizeof real); \
	}

ssize_t write(int fd, const void *data, size_t size)
{
	REAL(ssize_t, write, int, const void *, size_t)
	if (is_regular(fd) && fails(OP_WRITE))
		return after_part(part_of(size) ? real(fd, data, part_of(size)) : -1);
	return real(fd, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)
	if (is_regular(fd) && fails(OP_WRITE))
		return after_part(part_of(size) ? real(fd, data, part_of(size), at) : -1);
	return real(fd, data, size, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	REAL(ssize_t, pwrite, int, const void *, size_t, off_t)
	if (is_regular(fd) && fails(OP_WRITE))
		return after_part(part_of(size) ? real(fd, data, part_of(size), at) : -1);
	return real(fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	REAL(ssize_t, writev, int, const struct iovec *, int)
	return is_regular(fd) && fails(OP_WRITE) ? after_part(-1) : real(fd, parts, count);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at)
{
	REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t)
	return is_regular(fd) && fails(OP_WRITE) ? after_part(-1) : real(fd, parts, count, at);
}

int fsync(int fd)
{
	REAL(int, fsync, int)
	return fails(OP_SYNC) ? -1 : real(fd);
}

int fdatasync(int fd)
{
	REAL(int, fdatasync, int)
	return fails(OP_SYNC) ? -1 : real(fd);
}

int ftruncate64(int fd, off64_t size)
{
	REAL(int, ftruncate64, int, off64_t)
	return is_regular(fd) && fails(OP_TRUNCATE) ? -1 : real(fd, size);
}

int ftruncate(int fd, off_t size)
{
	REAL(int, ftruncate, int, off_t)
	return is_regular(fd) && fails(OP_TRUNCATE) ? -1 : real(fd, size);
}

int renameat(int a, const char *from, int b, const char *to)
{
	REAL(int, renameat, int, const char *, int, const char *)
	return fails(OP_NAME) ? -1 : real(a, from, b, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	REAL(int, renameat2, int, const char *, int, const char *, unsigned)
	return fails(OP_NAME) ? -1 : real(a, from, b, to, flags);
}

int linkat(int a, const char *from, int b, const char *to, int flags)
{
	REAL(int, linkat, int, const char *, int, const char *, int)
	return fails(OP_NAME) ? -1 : real(a, from, b, to, flags);
}

int unlinkat(int a, const char *name, int flags)
{
	REAL(int, unlinkat, int, const char *, int)
	return fails(OP_NAME) ? -1 : real(a, name, flags);
}

int mkdirat(int a, const char *name, mode_t mode)
{
	REAL(int, mkdirat, int, const char *, mode_t)
	return fails(OP_NAME) ? -1 : real(a, name, mode);
}

int rename(const char *from, const char *to)
{
	REAL(int, rename, const char *, const char *)
	return fails(OP_NAME) ? -1 : real(from, to);
}

int unlink(const char *name)
{
	REAL(int, unlink, const char *)
	return fails(OP_NAME) ? -1 : real(name);
}

int mkdir(const char *name, mode_t mode)
{
	REAL(int, mkdir, const char *, mode_t)
	return fails(OP_NAME) ? -1 : real(name, mode);
}

/*
 * Which names a program makes, for tests: preloaded with LD_PRELOAD, it appends the
 * absolute path of each file, folder, link or socket that is about to be made or put in
 * place to the file $NAMES_LOG.  Nothing is changed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int log_fd = -1;

__attribute__((constructor)) static void names_start(void)
{
	const char *path = getenv("NAMES_LOG");

	if (path != NULL)
		log_fd = (int)syscall(SYS_openat, AT_FDCWD, path,
				      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
}

/* The folder's path that a link in /proc stands for. */
static void resolve(const char *link, char out[PATH_MAX])
{
	ssize_t got = readlink(link, out, PATH_MAX - 1);

	out[got > 0 ? got : 0] = '\0';
}

static void note(int dirfd, const char *name)
{
	static const char through[] = "/proc/self/fd/";
	char folder[PATH_MAX], link[PATH_MAX], line[2 * PATH_MAX + 2];
	const char *slash = strrchr(name, '/');
	int sys = errno, n;

	if (log_fd < 0)
		return;
	if (strncmp(name, through, sizeof through - 1) == 0 && slash != NULL) {
		snprintf(link, sizeof link, "%.*s", (int)(slash - name), name);
		resolve(link, folder);
		n = snprintf(line, sizeof line, "%s%s\n", folder, slash);
	} else if (name[0] == '/') {
		n = snprintf(line, sizeof line, "%s\n", name);
	} else {
		snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
		resolve(dirfd == AT_FDCWD ? "/proc/self/cwd" : link, folder);
		n = snprintf(line, sizeof line, "%s/%s\n", folder, name);
	}
	if (n > 0)
		(void)!write(log_fd, line, (size_t)n);
	errno = sys;
}

#define REAL(name) \
	static __typeof__(&name) real; \
	if (real == NULL) \
		real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define OPENS(name) \
int name(const char *path, int flags, ...) \
{ \
	mode_t mode = 0; \
	va_list args; \
	REAL(name); \
	va_start(args, flags); \
	if (flags & (O_CREAT | __O_TMPFILE)) \
		mode = va_arg(args, mode_t); \
	va_end(args); \
	if (flags & O_CREAT) \
		note(AT_FDCWD, path); \
	return real(path, flags, mode); \
}
OPENS(open)
OPENS(open64)

#define OPENATS(name) \
int name(int dirfd, const char *path, int flags, ...) \
{ \
	mode_t mode = 0; \
	va_list args; \
	REAL(name); \
	va_start(args, flags); \
	if (flags & (O_CREAT | __O_TMPFILE)) \
		mode = va_arg(args, mode_t); \
	va_end(args); \
	if (flags & O_CREAT) \
		note(dirfd, path); \
	return real(dirfd, path, flags, mode); \
}
OPENATS(openat)
OPENATS(openat64)

FILE *fopen(const char *path, const char *mode)
{
	REAL(fopen);
	if (strpbrk(mode, "wa"))
		note(AT_FDCWD, path);
	return real(path, mode);
}

int mkdir(const char *path, mode_t mode)
{
	REAL(mkdir);
	note(AT_FDCWD, path);
	return real(path, mode);
}

int mkdirat(int dirfd, const char *path, mode_t mode)
{
	REAL(mkdirat);
	note(dirfd, path);
	return real(dirfd, path, mode);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	REAL(renameat);
	note(to_fd, to);
	return real(from_fd, from, to_fd, to);
}

int rename(const char *from, const char *to)
{
	REAL(rename);
	note(AT_FDCWD, to);
	return real(from, to);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	REAL(renameat2);
	note(to_fd, to);
	return real(from_fd, from, to_fd, to, flags);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	REAL(linkat);
	note(to_fd, to);
	return real(from_fd, from, to_fd, to, flags);
}

int symlinkat(const char *target, int dirfd, const char *path)
{
	REAL(symlinkat);
	note(dirfd, path);
	return real(target, dirfd, path);
}

int mknodat(int dirfd, const char *path, mode_t mode, dev_t device)
{
	REAL(mknodat);
	note(dirfd, path);
	return real(dirfd, path, mode, device);
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	const struct sockaddr_un *un = (const void *)address;
	REAL(bind);

	if (address->sa_family == AF_UNIX && un->sun_path[0] == '/')
		note(AT_FDCWD, un->sun_path);
	return real(fd, address, size);
}

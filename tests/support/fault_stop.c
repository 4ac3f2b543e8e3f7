/*
 * A program that halts on its way, for tests that look at it then: preloaded with
 * LD_PRELOAD.
 *
 *   STOP_EVERY=N     each Nth call counted of a process is followed by SIGSTOP
 *   STOP_MOST=M      M times in all of that process (default 12)
 *
 * Counted are write, pwrite, fsync, fdatasync and close, which programs make between
 * what they compute; each process counts for itself, a forked one anew.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_ulong counted, stops;
static unsigned long every, most = 12;

static void begin_anew(void)
{
	atomic_store(&counted, 0);
	atomic_store(&stops, 0);
}

__attribute__((constructor)) static void stop_start(void)
{
	const char *text = getenv("STOP_EVERY");

	every = text != NULL ? strtoul(text, NULL, 10) : 0;
	text = getenv("STOP_MOST");
	if (text != NULL)
		most = strtoul(text, NULL, 10);
	pthread_atfork(NULL, NULL, begin_anew);
}

static void halt(void)
{
	unsigned long n = atomic_fetch_add(&counted, 1) + 1;

	if (every > 0 && n % every == 0 && atomic_fetch_add(&stops, 1) < most)
		kill(getpid(), SIGSTOP);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size)
{
	REAL(write);

	halt();
	return real(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	REAL(pwrite);

	halt();
	return real(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	REAL(pwrite64);

	halt();
	return real(fd, data, size, at);
}

int fsync(int fd)
{
	REAL(fsync);

	halt();
	return real(fd);
}

int fdatasync(int fd)
{
	REAL(fdatasync);

	halt();
	return real(fd);
}

int close(int fd)
{
	REAL(close);

	halt();
	return real(fd);
}

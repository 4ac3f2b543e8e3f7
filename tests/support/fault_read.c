/*
 * A source that fails while it is read, for tests: preloaded with LD_PRELOAD.
 *
 *   FAULT_PATH=TEXT  reads of files below a path with TEXT in it ...
 *   FAULT_HOW=EIO    ... fail
 *   FAULT_HOW=grow   ... find the file one byte longer and its bytes turned over, as
 *                    if somebody wrote to it at that moment
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <dlfcn.h>

static bool is_meant(int fd)
{
	const char *text = getenv("FAULT_PATH");
	char link[64], path[4096];
	ssize_t size;

	if (text == NULL)
		return false;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof path - 1);
	if (size < 0)
		return false;
	path[size] = 0;
	return strstr(path, text) != NULL;
}

static void grow(int fd)
{
	char link[64];
	struct stat st;
	int again;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	again = open(link, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (again < 0 || fstat(again, &st) < 0 || write(again, "+", 1) != 1)
		abort();
	close(again);
}

__attribute__((visibility("default")))
ssize_t pread64(int fd, void *out, size_t size, off_t offset)
{
	static ssize_t (*real)(int, void *, size_t, off_t);
	const char *how = getenv("FAULT_HOW");
	ssize_t got;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "pread64");
	if (how == NULL || !is_meant(fd))
		return real(fd, out, size, offset);
	if (strcmp(how, "EIO") == 0) {
		errno = EIO;
		return -1;
	}
	got = real(fd, out, size, offset);
	for (ssize_t i = 0; i < got; i++)
		((uint8_t *)out)[i] ^= 0xff;
	grow(fd);
	return got;
}

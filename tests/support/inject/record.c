/*
 * The record of all changes: one entry each, in the order in which they were made.  Little-
 * endian; what the driver rebuilds a disk from (fault_disk.py).
 *
 *   1  kind      w(rite) t(runcate) s(ync) S(ync all) c(reate: "." has no name yet)
 *                d(irectory) l(ink) r(ename) u(nlink)
 *   8  inode     of the file (w t s), of the folder (c d u), of the file linked or moved
 *   8  number    offset (w), size (t), inode of what was made (c d), of the folder where it
 *                goes (l r)
 *   8  number    of the folder where it was (r)
 *   4  size of the text   the name; of r: from, NUL, to
 *   4  size of the data   the bytes (w)
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inject.h"

#define HEAD 33

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int record_fd = -1;

void record_begin(void)
{
	if (inject_is_recording())
		pthread_mutex_lock(&lock);
}

void record_end(void)
{
	if (inject_is_recording())
		pthread_mutex_unlock(&lock);
}

static void put(uint8_t *at, uint64_t number, int size)
{
	for (int i = 0; i < size; i++)
		at[i] = (uint8_t)(number >> 8 * i);
}

static void write_all(const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size > 0) {
		long n = syscall(SYS_write, record_fd, p, size);

		if (n <= 0)
			abort();
		p += n;
		size -= (size_t)n;
	}
}

static void entry(char kind, uint64_t inode, uint64_t a, uint64_t b, const char *text,
		  size_t text_size, const void *data, size_t size)
{
	int before = errno;
	uint8_t head[HEAD];

	if (record_fd < 0)
		record_fd = (int)syscall(SYS_openat, AT_FDCWD, getenv("FAULT_RECORD"),
					 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	head[0] = (uint8_t)kind;
	put(head + 1, inode, 8);
	put(head + 9, a, 8);
	put(head + 17, b, 8);
	put(head + 25, text_size, 4);
	put(head + 29, size, 4);
	write_all(head, sizeof head);
	write_all(text, text_size);
	write_all(data, size);
	errno = before;
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* The folder in which the last part of a path stands, and that part. */
static uint64_t folder_of(int at, const char *path, char leaf[NAME_MAX + 1])
{
	char copy[PATH_MAX], other[PATH_MAX];
	struct stat st;

	snprintf(copy, sizeof copy, "%s", path);
	snprintf(other, sizeof other, "%s", path);
	snprintf(leaf, NAME_MAX + 1, "%s", basename(other));
	return fstatat(at, dirname(copy), &st, 0) == 0 ? st.st_ino : 0;
}

void record_write(int fd, const void *data, size_t size, off64_t at)
{
	if (inject_is_recording())
		entry('w', inode_of(fd), (uint64_t)at, 0, NULL, 0, data, size);
}

void record_truncate(int fd, off64_t size)
{
	if (inject_is_recording())
		entry('t', inode_of(fd), (uint64_t)size, 0, NULL, 0, NULL, 0);
}

void record_sync(int fd)
{
	if (inject_is_recording())
		entry('s', inode_of(fd), 0, 0, NULL, 0, NULL, 0);
}

void record_sync_all(int fd)
{
	if (inject_is_recording())
		entry('S', inode_of(fd), 0, 0, NULL, 0, NULL, 0);
}

void record_make(int at, const char *path, int fd)
{
	char name[NAME_MAX + 1];

	if (inject_is_recording()) {
		uint64_t folder = folder_of(at, path, name);

		entry('c', folder, inode_of(fd), 0, name, strlen(name), NULL, 0);
	}
}

void record_make_dir(int at, const char *path)
{
	char name[NAME_MAX + 1];
	struct stat st;

	if (inject_is_recording()) {
		uint64_t folder = folder_of(at, path, name);

		if (fstatat(at, path, &st, 0) == 0)
			entry('d', folder, st.st_ino, 0, name, strlen(name), NULL, 0);
	}
}

void record_link(int from_at, const char *from, int at, const char *path, int flags)
{
	char name[NAME_MAX + 1];
	struct stat st;

	if (inject_is_recording()) {
		uint64_t folder = folder_of(at, path, name);

		if (fstatat(from_at, from, &st,
			    (flags & AT_SYMLINK_FOLLOW) ? 0 : AT_SYMLINK_NOFOLLOW) == 0)
			entry('l', st.st_ino, folder, 0, name, strlen(name), NULL, 0);
	}
}

void record_rename(int from_at, const char *from, int at, const char *path)
{
	char names[2 * (NAME_MAX + 1)], name[NAME_MAX + 1];
	struct stat st;

	if (inject_is_recording()) {
		uint64_t before = folder_of(from_at, from, names);
		uint64_t folder = folder_of(at, path, name);
		size_t size = strlen(names) + 1;

		snprintf(names + size, NAME_MAX + 1, "%s", name);
		if (fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			entry('r', st.st_ino, folder, before, names, size + strlen(name), NULL, 0);
	}
}

void record_unlink(int at, const char *path)
{
	char name[NAME_MAX + 1];

	if (inject_is_recording()) {
		uint64_t folder = folder_of(at, path, name);

		entry('u', folder, 0, 0, name, strlen(name), NULL, 0);
	}
}

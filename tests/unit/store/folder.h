/*
 * What the store's unit tests share: an empty folder, and acts upon files in it.
 */
#ifndef TESTS_UNIT_STORE_FOLDER_H
#define TESTS_UNIT_STORE_FOLDER_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fs/base/err.h"

struct folder {
	char path[64];
	int fd;
};

static inline void folder_make(struct folder *f)
{
	strcpy(f->path, "/tmp/muniment-store.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
}

static inline void folder_drop(struct folder *f)
{
	char command[128];

	close(f->fd);
	snprintf(command, sizeof command, "rm -rf '%s'", f->path);
	assert_int_equal(system(command), 0);
}

/* Flips one bit of a file below the folder, whatever its mode. */
static inline void folder_flip(struct folder *f, const char *name, off_t at, unsigned bit)
{
	int fd;
	uint8_t byte;

	assert_int_equal(fchmodat(f->fd, name, 0600, 0), 0);
	fd = openat(f->fd, name, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= (uint8_t)(1u << bit);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
	assert_int_equal(fchmodat(f->fd, name, 0400, 0), 0);
}

static inline void folder_truncate(struct folder *f, const char *name, off_t size)
{
	int fd;

	assert_int_equal(fchmodat(f->fd, name, 0600, 0), 0);
	fd = openat(f->fd, name, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	assert_int_equal(fchmodat(f->fd, name, 0400, 0), 0);
}

static inline void folder_store(struct folder *f, const char *name, const void *data,
				size_t size)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	close(fd);
}

static inline off_t folder_size(struct folder *f, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(f->fd, name, &st, 0), 0);
	return st.st_size;
}

/* *out malloc'ed. */
static inline size_t folder_load(struct folder *f, const char *name, uint8_t **out)
{
	off_t size = folder_size(f, name);
	int fd = openat(f->fd, name, O_RDONLY);

	assert_true(fd >= 0);
	*out = malloc((size_t)size + 1);
	assert_non_null(*out);
	assert_int_equal(read(fd, *out, (size_t)size), size);
	close(fd);
	return (size_t)size;
}

/* A cheap repeatable stream of bytes. */
static inline void fill(void *out, size_t size, uint64_t seed)
{
	uint8_t *p = out;

	seed = seed * 2862933555777941757u + 3037000493u;
	for (size_t i = 0; i < size; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		p[i] = (uint8_t)(seed >> 32);
	}
}

/* Text that compresses, other for each seed. */
static inline void fill_text(void *out, size_t size, uint64_t seed)
{
	static const char *const words[] = { "payroll ", "ledger ", "invoice ", "1984-03-05;",
		"Müller ", "张三 ", "total\n", "0.00 " };
	char *p = out;
	uint8_t pick[256];
	size_t n = 0, k = 0;

	while (n < size) {
		const char *w;
		size_t length;

		if (k++ % sizeof pick == 0)
			fill(pick, sizeof pick, seed++);
		w = words[pick[k % sizeof pick] % 8];
		length = strlen(w);
		if (length > size - n)
			length = size - n;
		memcpy(p + n, w, length);
		n += length;
	}
}

static const uint8_t test_archive_id[16] = "archive-id-01234";

#endif

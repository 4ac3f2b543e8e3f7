#include "fs/vault/export_discard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/list.h"
#include "fs/base/text.h"
#include "fs/vault/walk.h"

#define MOVED "old-"

static int failed(const char *name, struct err *e)
{
	return err_errno(e, "removing %s, which an earlier run left", text_printable(name));
}

/* ---- one name ------------------------------------------------------------------- */

/* A name that is free: a run that was killed may have left some. */
static int move(int dirfd, const char *name, int workfd, struct err *e)
{
	char to[40];

	/* Its ".." changes with it: that takes the right to write in it. */
	if (fchmodat(dirfd, name, 0700, 0) < 0)
		return failed(name, e);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t number;

		if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
			return err_errno(e, "drawing a number");
		snprintf(to, sizeof to, MOVED "%016llx", (unsigned long long)number);
		if (renameat2(dirfd, name, workfd, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	/* A file system that knows no such flag: 64 random bits are free. */
	if (errno == EINVAL && renameat(dirfd, name, workfd, to) == 0)
		return 0;
	return failed(name, e);
}

int discard_name(int dirfd, const char *name, int workfd, struct err *e)
{
	struct stat st;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return failed(name, e);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	return move(dirfd, name, workfd, e);
}

/* ---- our own folder -------------------------------------------------------------- */

/* What is in it comes out, beside it; then it goes. */
static int flatten(int workfd, const char *name, struct err *e)
{
	struct names names = { .text = NULL };
	int fd = -1, rc = -1;

	if (fchmodat(workfd, name, 0700, 0) == 0)
		fd = openat(workfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || names_read(fd, &names) < 0) {
		failed(name, e);
		goto out;
	}
	for (size_t i = 0; i < names.count; i++)
		if (discard_name(fd, names.list[i], workfd, e) < 0)
			goto out;
	rc = unlinkat(workfd, name, AT_REMOVEDIR) == 0 ? 0 : failed(name, e);
out:
	names_free(&names);
	file_close(&fd);
	return rc;
}

static int discard(int workfd, bool only_moved, struct err *e)
{
	struct names names = { .text = NULL };
	bool is_again = true;
	int rc = 0;

	while (rc == 0 && is_again) {
		is_again = false;
		if (names_read(workfd, &names) < 0)
			rc = err_errno(e, "reading the folder beside the target");
		for (size_t i = 0; rc == 0 && i < names.count; i++) {
			const char *name = names.list[i];

			if (only_moved && strncmp(name, MOVED, strlen(MOVED)) != 0)
				continue;
			if (unlinkat(workfd, name, 0) == 0)
				continue;
			rc = flatten(workfd, name, e);
			is_again = true;
		}
	}
	names_free(&names);
	return rc;
}

int discard_all(int workfd, struct err *e)
{
	return discard(workfd, false, e);
}

int discard_moved(int workfd, struct err *e)
{
	return discard(workfd, true, e);
}

/* ---- what belongs there -------------------------------------------------------------- */

struct expected {		/* in one directory */
	char **names;		/* owned */
	size_t count, capacity;
};

struct sweep {
	struct expected *levels;	/* owned */
	size_t count;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the names in a directory");
}

struct sweep *sweep_new(void)
{
	return calloc(1, sizeof(struct sweep));
}

static void expected_clear(struct expected *x)
{
	for (size_t i = 0; i < x->count; i++)
		free(x->names[i]);
	free(x->names);
	*x = (struct expected){ .names = NULL };
}

void sweep_free(struct sweep *s)
{
	for (size_t i = 0; s && i < s->count; i++)
		expected_clear(&s->levels[i]);
	if (s)
		free(s->levels);
	free(s);
}

int sweep_expect(struct sweep *s, size_t depth, const char *name, struct err *e)
{
	struct expected *x;

	if (depth >= s->count) {
		size_t more = (depth + 1) * 2;
		struct expected *grown = reallocarray(s->levels, more, sizeof *grown);

		if (!grown)
			return no_memory(e);
		memset(grown + s->count, 0, (more - s->count) * sizeof *grown);
		s->levels = grown;
		s->count = more;
	}
	x = &s->levels[depth];
	if (!list_room(&x->names, x->count, &x->capacity, sizeof *x->names))
		return no_memory(e);
	x->names[x->count] = strdup(name);
	if (!x->names[x->count])
		return no_memory(e);
	x->count++;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int sweep_leave(struct sweep *s, size_t depth, int dirfd, int workfd, struct err *e)
{
	struct expected none = { .names = NULL };
	struct expected *x = depth < s->count ? &s->levels[depth] : &none;
	struct names names = { .text = NULL };
	size_t at = 0;
	int rc = 0;

	if (x->count > 0)
		qsort(x->names, x->count, sizeof *x->names, by_bytes);
	if (names_read(dirfd, &names) < 0)
		rc = err_errno(e, "reading a directory of the target");
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		while (at < x->count && strcmp(x->names[at], names.list[i]) < 0)
			at++;
		if (at == x->count || strcmp(x->names[at], names.list[i]) != 0)
			rc = discard_name(dirfd, names.list[i], workfd, e);
	}
	names_free(&names);
	expected_clear(x);
	return rc;
}

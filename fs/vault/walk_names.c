/*
 * A directory's names, sorted; and which of them are left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/vault/walk.h"

/* Names move while `text` grows, so the list holds offsets until the end. */
static int keep_name(struct names *n, const char *name)
{
	size_t size = strlen(name) + 1;

	if (n->used + size > n->size) {
		size_t more = (n->used + size) * 2;
		char *p = realloc(n->text, more);

		if (!p)
			return -1;
		n->text = p;
		n->size = more;
	}
	if (n->count == n->capacity) {
		size_t more = n->capacity ? n->capacity * 2 : 32;
		const char **p = realloc(n->list, more * sizeof *p);

		if (!p)
			return -1;
		n->list = p;
		n->capacity = more;
	}
	memcpy(n->text + n->used, name, size);
	n->list[n->count++] = (const char *)(uintptr_t)n->used;
	n->used += size;
	return 0;
}

/* strcmp() compares as unsigned bytes, in no locale: the catalogue's order. */
static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of one call's answer: all but "." and "..". */
static int keep_names(struct names *n, const char *at, size_t size)
{
	const struct dirent64 *d;

	for (const char *end = at + size; at < end; at += d->d_reclen) {
		d = (const struct dirent64 *)(const void *)at;
		if (d->d_ino == 0 || strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0)
			continue;
		if (keep_name(n, d->d_name) < 0)
			return ENOMEM;
	}
	return 0;
}

/* Not by readdir(), though by its rules (an entry without an inode is none, a directory
 * that was removed is at its end): for a small directory its stream costs more than the names. */
int names_read(int fd, struct names *out)
{
	_Alignas(struct dirent64) char answer[32 * 1024];
	ssize_t got = 1;
	int why = 0;

	out->used = out->count = 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	while (why == 0 && (got = getdents64(fd, answer, sizeof answer)) > 0)
		why = keep_names(out, answer, (size_t)got);
	if (got < 0 && errno != ENOENT)
		why = errno;
	for (size_t i = 0; i < out->count; i++)
		out->list[i] = out->text + (uintptr_t)out->list[i];
	if (out->count > 1)
		qsort(out->list, out->count, sizeof out->list[0], by_bytes);
	errno = why;
	return why == 0 ? 0 : -1;
}

void names_free(struct names *n)
{
	free(n->text);
	free(n->list);
	*n = (struct names){ .text = NULL };
}

static bool matches(const char *glob, size_t glob_size, const char *path,
		    const char *name, bool is_directory)
{
	char pattern[INGEST_GLOB_MAX + 1];
	bool is_path;

	if (glob_size >= sizeof pattern)
		return false;
	memcpy(pattern, glob, glob_size);
	pattern[glob_size] = 0;
	if (glob_size > 1 && pattern[glob_size - 1] == '/') {
		if (!is_directory)
			return false;
		pattern[--glob_size] = 0;
	}
	is_path = strchr(pattern, '/') != NULL;
	if (fnmatch(pattern + (pattern[0] == '/'), path, 0) == 0)
		return true;
	return !is_path && fnmatch(pattern, name, 0) == 0;
}

bool walk_is_excluded(const struct ingest_options *o, const char *path,
		      const char *name, bool is_directory)
{
	for (size_t i = 0; i < o->exclude_count; i++)
		if (matches(o->excludes[i], strlen(o->excludes[i]), path, name,
			    is_directory))
			return true;
	return false;
}

int walk_path_is_excluded(const struct ingest_options *o, const char *path,
			  bool is_directory, struct err *e)
{
	const char *slash;
	char *copy;
	bool is_out;

	if (o->exclude_count == 0)
		return 0;
	while (*path == '/' || (path[0] == '.' && path[1] == '/'))
		path++;
	copy = strdup(path);
	if (!copy)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for what is left out");
	/* What stands below an excluded directory is excluded with it. */
	for (char *p = copy; (p = strchr(p, '/')) != NULL; p++) {
		*p = 0;
		slash = strrchr(copy, '/');
		is_out = walk_is_excluded(o, copy, slash ? slash + 1 : copy, true);
		*p = '/';
		if (is_out || p[1] == 0) {
			free(copy);
			return is_out;
		}
	}
	slash = strrchr(copy, '/');
	is_out = walk_is_excluded(o, copy, slash ? slash + 1 : copy, is_directory);
	free(copy);
	return is_out;
}

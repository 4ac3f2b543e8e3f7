/*
 * A directory's names, sorted; and which of them are left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

int names_read(int fd, struct names *out)
{
	/* A descriptor of its own: closedir() closes it, and its offset is reset. */
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *d;
	int saved;

	if (!dir) {
		saved = errno;
		if (copy >= 0)
			close(copy);
		errno = saved;
		return -1;
	}
	rewinddir(dir);
	out->used = out->count = 0;
	for (;;) {
		errno = 0;
		d = readdir(dir);
		if (!d)
			break;
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (keep_name(out, d->d_name) < 0) {
			errno = ENOMEM;
			break;
		}
	}
	saved = errno;
	closedir(dir);
	errno = saved;
	for (size_t i = 0; i < out->count; i++)
		out->list[i] = out->text + (uintptr_t)out->list[i];
	if (out->count > 1)
		qsort(out->list, out->count, sizeof out->list[0], by_bytes);
	return saved == 0 ? 0 : -1;
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

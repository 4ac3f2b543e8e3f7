/*
 * Listing the folder store.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/store/objects_inside.h"

/* What the walk meets; dirfd is the folder that holds file. */
struct sight {
	int dirfd;
	const char *dir;	/* "" for segments/ itself */
	const char *file;
	bool is_object, is_leftover;
	struct object_name name;	/* valid when is_object */
};

typedef int (*sight_fn)(void *arg, const struct sight *s, struct err *e);

static DIR *open_stream(int dirfd, const char *name, struct err *e)
{
	int fd = file_open_dir(dirfd, name, e);
	DIR *stream;

	if (fd < 0)
		return NULL;
	stream = fdopendir(fd);
	if (stream == NULL) {
		err_errno(e, "listing %s", text_printable(name));
		file_close(&fd);
	}
	return stream;
}

/* The next entry but "." and ".."; NULL at the end, and -1 in *rc on failure. */
static struct dirent *next_entry(DIR *stream, const char *name, int *rc, struct err *e)
{
	struct dirent *d;

	do {
		errno = 0;
		d = readdir(stream);
	} while (d != NULL && (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0));
	if (d == NULL && errno != 0)
		*rc = err_errno(e, "listing %s", text_printable(name));
	return d;
}

static bool is_regular(int dirfd, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return d->d_type == DT_REG;
	return fstatat(dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode);
}

static bool is_leftover_name(const char *name)
{
	uint8_t random[16];
	size_t prefix = strlen(OBJECTS_LEFTOVER);

	return strncmp(name, OBJECTS_LEFTOVER, prefix) == 0 &&
	       text_unhex(name + prefix, random, sizeof random) == 0;
}

static int walk_folder(struct objects *o, const char *dir, sight_fn fn, void *arg,
		       struct err *e)
{
	DIR *stream = open_stream(o->dirfd, dir, e);
	struct dirent *d;
	int rc = 0;

	if (stream == NULL)
		return -1;
	while (rc == 0 && (d = next_entry(stream, dir, &rc, e)) != NULL) {
		struct sight s = { .dirfd = dirfd(stream), .dir = dir, .file = d->d_name };

		if (is_regular(s.dirfd, d)) {
			s.is_leftover = is_leftover_name(d->d_name);
			s.is_object = objects_parse(dir, d->d_name, &s.name) == 0;
		}
		rc = fn(arg, &s, e);
	}
	closedir(stream);
	return rc;
}

static bool is_folder_name(const char *name)
{
	static const char hex[] = "0123456789abcdef";

	return strlen(name) == 2 && strchr(hex, name[0]) != NULL &&
	       strchr(hex, name[1]) != NULL;
}

static int walk(struct objects *o, sight_fn fn, void *arg, struct err *e)
{
	DIR *stream = open_stream(o->dirfd, ".", e);
	struct dirent *d;
	int rc = 0;

	if (stream == NULL)
		return err_wrap(e, "listing " OBJECTS_FOLDER);
	while (rc == 0 && (d = next_entry(stream, OBJECTS_FOLDER, &rc, e)) != NULL) {
		struct sight s = { .dirfd = dirfd(stream), .dir = "", .file = d->d_name };
		struct stat st;

		if (is_folder_name(d->d_name) &&
		    fstatat(s.dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			rc = walk_folder(o, d->d_name, fn, arg, e);
		else
			rc = fn(arg, &s, e);
	}
	closedir(stream);
	return rc;
}

struct listing {
	enum objects_kind kind;
	struct object_name *names;
	size_t count, capacity, strangers;
};

static int list_one(void *arg, const struct sight *s, struct err *e)
{
	struct listing *l = arg;

	if (!s->is_object) {
		l->strangers += s->is_leftover ? 0 : 1;
		return 0;
	}
	if (s->name.kind != l->kind)
		return 0;
	if (l->count == l->capacity) {
		size_t capacity = l->capacity == 0 ? 64 : l->capacity * 2;
		struct object_name *names = realloc(l->names, capacity * sizeof *names);

		if (names == NULL)
			return err_set(e, MUNI_NO_MEMORY, "no memory to list %zu objects",
				       capacity);
		l->names = names;
		l->capacity = capacity;
	}
	l->names[l->count++] = s->name;
	return 0;
}

static int by_uid(const void *a, const void *b)
{
	const struct object_name *x = a, *y = b;

	return memcmp(x->uid, y->uid, sizeof x->uid);
}

int objects_list(struct objects *o, enum objects_kind kind, struct object_name **out,
		 size_t *count, size_t *strangers, struct err *e)
{
	struct listing l = { .kind = kind };

	*out = NULL;
	*count = 0;
	if (walk(o, list_one, &l, e) < 0) {
		free(l.names);
		return -1;
	}
	if (l.count > 0)
		qsort(l.names, l.count, sizeof *l.names, by_uid);
	*out = l.names;
	*count = l.count;
	if (strangers != NULL)
		*strangers = l.strangers;
	return 0;
}

static int weigh(void *arg, const struct sight *s, struct err *e)
{
	uint64_t *sums = arg;
	struct stat st;

	(void)e;
	if (s->is_object && fstatat(s->dirfd, s->file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		sums[s->name.kind] += (uint64_t)st.st_size;
	return 0;
}

int objects_bytes(struct objects *o, uint64_t out[OBJECTS_KIND_COUNT], struct err *e)
{
	memset(out, 0, OBJECTS_KIND_COUNT * sizeof *out);
	return walk(o, weigh, out, e);
}

struct stranger_row {
	int (*row)(void *arg, const char *path);
	void *arg;
};

static int tell_stranger(void *arg, const struct sight *s, struct err *e)
{
	struct stranger_row *r = arg;
	char path[4200];

	(void)e;
	if (s->is_object || s->is_leftover)
		return 0;
	snprintf(path, sizeof path, OBJECTS_FOLDER "/%s%s%s", s->dir,
		 s->dir[0] != '\0' ? "/" : "", text_printable(s->file));
	return r->row(r->arg, path);
}

int objects_strangers(struct objects *o, int (*row)(void *arg, const char *path),
		      void *arg, struct err *e)
{
	struct stranger_row r = { .row = row, .arg = arg };

	return walk(o, tell_stranger, &r, e);
}

static int sweep_one(void *arg, const struct sight *s, struct err *e)
{
	(void)arg;
	if (!s->is_leftover)
		return 0;
	if (file_remove(s->dirfd, s->file, e) < 0)
		return err_wrap(e, "removing what a crashed write left");
	return 0;
}

int objects_sweep(struct objects *o, struct err *e)
{
	return walk(o, sweep_one, NULL, e);
}

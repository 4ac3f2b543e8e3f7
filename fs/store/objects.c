/*
 * The folder store: names, gets, deletes.  Puts are in objects_put.c, listing
 * in objects_list.c.
 */
#include "fs/store/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/store/objects_inside.h"

static const char *const suffixes[OBJECTS_KIND_COUNT] = { "seg", "par", "cat" };

const char *object_text(const struct object_name *n, char out[OBJECT_TEXT_MAX])
{
	char hex[33];

	text_hex(n->uid, sizeof n->uid, hex);
	snprintf(out, OBJECT_TEXT_MAX, "%s/%s", suffixes[n->kind], hex);
	return out;
}

void objects_path(const struct object_name *n, char dir[OBJECT_DIR_MAX],
		  char file[OBJECT_FILE_MAX])
{
	char hex[33];

	text_hex(n->uid, sizeof n->uid, hex);
	memcpy(dir, hex, 2);
	dir[2] = '\0';
	snprintf(file, OBJECT_FILE_MAX, "%s.%s", hex, suffixes[n->kind]);
}

int objects_parse(const char *dir, const char *file, struct object_name *out)
{
	char hex[33], again_dir[OBJECT_DIR_MAX], again[OBJECT_FILE_MAX];

	if (strlen(file) != 36 || file[32] != '.')
		return -1;
	memcpy(hex, file, 32);
	hex[32] = '\0';
	if (text_unhex(hex, out->uid, sizeof out->uid) < 0)
		return -1;
	for (int kind = 0; kind < OBJECTS_KIND_COUNT; kind++) {
		if (strcmp(file + 33, suffixes[kind]) != 0)
			continue;
		out->kind = (enum objects_kind)kind;
		/* One object has one name: upper case or a wrong folder is none. */
		objects_path(out, again_dir, again);
		return strcmp(again, file) == 0 && strcmp(again_dir, dir) == 0 ? 0 : -1;
	}
	return -1;
}

int objects_make_folder(int dirfd, struct err *e)
{
	if (file_make_dir(dirfd, OBJECTS_FOLDER, 0700, e) < 0 || file_sync_dir(dirfd, e) < 0)
		return err_wrap(e, "making the folder " OBJECTS_FOLDER);
	return 0;
}

int objects_open_folder(int dirfd, bool is_writable, struct objects **out, struct err *e)
{
	struct objects *o = NULL;

	*out = NULL;
	o = calloc(1, sizeof *o);
	if (o == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the segment store");
	o->dirfd = -1;
	o->is_writable = is_writable;
	pthread_mutex_init(&o->lock, NULL);
	o->cache = objects_cache_new();
	if (o->cache == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the segment store");
		goto fail;
	}
	o->dirfd = file_open_dir(dirfd, OBJECTS_FOLDER, e);
	if (o->dirfd < 0) {
		if (e->code == MUNI_NOT_FOUND)
			err_set(e, MUNI_DAMAGED, "the archive has no folder "
				OBJECTS_FOLDER ": bring it back from a backup");
		goto fail;
	}
	*out = o;
	return 0;
fail:
	objects_close(o);
	return -1;
}

void objects_close(struct objects *o)
{
	if (o == NULL)
		return;
	objects_cache_free(o->cache);
	file_close(&o->dirfd);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

void objects_release(struct objects *o)
{
	objects_cache_clear(o->cache);
}

/* MUNI_NOT_FOUND if absent. */
static int open_object(struct objects *o, const struct object_name *name, struct err *e)
{
	char dir[OBJECT_DIR_MAX], file[OBJECT_FILE_MAX];
	int dirfd, fd;

	objects_path(name, dir, file);
	dirfd = file_open_dir(o->dirfd, dir, e);
	if (dirfd < 0)
		return -1;
	fd = file_open(dirfd, file, O_RDONLY | O_NONBLOCK, 0, e);
	file_close(&dirfd);
	return fd;
}

/* Has the file behind fd still a name?  Repair and destruction take it away. */
static bool is_current(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static int take_handle(struct objects *o, const struct object_name *name,
		       struct objects_handle **out, struct err *e)
{
	struct objects_handle *h = objects_cache_take(o->cache, name);
	int fd;

	if (h != NULL && !is_current(objects_handle_fd(h))) {
		objects_cache_release(o->cache, h);
		objects_cache_drop(o->cache, name);
		h = NULL;
	}
	if (h == NULL) {
		fd = open_object(o, name, e);
		if (fd < 0)
			return -1;
		h = objects_cache_add(o->cache, name, fd);
		if (h == NULL)
			return err_set(e, MUNI_NO_MEMORY, "no memory to open an object");
	}
	*out = h;
	return 0;
}

static int take_existing(struct objects *o, const struct object_name *name,
			 struct objects_handle **out, struct err *e)
{
	char text[OBJECT_TEXT_MAX];

	if (take_handle(o, name, out, e) == 0)
		return 0;
	if (e->code == MUNI_NOT_FOUND)
		return err_set(e, MUNI_DAMAGED, "%s is missing from the archive; "
			       "\"muni repair\" rebuilds it if parity covers it",
			       object_text(name, text));
	return err_wrap(e, "opening %s", object_text(name, text));
}

int objects_get(struct objects *o, const struct object_name *name, uint64_t offset,
		void *out, size_t size, struct err *e)
{
	struct objects_handle *h = NULL;
	char text[OBJECT_TEXT_MAX];
	int rc;

	if (take_existing(o, name, &h, e) < 0)
		return -1;
	rc = file_read_at(objects_handle_fd(h), offset, out, size, e);
	objects_cache_release(o->cache, h);
	if (rc < 0)
		return err_wrap(e, "reading %s", object_text(name, text));
	return 0;
}

void objects_expect(struct objects *o, const struct object_name *name, uint64_t offset,
		    uint64_t size)
{
	struct objects_handle *h = NULL;
	struct err ignored = ERR_NONE;

	if (take_handle(o, name, &h, &ignored) < 0)
		return;
	file_expect(objects_handle_fd(h), offset, size);
	objects_cache_release(o->cache, h);
}

int objects_size(struct objects *o, const struct object_name *name, uint64_t *out,
		 struct err *e)
{
	struct objects_handle *h = NULL;
	char text[OBJECT_TEXT_MAX];
	int rc;

	*out = 0;
	if (take_handle(o, name, &h, e) < 0)
		return err_wrap(e, "opening %s", object_text(name, text));
	rc = file_size(objects_handle_fd(h), out, e);
	objects_cache_release(o->cache, h);
	if (rc < 0)
		return err_wrap(e, "looking at %s", object_text(name, text));
	return 0;
}

int objects_delete(struct objects *o, const struct object_name *name, struct err *e)
{
	char dir[OBJECT_DIR_MAX], file[OBJECT_FILE_MAX], text[OBJECT_TEXT_MAX];
	int dirfd, rc;

	objects_cache_drop(o->cache, name);
	objects_path(name, dir, file);
	dirfd = file_open_dir(o->dirfd, dir, e);
	if (dirfd < 0) {
		if (e->code != MUNI_NOT_FOUND)
			return err_wrap(e, "deleting %s", object_text(name, text));
		*e = ERR_NONE;
		return 0;
	}
	rc = file_remove(dirfd, file, e);
	if (rc == 0)
		rc = file_sync_dir(dirfd, e);
	file_close(&dirfd);
	if (rc < 0)
		return err_wrap(e, "deleting %s", object_text(name, text));
	return 0;
}

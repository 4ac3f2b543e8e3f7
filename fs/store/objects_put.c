/*
 * Putting an object into the folder store.
 *
 * The file is written without a name (O_TMPFILE) and linked once it is whole
 * and synced, so that a crash leaves nothing.  File systems that cannot do that
 * get a name of OBJECTS_LEFTOVER, which objects_sweep() removes.
 */
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
#include "fs/crypt/digest.h"
#include "fs/store/objects_inside.h"

#define LEFTOVER_MAX 40		/* OBJECTS_LEFTOVER, 32 hex digits, NUL */

struct objects_writer {
	struct objects *objects;	/* borrowed */
	struct object_name name;
	int dirfd;			/* segments/ab, owned */
	int fd;				/* owned */
	char leftover[LEFTOVER_MAX];	/* the file's present name; "" none */
	bool is_let_go;
};

/* Makes segments/ab and its entry durable, once a handle: a crashed process may
 * have made the folder and never synced it. */
static int open_folder(struct objects *o, const char *dir, uint8_t first, int *out,
		       struct err *e)
{
	bool is_synced;

	pthread_mutex_lock(&o->lock);
	is_synced = o->is_synced[first];
	pthread_mutex_unlock(&o->lock);
	if (!is_synced) {
		if (file_make_dir(o->dirfd, dir, 0700, e) < 0 ||
		    file_sync_dir(o->dirfd, e) < 0)
			return -1;
		pthread_mutex_lock(&o->lock);
		o->is_synced[first] = true;
		pthread_mutex_unlock(&o->lock);
	}
	*out = file_open_dir(o->dirfd, dir, e);
	return *out < 0 ? -1 : 0;
}

static int leftover_name(char out[LEFTOVER_MAX], struct err *e)
{
	uint8_t random[16];
	char hex[33];

	if (random_bytes(random, sizeof random, e) < 0)
		return -1;
	text_hex(random, sizeof random, hex);
	snprintf(out, LEFTOVER_MAX, OBJECTS_LEFTOVER "%s", hex);
	return 0;
}

static int open_unnamed(struct objects_writer *w, struct err *e)
{
	w->fd = openat(w->dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0400);
	if (w->fd < 0) {
		if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL &&
		    errno != ENOENT)
			return err_errno(e, "making a file");
		if (leftover_name(w->leftover, e) < 0)
			return -1;
		w->fd = file_open(w->dirfd, w->leftover, O_WRONLY | O_CREAT | O_EXCL,
				  0400, e);
		if (w->fd < 0) {
			w->leftover[0] = '\0';
			return -1;
		}
	}
	if (fchmod(w->fd, 0400) < 0)
		return err_errno(e, "setting the mode of a file");
	return 0;
}

int objects_writer_open(struct objects *o, const struct object_name *name,
			struct objects_writer **out, struct err *e)
{
	char dir[OBJECT_DIR_MAX], file[OBJECT_FILE_MAX], text[OBJECT_TEXT_MAX];
	struct objects_writer *w;

	*out = NULL;
	if (!o->is_writable)
		return err_set(e, MUNI_IO, "%s cannot be written: the archive was opened "
			       "for reading", object_text(name, text));
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to write an object");
	*w = (struct objects_writer){ .objects = o, .name = *name, .dirfd = -1, .fd = -1 };
	objects_path(name, dir, file);
	if (open_folder(o, dir, name->uid[0], &w->dirfd, e) < 0 ||
	    open_unnamed(w, e) < 0) {
		objects_writer_abort(w);
		return err_wrap(e, "writing %s", object_text(name, text));
	}
	*out = w;
	return 0;
}

int objects_writer_append(struct objects_writer *w, const void *data, size_t size,
			  struct err *e)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	char text[OBJECT_TEXT_MAX];

	if (file_write_vec(w->fd, &part, 1, e) < 0)
		return err_wrap(e, "writing %s", object_text(&w->name, text));
	return 0;
}

void objects_writer_let_go(struct objects_writer *w)
{
	w->is_let_go = true;
}

void objects_writer_abort(struct objects_writer *w)
{
	if (w == NULL)
		return;
	if (w->leftover[0] != '\0')
		unlinkat(w->dirfd, w->leftover, 0);	/* else objects_sweep() */
	file_close(&w->fd);
	file_close(&w->dirfd);
	free(w);
}

/* Gives the unnamed file a name; AT_EMPTY_PATH would need a capability. */
static int link_unnamed(struct objects_writer *w, const char *name)
{
	char self[40];

	snprintf(self, sizeof self, "/proc/self/fd/%d", w->fd);
	return linkat(AT_FDCWD, self, w->dirfd, name, AT_SYMLINK_FOLLOW);
}

/* For file systems without RENAME_NOREPLACE. */
static int move_by_link(struct objects_writer *w, const char *file)
{
	if (linkat(w->dirfd, w->leftover, w->dirfd, file, 0) < 0)
		return -1;
	return unlinkat(w->dirfd, w->leftover, 0);
}

static int name_file(struct objects_writer *w, const char *file, bool may_replace,
		     struct err *e)
{
	int rc;

	if (may_replace && w->leftover[0] == '\0') {
		char name[LEFTOVER_MAX];

		if (leftover_name(name, e) < 0)
			return -1;
		if (link_unnamed(w, name) < 0)
			return err_errno(e, "naming the new file");
		memcpy(w->leftover, name, sizeof name);
	}
	if (w->leftover[0] == '\0') {
		rc = link_unnamed(w, file);
	} else if (may_replace) {
		rc = renameat(w->dirfd, w->leftover, w->dirfd, file);
	} else {
		rc = renameat2(w->dirfd, w->leftover, w->dirfd, file, RENAME_NOREPLACE);
		if (rc < 0 && (errno == EINVAL || errno == ENOSYS))
			rc = move_by_link(w, file);
	}
	if (rc < 0 && errno == EEXIST)
		return err_set(e, MUNI_EXISTS, "an object of this name is there already");
	if (rc < 0)
		return err_errno(e, "naming the new file");
	w->leftover[0] = '\0';
	return 0;
}

int objects_writer_commit(struct objects_writer *w, bool may_replace, struct err *e)
{
	char dir[OBJECT_DIR_MAX], file[OBJECT_FILE_MAX], text[OBJECT_TEXT_MAX];
	int rc = -1;

	objects_path(&w->name, dir, file);
	if (file_sync(w->fd, e) < 0 ||
	    name_file(w, file, may_replace, e) < 0 ||
	    file_sync_dir(w->dirfd, e) < 0)
		goto out;
	if (may_replace)
		objects_cache_drop(w->objects->cache, &w->name);
	if (w->is_let_go)
		(void)posix_fadvise(w->fd, 0, 0, POSIX_FADV_DONTNEED);
	rc = 0;
out:
	if (rc < 0)
		err_wrap(e, "writing %s", object_text(&w->name, text));
	objects_writer_abort(w);
	return rc;
}

int objects_put(struct objects *o, const struct object_name *name, struct iovec *parts,
		size_t count, struct err *e)
{
	struct objects_writer *w = NULL;
	char text[OBJECT_TEXT_MAX];

	if (objects_writer_open(o, name, &w, e) < 0)
		return -1;
	if (file_write_vec(w->fd, parts, count, e) < 0) {
		objects_writer_abort(w);
		return err_wrap(e, "writing %s", object_text(name, text));
	}
	return objects_writer_commit(w, false, e);
}

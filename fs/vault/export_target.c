#include "fs/vault/export_target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/export_discard.h"
#include "fs/vault/export_meta.h"
#include "fs/vault/inside.h"

#define MARKER "version"
#define MARKER_MAX 600
#define SUFFIX_SIZE 13		/* of the longest: ".partial.work" */

static int split(struct target *t, const char *to, struct err *e)
{
	char folder[4096];
	size_t size = strlen(to);
	const char *base;

	*t = (struct target){ -1, "", "", "", -1, -1, -1, -1, false };
	while (size > 1 && to[size - 1] == '/')
		size--;
	if (size == 0 || size >= sizeof folder)
		return err_set(e, MUNI_USAGE, "--to needs the name of what is to be written");
	memcpy(folder, to, size);
	folder[size] = 0;
	base = strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder;
	if (!*base || !strcmp(base, ".") || !strcmp(base, ".."))
		return err_set(e, MUNI_USAGE, "--to %s: name something new below it, which is "
			       "put in its place when it is whole", text_printable(to));
	if (strlen(base) > sizeof t->base - 1 - SUFFIX_SIZE)
		return err_set(e, MUNI_USAGE, "--to %s: the name is too long to put \".partial\" "
			       "behind it", text_printable(to));
	snprintf(t->base, sizeof t->base, "%.240s", base);
	snprintf(t->partial, sizeof t->partial, "%.240s.partial", base);
	snprintf(t->work, sizeof t->work, "%.240s.partial.work", base);
	if (base == folder)
		snprintf(folder, sizeof folder, ".");
	else if (base == folder + 1)
		folder[1] = 0;
	else
		folder[base - folder - 1] = 0;
	t->parent = file_open_user(folder, O_RDONLY | O_DIRECTORY, 0, e);
	return t->parent < 0 ? -1 : 0;
}

static bool is_empty_dir(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool is_empty = d != NULL;

	while (d && (entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			is_empty = false;
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return is_empty;
}

/* Nothing may stand under the name, but an empty directory for a directory. */
static int check_free(const struct target *t, bool is_dir, struct err *e)
{
	struct stat st, above;

	if (fstatat(t->parent, t->base, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_errno(e, "looking at %s", text_printable(t->base));
	}
	if (!is_dir || !S_ISDIR(st.st_mode) || !is_empty_dir(t->parent, t->base))
		return err_set(e, MUNI_EXISTS, "%s is there already; an export never writes over "
			       "anything: choose another name or remove it",
			       text_printable(t->base));
	if (fstat(t->parent, &above) == 0 && above.st_dev != st.st_dev)
		return err_set(e, MUNI_USAGE, "%s is a mount point; name a new directory below "
			       "it", text_printable(t->base));
	return 0;
}

/* ---- directories ------------------------------------------------------------------ */

static bool is_there(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int check_marker(struct target *t, const char *want, struct err *e)
{
	uint8_t *found = NULL;
	size_t size;
	int rc = -1;

	if (file_load(t->workfd, MARKER, MARKER_MAX, &found, &size, e) == 0 &&
	    size == strlen(want) && !memcmp(found, want, size))
		rc = 0;
	free(found);
	if (rc < 0)
		err_set(e, MUNI_EXISTS, "%s was begun by another export (of another version, "
			"archive or format); remove it and %s to start again",
			text_printable(t->partial), text_printable(t->work));
	return rc;
}

/* The marker stands before the first thing that it answers for. */
static int claim(struct target *t, struct export *x, struct err *e)
{
	char marker[MARKER_MAX];

	x->source->mark(x, marker, sizeof marker);
	t->is_resumed = is_there(t->parent, t->partial);
	if (t->is_resumed && !is_there(t->parent, t->work))
		return err_set(e, MUNI_EXISTS, "%s is there and no export that can be continued; "
			       "remove it or choose another name", text_printable(t->partial));
	if (file_make_dir(t->parent, t->work, 0700, e) < 0)
		return -1;
	t->workfd = file_open_dir(t->parent, t->work, e);
	if (t->workfd < 0)
		return -1;
	if (t->is_resumed)
		return file_require_ours(t->parent, t->workfd, t->work, e) < 0 ? -1 :
		       check_marker(t, marker, e);
	if (discard_all(t->workfd, e) < 0)
		return -1;
	return file_replace_synced(t->workfd, MARKER, marker, strlen(marker), 0600, e);
}

/* A run that was killed after NAME was in its place left its work folder. */
static void sweep(struct target *t)
{
	struct err ignored = ERR_NONE;

	if (!is_there(t->parent, t->base) || is_there(t->parent, t->partial))
		return;
	t->workfd = file_open_dir(t->parent, t->work, &ignored);
	if (t->workfd >= 0 && is_there(t->workfd, MARKER) && discard_all(t->workfd, &ignored) == 0)
		(void)unlinkat(t->parent, t->work, AT_REMOVEDIR);
	file_close(&t->workfd);
}

int target_open_dir(struct target *t, struct export *x, struct err *e)
{
	if (split(t, x->options->to, e) < 0)
		return -1;
	if (check_free(t, true, e) < 0) {
		sweep(t);
		return -1;
	}
	if (claim(t, x, e) < 0)
		return -1;
	t->lock = file_open(t->workfd, MARKER, O_RDWR, 0, e);
	if (t->lock < 0)
		return -1;
	if (file_lock(t->lock, true, 0, e) < 0)
		return err_set(e, MUNI_BUSY, "another export is writing %s",
			       text_printable(t->partial));
	if (file_make_dir(t->parent, t->partial, 0700, e) < 0)
		return -1;
	t->root = file_open_dir(t->parent, t->partial, e);
	if (t->root < 0 || file_require_ours(t->parent, t->root, t->partial, e) < 0)
		return -1;
	export_meta_disinherit(t->root);
	return 0;
}

/* ---- files --------------------------------------------------------------------------- */

int target_open_file(struct target *t, struct export *x, struct err *e)
{
	if (split(t, x->options->to, e) < 0 || check_free(t, false, e) < 0)
		return -1;
	t->is_resumed = is_there(t->parent, t->partial);
	t->file = file_open(t->parent, t->partial, O_RDWR | O_CREAT, 0600, e);
	if (t->file < 0 || file_require_ours(t->parent, t->file, t->partial, e) < 0)
		return -1;
	if (file_lock(t->file, true, 0, e) < 0)
		return err_set(e, MUNI_BUSY, "another export is writing %s",
			       text_printable(t->partial));
	return 0;
}

/* ---- the end ------------------------------------------------------------------------- */

int target_finish(struct target *t, struct err *e)
{
	if (renameat(t->parent, t->partial, t->parent, t->base) < 0)
		return err_errno(e, "putting %s in its place", text_printable(t->base));
	if (file_sync_dir(t->parent, e) < 0)
		return -1;
	if (t->workfd < 0)
		return 0;
	if (discard_all(t->workfd, e) < 0)
		return -1;
	if (unlinkat(t->parent, t->work, AT_REMOVEDIR) < 0)
		return err_errno(e, "removing %s", text_printable(t->work));
	return 0;
}

void target_close(struct target *t)
{
	file_close(&t->lock);
	file_close(&t->file);
	file_close(&t->workfd);
	file_close(&t->root);
	file_close(&t->parent);
}

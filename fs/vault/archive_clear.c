/*
 * What an init leaves that fails or is killed.  Until the archive is whole its
 * folder holds a mark with the id and the keyring's path, so that the next init
 * there knows what it may take away.
 */
#include "fs/vault/archive_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"

#define DEPTH_MAX 4		/* of what an init makes */
#define LIST_SIZE 4096

/* True if an init makes files of this name in the archive's folder. */
static bool is_ours(const char *name)
{
	static const char *const names[] = {
		ARCHIVE_AUDIT, ARCHIVE_CERTIFICATES, ARCHIVE_SEGMENTS, ARCHIVE_LOCK,
		ARCHIVE_FILE ".tmp", ARCHIVE_FILE_COPY, ARCHIVE_FILE_COPY ".tmp",
		ARCHIVE_MARK ".tmp",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strncmp(name, "catalogue.1", 11) == 0;
}

static bool remove_all(int dirfd, unsigned depth, bool (*is_wanted)(const char *name));

static bool remove_one(int dirfd, const char *name, unsigned depth)
{
	struct err ignored = ERR_NONE;
	int below;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR || depth == 0)
		return false;
	below = file_open_dir(dirfd, name, &ignored);
	if (below >= 0)
		(void)remove_all(below, depth - 1, NULL);
	file_close(&below);
	return unlinkat(dirfd, name, AT_REMOVEDIR) == 0;
}

/* Asks for no memory, which may be what the init wanted for: opendir() does.  True if
 * all of it went. */
static bool remove_all(int dirfd, unsigned depth, bool (*is_wanted)(const char *name))
{
	_Alignas(struct dirent64) char list[LIST_SIZE];
	bool is_all = true;
	ssize_t size;

	if (lseek(dirfd, 0, SEEK_SET) < 0)
		return false;
	while ((size = getdents64(dirfd, list, sizeof list)) > 0) {
		for (ssize_t at = 0; at < size; ) {
			const struct dirent64 *d = (const void *)(list + at);

			at += d->d_reclen;
			if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
			    (is_wanted && !is_wanted(d->d_name)))
				continue;
			is_all &= remove_one(dirfd, d->d_name, depth);
		}
	}
	return is_all && size == 0;
}

void archive_clear(int dirfd)
{
	bool is_all = remove_all(dirfd, DEPTH_MAX, is_ours);

	if (unlinkat(dirfd, ARCHIVE_FILE, 0) < 0 && errno != ENOENT)
		is_all = false;
	/* Last, and only then: it tells the next init what to clear. */
	if (is_all)
		unlinkat(dirfd, ARCHIVE_MARK, 0);
}

int archive_mark_remove(int dirfd, struct err *e)
{
	return file_remove(dirfd, ARCHIVE_MARK, e);
}

struct sight {			/* of what the folder holds */
	bool is_empty;
	bool has_mark;		/* of an init that has not ended */
	bool has_archive;
};

static int look(int dirfd, struct sight *out, struct err *e)
{
	int fd = file_open_dir(dirfd, ".", e);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	*out = (struct sight){ .is_empty = true };
	if (!dir) {
		file_close(&fd);
		return err_errno(e, "listing the folder");
	}
	while ((d = readdir(dir))) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		out->is_empty = false;
		if (strcmp(d->d_name, ARCHIVE_MARK) == 0 ||
		    strcmp(d->d_name, ARCHIVE_MARK ".tmp") == 0)
			out->has_mark = true;
		if (strcmp(d->d_name, ARCHIVE_FILE) == 0)
			out->has_archive = true;
	}
	closedir(dir);
	return 0;
}

/* Only if it says that it is this unborn archive's own, or says nothing yet. */
static void clear_keyring(const char *archive, const struct archive_file *a)
{
	struct vault_keys none = { .keyring = NULL };
	struct err ignored = ERR_NONE;
	char *path = archive_keyring_path(archive, a, &none, &ignored);
	char what[200];
	struct stat st;
	bool is_damaged;

	if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_size == 0 ||
	     keyring_check(path, a->id, &is_damaged, what, sizeof what, &ignored) == 0)) {
		unlink(path);
		(void)anchor_remove(path, a->id, &ignored);
	}
	free(path);
}

/* Without a mark that holds, the init was killed before it made anything. */
static void clear_unborn(const char *path, int dirfd)
{
	struct archive_file a;
	struct err ignored = ERR_NONE;

	if (archive_mark_read(dirfd, &a, &ignored) == 0) {
		clear_keyring(path, &a);
		archive_clear(dirfd);
	} else if (ignored.code != MUNI_NO_MEMORY) {
		unlinkat(dirfd, ARCHIVE_MARK, 0);
	}
	unlinkat(dirfd, ARCHIVE_MARK ".tmp", 0);
}

int archive_require_empty(const char *path, int dirfd, struct err *e)
{
	struct sight s;

	if (look(dirfd, &s, e) < 0)
		return -1;
	if (s.has_mark && !s.has_archive) {
		clear_unborn(path, dirfd);
		if (look(dirfd, &s, e) < 0)
			return -1;
	}
	if (s.is_empty)
		return 0;
	if (s.has_archive)
		return err_set(e, MUNI_EXISTS, "there is an archive in %s already",
			       text_printable(path));
	return err_set(e, MUNI_EXISTS, "the folder %s is not empty: an archive is made in a new "
		       "or an empty one", text_printable(path));
}

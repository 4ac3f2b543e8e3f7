/*
 * What a killed program left beside the files that it was about to replace: NAME.tmp, which
 * nobody will ever look at (fs/base/file.h, F3), and which may hold what is to be destroyed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/archive_inside.h"

static bool is_draft(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

static int sweep_open(DIR *d, struct err *e)
{
	bool is_changed = false;

	for (struct dirent *entry; (errno = 0, entry = readdir(d)) != NULL;) {
		if (!is_draft(entry->d_name))
			continue;
		if (file_remove(dirfd(d), entry->d_name, e) < 0)
			return -1;
		is_changed = true;
	}
	if (errno != 0)
		return err_errno(e, "looking for what a crash left");
	return is_changed ? file_sync_dir(dirfd(d), e) : 0;
}

static int sweep(int parent, const char *name, struct err *e)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), rc;
	DIR *d;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(e, "opening the folder %s", name);
	d = fdopendir(fd);
	if (d == NULL) {
		close(fd);
		return err_errno(e, "reading the folder %s", name);
	}
	rc = sweep_open(d, e);
	closedir(d);
	return rc;
}

int archive_sweep(int dirfd, struct err *e)
{
	return sweep(dirfd, ".", e) < 0 || sweep(dirfd, ARCHIVE_CERTIFICATES, e) < 0 ||
	       sweep(dirfd, ARCHIVE_AUDIT, e) < 0 ? -1 : 0;
}

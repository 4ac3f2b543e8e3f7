/*
 * What a killed program left beside the files that it was about to replace: NAME.tmp, which
 * nobody will ever look at (fs/base/file.h, F3), and which may hold what is to be destroyed.
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
#include "fs/vault/archive_inside.h"

#define MARKS_MAX ((size_t)2 << 30)	/* as the annex, beside which it lies */

static bool is_draft(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

static bool is_there(int fd, const char *stem, size_t size, const char *end)
{
	char name[64];
	struct stat st;

	snprintf(name, sizeof name, "%.*s%s", (int)size, stem, end);
	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* "C1.marks" of a certificate that is whole, if its bytes are those of `marks`. */
static int is_same_marks(int fd, const char *name, const uint8_t *marks, size_t size, bool *is_it,
			 struct err *e)
{
	size_t stem = name[0] == 'C' ? 1 + strspn(name + 1, "0123456789") : 0;
	uint8_t *data = NULL;
	size_t its_size;

	if (stem < 2 || stem > 32 || strcmp(name + stem, ".marks") != 0 ||
	    !is_there(fd, name, stem, ".p7m") || !is_there(fd, name, stem, ".p7s"))
		return 0;
	if (file_load(fd, name, MARKS_MAX, &data, &its_size, e) < 0)
		return -1;
	*is_it |= its_size == size && memcmp(data, marks, size) == 0;
	free(data);
	return 0;
}

/* "D1.marks", which an execution that was cut off at its very end left beside the
 * certificate that has them. */
static int sweep_marks(int fd, const char *name, bool *is_changed, struct err *e)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *d = again < 0 ? NULL : fdopendir(again);
	uint8_t *marks = NULL;
	bool is_it = false;
	size_t size;

	if (d == NULL) {
		err_errno(e, "reading the folder %s", ARCHIVE_CERTIFICATES);
		file_close(&again);
		return -1;
	}
	rc = file_load(fd, name, MARKS_MAX, &marks, &size, e);
	for (struct dirent *entry; rc == 0 && (entry = readdir(d)) != NULL;)
		rc = is_same_marks(fd, entry->d_name, marks, size, &is_it, e);
	if (rc == 0 && is_it)
		rc = file_remove(fd, name, e);
	/* What is no file of ours stays, for verify to tell of. */
	if (rc < 0 && (e->code == MUNI_DAMAGED || e->code == MUNI_LIMIT)) {
		*e = ERR_NONE;
		rc = 0;
	}
	*is_changed |= is_it;
	free(marks);
	closedir(d);
	return rc;
}

static bool is_marks_in_waiting(const char *name)
{
	size_t digits = name[0] == 'D' ? strspn(name + 1, "0123456789") : 0;

	return digits > 0 && strcmp(name + 1 + digits, ".marks") == 0;
}

static int sweep_open(DIR *d, struct err *e)
{
	bool is_changed = false;

	for (struct dirent *entry; (errno = 0, entry = readdir(d)) != NULL;) {
		if (is_marks_in_waiting(entry->d_name)) {
			if (sweep_marks(dirfd(d), entry->d_name, &is_changed, e) < 0)
				return -1;
			continue;
		}
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
	       sweep(dirfd, ARCHIVE_CERTIFICATE_COPIES, e) < 0 ||
	       sweep(dirfd, ARCHIVE_AUDIT, e) < 0 ? -1 : 0;
}

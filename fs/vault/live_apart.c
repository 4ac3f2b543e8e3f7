/*
 * A live source and the archive stand apart: else segments or the keyring could be
 * destroyed as items of a source, and with them records that are held.
 */
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/inside.h"
#include "fs/vault/live.h"

static bool is_one(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Is the folder `fd` the folder `top`, or below it?  Climbed, not read from paths: those
 * may lead through mounts and links. */
static int is_within(int fd, int top, bool *out, struct err *e)
{
	int at = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct stat here, wanted, above;
	int rc = -1;

	*out = false;
	if (at < 0 || fstat(at, &here) < 0 || fstat(top, &wanted) < 0)
		goto failed;
	for (;;) {
		int up;

		*out = is_one(&here, &wanted);
		up = *out ? -1 : openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (*out)
			break;
		if (up < 0)
			goto failed;
		file_close(&at);
		at = up;
		if (fstat(at, &above) < 0)
			goto failed;
		if (is_one(&above, &here))
			break;	/* the root */
		here = above;
	}
	rc = 0;
failed:
	if (rc < 0)
		err_errno(e, "finding out where the source lies");
	file_close(&at);
	return rc;
}

/* The folder that the keyring lies in; -1: it is not to be found, hence not in the source. */
static int keyring_folder(const struct vault *v)
{
	char *real = realpath(v->keyring_path, NULL);
	int fd = real ? open(dirname(real), O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	free(real);
	return fd;
}

int live_check_apart(const struct vault *v, int root, struct err *e)
{
	int keyring = keyring_folder(v), rc = -1;
	bool is_around, is_inside, has_keyring = false;

	if (is_within(v->dirfd, root, &is_around, e) < 0 ||
	    is_within(root, v->dirfd, &is_inside, e) < 0 ||
	    (keyring >= 0 && is_within(keyring, root, &has_keyring, e) < 0))
		goto out;
	if (is_around)
		err_set(e, MUNI_REFUSED, "live source: the archive lies inside of it, and what is "
			"archived goes by its own records alone");
	else if (is_inside)
		err_set(e, MUNI_REFUSED, "live source: it lies inside the archive, and what is "
			"archived goes by its own records alone");
	else if (has_keyring)
		err_set(e, MUNI_REFUSED, "live source: the keyring of the archive lies inside of "
			"it, without which nothing archived can be read; move the keyring first");
	else
		rc = 0;
out:
	file_close(&keyring);
	return rc;
}

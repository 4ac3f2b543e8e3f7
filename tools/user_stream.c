#include "tools/user_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"

/* A link that is this process's own stream is followed; any other may be a trap, and is replaced. */
static bool is_own_stream(const char *path)
{
	return strncmp(path, "/dev/fd/", 8) == 0 || strncmp(path, "/proc/self/fd/", 14) == 0 ||
	       strcmp(path, "/dev/stdout") == 0 || strcmp(path, "/dev/stderr") == 0;
}

bool user_stream_is(const char *path)
{
	struct stat st;

	if (is_own_stream(path))
		return stat(path, &st) == 0;
	return lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
	       !S_ISLNK(st.st_mode);
}

static int require_stream(int dirfd, const char *name, const char *path, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "looking at \"%s\"", text_printable(path));
	if (is_own_stream(path) && (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode)))
		return 0;
	if (S_ISFIFO(st.st_mode))
		return file_require_ours(dirfd, fd, name, e);
	if (!S_ISCHR(st.st_mode))
		return err_set(e, MUNI_USAGE, "\"%s\" is no file, pipe or terminal: name a file",
			       text_printable(path));
	return 0;
}

/* Does not wait for a pipe's reader or a line that is down; writing to it then does. */
static int open_stream(int dirfd, const char *name, const char *path, int *out, struct err *e)
{
	int follow = is_own_stream(path) ? 0 : O_NOFOLLOW, flags, rc;
	int fd = openat(dirfd, name, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | follow);

	if (fd < 0 && errno == ENXIO)
		return err_set(e, MUNI_IO, "nobody reads from \"%s\": start what reads it first, or "
			       "name a file", text_printable(path));
	if (fd < 0)
		return err_errno(e, "opening \"%s\"", text_printable(path));
	rc = require_stream(dirfd, name, path, fd, e);
	flags = fcntl(fd, F_GETFL);
	if (rc == 0 && (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0))
		rc = err_errno(e, "opening \"%s\"", text_printable(path));
	if (rc < 0)
		file_close(&fd);
	else
		*out = fd;
	return rc;
}

int user_stream_write(int dirfd, const char *name, const char *path, const void *data,
		      size_t size, struct err *e)
{
	struct iovec all = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	int fd = -1, rc = open_stream(dirfd, name, path, &fd, e);

	if (rc < 0)
		return rc;
	if (file_write_vec(fd, &all, 1, e) < 0)
		rc = err_wrap(e, "\"%s\"", text_printable(path));
	if (close(fd) < 0 && rc == 0)
		rc = err_errno(e, "writing \"%s\"", text_printable(path));
	return rc;
}

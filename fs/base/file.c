#include "fs/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/text.h"

/* F1: what cannot be what was written under this name is damage; what the system
 * only would not let us open is not. */
static int open_failed(const char *name, int flags, struct err *e)
{
	int sys = errno;

	if (sys == ELOOP && (flags & O_NOFOLLOW) != 0)
		err_set(e, MUNI_DAMAGED, "opening %s: it is a symbolic link, and none is "
			"followed here", text_printable(name));
	else if (sys == ENOTDIR && (flags & O_DIRECTORY) != 0 &&
		 (flags & O_NOFOLLOW) != 0)
		err_set(e, MUNI_DAMAGED, "opening %s: it is no folder (and a symbolic link "
			"to one is not followed here)", text_printable(name));
	else if ((sys == EISDIR || sys == ENXIO) && (flags & O_NOFOLLOW) != 0)
		err_set(e, MUNI_DAMAGED, "opening %s: it is not a regular file",
			text_printable(name));
	else
		err_errno(e, "opening %s", text_printable(name));
	e->sys = sys;
	if (sys == ENOENT)
		e->code = MUNI_NOT_FOUND;
	else if (sys == EEXIST)
		e->code = MUNI_EXISTS;
	return -1;
}

static int open_retrying(int dirfd, const char *name, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dirfd, name, flags, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

/* A file that was made here gets its mode whatever the umask; one that was
 * there keeps its own. */
static int open_making(int dirfd, const char *name, int flags, mode_t mode,
		       struct err *e)
{
	int fd;

	for (;;) {
		if ((flags & O_EXCL) == 0) {
			fd = open_retrying(dirfd, name, flags & ~O_CREAT, 0);
			if (fd >= 0)
				return fd;
			if (errno != ENOENT)
				return open_failed(name, flags, e);
		}
		fd = open_retrying(dirfd, name, flags | O_EXCL, mode);
		if (fd >= 0)
			break;
		if (errno != EEXIST || (flags & O_EXCL) != 0)
			return open_failed(name, flags, e);
		/* Somebody made it between the two calls. */
	}
	if (fchmod(fd, mode) < 0) {
		err_errno(e, "setting the mode of %s", text_printable(name));
		unlinkat(dirfd, name, 0);
		file_close(&fd);
	}
	return fd;
}

static int open_any(int dirfd, const char *name, int flags, mode_t mode, struct err *e)
{
	int fd;

	if ((flags & O_CREAT) != 0)
		return open_making(dirfd, name, flags, mode, e);
	fd = open_retrying(dirfd, name, flags, mode);
	return fd < 0 ? open_failed(name, flags, e) : fd;
}

void file_fill_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int file_open(int dirfd, const char *name, int flags, mode_t mode, struct err *e)
{
	struct stat st;
	int fd;

	flags |= O_CLOEXEC | O_NOFOLLOW;
	if ((flags & O_DIRECTORY) != 0)
		return open_any(dirfd, name, flags, mode, e);
	/* A fifo put under this name must not make us wait. */
	fd = open_any(dirfd, name, flags | O_NONBLOCK | O_NOCTTY, mode, e);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		err_errno(e, "looking at %s", text_printable(name));
	else if (!S_ISREG(st.st_mode))
		err_set(e, MUNI_DAMAGED, "opening %s: it is not a regular file",
			text_printable(name));
	else if ((flags & O_ACCMODE) != O_RDONLY && st.st_nlink > 1)
		err_set(e, MUNI_DAMAGED, "opening %s: it has another name (a hard link), under "
			"which something else would be written; copy it in its place",
			text_printable(name));
	else
		return fd;
	file_close(&fd);
	return -1;
}

int file_open_user(const char *path, int flags, mode_t mode, struct err *e)
{
	return open_any(AT_FDCWD, path, flags | O_CLOEXEC, mode, e);
}

int file_open_dir(int dirfd, const char *name, struct err *e)
{
	return file_open(dirfd, name, O_RDONLY | O_DIRECTORY, 0, e);
}

int file_make_dir(int dirfd, const char *name, mode_t mode, struct err *e)
{
	struct stat st;

	if (mkdirat(dirfd, name, mode) == 0) {
		if (fchmodat(dirfd, name, mode, AT_SYMLINK_NOFOLLOW) < 0)
			return err_errno(e, "setting the mode of %s",
					 text_printable(name));
		return 0;
	}
	if (errno != EEXIST)
		return err_errno(e, "making the folder %s", text_printable(name));
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, "looking at %s", text_printable(name));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, MUNI_EXISTS, "%s is there and is not a folder",
			       text_printable(name));
	return 0;
}

int file_require_ours(int parent, int fd, const char *name, struct err *e)
{
	struct stat above, st;

	if (fstat(parent, &above) < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "looking at %s", text_printable(name));
	bool is_shared = (above.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
			 (above.st_uid != geteuid() && above.st_uid != 0);
	bool is_ours = st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
		       (S_ISDIR(st.st_mode) || st.st_nlink <= 1);
	if (!is_shared || is_ours)
		return 0;
	return err_set(e, MUNI_EXISTS, "%s was there already, where others can write too, and "
		       "is not yours alone (user %ld, mode %04o): whoever put it there would have "
		       "what is written; remove it, or choose another place",
		       text_printable(name), (long)st.st_uid, st.st_mode & 07777u);
}

int file_size(int fd, uint64_t *out, struct err *e)
{
	struct stat st;

	*out = 0;
	if (fstat(fd, &st) < 0)
		return err_errno(e, "looking at an open file");
	*out = (uint64_t)st.st_size;
	return 0;
}

/* The kernel takes no more of one call than one request to the disk holds, and drops the rest. */
#define EXPECT_PIECE ((uint64_t)512 * 1024)

void file_expect(int fd, uint64_t offset, uint64_t size)
{
	if (offset > INT64_MAX || size > INT64_MAX - offset)
		return;
	for (uint64_t done = 0; done < size; done += EXPECT_PIECE) {
		uint64_t left = size - done;

		(void)posix_fadvise(fd, (off_t)(offset + done),
				    (off_t)(left < EXPECT_PIECE ? left : EXPECT_PIECE),
				    POSIX_FADV_WILLNEED);
	}
}

void file_expect_user(const char *path)
{
	struct err ignored = ERR_NONE;
	struct stat st;
	int fd;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	fd = file_open_user(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &ignored);
	if (fd >= 0)
		file_expect(fd, 0, EXPECT_PIECE);
	file_close(&fd);
}

static int refuse_offset(uint64_t offset, size_t size, struct err *e)
{
	if (offset > INT64_MAX || size > INT64_MAX - offset)
		return err_set(e, MUNI_LIMIT, "byte %llu is past what a file can hold",
			       (unsigned long long)offset);
	return 0;
}

int file_read_at(int fd, uint64_t offset, void *out, size_t size, struct err *e)
{
	uint8_t *p = out;

	if (refuse_offset(offset, size, e) < 0)
		return -1;
	while (size > 0) {
		ssize_t n = pread(fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "reading at byte %llu",
					 (unsigned long long)offset);
		if (n == 0)
			return err_set(e, MUNI_DAMAGED, "ends at byte %llu, %zu bytes "
				       "too early", (unsigned long long)offset, size);
		p += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

int file_read_rest(int fd, void *out, size_t room, size_t *size, struct err *e)
{
	*size = 0;
	while (*size < room) {
		ssize_t n = read(fd, (uint8_t *)out + *size, room - *size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "reading at byte %zu", *size);
		if (n == 0)
			break;
		*size += (size_t)n;
	}
	return 0;
}

int file_write_at(int fd, uint64_t offset, const void *data, size_t size,
		  struct err *e)
{
	const uint8_t *p = data;

	if (refuse_offset(offset, size, e) < 0)
		return -1;
	while (size > 0) {
		ssize_t n = pwrite(fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0) {
			errno = ENOSPC;
			n = -1;
		}
		if (n < 0)
			return err_errno(e, "writing at byte %llu",
					 (unsigned long long)offset);
		p += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

/* Steps over the first n bytes of the parts. */
static void skip_parts(struct iovec **parts, size_t *count, size_t n)
{
	while (*count > 0 && n >= (*parts)->iov_len) {
		n -= (*parts)->iov_len;
		(*parts)++;
		(*count)--;
	}
	if (*count > 0) {
		(*parts)->iov_base = (uint8_t *)(*parts)->iov_base + n;
		(*parts)->iov_len -= n;
	}
}

int file_write_vec(int fd, struct iovec *parts, size_t count, struct err *e)
{
	skip_parts(&parts, &count, 0);
	while (count > 0) {
		ssize_t n = writev(fd, parts, count < IOV_MAX ? (int)count : IOV_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0) {
			errno = ENOSPC;
			n = -1;
		}
		if (n < 0)
			return err_errno(e, "writing");
		skip_parts(&parts, &count, (size_t)n);
	}
	return 0;
}

int file_sync(int fd, struct err *e)
{
	int rc;

	do
		rc = fsync(fd);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? err_errno(e, "bringing a file to stable storage") : 0;
}

int file_sync_dir(int dirfd, struct err *e)
{
	int rc;

	do
		rc = fsync(dirfd);
	while (rc < 0 && errno == EINTR);
	/* EINVAL: this file system keeps folders without being asked to. */
	if (rc < 0 && errno != EINVAL)
		return err_errno(e, "bringing a folder to stable storage");
	return 0;
}

int file_write_synced(int fd, uint64_t offset, const void *data, size_t size,
		      struct err *e)
{
	if (file_write_at(fd, offset, data, size, e) < 0)
		return -1;
	return file_sync(fd, e);
}

static int write_beside(int dirfd, const char *temporary, const void *data, size_t size,
			mode_t mode, struct err *e)
{
	int rc = -1;
	int fd = file_open(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL, mode, e);

	if (fd < 0)
		return -1;
	if (file_write_synced(fd, 0, data, size, e) < 0)
		goto out;
	rc = 0;
out:
	file_close(&fd);
	return rc;
}

int file_replace_synced(int dirfd, const char *name, const void *data, size_t size,
			mode_t mode, struct err *e)
{
	char temporary[PATH_MAX];
	int n = snprintf(temporary, sizeof temporary, "%s.tmp", name);

	if (n < 0 || (size_t)n >= sizeof temporary)
		return err_set(e, MUNI_LIMIT, "the name %s is too long",
			       text_printable(name));
	/* A crash may have left one behind. */
	if (file_remove(dirfd, temporary, e) < 0)
		return -1;
	if (write_beside(dirfd, temporary, data, size, mode, e) < 0) {
		err_wrap(e, "writing %s", text_printable(temporary));
		goto failed;
	}
	if (renameat(dirfd, temporary, dirfd, name) < 0) {
		err_errno(e, "putting %s in its place", text_printable(name));
		goto failed;
	}
	return file_sync_dir(dirfd, e);	/* F3 */
failed:
	unlinkat(dirfd, temporary, 0);
	return -1;
}

static int load_from(int fd, size_t max, uint8_t **out, size_t *size, struct err *e)
{
	struct stat st;
	uint8_t *data;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "looking at it");
	if ((uint64_t)st.st_size > max)
		return err_set(e, MUNI_LIMIT, "it has %lld bytes where at most %zu "
			       "are taken", (long long)st.st_size, max);
	data = malloc((size_t)st.st_size + 1);
	if (data == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for %lld bytes",
			       (long long)st.st_size);
	if (file_read_at(fd, 0, data, (size_t)st.st_size, e) < 0) {
		free(data);
		return -1;
	}
	data[st.st_size] = 0;
	*out = data;
	*size = (size_t)st.st_size;
	return 0;
}

int file_load(int dirfd, const char *name, size_t max, uint8_t **out, size_t *size,
	      struct err *e)
{
	int fd = file_open(dirfd, name, O_RDONLY, 0, e);
	int rc;

	*out = NULL;
	*size = 0;
	if (fd < 0)
		return -1;
	rc = load_from(fd, max, out, size, e);
	file_close(&fd);
	return rc < 0 ? err_wrap(e, "reading %s", text_printable(name)) : 0;
}

int file_remove(int dirfd, const char *name, struct err *e)
{
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_errno(e, "removing %s", text_printable(name));
	return 0;
}

#define LOCK_STEP_MS 20

int file_lock_range(int fd, uint64_t from, uint64_t size, bool is_exclusive, int wait_ms,
		    struct err *e)
{
	struct flock range = {
		.l_type = is_exclusive ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)from,
		.l_len = (off_t)size,
	};
	int waited = 0;

	for (;;) {
		if (fcntl(fd, wait_ms < 0 ? F_OFD_SETLKW : F_OFD_SETLK, &range) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EACCES)
			return err_errno(e, "taking a lock");
		if (waited >= wait_ms)
			return err_set(e, MUNI_BUSY, "another process holds the lock");
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_STEP_MS * 1000000L }, NULL);
		waited += LOCK_STEP_MS;
	}
}

void file_unlock_range(int fd, uint64_t from, uint64_t size)
{
	struct flock range = { .l_type = F_UNLCK, .l_whence = SEEK_SET,
			       .l_start = (off_t)from, .l_len = (off_t)size };

	fcntl(fd, F_OFD_SETLK, &range);
}

int file_lock(int fd, bool is_exclusive, int wait_ms, struct err *e)
{
	return file_lock_range(fd, 0, 0, is_exclusive, wait_ms, e);
}

void file_unlock(int fd)
{
	file_unlock_range(fd, 0, 0);
}

void file_close(int *fd)
{
	int sys = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = sys;
}

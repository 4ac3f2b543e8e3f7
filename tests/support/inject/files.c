/* Files and folders: writes, syncs, names, opens, reads; and what the kernel's mount is answered. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "inject.h"

/* 0: neither a file nor the kernel's end of a mount. */
static enum op kind_of(int fd)
{
	int before = errno;
	struct stat st;
	int rc = fstat(fd, &st);

	errno = before;
	if (rc < 0)
		return 0;
	if (S_ISREG(st.st_mode))
		return OP_WRITE;
	return S_ISCHR(st.st_mode) && st.st_rdev == makedev(10, 229) ? OP_REPLY : 0;
}

static enum verdict about_write(const char *name, int fd, enum op *kind)
{
	*kind = kind_of(fd);
	return *kind == 0 ? GOES_ON : inject_fd(*kind, name, fd);
}

static int failed(void)
{
	errno = inject_code();
	return -1;
}

/* The verdict on a call that has no halves. */
static bool is_refused(enum verdict v)
{
	if (v == GOES_ON || v == ENDS_AFTER || v == GROWS)
		return false;
	errno = inject_code();
	return true;
}

static void after(enum verdict v)
{
	if (v == ENDS_AFTER)
		inject_end();
}

/* ---- writes ----------------------------------------------------------------------------- */

/* What is to be written of `size` bytes, -1 for a refusal. */
static ssize_t allowed(enum verdict v, size_t size)
{
	if (v == FAILS || ((v == IS_SHORT || v == IS_TORN) && size < 2))
		return v == IS_TORN ? 0 : failed();
	return (ssize_t)(v == IS_SHORT || v == IS_TORN ? size / 2 : size);
}

static void after_write(enum verdict v)
{
	if (v == ENDS_AFTER || v == IS_TORN)
		inject_end();
}

static off64_t place_of(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return lseek64(fd, 0, flags >= 0 && (flags & O_APPEND) ? SEEK_END : SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t size)
{
	REAL(ssize_t, write, int, const void *, size_t)
	enum op kind;
	enum verdict v = about_write("write", fd, &kind);
	ssize_t n = allowed(v, size);

	if (n < 0)
		return -1;
	if (kind == OP_WRITE && inject_is_recording()) {
		record_begin();
		off64_t at = place_of(fd);
		n = real(fd, data, (size_t)n);
		if (n > 0)
			record_write(fd, data, (size_t)n, at);
		record_end();
	} else {
		n = real(fd, data, (size_t)n);
	}
	after_write(v);
	return n;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)
	enum op kind;
	enum verdict v = about_write("pwrite", fd, &kind);
	ssize_t n = allowed(v, size);

	if (n < 0)
		return -1;
	record_begin();
	n = real(fd, data, (size_t)n, at);
	if (n > 0 && kind == OP_WRITE)
		record_write(fd, data, (size_t)n, at);
	record_end();
	after_write(v);
	return n;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	return pwrite64(fd, data, size, at);
}

/* The first `size` bytes of the parts, as one piece. */
static uint8_t *gather(const struct iovec *parts, int count, size_t size)
{
	uint8_t *all = malloc(size + 1);
	size_t at = 0;

	if (all == NULL)
		abort();
	for (int i = 0; i < count && at < size; i++) {
		size_t n = parts[i].iov_len < size - at ? parts[i].iov_len : size - at;

		memcpy(all + at, parts[i].iov_base, n);
		at += n;
	}
	return all;
}

static size_t size_of(const struct iovec *parts, int count)
{
	size_t size = 0;

	for (int i = 0; i < count; i++)
		size += parts[i].iov_len;
	return size;
}

/* Halves of a vector are of its bytes, whatever its parts. */
static ssize_t write_gathered(int fd, const struct iovec *parts, int count, size_t size,
			      off64_t at)
{
	bool before = inject_hush(true);
	uint8_t *all = gather(parts, count, size);
	off64_t where;
	ssize_t n;

	inject_hush(before);
	record_begin();
	where = at < 0 ? place_of(fd) : at;
	inject_hush(true);
	n = at < 0 ? write(fd, all, size) : pwrite64(fd, all, size, at);
	inject_hush(before);
	if (n > 0)
		record_write(fd, all, (size_t)n, where);
	record_end();
	free(all);
	return n;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	REAL(ssize_t, writev, int, const struct iovec *, int)
	enum op kind;
	enum verdict v = about_write("writev", fd, &kind);
	size_t size = size_of(parts, count);
	ssize_t n;

	if (kind == OP_REPLY && v != GOES_ON && v != ENDS_AFTER)
		return failed();
	n = allowed(v, size);
	if (n < 0)
		return -1;
	if (kind == OP_WRITE && ((size_t)n != size || inject_is_recording()))
		n = write_gathered(fd, parts, count, (size_t)n, -1);
	else
		n = real(fd, parts, count);
	after_write(v);
	return n;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at)
{
	REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t)
	enum op kind;
	enum verdict v = about_write("pwritev", fd, &kind);
	size_t size = size_of(parts, count);
	ssize_t n = allowed(v, size);

	if (n < 0)
		return -1;
	if (kind == OP_WRITE && ((size_t)n != size || inject_is_recording()))
		n = write_gathered(fd, parts, count, (size_t)n, at);
	else
		n = real(fd, parts, count, at);
	after_write(v);
	return n;
}

/* What we do not write ourselves is refused, or done whole. */
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t size,
			unsigned flags)
{
	REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned)
	enum op kind;
	enum verdict v = about_write("copy_file_range", out, &kind);
	ssize_t n = allowed(v, size);

	if (n < 0)
		return -1;
	if (inject_is_recording())
		abort();	/* not kept in a record: nothing of ours does it */
	n = real(in, in_at, out, out_at, (size_t)n, flags);
	after_write(v);
	return n;
}

ssize_t sendfile64(int out, int in, off64_t *at, size_t size)
{
	REAL(ssize_t, sendfile64, int, int, off64_t *, size_t)
	enum op kind;
	enum verdict v = about_write("sendfile", out, &kind);
	ssize_t n = allowed(v, size);

	if (n < 0)
		return -1;
	if (kind == OP_WRITE && inject_is_recording())
		abort();
	n = real(out, in, at, (size_t)n);
	after_write(v);
	return n;
}

int ftruncate64(int fd, off64_t size)
{
	REAL(int, ftruncate64, int, off64_t)
	enum verdict v = kind_of(fd) == OP_WRITE ? inject_fd(OP_TRUNCATE, "ftruncate", fd) : GOES_ON;
	int rc;

	if (is_refused(v))
		return -1;
	record_begin();
	rc = real(fd, size);
	if (rc == 0)
		record_truncate(fd, size);
	record_end();
	after(v);
	return rc;
}

int ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

int fallocate64(int fd, int mode, off64_t at, off64_t size)
{
	REAL(int, fallocate64, int, int, off64_t, off64_t)
	enum verdict v = kind_of(fd) == OP_WRITE ? inject_fd(OP_TRUNCATE, "fallocate", fd) : GOES_ON;
	int rc;

	if (is_refused(v))
		return -1;
	rc = real(fd, mode, at, size);
	after(v);
	return rc;
}

int posix_fallocate64(int fd, off64_t at, off64_t size)
{
	return fallocate64(fd, 0, at, size) < 0 ? errno : 0;
}

/* ---- syncs ---------------------------------------------------------------------------------- */

int fsync(int fd)
{
	REAL(int, fsync, int)
	enum verdict v = inject_fd(OP_SYNC, "fsync", fd);
	int rc;

	if (is_refused(v))
		return -1;
	record_begin();
	rc = real(fd);
	if (rc == 0)
		record_sync(fd);
	record_end();
	after(v);
	return rc;
}

int fdatasync(int fd)
{
	REAL(int, fdatasync, int)
	enum verdict v = inject_fd(OP_SYNC, "fdatasync", fd);
	int rc;

	if (is_refused(v))
		return -1;
	record_begin();
	rc = real(fd);
	if (rc == 0)
		record_sync(fd);
	record_end();
	after(v);
	return rc;
}

int syncfs(int fd)
{
	REAL(int, syncfs, int)
	enum verdict v = inject_fd(OP_SYNC, "syncfs", fd);
	int rc;

	if (is_refused(v))
		return -1;
	record_begin();
	rc = real(fd);
	if (rc == 0)
		record_sync_all(fd);
	record_end();
	after(v);
	return rc;
}

/* ---- names ------------------------------------------------------------------------------------- */

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	REAL(int, renameat2, int, const char *, int, const char *, unsigned)
	enum verdict v = inject(OP_NAME, "rename");
	int rc;

	if (is_refused(v))
		return -1;
	record_begin();
	rc = real(a, from, b, to, flags);
	if (rc == 0)
		record_rename(a, from, b, to);
	record_end();
	after(v);
	return rc;
}

int renameat(int a, const char *from, int b, const char *to)
{
	return renameat2(a, from, b, to, 0);
}

int rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int a, const char *from, int b, const char *to, int flags)
{
	REAL(int, linkat, int, const char *, int, const char *, int)
	enum verdict v = inject(OP_NAME, "link");
	int rc;

	if (is_refused(v))
		return -1;
	record_begin();
	rc = real(a, from, b, to, flags);
	if (rc == 0)
		record_link(a, from, b, to, flags);
	record_end();
	after(v);
	return rc;
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int a, const char *name, int flags)
{
	REAL(int, unlinkat, int, const char *, int)
	enum verdict v = inject(OP_NAME, "unlink");
	int rc;

	if (is_refused(v))
		return -1;
	record_begin();
	rc = real(a, name, flags);
	if (rc == 0)
		record_unlink(a, name);
	record_end();
	after(v);
	return rc;
}

int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int rmdir(const char *name)
{
	return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

int mkdirat(int a, const char *name, mode_t mode)
{
	REAL(int, mkdirat, int, const char *, mode_t)
	enum verdict v = inject(OP_NAME, "mkdir");
	int rc;

	if (is_refused(v))
		return -1;
	record_begin();
	rc = real(a, name, mode);
	if (rc == 0)
		record_make_dir(a, name);
	record_end();
	after(v);
	return rc;
}

int mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}

int symlinkat(const char *to, int a, const char *name)
{
	REAL(int, symlinkat, const char *, int, const char *)
	enum verdict v = inject(OP_NAME, "symlink");
	int rc;

	if (is_refused(v))
		return -1;
	rc = real(to, a, name);
	after(v);
	return rc;
}

/* ---- opens --------------------------------------------------------------------------------------- */

int openat64(int a, const char *name, int flags, ...)
{
	REAL(int, openat64, int, const char *, int, ...)
	bool is_new = (flags & (O_CREAT | O_TMPFILE)) != 0 && (flags & O_TMPFILE) != O_DIRECTORY;
	enum verdict v = inject(is_new ? OP_NAME : OP_OPEN, "open");
	mode_t mode = 0;
	int fd;

	if (is_new) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (is_refused(v))
		return -1;
	record_begin();
	fd = real(a, name, flags, mode);
	if (fd >= 0 && is_new)
		record_make(a, (flags & O_CREAT) != 0 ? name : "", fd);
	if (fd >= 0 && (flags & O_TRUNC) != 0)
		record_truncate(fd, 0);
	record_end();
	after(v);
	return fd;
}

int openat(int a, const char *name, int flags, ...)
{
	mode_t mode = 0;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return openat64(a, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
	mode_t mode = 0;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return openat64(AT_FDCWD, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
	mode_t mode = 0;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return openat64(AT_FDCWD, name, flags, mode);
}

int __openat64_2(int a, const char *name, int flags)
{
	return openat64(a, name, flags);
}

int __open64_2(const char *name, int flags)
{
	return openat64(AT_FDCWD, name, flags);
}

/* ---- reads ----------------------------------------------------------------------------------------- */

/* The file as it is read is one byte longer than it was. */
static void grow(int fd)
{
	bool before = inject_hush(true);
	char link[64];
	int again;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	again = open(link, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (again < 0 || write(again, "+", 1) != 1)
		abort();
	close(again);
	inject_hush(before);
}

ssize_t pread64(int fd, void *out, size_t size, off64_t at)
{
	REAL(ssize_t, pread64, int, void *, size_t, off64_t)
	enum verdict v = kind_of(fd) == OP_WRITE ? inject_fd(OP_READ, "pread", fd) : GOES_ON;
	ssize_t got = allowed(v, size);

	if (got < 0)
		return -1;
	got = real(fd, out, (size_t)got, at);
	after_write(v);
	if (v == GROWS) {
		for (ssize_t i = 0; i < got; i++)
			((uint8_t *)out)[i] ^= 0xff;
		grow(fd);
	}
	return got;
}

ssize_t pread(int fd, void *out, size_t size, off_t at)
{
	return pread64(fd, out, size, at);
}

ssize_t read(int fd, void *out, size_t size)
{
	REAL(ssize_t, read, int, void *, size_t)
	enum verdict v = kind_of(fd) == OP_WRITE ? inject_fd(OP_READ, "read", fd) : GOES_ON;
	ssize_t n = allowed(v, size);

	if (n < 0)
		return -1;
	n = real(fd, out, (size_t)n);
	after_write(v);
	return n;
}

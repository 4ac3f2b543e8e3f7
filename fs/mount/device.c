#include "fs/mount/device.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"

#define ATTEMPTS 50
#define PAUSE_NS 1000000L	/* between two: a want of memory passes */

/* What the same bytes may not meet again. */
static bool may_pass(int sys)
{
	return sys == EINTR || sys == EAGAIN || sys == ENOMEM;
}

/* The request was taken back (its asker was interrupted), or nobody is there any more;
 * of a notification: there is nothing to drop. */
static bool is_over(int sys)
{
	return sys == ENOENT || sys == ENODEV || sys == ENOTCONN || sys == ENOTDIR ||
	       sys == EBADF;
}

static ssize_t write_patiently(int fd, const struct iovec *parts, int count)
{
	ssize_t n = -1;

	for (int i = 0; i < ATTEMPTS; i++) {
		n = writev(fd, parts, count);
		if (n >= 0 || !may_pass(errno))
			break;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	return n;
}

/* D1 */
static void answer_error(int fd, uint64_t unique)
{
	struct fuse_out_header head = { .len = sizeof head, .error = -EIO, .unique = unique };
	struct iovec part = { &head, sizeof head };

	for (int i = 0; i < ATTEMPTS; i++) {
		if (writev(fd, &part, 1) >= 0 || is_over(errno))
			return;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
}

/* D3 */
static void after_handshake(struct mount *m, bool was_taken)
{
	if (was_taken) {
		m->on_ready(m);
	} else {
		atomic_store(&m->was_refused, true);
		fuse_session_exit(m->session);
	}
}

static ssize_t device_writev(int fd, struct iovec *parts, int count, void *arg)
{
	struct mount *m = arg;
	struct fuse_out_header head;
	ssize_t n = write_patiently(fd, parts, count);
	int sys = errno;

	memcpy(&head, parts[0].iov_base, sizeof head);	/* libfuse: always whole, and first */
	if (n < 0 && !is_over(sys)) {
		if (head.unique == 0)
			atomic_fetch_add(&m->untold, 1);	/* D2 */
		else
			answer_error(fd, head.unique);
	}
	if (head.unique != 0 && !atomic_load(&m->has_replied)) {
		atomic_store(&m->has_replied, true);	/* before it no other is asked for */
		after_handshake(m, n >= 0 && head.error == 0);
	}
	errno = sys;
	return n;
}

static ssize_t device_read(int fd, void *data, size_t size, void *arg)
{
	(void)arg;
	return read(fd, data, size);
}

int device_attach(struct mount *m, struct err *e)
{
	static const struct fuse_custom_io io = { .writev = device_writev, .read = device_read };
	int rc = fuse_session_custom_io(m->session, &io, fuse_session_fd(m->session));

	if (rc == 0)
		return 0;
	errno = -rc;
	return err_errno(e, "setting up the session with the kernel");
}

unsigned long device_untold(const struct mount *m)
{
	return atomic_load(&m->untold);
}

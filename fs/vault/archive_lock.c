#include "fs/vault/archive_inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"

/* Long enough for the children of a writer that was killed to follow it. */
#define LOCK_WAIT_MS 2000
#define HOLDER_MAX 200

/* "pid 12 on host", for people. */
static void holder_of(int fd, char out[HOLDER_MAX])
{
	ssize_t n = pread(fd, out, HOLDER_MAX - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/* Only a text: the lock itself is what excludes. */
static void leave_name(int fd)
{
	char host[65] = "", text[HOLDER_MAX];
	int n;

	gethostname(host, sizeof host - 1);
	n = snprintf(text, sizeof text, "pid %ld on %s\n", (long)getpid(), host);
	if (n > 0 && ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)n, 0);
}

static int busy(struct vault *v, struct err *e)
{
	char holder[HOLDER_MAX];

	holder_of(v->lockfd, holder);
	file_close(&v->lockfd);
	if (v->mode == VAULT_READ)
		return err_set(e, MUNI_BUSY, "it is being written (%s), and its folder cannot "
			       "be written from here, so that changes could not be followed: "
			       "try again later", text_printable(holder));
	return err_set(e, MUNI_BUSY, "another muniment is writing to it (%s): try again when "
		       "that has ended", *holder ? text_printable(holder)
						 : "or \"muni verify\" is reading it");
}

int archive_lock(struct vault *v, struct err *e)
{
	bool is_writer = v->mode == VAULT_WRITE;

	v->lockfd = is_writer ? file_open(v->dirfd, ARCHIVE_LOCK, O_RDWR | O_CREAT, 0600, e)
			      : file_open(v->dirfd, ARCHIVE_LOCK, O_RDONLY, 0, e);
	if (v->lockfd < 0) {
		if (e->code == MUNI_DAMAGED)
			return err_wrap(e, "remove what stands there as "ARCHIVE_LOCK
					" (muniment makes a new one, and keeps nothing in it)");
		if (is_writer || e->code != MUNI_NOT_FOUND)
			return -1;
		*e = ERR_NONE;	/* nobody has written to this copy yet */
		return 0;
	}
	if (file_lock(v->lockfd, is_writer, LOCK_WAIT_MS, e) < 0) {
		if (e->code == MUNI_BUSY)
			return busy(v, e);
		if (is_writer)
			return -1;
		*e = ERR_NONE;	/* no locks on this file system: nobody writes there */
	}
	if (is_writer)
		leave_name(v->lockfd);
	return 0;
}

void archive_unlock(struct vault *v)
{
	if (v->lockfd >= 0 && v->mode == VAULT_WRITE)
		(void)!ftruncate(v->lockfd, 0);
	file_close(&v->lockfd);
}

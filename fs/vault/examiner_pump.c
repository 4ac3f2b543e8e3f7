/*
 * What comes out of a pipe comes once: were the worker to read it itself, a crash
 * would take the digest along.  So we read it, and pass it on through a socket.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/digest.h"
#include "fs/vault/examiner_inside.h"

#define PUMP_SIZE (128u << 10)
#define DRAIN_MS 250		/* between two looks at whether we are to stop */

int pump_open(struct pump *p, struct job *j, int *worker_end, struct err *e)
{
	int ends[2], size = (int)PUMP_SIZE;

	*p = (struct pump){ .job = j, .to = -1 };
	p->buffer = malloc(PUMP_SIZE);
	if (!p->buffer)
		return err_set(e, MUNI_NO_MEMORY, "no memory to pass a stream on");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(e, "making a socket");
	(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	(void)shutdown(ends[0], SHUT_RD);
	p->to = ends[0];
	*worker_end = ends[1];
	return 0;
}

void pump_close(struct pump *p)
{
	file_close(&p->to);
	free(p->buffer);
	p->buffer = NULL;
}

static int fetch(struct pump *p, struct err *e)
{
	ssize_t n;

	do
		n = read(p->job->fd, p->buffer, PUMP_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return err_errno(e, "reading");
	if (n == 0) {
		p->is_over = true;
		file_close(&p->to);
		return 0;
	}
	hasher_update(p->job->hasher, p->buffer, (size_t)n);
	p->job->passed += (uint64_t)n;
	p->start = 0;
	p->end = (size_t)n;
	return 0;
}

/* A worker that reads no more (it is dead, or met a limit) is no error. */
static void give(struct pump *p)
{
	ssize_t n = send(p->to, p->buffer + p->start, p->end - p->start,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		p->start += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		file_close(&p->to);
}

int pump_run(struct pump *p, int socket, int wait_ms, struct err *e)
{
	struct pollfd at[2] = { { .fd = socket, .events = POLLIN }, { .fd = -1 } };
	bool has_some = p->start < p->end && p->to >= 0;

	if (has_some)
		at[1] = (struct pollfd){ .fd = p->to, .events = POLLOUT };
	else if (!p->is_over)
		at[1] = (struct pollfd){ .fd = p->job->fd, .events = POLLIN };
	if (poll(at, 2, wait_ms) < 0 && errno != EINTR)
		return err_errno(e, "waiting for a stream");
	if (at[1].revents == 0)
		return 0;
	if (!has_some)
		return fetch(p, e);
	give(p);
	return 0;
}

int pump_drain(struct pump *p, struct err *e)
{
	struct pollfd at = { .fd = p->job->fd, .events = POLLIN };

	while (!p->is_over) {
		int n = poll(&at, 1, DRAIN_MS);

		if (n < 0 && errno != EINTR)
			return err_errno(e, "waiting for a stream");
		if (examiner_is_cancelled(p->job->examiner))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (n > 0 && fetch(p, e) < 0)
			return -1;
	}
	return 0;
}

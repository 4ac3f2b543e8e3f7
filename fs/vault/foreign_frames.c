#include "fs/vault/foreign_frames.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "fs/base/err.h"
#include "fs/base/file.h"

#define POLL_MS 250
#define BUFFER_START (2 * (size_t)WIRE_DATA_MAX)

static uint64_t payload_max(uint8_t type)
{
	switch ((enum wire_type)type) {
	case WIRE_ENTRY:
		return WIRE_ENTRY_MAX;
	case WIRE_DATA:
		return 8 + WIRE_DATA_MAX;
	case WIRE_DONE:
	case WIRE_PULSE:
		return 8;
	case WIRE_SHORT:
		return 1;
	case WIRE_END:
		return 0;
	case WIRE_KIND:
	case WIRE_FAILED:
	case WIRE_NOTICE:
	case WIRE_BROKEN:
		return 1 + WIRE_TEXT_MAX;
	}
	return 0;
}

/* It had been refused memory, and has ended since. */
static int died_short(const struct frames *p, struct err *e)
{
	if (p->shortage == SHORTAGE_LIMIT)
		return err_set(e, MUNI_LIMIT, "reading the archive needs more memory than the process "
			       "that reads it may have; it ended over that");
	return err_set(e, MUNI_NO_MEMORY, "this machine had no memory left for the process that reads "
		       "the archive, and it ended over that. This says nothing of the archive: "
		       "make room, and try again");
}

/* The child has closed its end without the frame that ends the talk. */
static int died(struct frames *p, struct err *e)
{
	int status = 0;
	pid_t got;

	do
		got = p->pid > 0 ? waitpid(p->pid, &status, 0) : -1;
	while (got < 0 && errno == EINTR);
	p->pid = 0;
	/* It had not closed its doors, nor read a byte: the archive cannot be the reason. */
	if (got > 0 && !p->is_ready)
		return err_set(e, MUNI_NO_MEMORY, "the process that reads the archive ended while it "
			       "prepared itself (%s %d); most likely there was no memory for it. "
			       "This says nothing of the archive: make room, and try again",
			       WIFSIGNALED(status) ? "signal" : "status",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	/* What the sandbox or somebody else has ended did not end over that. */
	if (got > 0 && p->shortage != SHORTAGE_NONE &&
	    (WIFEXITED(status) || (WTERMSIG(status) != SIGSYS && WTERMSIG(status) != SIGKILL)))
		return died_short(p, e);
	if (got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == FOREIGN_EXIT_UNHEARD)
		return err_set(e, MUNI_NO_MEMORY, "the process that reads the archive found no "
			       "memory to say what it read");
	if (got < 0 || !WIFSIGNALED(status))
		return err_set(e, MUNI_DAMAGED, "the process that reads the archive stopped in "
			       "the middle of a word");
	switch (WTERMSIG(status)) {
	case SIGSYS:
		return err_set(e, MUNI_DAMAGED, "the process that reads the archive tried what "
			       "it may not do and was stopped by its sandbox; the archive may "
			       "be hostile");
	case SIGKILL:
		return err_set(e, MUNI_LIMIT, "the process that reads the archive was killed; "
			       "memory may have run out");
	default:
		return err_set(e, MUNI_DAMAGED, "the process that reads the archive was ended "
			       "by signal %d (%s); the archive is damaged or hostile",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	}
}

static int64_t cpu_seconds(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
		return -1;
	return t.tv_sec;
}

/* Until there is something to read. */
static int await(struct frames *p, struct err *e)
{
	int64_t before = -1;

	for (;;) {
		struct pollfd at = { .fd = p->fd, .events = POLLIN };
		int n = poll(&at, 1, POLL_MS);
		int64_t now;

		if (n < 0 && errno != EINTR)
			return err_errno(e, "waiting for the process that reads the archive");
		if (p->is_cancelled && p->is_cancelled(p->arg))
			return err_set(e, MUNI_CANCELLED, "stopped while reading the archive");
		if (n > 0)
			return 0;
		now = cpu_seconds(p->pid);
		if (before < 0)
			before = now;
		if (now - before > FRAMES_PATIENCE_CPU_SECONDS)
			return err_set(e, MUNI_LIMIT, "the process that reads the archive has "
				       "computed for %d seconds without a result; the archive "
				       "is damaged or hostile", FRAMES_PATIENCE_CPU_SECONDS);
	}
}

static int make_room(struct frames *p, size_t size, struct err *e)
{
	uint8_t *grown;

	if (p->start > 0 && p->start + size > p->capacity) {
		memmove(p->data, p->data + p->start, p->end - p->start);
		p->end -= p->start;
		p->start = 0;
	}
	if (size <= p->capacity)
		return 0;
	if (size < BUFFER_START)
		size = BUFFER_START;
	grown = realloc(p->data, size);
	if (!grown)
		return err_set(e, MUNI_NO_MEMORY, "no memory for an entry of %zu bytes", size);
	p->data = grown;
	p->capacity = size;
	return 0;
}

/* At least `size` bytes from p->start on. */
static int fetch(struct frames *p, size_t size, struct err *e)
{
	if (make_room(p, size, e) < 0)
		return -1;
	while (p->end - p->start < size) {
		ssize_t n;

		if (await(p, e) < 0)
			return -1;
		n = read(p->fd, p->data + p->end, p->capacity - p->end);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_errno(e, "listening to the process that reads the archive");
		if (n == 0)
			return died(p, e);
		if (n > 0)
			p->end += (size_t)n;
	}
	return 0;
}

static int next_frame(struct frames *p, enum wire_type *type, const uint8_t **payload,
		      size_t *size, struct err *e)
{
	struct reader head;
	uint8_t kind;
	uint32_t length;

	if (fetch(p, WIRE_HEAD_SIZE, e) < 0)
		return -1;
	head = reader_over(p->data + p->start, WIRE_HEAD_SIZE);
	kind = reader_u8(&head);
	length = reader_u32(&head);
	if (kind < WIRE_KIND || kind > WIRE_SHORT || length > payload_max(kind))
		return err_set(e, MUNI_DAMAGED, "the process that reads the archive talks "
			       "nonsense (frame %u of %u bytes); the archive may be hostile",
			       kind, length);
	if (fetch(p, WIRE_HEAD_SIZE + (size_t)length, e) < 0)
		return -1;
	p->is_ready = true;
	*type = (enum wire_type)kind;
	*payload = p->data + p->start + WIRE_HEAD_SIZE;
	*size = length;
	p->start += WIRE_HEAD_SIZE + (size_t)length;
	if (p->start == p->end && p->start > p->capacity / 2)
		p->start = p->end = 0;	/* *payload stays where it is */
	return 0;
}

int frames_next(struct frames *p, enum wire_type *type, const uint8_t **payload,
		size_t *size, struct err *e)
{
	for (;;) {
		if (next_frame(p, type, payload, size, e) < 0)
			return -1;
		if (*type != WIRE_SHORT)
			return 0;
		if (*size == 1 && **payload <= SHORTAGE_MACHINE)
			p->shortage = (enum shortage)**payload;
	}
}

void frames_close(struct frames *p)
{
	file_close(&p->fd);
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	p->pid = 0;
	free(p->data);
	p->data = NULL;
	p->capacity = p->start = p->end = 0;
}

/*
 * One file through one worker: asked, watched, answered.
 *
 * Processor time is what a file may cost; the clock on the wall only cuts what
 * stands still, for a slow disk is nobody's fault.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/examiner_inside.h"

#define WAIT_MS 250
#define GRACE 2			/* seconds for the worker's own limit to strike first */

#define MOVES 0.05		/* processor seconds that count as a movement */
#define STANDSTILLS 20		/* ... so many of them are cut all the same */

/* What a file has cost so far. */
struct clock {
	bool is_running;
	time_t began, moved;	/* on the wall */
	double used;		/* processor seconds of the worker at the beginning, ... */
	double used_then;	/* ... and when it moved last */
	uint64_t passed;	/* of a pipe, then */
};

static double cpu_seconds(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
		return 0;
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Asked only while nothing comes: most files are done before the first time. */
static bool is_over_time(struct clock *c, const struct hand *h, const struct job *j,
			 enum hand_end *end)
{
	struct timespec now;
	double used = cpu_seconds(h->pid);

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!c->is_running || c->passed != j->passed)
		c->began = c->moved = now.tv_sec;
	if (!c->is_running)
		c->used = c->used_then = used;
	c->is_running = true;
	c->passed = j->passed;
	if (used - c->used_then > MOVES) {
		c->moved = now.tv_sec;
		c->used_then = used;
	}
	*end = used - c->used > j->seconds_most + GRACE ? HAND_SLOW : HAND_STUCK;
	return *end == HAND_SLOW || now.tv_sec - c->moved > j->standstill ||
	       now.tv_sec - c->began > STANDSTILLS * j->standstill;
}

static int ask(struct hand *h, const struct job *j, int fd, struct err *e)
{
	struct wire_look look = { .size = j->size, .seconds = j->seconds,
				  .is_stream = j->is_pipe };
	const char *name = j->name ? j->name : "";
	size_t size = strlen(name);
	struct buffer b = { .data = NULL };
	int rc = -1;

	/* Of a long path the end says most. */
	if (size > WIRE_NAME_MAX)
		name += size - WIRE_NAME_MAX;
	strcpy(look.name, name);
	wire_put_look(&b, &look);
	if (b.failed)
		err_set(e, MUNI_NO_MEMORY, "no memory to look into a file");
	else
		rc = wire_send(h->socket, WIRE_LOOK, b.data, b.size, fd, e);
	buffer_free(&b);
	return rc;
}

static enum hand_end take_answer(struct hand *h, struct examination *out, struct err *e)
{
	struct reader r = reader_over(h->inbox.message.data, h->inbox.message.size);
	struct err ignored = ERR_NONE;

	if (h->inbox.type == WIRE_FAILED) {
		inbox_failure(&h->inbox, e);
		return e->code == MUNI_DAMAGED ? HAND_LIED : HAND_REFUSED;
	}
	if ((h->inbox.type != WIRE_FOUND && h->inbox.type != WIRE_FOUND_LAST) ||
	    examination_read(&r, out, &ignored) < 0)
		return HAND_LIED;
	h->is_worn = h->inbox.type == WIRE_FOUND_LAST;
	return HAND_FOUND;
}

/* It waits, and so do we; neither is its file's fault. */
static int let_grow(struct hand *h, struct job *j, struct err *e)
{
	if (memory_grow(j->examiner, h, e) < 0)
		return -1;
	/* One that died meanwhile is met by who hears next. */
	(void)wire_send(h->socket, WIRE_GROWN, NULL, 0, -1, &(struct err){ .code = MUNI_OK });
	return 0;
}

/* Until there is an answer, or there will be none. */
static int hear(struct hand *h, struct job *j, struct pump *p, enum hand_end *end,
		struct examination *out, struct err *e)
{
	struct clock clock = { .is_running = false };
	enum inbox_state state;

	for (;;) {
		struct err said = ERR_NONE;

		if (p && pump_run(p, h->socket, WAIT_MS, e) < 0)
			return -1;
		/* Nonsense is the worker's, not ours (X3). */
		if (inbox_receive(&h->inbox, p == NULL, &state, &said) < 0) {
			*end = HAND_LIED;
			return 0;
		}
		if (state == INBOX_MESSAGE && h->inbox.type == WIRE_GROW && !h->is_grown) {
			*end = HAND_SHORT;
			if (h->looked > 1 && !j->is_pipe)
				return 0;
			if (let_grow(h, j, e) < 0)
				return -1;
			clock.is_running = false;
			continue;
		}
		if (state == INBOX_MESSAGE) {
			*end = take_answer(h, out, e);
			return 0;
		}
		if (state == INBOX_END) {
			*end = HAND_DIED;
			return 0;
		}
		if (examiner_is_cancelled(j->examiner))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (state == INBOX_NOTHING && is_over_time(&clock, h, j, end))
			return 0;
	}
}

static int look_at_pipe(struct hand *h, struct job *j, enum hand_end *end,
			struct examination *out, struct err *e)
{
	struct pump p;
	int worker_end = -1, rc = -1;

	if (pump_open(&p, j, &worker_end, e) < 0)
		goto out;
	*end = HAND_DIED;
	if (ask(h, j, worker_end, &(struct err){ .code = MUNI_OK }) == 0) {
		file_close(&worker_end);
		if (hear(h, j, &p, end, out, e) < 0)
			goto out;
	}
	rc = pump_drain(&p, e);
out:
	file_close(&worker_end);
	pump_close(&p);
	return rc;
}

int hand_look(struct hand *h, struct job *j, enum hand_end *end, struct examination *out,
	      struct err *e)
{
	struct err ignored = ERR_NONE;

	if (j->is_pipe)
		return look_at_pipe(h, j, end, out, e);
	/* A worker that cannot even be asked has died since its last file. */
	*end = HAND_DIED;
	if (ask(h, j, j->fd, &ignored) < 0)
		return 0;
	return hear(h, j, NULL, end, out, e);
}

/*
 * The bytes of an archive's entry: small ones in memory, others through a pipe that
 * a worker reads while the archive is read on.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/vault/leaf.h"
#include "fs/vault/scan_entry.h"

#define WAIT_MS 200

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for an archive's entry");
}

/* ---- the worker's end -------------------------------------------------------------- */

static int make_file(struct scan_item *i, struct err *e)
{
	size_t done = 0;

	i->fd = memfd_create("entry", MFD_CLOEXEC);
	if (i->fd < 0)
		return err_errno(e, "making room for an archive's entry");
	while (done < i->data_size) {
		ssize_t put = pwrite(i->fd, i->data + done, i->data_size - done,
				     (off_t)done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return err_errno(e, "making room for an archive's entry");
		done += (size_t)put;
	}
	i->will_come = i->data_size;
	free(i->data);
	i->data = NULL;
	return 0;
}

int scan_read_entry(struct scanning *s, struct scan_item *i, struct err *e)
{
	struct examination x = { .size = 0 };
	char failure[SCAN_FAILURE_MAX];
	bool is_whole = true;

	if (!i->pour && make_file(i, e) < 0)
		return -1;
	if (examiner_look(s->examiner, i->fd, i->name, i->will_come, &x, e) < 0)
		return -1;
	close(i->fd);	/* a writer that still has bytes for a pipe is told so */
	i->fd = -1;
	if (i->pour)
		is_whole = pour_wait(i->pour, failure);
	atomic_fetch_add(&s->read_bytes, x.size);
	if (is_whole) {
		i->meta.size = i->meta.held = x.size;
		i->content = content_of_examination(&x);
	} else {
		i->content = content_unread(failure);
	}
	examination_clear(&x);
	return i->content ? 0 : no_memory(e);
}

/* ---- the archive's end ---------------------------------------------------------------- */

struct intake {			/* of one entry */
	struct entries *in;
	struct scan_item *item;	/* ours until it is sent */
	struct pour *pour;	/* our reference */
	int fd;			/* where the pipe is written; else -1 */
	size_t head;		/* bytes in in->head */
	uint64_t end;		/* where the last run ended */
	uint64_t holes;
};

/* 1: the reader is gone; 0: written; -1: stopped. */
static int write_all(struct intake *t, const uint8_t *data, size_t size, struct err *e)
{
	while (size > 0) {
		struct pollfd p = { .fd = t->fd, .events = POLLOUT };
		ssize_t put = write(t->fd, data, size);

		if (put >= 0) {
			data += put;
			size -= (size_t)put;
		} else if (errno == EPIPE) {
			return 1;
		} else if (errno != EAGAIN && errno != EINTR) {
			return err_errno(e, "handing an archive's entry on");
		}
		if (scan_is_stopped(t->in->s))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (size > 0)
			poll(&p, 1, WAIT_MS);
	}
	return 0;
}

/* Too large for memory: the item goes to a worker now. */
static int start_pipe(struct intake *t, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, "making a pipe for an archive's entry");
	t->fd = ends[1];
	t->item->fd = ends[0];
	if (fcntl(t->fd, F_SETFL, O_NONBLOCK) < 0)
		return err_errno(e, "making a pipe for an archive's entry");
	t->pour = pour_new();
	if (!t->pour)
		return no_memory(e);
	t->item->pour = t->pour;
	struct scan_item *i = t->item;
	t->item = NULL;
	if (entries_send_alone(t->in, i, e) < 0)
		return -1;
	return write_all(t, t->in->head, t->head, e);
}

static int take_bytes(struct intake *t, const uint8_t *data, size_t size, struct err *e)
{
	int rc;

	if (t->fd < 0 && t->head + size <= ENTRY_MEMORY) {
		if (data)
			memcpy(t->in->head + t->head, data, size);
		else
			memset(t->in->head + t->head, 0, size);
		t->head += size;
		return 0;
	}
	if (t->fd < 0) {
		rc = start_pipe(t, e);
		if (rc != 0)
			return rc;
	}
	return data ? write_all(t, data, size, e) : 0;
}

/* 1: no more is wanted of it (*why). */
static int take_hole(struct intake *t, uint64_t size, const char **why, struct err *e)
{
	static const uint8_t zeros[65536];
	int rc = 0;

	t->holes += size;
	if (t->holes > LEAF_HOLE_MAX) {
		*why = "more than 1 GiB of it are holes";
		return 1;
	}
	while (rc == 0 && size > 0) {
		size_t part = size < sizeof zeros ? (size_t)size : sizeof zeros;

		rc = take_bytes(t, zeros, part, e);
		size -= part;
	}
	return rc;
}

/* 0: all of it came; 1: it did not (*why); -1: fatal. */
static int take_runs(struct intake *t, const char **why, struct err *e)
{
	struct foreign_run run;
	bool is_end = false;
	int rc = 0;

	for (;;) {
		if (foreign_data(t->in->f, &run, &is_end, e) < 0) {
			if (e->code == MUNI_NO_MEMORY || e->code == MUNI_CANCELLED)
				return -1;
			*why = e->text;
			return 1;
		}
		if (run.offset > t->end)
			rc = take_hole(t, run.offset - t->end, why, e);
		if (rc == 0 && !is_end)
			rc = take_bytes(t, run.data, run.size, e);
		t->end = run.offset + (is_end ? 0 : run.size);
		if (rc != 0 || is_end)
			return rc;
		if (scan_is_stopped(t->in->s))
			return err_set(e, MUNI_CANCELLED, "stopped");
	}
}

static int end_small(struct intake *t, const char *why, struct err *e)
{
	struct scan_item *i = t->item;

	t->item = NULL;
	if (why) {
		i->content = content_unread(why);
	} else {
		i->data = malloc(t->head ? t->head : 1);
		if (i->data)
			memcpy(i->data, t->in->head, t->head);
		i->data_size = t->head;
		i->meta.size = i->meta.held = t->head;
	}
	if (i->content || i->data)
		return entries_send(t->in, i, e);
	scan_item_free(i);
	return no_memory(e);
}

int entry_read(struct entries *in, struct scan_item *i, bool has_size, struct err *e)
{
	struct intake t = { .in = in, .item = i, .fd = -1 };
	const char *why = NULL;
	char reason[SCAN_FAILURE_MAX];
	int rc;

	i->is_entry = true;
	i->will_come = has_size ? i->meta.size : UINT64_MAX;
	rc = take_runs(&t, &why, e);
	if (rc > 0 && !why)
		why = "it was not read to its end";
	if (why) {
		/* What failed half-way is never told as if it were whole. */
		snprintf(reason, sizeof reason, "it cannot be read: %.400s",
			 why);
		scan_problem(in->s, in->path, strlen(in->path), "%s", reason);
		*e = ERR_NONE;
	}
	if (t.pour)
		pour_end(t.pour, why ? reason : rc < 0 ? "stopped" : NULL);
	if (rc >= 0 && t.item)
		rc = end_small(&t, why ? reason : NULL, e);
	scan_item_free(t.item);
	pour_unref(t.pour);
	if (t.fd >= 0)
		close(t.fd);
	return rc < 0 ? -1 : 0;
}

/*
 * The bytes of one file, looked into as they stood at one moment, or said not to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/vault/scan_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for what was seen in a file");
}

/* ---- times ------------------------------------------------------------------------ */

static bool same_moment(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool has_changed(const struct statx *a, const struct statx *b)
{
	return a->stx_size != b->stx_size || !same_moment(&a->stx_mtime, &b->stx_mtime) ||
		!same_moment(&a->stx_ctime, &b->stx_ctime);
}

/*
 * The kernel stamps by a clock that ticks every few milliseconds.  What changed
 * within this very tick may change again behind the same time: reading begins
 * after it, so that any later change shows.  A stamp that stays ahead is another
 * host's: false.
 */
static bool wait_for_tick(const struct statx_timestamp *ctime)
{
	const struct timespec nap = { .tv_nsec = 2000000 };
	struct timespec now;

	for (int i = 0; i < 10; i++) {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		if (ctime->tv_sec < now.tv_sec ||
		    (ctime->tv_sec == now.tv_sec && ctime->tv_nsec < now.tv_nsec))
			return true;
		nanosleep(&nap, NULL);
	}
	return false;
}

/* ---- a live file -------------------------------------------------------------------- */

/* i->outcome: SCAN_PROBLEM, it is no item any more; else i->content. */
static int tell_unread(struct scanning *s, struct scan_item *i, int why, struct err *e)
{
	const char *gone = NULL;
	char reason[200];

	if (why == ENOENT || why == ESTALE)
		gone = "it vanished while it was scanned";
	else if (why == ELOOP || why == ENXIO || why == ENODEV || why == EISDIR)
		gone = "something else took its place while it was scanned";
	if (gone) {
		atomic_fetch_add(&s->problems, 1);
		i->outcome = SCAN_PROBLEM;
		i->text = strdup(gone);
		return i->text ? 0 : no_memory(e);
	}
	if (scan_want(i->path, i->path_size, "it cannot be read", why, e) < 0)
		return -1;
	snprintf(reason, sizeof reason, "it cannot be read: %s", strerror(why));
	scan_problem(s, i->path, i->path_size, "%s", reason);
	i->content = content_unread(reason);
	return i->content ? 0 : no_memory(e);
}

static int take_numbers(struct scanning *s, struct scan_item *i, const struct statx *sx,
			struct err *e)
{
	walk_numbers(sx, &i->meta);
	return ingest_accounts_name(&s->accounts, &i->meta, e);
}

/* 1: read, and *x is of one moment or the last try; 0: it cannot be (said so). */
static int look_once(struct scanning *s, struct scan_item *i, struct examination *x,
		     bool *is_steady, bool *is_timed, struct err *e)
{
	struct statx before, after;
	int fd = walk_open(i->dir->fd, i->name, 0), why, rc;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &before) < 0) {
		why = errno;
		if (fd >= 0)
			close(fd);
		return tell_unread(s, i, why, e);
	}
	if ((before.stx_mode & S_IFMT) != S_IFREG) {
		close(fd);
		return tell_unread(s, i, ENODEV, e);
	}
	if (take_numbers(s, i, &before, e) < 0) {
		close(fd);
		return -1;
	}
	*is_timed = wait_for_tick(&before.stx_ctime);
	rc = scan_is_hollow(&before) ? scan_read_hollow(s, fd, &before, x, e) :
		examiner_look(s->examiner, fd, i->name, before.stx_size, x, e);
	if (rc == 0 && statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &after) < 0)
		after = before;
	close(fd);
	if (rc < 0 && e->code == MUNI_IO && e->sys != 0) {
		why = e->sys;	/* of this file, not of the pool */
		*e = ERR_NONE;
		return tell_unread(s, i, why, e);
	}
	if (rc < 0)
		return -1;
	*is_steady = !has_changed(&before, &after);
	return 1;
}

int scan_read(struct scanning *s, struct scan_item *i, struct err *e)
{
	struct examination x = { .size = 0 };
	bool is_steady = false, is_timed = true;
	char reason[100];
	int got = 1;

	for (int n = 0; got > 0 && !is_steady && n < SCAN_READ_TRIES; n++) {
		examination_clear(&x);
		if (scan_is_stopped(s))
			got = err_set(e, MUNI_CANCELLED, "stopped");
		else
			got = look_once(s, i, &x, &is_steady, &is_timed, e);
		if (got > 0)
			atomic_fetch_add(&s->read_bytes, x.size);
	}
	if (got > 0) {
		i->content = content_of_examination(&x);
		if (!i->content)
			got = no_memory(e);
		else
			i->content->is_unsettled = !is_steady || !is_timed;
	}
	examination_clear(&x);
	if (got > 0 && !is_steady) {
		snprintf(reason, sizeof reason, "it changed while it was read, %d times",
			 SCAN_READ_TRIES);
		scan_problem(s, i->path, i->path_size, "%s", reason);
		if (!content_add_reason(i->content, reason))
			got = no_memory(e);
	}
	atomic_fetch_add(&s->bytes_done, i->meta.held);
	return got < 0 ? -1 : 0;
}

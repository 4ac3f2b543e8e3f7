/*
 * The archive's lock: one writer, or any number of those who need it unchanged.
 *
 * Who has to wait stands in the door, a byte behind the locked ones: whoever comes after
 * stands behind, so that neither verifications that overlap keep a writer out for ever nor
 * writers that follow each other a verification.
 */
#include "fs/vault/archive_inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"

/* Long enough for the children of a writer that was killed to follow it. */
#define WAIT_MS 2000
#define TELL_AFTER_MS 1000
#define STEP_MS 200		/* between two questions whether to give up */
/* A version before the door locks from 0 to any end: door and archive are one to it. */
#define DOOR_AT (UINT64_C(1) << 40)
#define HOLDER_MAX (sizeof((struct vault *)0)->lock_text)

struct turn {
	struct vault *v;
	const struct vault_wait *wait;	/* NULL: WAIT_MS, silently */
	bool can_write;
	int64_t began;		/* ms */
	char told[HOLDER_MAX];
};

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- who holds it, for people: the lock itself is what excludes ----------------------- */

#define HOLDERS_MAX 4096		/* of several who share it a line each */

/* The first who has not left. */
static void holder_of(int fd, char out[HOLDER_MAX])
{
	char all[HOLDERS_MAX + 1];
	ssize_t n = pread(fd, all, HOLDERS_MAX, 0);
	const char *line;

	all[n > 0 ? n : 0] = '\0';
	line = all + strspn(all, " \n");
	snprintf(out, HOLDER_MAX, "%.*s", (int)strcspn(line, "\n"), line);
}

/* Nobody else has it: then names that are there are of the dead. */
static bool is_alone(const struct vault *v)
{
	struct err ignored = ERR_NONE;

	return file_lock_range(v->lockfd, 0, DOOR_AT, true, 0, &ignored) == 0;
}

/* In the door, where nobody else writes. */
static void leave_name(struct vault *v, const char *purpose)
{
	char host[65] = "", since[TEXT_TIME_MAX];
	struct err ignored = ERR_NONE;
	bool was_alone = is_alone(v);
	size_t size;

	gethostname(host, sizeof host - 1);
	snprintf(v->lock_text, HOLDER_MAX, "%s (pid %ld on %s, since %s)\n", purpose,
		 (long)getpid(), host, text_time(time(NULL), 0, since));
	size = strlen(v->lock_text);
	if (was_alone)
		(void)!ftruncate(v->lockfd, 0);
	v->lock_at = lseek(v->lockfd, 0, SEEK_END);
	if (v->lock_at < 0 || v->lock_at + (off_t)size > HOLDERS_MAX ||
	    pwrite(v->lockfd, v->lock_text, size, v->lock_at) != (ssize_t)size)
		v->lock_text[0] = '\0';
	if (was_alone && v->mode != VAULT_WRITE)
		(void)file_lock_range(v->lockfd, 0, DOOR_AT, false, 0, &ignored);
}

static void take_name_away(struct vault *v)
{
	size_t size = strlen(v->lock_text);

	if (is_alone(v)) {
		(void)!ftruncate(v->lockfd, 0);
	} else if (size > 0) {
		memset(v->lock_text, ' ', size - 1);
		(void)!pwrite(v->lockfd, v->lock_text, size, v->lock_at);
	}
	v->lock_text[0] = '\0';
}

static void holder_for_people(int fd, char out[HOLDER_MAX])
{
	char raw[HOLDER_MAX];

	holder_of(fd, raw);
	snprintf(out, HOLDER_MAX, "%s", raw[0] != '\0' ? text_printable(raw) :
		 "another muniment (on a full disk: one that reads it until there is room)");
}

/* ---- waiting ---------------------------------------------------------------------------- */

static void tell(struct turn *t)
{
	char holder[HOLDER_MAX];

	holder_for_people(t->v->lockfd, holder);
	if (strcmp(holder, t->told) == 0)
		return;
	memcpy(t->told, holder, sizeof t->told);
	if (t->wait->waiting)
		t->wait->waiting(t->wait->arg, holder);
}

static int busy(struct turn *t, struct err *e)
{
	char holder[HOLDER_MAX];

	holder_for_people(t->v->lockfd, holder);
	return err_set(e, MUNI_BUSY, "%s is at work on it: try again when that has ended%s",
		       holder, t->wait ? ", or wait longer (--wait)" : "");
}

static int await(struct turn *t, uint64_t from, uint64_t size, bool is_exclusive,
		 struct err *e)
{
	int64_t limit = t->wait ? (int64_t)t->wait->seconds * 1000 : WAIT_MS;

	for (;;) {
		int64_t waited = clock_ms() - t->began, left = limit - waited;
		int step = left <= 0 ? 0 : left < STEP_MS ? (int)left : STEP_MS;

		if (file_lock_range(t->v->lockfd, from, size, is_exclusive, step, e) == 0)
			return 0;
		if (e->code != MUNI_BUSY)
			return -1;
		if (t->wait && t->wait->is_cancelled && t->wait->is_cancelled(t->wait->arg))
			return err_set(e, MUNI_CANCELLED, "stopped while waiting for %s",
				       t->told[0] != '\0' ? t->told : "another muniment");
		if (left <= 0)
			return busy(t, e);
		*e = ERR_NONE;
		if (t->wait && waited >= TELL_AFTER_MS)
			tell(t);
	}
}

static int take(struct turn *t, const char *purpose, struct err *e)
{
	int rc;

	t->began = clock_ms();
	if (await(t, DOOR_AT, 1, t->can_write, e) < 0)
		return -1;
	rc = await(t, 0, DOOR_AT, t->v->mode == VAULT_WRITE, e);
	if (rc == 0 && t->can_write)
		leave_name(t->v, purpose);
	file_unlock_range(t->v->lockfd, DOOR_AT, 1);
	return rc;
}

/* ---- taking it --------------------------------------------------------------------------- */

/* Also who shares it leaves a name where that can be written. */
static int open_lock(struct vault *v, bool *can_write, struct err *e)
{
	bool is_writer = v->mode == VAULT_WRITE;

	*can_write = true;
	v->lockfd = file_open(v->dirfd, ARCHIVE_LOCK, is_writer ? O_RDWR | O_CREAT : O_RDWR,
			      0600, e);
	if (v->lockfd >= 0)
		return 0;
	if (!is_writer && e->code != MUNI_NOT_FOUND) {
		*e = ERR_NONE;
		*can_write = false;
		v->lockfd = file_open(v->dirfd, ARCHIVE_LOCK, O_RDONLY, 0, e);
		if (v->lockfd >= 0)
			return 0;
	}
	if (e->code == MUNI_DAMAGED)
		return err_wrap(e, "remove what stands there as "ARCHIVE_LOCK
				" (muniment makes a new one, and keeps nothing in it)");
	return -1;
}

int archive_lock(struct vault *v, const struct vault_options *o, struct err *e)
{
	struct turn t = { .v = v, .wait = o ? o->wait : NULL };
	bool is_writer = v->mode == VAULT_WRITE;

	if (open_lock(v, &t.can_write, e) < 0) {
		if (is_writer || e->code != MUNI_NOT_FOUND)
			return -1;
		*e = ERR_NONE;	/* nobody has written to this copy yet */
		return 0;
	}
	if (take(&t, o && o->purpose ? o->purpose : "muniment", e) == 0)
		return 0;
	if (is_writer || e->code == MUNI_BUSY || e->code == MUNI_CANCELLED) {
		file_close(&v->lockfd);
		return -1;
	}
	*e = ERR_NONE;	/* no locks on this file system: nobody writes there */
	return 0;
}

void archive_unlock(struct vault *v)
{
	if (v->lockfd >= 0 && v->lock_text[0] != '\0')
		take_name_away(v);
	file_close(&v->lockfd);
}

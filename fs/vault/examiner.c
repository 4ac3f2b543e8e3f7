#include "fs/vault/examiner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/shortage.h"
#include "fs/base/team.h"
#include "fs/vault/examiner_inside.h"

/* What the widest packing in use needs (zstd with a window of 128 MiB). */
#define MEMORY_DEFAULT (134ull << 20)
#define SECONDS_DEFAULT 20u
#define STANDSTILL_DEFAULT 300u
#define STANDSTILL_FACTOR 10
#define BYTES_A_SECOND (1u << 20)	/* of a large file; the slowest readers manage that */
#define SECONDS_MOST (1u << 24)
#define SECONDS_UNKNOWN 3600u		/* for a stream of nobody knows what size */
/* A worker is renewed now and then: what libraries leak or leave in pieces must not
 * add up to a limit. */
#define RENEW_AFTER 1000u
#define READ_SIZE (256u << 10)
#define AGAIN "make room, and scan again with --reread"

/* ---- the pool --------------------------------------------------------------------------- */

int examiner_open(const struct examiner_options *o, struct examiner **out, struct err *e)
{
	struct examiner_options settled = *o;
	struct examiner *x = calloc(1, sizeof *x);
	uint64_t lean;

	*out = NULL;
	if (!x)
		return err_set(e, MUNI_NO_MEMORY, "no memory to look into files");
	x->keeper.socket = -1;
	pthread_mutex_init(&x->keeper.lock, NULL);
	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->freed, NULL);
	pthread_cond_init(&x->shrunk, NULL);
	settled.memory = o->memory ? o->memory : MEMORY_DEFAULT;
	x->memory = settled.memory;
	x->besides = o->besides;
	x->is_cancelled = o->is_cancelled;
	x->arg = o->arg;
	x->limits = o->limits;
	x->seconds = o->seconds ? o->seconds : SECONDS_DEFAULT;
	x->standstill = o->standstill ? o->standstill : STANDSTILL_DEFAULT;
	memory_share_out(x, o->workers ? o->workers : team_processors(), &lean);
	x->hands = calloc(x->count, sizeof *x->hands);
	if (!x->hands) {
		err_set(e, MUNI_NO_MEMORY, "no memory to look into files");
		goto bad;
	}
	for (unsigned i = 0; i < x->count; i++) {
		x->hands[i].number = i;
		x->hands[i].socket = -1;
		x->hands[i].inbox.fd = -1;
	}
	if (keeper_open(&x->keeper, &settled, lean, e) < 0)
		goto bad;
	*out = x;
	return 0;
bad:
	examiner_close(x);
	return -1;
}

void examiner_close(struct examiner *x)
{
	if (!x)
		return;
	for (unsigned i = 0; x->hands && i < x->count; i++) {
		inbox_clear(&x->hands[i].inbox);
		file_close(&x->hands[i].socket);
	}
	keeper_close(&x->keeper);
	pthread_mutex_destroy(&x->keeper.lock);
	pthread_mutex_destroy(&x->lock);
	pthread_cond_destroy(&x->freed);
	pthread_cond_destroy(&x->shrunk);
	free(x->hands);
	free(x);
}

unsigned examiner_workers(const struct examiner *x)
{
	return x->count;
}

/* One that lives already rather than one that must be forked first. */
static struct hand *find_free(struct examiner *x)
{
	struct hand *found = NULL;

	for (unsigned i = 0; i < x->count; i++) {
		struct hand *h = &x->hands[i];

		if (!h->is_taken && (!found || (h->is_live && !found->is_live)))
			found = h;
	}
	return found;
}

static struct hand *take_hand(struct examiner *x)
{
	struct hand *h;

	pthread_mutex_lock(&x->lock);
	while (!(h = find_free(x)))
		pthread_cond_wait(&x->freed, &x->lock);
	h->is_taken = true;
	pthread_mutex_unlock(&x->lock);
	return h;
}

static void give_back(struct examiner *x, struct hand *h)
{
	pthread_mutex_lock(&x->lock);
	h->is_taken = false;
	pthread_cond_signal(&x->freed);
	pthread_mutex_unlock(&x->lock);
}

static int end_worker(struct examiner *x, struct hand *h, struct wire_ended *out, struct err *e)
{
	int rc = keeper_end(&x->keeper, h, out, e);

	memory_shrink(x, h);
	return rc;
}

/* ---- what became of a worker ------------------------------------------------------------ */

static void say_crash(const struct examiner *x, const struct wire_ended *w, char *out,
		      size_t room)
{
	char reader[160] = "the process that looked into it";
	int number = WIFSIGNALED(w->status) ? WTERMSIG(w->status) : 0;

	if (*w->reader)
		snprintf(reader, sizeof reader, "the reader of %s", w->reader);
	if (number == SIGSYS)
		snprintf(out, room, "%s tried what it may not do and was stopped by its sandbox",
			 reader);
	else if (number == SIGKILL)
		snprintf(out, room, "%s was killed from outside; the machine may have run out of "
			 "memory", reader);
	else if (w->shortage == SHORTAGE_MACHINE)
		snprintf(out, room, "%s found no memory left on this machine; that says nothing of "
			 "the file: " AGAIN, reader);
	else if (w->shortage == SHORTAGE_LIMIT || w->peak > x->memory / 4 * 3)
		snprintf(out, room, "%s needed more than the %llu MiB of memory that it may use",
			 reader, (unsigned long long)(x->memory >> 20));
	else
		snprintf(out, room, "%s crashed", reader);
}

static void say_end(const struct examiner *x, const struct job *j, enum hand_end end,
		    const struct wire_ended *w, char *out, size_t room)
{
	if (end == HAND_SLOW || (WIFSIGNALED(w->status) && WTERMSIG(w->status) == SIGXCPU))
		snprintf(out, room, "looking into it took more than %u s of processor time",
			 j->seconds);
	else if (end == HAND_STUCK)
		snprintf(out, room, "looking into it came to a standstill");
	else if (end == HAND_LIED)
		snprintf(out, room, "what came back of it made no sense; it may be hostile");
	else
		say_crash(x, w, out, room);
}

/* ---- one file ---------------------------------------------------------------------------- */

/* What can come out of a file at the most, by the limits of looking (look.h). */
static uint64_t expanded_most(const struct examiner *x, uint64_t size)
{
	uint64_t all = x->limits.expanded ? x->limits.expanded : LOOK_EXPANDED;
	uint64_t ratio = x->limits.ratio ? x->limits.ratio : LOOK_RATIO;

	if (size >= all / ratio)
		return all;
	return size * ratio > LOOK_RATIO_FREE ? size * ratio : LOOK_RATIO_FREE;
}

static struct job job_of(struct examiner *x, int fd, const char *name, uint64_t size)
{
	struct job j = { .examiner = x, .fd = fd, .name = name, .size = size,
			 .seconds = x->seconds };
	uint64_t more = size == UINT64_MAX ? SECONDS_UNKNOWN : size / BYTES_A_SECOND;
	uint64_t unpacked = expanded_most(x, size) / WIRE_EXPANDED_A_SECOND + 1;
	struct stat st;

	j.is_pipe = fstat(fd, &st) < 0 || !S_ISREG(st.st_mode);
	more = more < SECONDS_MOST ? more : SECONDS_MOST;
	unpacked = unpacked < SECONDS_MOST ? unpacked : SECONDS_MOST;
	j.seconds += (unsigned)more;
	j.seconds_most = j.seconds + (unsigned)unpacked;
	/* What is granted beyond the base, by the size, counts tenfold. */
	j.standstill = x->standstill + STANDSTILL_FACTOR * (int64_t)more;
	return j;
}

/* Size and digest where no worker told them (X2). */
static int digest_file(struct job *j, struct err *e)
{
	uint8_t *piece = malloc(READ_SIZE);
	int rc = -1;

	if (!piece)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a file");
	hasher_reset(j->hasher);
	j->passed = 0;
	while (j->passed < j->size) {
		uint64_t left = j->size - j->passed;
		ssize_t n = pread(j->fd, piece, left < READ_SIZE ? (size_t)left : READ_SIZE,
				  (off_t)j->passed);

		if (n < 0 && errno == EINTR)
			continue;
		if (examiner_is_cancelled(j->examiner)) {
			err_set(e, MUNI_CANCELLED, "stopped");
			goto out;
		}
		if (n < 0) {
			err_errno(e, "reading at byte %llu", (unsigned long long)j->passed);
			goto out;
		}
		if (n == 0)
			break;
		hasher_update(j->hasher, piece, (size_t)n);
		j->passed += (uint64_t)n;
	}
	rc = 0;
out:
	free(piece);
	return rc;
}

static int not_looked_into(struct job *j, const char *format, const char *why,
			   struct examination *out, struct err *e)
{
	examination_clear(out);
	if (!j->is_pipe && digest_file(j, e) < 0)
		return -1;
	snprintf(out->format, sizeof out->format, "%s",
		 *format ? format : "application/octet-stream");
	snprintf(out->opaque, sizeof out->opaque, "%s", why);
	return 0;
}

/* The digest of a stream is ours, of a file that was not looked into too. */
static void take_digest(struct job *j, struct examination *out)
{
	out->size = j->passed;
	out->sha256 = hasher_finish(j->hasher);
	out->has_sha256 = true;
}

/*
 * One try.  *is_again: the worker had looked into other files before, which may
 * have left it short of memory or broken: a fresh one decides, so that what is
 * said of a file depends on nothing but the file.
 */
static int look_once(struct examiner *x, struct hand *h, struct job *j,
		     struct examination *out, bool *is_again, struct err *e)
{
	struct wire_ended ended = { .status = 0 };
	enum hand_end end;
	char why[512];
	bool is_used;

	*is_again = false;
	if (!h->is_live && keeper_fork(&x->keeper, h, e) < 0)
		return -1;
	is_used = h->looked++ > 0 && !j->is_pipe;
	if (hand_look(h, j, &end, out, e) < 0) {
		/* In the middle of a file: of no use for the next one. */
		(void)end_worker(x, h, &ended, &(struct err){ .code = MUNI_OK });
		return -1;
	}
	if (end == HAND_FOUND) {
		if (j->is_pipe)
			take_digest(j, out);
		return 0;
	}
	*is_again = is_used && end != HAND_SLOW && end != HAND_STUCK;
	if (end == HAND_REFUSED) {
		snprintf(why, sizeof why, "%.500s", e->text);
		if (e->code == MUNI_LIMIT)
			snprintf(why, sizeof why, "looking into it needs more than the %llu MiB of "
				 "memory that it may", (unsigned long long)(x->memory >> 20));
		else if (e->code == MUNI_NO_MEMORY)
			snprintf(why, sizeof why, "this machine had no memory left to look into it, "
				 "which says nothing of the file: " AGAIN);
		else
			*is_again = false;
	}
	if ((end != HAND_REFUSED || *is_again) && end_worker(x, h, &ended, e) < 0)
		return -1;
	if (*is_again)
		return 0;
	if (end != HAND_REFUSED)
		say_end(x, j, end, &ended, why, sizeof why);
	if (not_looked_into(j, ended.format, why, out, e) < 0)
		return -1;
	take_digest(j, out);
	return 0;
}

static int renew(struct examiner *x, struct hand *h, struct err *e)
{
	struct wire_ended ended;

	if (!h->is_live || (h->looked < RENEW_AFTER && !h->is_worn && !h->is_grown))
		return 0;
	return end_worker(x, h, &ended, e);
}

int examiner_look(struct examiner *x, int fd, const char *name, uint64_t size,
		  struct examination *out, struct err *e)
{
	struct job j = job_of(x, fd, name, size);
	struct hand *h = take_hand(x);
	bool is_again;
	int rc = -1;

	*out = (struct examination){ .findings = NULL };
	j.hasher = hasher_new();
	if (!j.hasher) {
		err_set(e, MUNI_NO_MEMORY, "no memory to look into a file");
		goto out;
	}
	do
		rc = look_once(x, h, &j, out, &is_again, e);
	while (rc == 0 && is_again);
	if (rc == 0)
		rc = renew(x, h, e);
out:
	if (rc < 0)
		examination_clear(out);
	hasher_free(j.hasher);
	give_back(x, h);
	return rc;
}

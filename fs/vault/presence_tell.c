/*
 * The writer's side: find the living registrations, tell them, wait.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/secret.h"
#include "fs/vault/presence_inside.h"

#define RETRY_MS 100		/* a socket whose backlog is full, as of a stopped process */
#define REQUEST_MAX (PRESENCE_MESSAGE_SIZE + PRESENCE_KEY_SIZE)

struct telling {
	int rundir;		/* borrowed */
	uid_t owner;		/* of the run folder */
	struct presence_message asked;
	uint8_t *request;	/* secret memory: a key may be in it */
	size_t request_size;
	struct presence_round *rounds;
	size_t count;
};

/* ---- who is there -------------------------------------------------------------- */

/* "mount.PID.RANDOM" of "mount.PID.RANDOM.lock"; false for any other file. */
static bool stem_of(const char *file, char stem[PRESENCE_NAME_MAX])
{
	size_t size = strlen(file);

	if (size < 6 || size + 1 > PRESENCE_NAME_MAX || strncmp(file, "mount.", 6) != 0 ||
	    strcmp(file + size - 5, ".lock") != 0)
		return false;
	memcpy(stem, file, size - 5);
	stem[size - 5] = '\0';
	return true;
}

static int collect(struct telling *t, struct err *e)
{
	int fd = file_open_dir(t->rundir, ".", e);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			err_errno(e, "listing the run folder");
		file_close(&fd);
		return -1;
	}
	while ((entry = readdir(dir))) {
		struct presence_round one = { .fd = -1, .outcome = PRESENCE_SILENT };
		if (!stem_of(entry->d_name, one.stem) || !presence_is_alive(t->rundir, &one))
			continue;
		struct presence_round *more = realloc(t->rounds,
						      (t->count + 1) * sizeof *more);
		if (!more) {
			closedir(dir);
			return err_set(e, MUNI_NO_MEMORY, "no memory to list open mounts");
		}
		t->rounds = more;
		more[t->count++] = one;
	}
	closedir(dir);
	return 0;
}

/* ---- one mount ------------------------------------------------------------------ */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* P2: a socket says who made it. */
static bool is_owners(const struct telling *t, int fd, struct presence_round *r)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	r->pid = peer.pid;
	return peer.uid == 0 || peer.uid == t->owner;
}

static void close_round(struct presence_round *r, bool is_over)
{
	file_close(&r->fd);
	r->is_over = is_over;
}

/* Sends the request where the socket takes it now; else a later try does. */
static void try_to_tell(struct telling *t, struct presence_round *r)
{
	struct sockaddr_un address;
	char sock[PRESENCE_NAME_MAX + 8];

	snprintf(sock, sizeof sock, "%s.sock", r->stem);
	if (!presence_address(t->rundir, sock, &address))
		return;
	r->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0)
		return;
	if (connect(r->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    !is_owners(t, r->fd, r) ||
	    send(r->fd, t->request, t->request_size, MSG_NOSIGNAL) !=
	    (ssize_t)t->request_size)
		close_round(r, false);
}

static void hear(struct telling *t, struct presence_round *r)
{
	uint8_t raw[PRESENCE_MESSAGE_SIZE + PRESENCE_WHY_MAX];
	ssize_t got = recv(r->fd, raw, sizeof raw, 0);
	struct presence_message answer;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {		/* leaving, or out of means for a moment: look again */
		snprintf(r->why, sizeof r->why, "it hung up without a word");
		close_round(r, false);
		r->retry_at = now_ms() + RETRY_MS;
		return;
	}
	if (presence_unpack(raw, got, &answer) &&
	    answer.kind == (t->asked.kind | PRESENCE_ANSWER) &&
	    answer.epoch == t->asked.epoch && answer.number == t->asked.number) {
		r->outcome = answer.is_done == 1 ? PRESENCE_DONE : PRESENCE_NOT_DONE;
		memset(r->why, 0, sizeof r->why);	/* of an earlier try */
		memcpy(r->why, raw + PRESENCE_MESSAGE_SIZE,
		       (size_t)got - PRESENCE_MESSAGE_SIZE);
	} else {
		snprintf(r->why, sizeof r->why, "it answered what was not asked");
	}
	close_round(r, true);
}

/* ---- all of them ------------------------------------------------------------------ */

static void is_gone(struct presence_round *r)
{
	r->outcome = PRESENCE_ENDED;
	snprintf(r->why, sizeof r->why, "it ended by itself");
	close_round(r, true);
}

/* Another try for those who could not be told yet; true if some are left.  One that
 * hung up is most often on its way out: its socket closes before its lock does (P1). */
static bool retry(struct telling *t)
{
	bool is_left = false;

	for (size_t i = 0; i < t->count; i++) {
		struct presence_round *r = &t->rounds[i];
		if (r->is_over || r->fd >= 0)
			continue;
		if (now_ms() >= r->retry_at)
			try_to_tell(t, r);
		if (r->fd < 0 && !presence_is_alive(t->rundir, r))
			is_gone(r);
		is_left |= !r->is_over && r->fd < 0;
	}
	return is_left;
}

/* A round of poll(); true while somebody has not answered. */
static bool wait_a_while(struct telling *t, struct pollfd *polled, int64_t left_ms)
{
	bool is_retry = retry(t), is_waiting = false;

	for (size_t i = 0; i < t->count; i++) {
		const struct presence_round *r = &t->rounds[i];
		polled[i] = (struct pollfd){ .fd = r->is_over ? -1 : r->fd,
					     .events = POLLIN };
		is_waiting |= !r->is_over;
	}
	if (!is_waiting || left_ms <= 0)
		return false;
	if (is_retry && left_ms > RETRY_MS)
		left_ms = RETRY_MS;
	if (poll(polled, (nfds_t)t->count, (int)left_ms) <= 0)
		return true;
	for (size_t i = 0; i < t->count; i++)
		if (polled[i].fd >= 0 && polled[i].revents != 0)
			hear(t, &t->rounds[i]);
	return true;
}

static int tell_all(struct telling *t, unsigned timeout_ms, struct err *e)
{
	int64_t end = now_ms() + timeout_ms;
	struct pollfd *polled = calloc(t->count ? t->count : 1, sizeof *polled);

	if (!polled)
		return err_set(e, MUNI_NO_MEMORY, "no memory to tell open mounts");
	while (wait_a_while(t, polled, end - now_ms()))
		;
	for (size_t i = 0; i < t->count; i++) {
		struct presence_round *r = &t->rounds[i];
		close_round(r, true);
		/* Who hung up because he died is no mount any more: P1. */
		if (r->outcome == PRESENCE_SILENT && !presence_is_alive(t->rundir, r))
			is_gone(r);
	}
	free(polled);
	return 0;
}

/* ---- the result --------------------------------------------------------------------- */

const char *presence_outcome_name(enum presence_outcome o)
{
	switch (o) {
	case PRESENCE_DONE:		return "done";
	case PRESENCE_NOT_DONE:		return "could not";
	case PRESENCE_SILENT:		return "silent";
	case PRESENCE_ENDED:		return "ended";
	case PRESENCE_UNREGISTERED:	return "not registered";
	}
	return "unknown";
}

static void count(struct presence_count *c, enum presence_outcome o)
{
	switch (o) {
	case PRESENCE_DONE:		c->done++; break;
	case PRESENCE_NOT_DONE:		c->not_done++; break;
	case PRESENCE_SILENT:		c->silent++; break;
	case PRESENCE_ENDED:		c->ended++; break;
	case PRESENCE_UNREGISTERED:	c->unregistered++; break;
	}
}

static void give_row(const struct presence_ask *ask, const struct presence_round *r)
{
	char about[4 * sizeof r->about], why[4 * sizeof r->why];

	if (!ask->row)
		return;
	snprintf(about, sizeof about, "%s", text_printable(r->about));
	snprintf(why, sizeof why, "%s", text_printable(r->why));
	ask->row(ask->arg, &(struct presence_mount){ .name = r->stem, .about = about,
						     .why = why, .outcome = r->outcome });
}

struct unregistered {
	const struct presence_ask *ask;
	struct presence_count *out;
};

static void on_unregistered(void *arg, const char *mountpoint)
{
	struct unregistered *u = arg;
	struct presence_round r = { .outcome = PRESENCE_UNREGISTERED,
				    .why = "it is not registered beside this keyring" };

	snprintf(r.about, sizeof r.about, "munifs on %s", mountpoint);
	count(u->out, r.outcome);
	give_row(u->ask, &r);
}

/* A key goes into a folder that nobody else can put a socket into, or nowhere. */
static int look_at_folder(struct telling *t, bool has_key, struct err *e)
{
	struct stat st;

	if (fstat(t->rundir, &st) < 0)
		return err_errno(e, "looking at the run folder");
	t->owner = st.st_uid;
	if (has_key && ((st.st_uid != geteuid() && geteuid() != 0) || (st.st_mode & 022)))
		return err_set(e, MUNI_REFUSED, "the run folder beside the keyring is open to "
			       "others, who could put a socket there: `chmod 700` it");
	return 0;
}

static int make_request(struct telling *t, const struct presence_ask *ask, struct err *e)
{
	t->asked = (struct presence_message){ .kind = (uint16_t)ask->kind,
					      .epoch = ask->epoch };
	t->request = secret_new(REQUEST_MAX);
	if (!t->request)
		return err_set(e, MUNI_NO_MEMORY, "no memory to tell open mounts");
	if (random_bytes(&t->asked.number, sizeof t->asked.number, e) < 0)
		return -1;
	presence_pack(&t->asked, t->request);
	t->request_size = PRESENCE_MESSAGE_SIZE;
	if (ask->kind != PRESENCE_EPOCH)
		return 0;
	memcpy(t->request + PRESENCE_MESSAGE_SIZE, ask->key, PRESENCE_KEY_SIZE);
	t->request_size += PRESENCE_KEY_SIZE;
	return 0;
}

int presence_tell(int rundir, const struct presence_ask *ask, struct presence_count *out,
		  struct err *e)
{
	struct telling t = { .rundir = rundir };
	struct unregistered u = { ask, out };
	unsigned timeout = ask->timeout_ms ? ask->timeout_ms : PRESENCE_TIMEOUT_MS;
	int rc = -1;

	*out = (struct presence_count){ 0 };
	if (ask->kind == PRESENCE_EPOCH && !ask->key)
		return err_set(e, MUNI_USAGE, "mounts are told of an epoch without its key");
	if (look_at_folder(&t, ask->kind == PRESENCE_EPOCH, e) < 0 ||
	    make_request(&t, ask, e) < 0 || collect(&t, e) < 0 ||
	    tell_all(&t, timeout, e) < 0)
		goto out;
	for (size_t i = 0; i < t.count; i++) {
		struct presence_round *r = &t.rounds[i];
		bool is_left = r->outcome == PRESENCE_SILENT || r->outcome == PRESENCE_NOT_DONE;
		if (is_left && ask->may_end && presence_end(rundir, r))
			r->outcome = PRESENCE_ENDED;
		count(out, r->outcome);
		give_row(ask, r);
	}
	if (ask->archive)
		presence_each_unregistered(ask->archive, t.rounds, t.count, on_unregistered, &u);
	rc = 0;
out:
	free(t.rounds);
	secret_free(t.request);
	return rc;
}

/* ---- step 6 -------------------------------------------------------------------------- */

struct naming {
	const struct presence_ask *ask;
	char names[512];	/* of those that serve the old epoch still */
};

static void on_mount(void *arg, const struct presence_mount *m)
{
	struct naming *n = arg;
	size_t used = strlen(n->names);

	if (m->outcome == PRESENCE_SILENT || m->outcome == PRESENCE_NOT_DONE)
		snprintf(n->names + used, sizeof n->names - used, "%s%s (%s%s%s)",
			 used ? ", " : "", m->about, presence_outcome_name(m->outcome),
			 m->why[0] ? ": " : "", m->why);
	if (n->ask->row)
		n->ask->row(n->ask->arg, m);
}

int presence_switch(int rundir, const struct presence_ask *ask, struct presence_count *out,
		    struct err *e)
{
	struct naming n = { .ask = ask };
	struct presence_ask inner = *ask;
	unsigned left;

	inner.kind = PRESENCE_EPOCH;
	inner.row = on_mount;
	inner.arg = &n;
	if (presence_tell(rundir, &inner, out, e) < 0)
		return -1;
	left = out->silent + out->not_done;
	if (left == 0)
		return 0;
	return err_set(e, MUNI_BUSY, "%u open mount%s not moved to the new epoch: %s; unmount, "
		       "or let what does not answer be ended, and run a command that writes "
		       "again: it goes on from here", left, left == 1 ? " has" : "s have",
		       n.names);
}

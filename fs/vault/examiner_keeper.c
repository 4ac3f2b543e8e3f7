#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/examiner_inside.h"

#define BEGIN_SECONDS 120	/* compiling recognisers on a slow machine */
#define ANSWER_SECONDS 60	/* a fork, a kill */
#define CLOSE_MS 5000
#define HEAR_MS 250		/* a worker's socket is looked away from as often */

static int set_patience(int socket, long seconds, long ms, struct err *e)
{
	const struct timeval t = { seconds, ms * 1000 };

	if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) < 0)
		return err_errno(e, "preparing a socket");
	return 0;
}

/* The one answer that is due on control. */
static int hear(struct keeper *k, enum wire_type wanted, struct err *e)
{
	enum inbox_state state;

	do
		if (inbox_receive(&k->inbox, true, &state, e) < 0)
			return -1;
	while (state == INBOX_MORE);
	if (state == INBOX_NOTHING)
		return err_set(e, MUNI_IO, "muni-examine does not answer");
	if (state == INBOX_END)
		return err_set(e, MUNI_IO, "muni-examine has ended before its time");
	if (k->inbox.type == WIRE_FAILED)
		return inbox_failure(&k->inbox, e);
	if (k->inbox.type != wanted)
		return err_set(e, MUNI_DAMAGED, "muni-examine answers something else");
	return 0;
}

/* ---- beginning ------------------------------------------------------------------------- */

static int greet(struct keeper *k, const struct examiner_options *o, uint64_t lean,
		 struct err *e)
{
	const struct wire_hello hello = { .version = WIRE_VERSION, .memory = o->memory,
					  .lean = lean, .limits = o->limits,
					  .custom_count = (uint32_t)o->custom_count };
	struct buffer b = { .data = NULL };
	int rc = -1;

	if (o->custom_count > WIRE_CUSTOM_COUNT_MAX)
		return err_set(e, MUNI_LIMIT, "more than %u recognisers of a policy's own",
			       WIRE_CUSTOM_COUNT_MAX);
	wire_put_hello(&b, &hello);
	if (b.failed) {
		err_set(e, MUNI_NO_MEMORY, "no memory to start muni-examine");
		goto out;
	}
	if (wire_send(k->socket, WIRE_HELLO, b.data, b.size, -1, e) < 0)
		goto out;
	for (size_t i = 0; i < o->custom_count; i++) {
		buffer_reset(&b);
		if (wire_put_custom(&b, &o->custom[i], e) < 0 ||
		    wire_send(k->socket, WIRE_CUSTOM, b.data, b.size, -1, e) < 0)
			goto out;
	}
	rc = 0;
out:
	buffer_free(&b);
	return rc;
}

/* It came to no talk at all: of no file is anything said by that, nor of the archive. */
static int is_no_keeper(const struct keeper *k, const char *path, struct err *e)
{
	struct err why = *e;

	if (k->inbox.type == WIRE_FAILED || (why.code != MUNI_IO && why.code != MUNI_DAMAGED))
		return -1;
	return err_set(e, MUNI_IO, "the program that looks into files, %s, cannot be used: %.300s; "
		       "it may not be the one that belongs to this muni: reinstall muniment",
		       text_printable(path), why.text);
}

int keeper_open(struct keeper *k, const struct examiner_options *o, uint64_t lean,
		struct err *e)
{
	char path[EXAMINER_PATH_MAX];
	struct err said = ERR_NONE;

	if (program_find(o->program, path, e) < 0 ||
	    program_start(path, &k->pid, &k->socket, e) < 0)
		return -1;
	inbox_init(&k->inbox, k->socket, false);
	if (set_patience(k->socket, BEGIN_SECONDS, 0, e) < 0)
		return -1;
	if (greet(k, o, lean, e) < 0) {
		/* It may have gone with its reason said: that is the better one. */
		if (e->code == MUNI_IO && hear(k, WIRE_READY, &said) < 0 &&
		    k->inbox.type == WIRE_FAILED)
			*e = said;
		return is_no_keeper(k, path, e);
	}
	if (hear(k, WIRE_READY, e) < 0)
		return is_no_keeper(k, path, e);
	return set_patience(k->socket, ANSWER_SECONDS, 0, e);
}

void keeper_close(struct keeper *k)
{
	const struct timespec pause = { 0, 2000000 };

	file_close(&k->socket);
	inbox_clear(&k->inbox);
	if (k->pid <= 0)
		return;
	/* It ends when its socket is closed; if not, it is made to. */
	for (int waited = 0; waited < CLOSE_MS; waited += 2) {
		pid_t got = waitpid(k->pid, NULL, WNOHANG);

		if (got == k->pid || (got < 0 && errno != EINTR)) {
			k->pid = 0;
			return;
		}
		nanosleep(&pause, NULL);
	}
	kill(k->pid, SIGKILL);
	while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
	k->pid = 0;
}

/* ---- workers ---------------------------------------------------------------------------- */

static int ask(struct keeper *k, enum wire_type type, uint32_t number, int fd,
	       enum wire_type answer, struct err *e)
{
	struct buffer b = { .data = NULL };
	int rc = -1;

	buffer_u32(&b, number);
	if (b.failed)
		err_set(e, MUNI_NO_MEMORY, "no memory for a worker");
	else if (wire_send(k->socket, type, b.data, b.size, fd, e) == 0)
		rc = hear(k, answer, e);
	buffer_free(&b);
	return rc;
}

int keeper_fork(struct keeper *k, struct hand *h, struct err *e)
{
	int ends[2], rc;
	struct reader r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(e, "making a socket");
	h->socket = ends[0];
	inbox_init(&h->inbox, h->socket, false);
	pthread_mutex_lock(&k->lock);
	rc = ask(k, WIRE_WORKER, h->number, ends[1], WIRE_STARTED, e);
	r = reader_over(k->inbox.message.data, k->inbox.message.size);
	(void)reader_u32(&r);
	h->pid = (pid_t)reader_u32(&r);
	pthread_mutex_unlock(&k->lock);
	close(ends[1]);
	if (rc == 0)
		rc = set_patience(h->socket, 0, HEAR_MS, e);
	h->is_live = rc == 0;
	h->looked = 0;
	h->is_worn = false;
	if (rc < 0)
		file_close(&h->socket);
	return rc < 0 ? err_wrap(e, "starting a process to look into files") : 0;
}

int keeper_lift(struct keeper *k, struct hand *h, struct err *e)
{
	int rc;

	pthread_mutex_lock(&k->lock);
	rc = ask(k, WIRE_GROW, h->number, -1, WIRE_GROWN, e);
	pthread_mutex_unlock(&k->lock);
	return rc;
}

int keeper_end(struct keeper *k, struct hand *h, struct wire_ended *out, struct err *e)
{
	struct reader r;
	int rc;

	inbox_clear(&h->inbox);
	file_close(&h->socket);
	h->is_live = false;
	pthread_mutex_lock(&k->lock);
	rc = ask(k, WIRE_END, h->number, -1, WIRE_ENDED, e);
	r = reader_over(k->inbox.message.data, k->inbox.message.size);
	if (rc == 0)
		rc = wire_get_ended(&r, out, e);
	pthread_mutex_unlock(&k->lock);
	return rc < 0 ? err_wrap(e, "ending a process that looked into files") : 0;
}

/*
 * The mount's side: register, listen, answer.
 */
#include "fs/vault/presence.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/secret.h"
#include "fs/vault/inside.h"
#include "fs/vault/presence_inside.h"

#define LOCK_TRIES 100u		/* names; who tells mounts removes one that is not locked yet */
#define LOCK_MS 10000		/* he who looks holds it for a moment */

struct presence {
	int rundir;		/* owned */
	int lockfd;		/* owned; held locked: we live */
	int listenfd;		/* owned */
	int stopfd;		/* eventfd; readable once stopped */
	char lock_name[PRESENCE_NAME_MAX];
	char sock_name[PRESENCE_NAME_MAX];
};

void presence_pack(const struct presence_message *m, uint8_t out[PRESENCE_MESSAGE_SIZE])
{
	struct writer w = writer_over(out, PRESENCE_MESSAGE_SIZE);

	writer_u32(&w, PRESENCE_MAGIC);
	writer_u16(&w, m->kind);
	writer_u16(&w, m->is_done);
	writer_u64(&w, m->epoch);
	writer_u64(&w, m->number);
	writer_zeros(&w, 8);
}

bool presence_unpack(const uint8_t *data, long size, struct presence_message *out)
{
	if (size < PRESENCE_MESSAGE_SIZE)
		return false;
	struct reader r = reader_over(data, PRESENCE_MESSAGE_SIZE);
	uint32_t magic = reader_u32(&r);

	out->kind = reader_u16(&r);
	out->is_done = reader_u16(&r);
	out->epoch = reader_u64(&r);
	out->number = reader_u64(&r);
	return magic == PRESENCE_MAGIC && !r.underflow;
}

bool presence_address(int rundir, const char *name, struct sockaddr_un *out)
{
	memset(out, 0, sizeof *out);
	out->sun_family = AF_UNIX;
	int n = snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", rundir,
			 name);
	return n > 0 && (size_t)n < sizeof out->sun_path;
}

bool presence_peer_may_speak(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static int make_names(struct presence *p, struct err *e)
{
	uint8_t random[8];
	char hex[2 * sizeof random + 1];

	if (random_bytes(random, sizeof random, e) < 0)
		return -1;
	text_hex(random, sizeof random, hex);
	snprintf(p->lock_name, sizeof p->lock_name, "mount.%ld.%s.lock", (long)getpid(), hex);
	snprintf(p->sock_name, sizeof p->sock_name, "mount.%ld.%s.sock", (long)getpid(), hex);
	return 0;
}

/* P1: whoever sees the file unlocked may remove it, also in the moment between our making
 * it and our locking it, and holds the lock while he looks: so wait, look again once it is
 * locked, and take another name if it is gone. */
static int try_lock(struct presence *p, bool *is_there, struct err *e)
{
	struct stat ours, there;

	*is_there = false;
	if (make_names(p, e) < 0)
		return -1;
	p->lockfd = file_open(p->rundir, p->lock_name, O_RDWR | O_CREAT | O_EXCL, 0600, e);
	if (p->lockfd < 0 || file_lock(p->lockfd, true, LOCK_MS, e) < 0)
		return -1;
	if (fstat(p->lockfd, &ours) < 0)
		return err_errno(e, "looking at the run folder's entry");
	*is_there = fstatat(p->rundir, p->lock_name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		    ours.st_ino == there.st_ino;
	return 0;
}

static int make_lock(struct presence *p, const char *about, struct err *e)
{
	bool is_there = false;

	for (unsigned i = 0; i < LOCK_TRIES && !is_there; i++) {
		file_close(&p->lockfd);
		if (try_lock(p, &is_there, e) < 0)
			return -1;
	}
	if (!is_there)
		return err_set(e, MUNI_BUSY, "the run folder's entry was removed at once, "
			       "%u times; try again", LOCK_TRIES);
	return file_write_at(p->lockfd, 0, about, strnlen(about, PRESENCE_ABOUT_MAX - 1), e);
}

static int make_socket(struct presence *p, struct err *e)
{
	struct sockaddr_un address;

	p->listenfd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->listenfd < 0)
		return err_errno(e, "making a socket");
	if (!presence_address(p->rundir, p->sock_name, &address))
		return err_set(e, MUNI_LIMIT, "the name of the socket is too long");
	if (bind(p->listenfd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    fchmodat(p->rundir, p->sock_name, 0600, 0) < 0 || listen(p->listenfd, 8) < 0)
		return err_errno(e, "binding %s in the run folder", p->sock_name);
	return 0;
}

int presence_register(struct vault *v, const char *about, struct presence **out,
		      struct err *e)
{
	struct presence *p = calloc(1, sizeof *p);
	int rc = -1;

	*out = NULL;
	if (!p)
		return err_set(e, MUNI_NO_MEMORY, "no memory to register the mount");
	p->rundir = p->lockfd = p->listenfd = p->stopfd = -1;
	p->rundir = vault_run_dir(v, true, e);
	if (p->rundir < 0)
		goto out;
	p->stopfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->stopfd < 0) {
		err_errno(e, "making an event counter");
		goto out;
	}
	if (make_lock(p, about, e) < 0 || make_socket(p, e) < 0)
		goto out;
	*out = p;
	p = NULL;
	rc = 0;
out:
	presence_close(p);
	return rc;
}

/* raw: what a connection brought.  The key moves to secret memory. */
static bool accept_message(const uint8_t *raw, long size, struct presence_event *out)
{
	struct presence_message m;

	if (!presence_unpack(raw, size, &m))
		return false;
	out->kind = (enum presence_kind)m.kind;
	out->epoch = m.epoch;
	out->number = m.number;
	if (m.kind == PRESENCE_CHANGED)
		return size == PRESENCE_MESSAGE_SIZE;
	if (m.kind != PRESENCE_EPOCH || size != PRESENCE_MESSAGE_SIZE + PRESENCE_KEY_SIZE)
		return false;
	out->key = secret_new(PRESENCE_KEY_SIZE);
	if (out->key)
		memcpy(out->key, raw + PRESENCE_MESSAGE_SIZE, PRESENCE_KEY_SIZE);
	return out->key != NULL;
}

/* One waiting connection, if it carries a message that we know. */
static int take(struct presence *p, struct presence_event *out)
{
	uint8_t raw[PRESENCE_MESSAGE_SIZE + PRESENCE_KEY_SIZE + 1];
	struct timeval patience = { .tv_sec = 2 };
	int fd = accept4(p->listenfd, NULL, NULL, SOCK_CLOEXEC);
	bool is_ours;

	if (fd < 0)
		return 0;
	*out = (struct presence_event){ .fd = fd };
	is_ours = presence_peer_may_speak(fd) &&
		  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
		  accept_message(raw, recv(fd, raw, sizeof raw, 0), out);
	secret_wipe(raw, sizeof raw);
	if (!is_ours)
		file_close(&out->fd);
	return is_ours;
}

int presence_wait(struct presence *p, int timeout_ms, struct presence_event *out)
{
	struct pollfd polled[2] = {
		{ .fd = p->stopfd, .events = POLLIN },
		{ .fd = p->listenfd, .events = POLLIN },
	};

	if (poll(polled, 2, timeout_ms) <= 0 || (polled[0].revents & POLLIN))
		return 0;
	return (polled[1].revents & POLLIN) ? take(p, out) : 0;
}

void presence_answer(struct presence_event *event, bool is_done, const char *why)
{
	uint8_t raw[PRESENCE_MESSAGE_SIZE + PRESENCE_WHY_MAX];
	size_t size = why ? strnlen(why, PRESENCE_WHY_MAX) : 0;
	struct presence_message m = {
		.kind = (uint16_t)(event->kind | PRESENCE_ANSWER),
		.is_done = is_done,
		.epoch = event->epoch,
		.number = event->number,
	};

	presence_pack(&m, raw);
	if (size > 0)
		memcpy(raw + PRESENCE_MESSAGE_SIZE, why, size);
	/* The teller may be gone: it will count us as silent, which is true. */
	(void)!send(event->fd, raw, PRESENCE_MESSAGE_SIZE + size, MSG_NOSIGNAL);
	file_close(&event->fd);
	secret_free(event->key);
	event->key = NULL;
}

void presence_stop(struct presence *p)
{
	uint64_t one = 1;

	(void)!write(p->stopfd, &one, sizeof one);
}

int presence_set_mountpoint(struct presence *p, const char *mountpoint, struct err *e)
{
	uint8_t raw[8];
	struct writer w = writer_over(raw, sizeof raw);

	writer_u64(&w, presence_device_of(mountpoint));
	return file_write_at(p->lockfd, PRESENCE_DEVICE_AT, raw, sizeof raw, e);
}

int presence_folder(const struct presence *p)
{
	return p->rundir;
}

void presence_close(struct presence *p)
{
	if (!p)
		return;
	if (p->listenfd >= 0)
		unlinkat(p->rundir, p->sock_name, 0);
	if (p->lockfd >= 0)
		unlinkat(p->rundir, p->lock_name, 0);
	file_close(&p->listenfd);
	file_close(&p->lockfd);
	file_close(&p->stopfd);
	file_close(&p->rundir);
	free(p);
}

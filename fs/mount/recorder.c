#include "fs/mount/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/mount/options.h"
#include "fs/vault/access.h"

#define GATHER_SECONDS 5	/* opens of that long become one entry */
#define BATCH_MAX (256u * 1024)	/* bytes of details in one entry */
#define HELD_MAX (16u << 20)	/* while the archive is busy; then opens wait */
#define MESSAGE_MAX (256u * 1024)

struct recorder {
	const struct mount_options *o;
	int socket;
	struct buffer held;	/* JSON objects, a newline behind each */
	char message[MESSAGE_MAX];
};

/* As many whole objects as fit one entry; at least one. */
static size_t batch_size(const struct buffer *held)
{
	size_t end = held->size;

	if (end <= BATCH_MAX)
		return end;
	const uint8_t *last = memrchr(held->data, '\n', BATCH_MAX);
	if (!last)
		last = memchr(held->data, '\n', end);
	return (size_t)(last - held->data) + 1;
}

static int write_batch(struct recorder *r, struct err *e)
{
	struct vault_options vault = { .keys = {
		.keyring = r->o->keyring,
		.key_file = r->o->key_file,
		.passphrase_file = r->o->passphrase_file,
	} };
	size_t size = batch_size(&r->held);
	struct buffer details = { 0 };
	int rc = -1;

	buffer_append(&details, "{\"opens\":[", 10);
	buffer_append(&details, r->held.data, size - 1);
	buffer_append(&details, "]}", 3);	/* with its NUL */
	if (details.failed) {
		err_set(e, MUNI_NO_MEMORY, "no memory for an entry of the log");
		goto out;
	}
	for (size_t i = 0; i < details.size; i++)
		if (details.data[i] == '\n')
			details.data[i] = ',';
	rc = vault_log_opens(r->o->archive, &vault, (char *)details.data, e);
	if (rc == 0) {
		memmove(r->held.data, r->held.data + size, r->held.size - size);
		r->held.size -= size;
	}
out:
	buffer_free(&details);
	return rc;
}

/* Writes what is held; at the end of the mount it waits for its turn. */
static void flush(struct recorder *r, bool is_last)
{
	while (r->held.size > 0) {
		struct err e = ERR_NONE;
		if (write_batch(r, &e) == 0)
			continue;
		if (e.code != MUNI_BUSY)
			syslog(LOG_ERR, "%s", e.text);
		if (!is_last)
			return;	/* with the next gathering */
		if (e.code != MUNI_BUSY)
			return;
		sleep(1);
	}
}

/* false: the mount is gone. */
static bool receive(struct recorder *r, int timeout_ms)
{
	struct pollfd polled = { .fd = r->socket, .events = POLLIN };

	if (r->held.size >= HELD_MAX) {	/* no more until some is written */
		sleep(1);
		return true;
	}
	if (poll(&polled, 1, timeout_ms) <= 0)
		return true;
	ssize_t got = recv(r->socket, r->message, sizeof r->message, 0);
	if (got <= 0)
		return got < 0 && errno == EINTR;
	buffer_append(&r->held, r->message, (size_t)got);
	buffer_u8(&r->held, '\n');
	return !r->held.failed;
}

static void serve(struct recorder *r)
{
	time_t first = 0;

	for (;;) {
		bool is_open = receive(r, GATHER_SECONDS * 1000);
		time_t now = time(NULL);
		if (r->held.size == 0)
			first = now;
		if (!is_open)
			break;
		if (r->held.size > 0 && (now - first >= GATHER_SECONDS ||
					 r->held.size >= BATCH_MAX)) {
			flush(r, false);
			first = now;
		}
	}
	flush(r, true);
}

static void become(struct recorder *r, int null)
{
	struct err e = ERR_NONE;

	setsid();
	prctl(PR_SET_NAME, "munifs-recorder");
	prctl(PR_SET_DUMPABLE, 0);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	openlog("munifs", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	if (vault_begin(&e) < 0)	/* then no file opens: none would be recorded */
		syslog(LOG_ERR, "%s", e.text);
	else
		serve(r);
	_exit(0);
}

/* What it cannot be without is got before it is there, and its want told. */
int recorder_start(const struct mount_options *o, struct err *e)
{
	int pair[2] = { -1, -1 }, null = -1;
	struct recorder *r = NULL;
	pid_t pid = -1;

	if (!o->key_file && !o->passphrase_file)
		return err_set(e, MUNI_USAGE, "an audited mount writes to the archive's log all "
			       "the time, and cannot ask each time: give key-file= or "
			       "passphrase-file=");
	r = calloc(1, sizeof *r);
	if (!r)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the recorder of an audited mount");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		err_errno(e, "opening /dev/null for the recorder");
	else if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		err_errno(e, "making a socket for the recorder");
	else if ((pid = fork()) < 0)
		err_errno(e, "starting the recorder");
	if (pid == 0) {
		close(pair[0]);
		r->o = o;
		r->socket = pair[1];
		become(r, null);
	}
	if (pid < 0)
		file_close(&pair[0]);
	file_close(&pair[1]);
	file_close(&null);
	free(r);
	return pair[0];
}

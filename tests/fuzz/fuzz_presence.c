/*
 * What stands in the run folder and goes over its sockets: to a mount, from whoever may
 * write there; and to the writer, from what registered as a mount: any answer, any
 * sentence, any name.  The first byte says which.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/inside.h"
#include "fs/vault/presence_inside.h"
#include "tests/fuzz/archive.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#define LOCK "mount.7.0123456789abcdef.lock"
#define SOCK "mount.7.0123456789abcdef.sock"

static struct vault *vault;
static struct presence *mount_of_ours;
static char socket_name[PRESENCE_NAME_MAX];
static int rundir, others;	/* the vault's run folder; one where hostile mounts live */

static void close_all(void)
{
	presence_close(mount_of_ours);
	close(rundir);
	close(others);
	vault_close(vault);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char line[400];
	struct err e = ERR_NONE;
	FILE *names;

	(void)argc;
	(void)argv;
	archive_make(VAULT_READ, &vault);
	MUST(presence_register(vault, "on /mnt", &mount_of_ours, &e) == 0);
	rundir = dup(presence_folder(mount_of_ours));
	snprintf(line, sizeof line, "cd /proc/%ld/fd/%d && ls *.sock", (long)getpid(), rundir);
	names = popen(line, "r");
	MUST(names && fgets(socket_name, sizeof socket_name, names));
	socket_name[strcspn(socket_name, "\n")] = '\0';
	pclose(names);
	snprintf(line, sizeof line, "%s/others", scratch_path());
	MUST(mkdir(line, 0700) == 0);
	others = open(line, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(others >= 0 && atexit(close_all) == 0);
	return 0;
}

/* ---- to a mount -------------------------------------------------------------------------- */

static void tell_mount(const uint8_t *data, size_t size)
{
	struct presence_event event;
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	MUST(fd >= 0 && presence_address(rundir, socket_name, &address));
	MUST(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	if (size > 0)
		(void)!send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	if (presence_wait(mount_of_ours, 1000, &event) == 1) {
		MUST(event.kind == PRESENCE_CHANGED || event.kind == PRESENCE_EPOCH);
		MUST((event.kind == PRESENCE_EPOCH) == (event.key != NULL));
		presence_answer(&event, size % 2, size % 3 ? "why not" : NULL);
	}
	close(fd);
}

/* ---- to the writer ------------------------------------------------------------------------ */

struct hostile {
	int listener;
	const uint8_t *answer;
	size_t size;
	bool is_fitting;	/* the answer's head is as it should be */
};

static void *answer(void *arg)
{
	struct hostile *h = arg;
	uint8_t raw[PRESENCE_MESSAGE_SIZE + PRESENCE_KEY_SIZE], said[4096];
	int fd = accept(h->listener, NULL, NULL);
	size_t used = 0;

	if (fd < 0)
		return NULL;
	if (recv(fd, raw, sizeof raw, 0) >= PRESENCE_MESSAGE_SIZE && h->is_fitting) {
		struct presence_message m;

		MUST(presence_unpack(raw, PRESENCE_MESSAGE_SIZE, &m));
		m.kind |= PRESENCE_ANSWER;
		m.is_done = h->size > 0 && h->answer[0] % 2;
		presence_pack(&m, said);
		used = PRESENCE_MESSAGE_SIZE;
	}
	size_t n = h->size < sizeof said - used ? h->size : sizeof said - used;
	if (n > 0)
		memcpy(said + used, h->answer, n);
	if (used + n > 0)
		(void)!send(fd, said, used + n, MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static void row(void *arg, const struct presence_mount *m)
{
	unsigned *rows = arg;

	++*rows;
	for (const char *c = m->about; *c; c++)
		MUST((unsigned char)*c >= 0x20 && *c != 0x7f);
	for (const char *c = m->why; *c; c++)
		MUST((unsigned char)*c >= 0x20 && *c != 0x7f);
	MUST(*presence_outcome_name(m->outcome));
}

/* Who hangs up is asked again until the time is over: so it is short. */
static void tell_writer(const uint8_t *data, size_t size)
{
	size_t about = size > 0 ? data[0] * 3u : 0;
	struct hostile h = { .listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0) };
	struct presence_count count;
	unsigned rows = 0;
	struct presence_ask ask = { .kind = PRESENCE_CHANGED, .epoch = 3, .timeout_ms = 20,
				    .row = row, .arg = &rows };
	struct sockaddr_un address;
	struct err e = ERR_NONE;
	pthread_t thread;
	int lock;

	if (size < 2)
		goto out;
	h.is_fitting = data[1] & 1;
	data += 2;
	size -= 2;
	about = about < size ? about : size;
	h.answer = data + about;
	h.size = size - about;
	scratch_put(others, LOCK, data, about);
	lock = file_open(others, LOCK, O_RDWR, 0, &e);
	MUST(lock >= 0 && file_lock(lock, true, 0, &e) == 0);
	unlinkat(others, SOCK, 0);
	MUST(presence_address(others, SOCK, &address));
	MUST(bind(h.listener, (struct sockaddr *)&address, sizeof address) == 0 &&
	     listen(h.listener, 1) == 0);
	MUST(pthread_create(&thread, NULL, answer, &h) == 0);
	MUST(presence_tell(others, &ask, &count, &e) == 0 && rows <= 1);
	shutdown(h.listener, SHUT_RDWR);	/* whoever was not told is not waited for */
	pthread_join(thread, NULL);
	file_close(&lock);
	unlinkat(others, SOCK, 0);
	unlinkat(others, LOCK, 0);
out:
	close(h.listener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 2)
		tell_mount(data + 1, size - 1);
	else
		tell_writer(data + 1, size - 1);
	return 0;
}

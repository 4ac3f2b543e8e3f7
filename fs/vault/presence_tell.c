/*
 * The writer's side: find the living registrations, tell them, wait.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/digest.h"
#include "fs/vault/presence_inside.h"

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

static void join(char out[PRESENCE_NAME_MAX], const char *stem, const char *suffix)
{
	snprintf(out, PRESENCE_NAME_MAX, "%.*s%s", PRESENCE_NAME_MAX - 8, stem, suffix);
}

/* P1: true if its process lives; a dead one's files are removed.  The sentence
 * about it goes to `about`. */
static bool is_alive(int rundir, const char *stem, char about[PRESENCE_ABOUT_MAX])
{
	struct err ignored = ERR_NONE;
	char lock[PRESENCE_NAME_MAX], sock[PRESENCE_NAME_MAX];

	join(lock, stem, ".lock");
	join(sock, stem, ".sock");
	int fd = file_open(rundir, lock, O_RDWR, 0, &ignored);
	if (fd < 0)
		return false;
	bool is_free = file_lock(fd, true, 0, &ignored) == 0;
	if (is_free) {
		unlinkat(rundir, sock, 0);
		unlinkat(rundir, lock, 0);
	} else {
		ssize_t got = pread(fd, about, PRESENCE_ABOUT_MAX - 1, 0);
		about[got > 0 ? got : 0] = '\0';
	}
	file_close(&fd);
	return !is_free;
}

static int connect_to(int rundir, const char *stem, int timeout_ms)
{
	struct sockaddr_un address;
	char sock[PRESENCE_NAME_MAX];
	struct timeval patience = { .tv_sec = timeout_ms / 1000,
				    .tv_usec = timeout_ms % 1000 * 1000 };

	join(sock, stem, ".sock");
	if (!presence_address(rundir, sock, &address))
		return -1;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		file_close(&fd);
	return fd;
}

static bool has_answered(int fd, const struct presence_message *asked)
{
	uint8_t raw[PRESENCE_MESSAGE_SIZE + 1];
	struct presence_message answer;

	return presence_unpack(raw, recv(fd, raw, sizeof raw, 0), &answer) &&
	       answer.kind == (asked->kind | PRESENCE_ANSWER) && answer.is_done == 1 &&
	       answer.epoch == asked->epoch && answer.number == asked->number;
}

struct round {			/* everybody is told before anybody is waited for */
	char stem[PRESENCE_NAME_MAX];
	char about[PRESENCE_ABOUT_MAX];
	int fd;
};

static int collect(int rundir, struct round **out, size_t *count, struct err *e)
{
	int fd = file_open_dir(rundir, ".", e);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct round one = { .fd = -1 };

	if (!dir) {
		if (fd >= 0)
			err_errno(e, "listing the run folder");
		file_close(&fd);
		return -1;
	}
	while ((entry = readdir(dir))) {
		if (!stem_of(entry->d_name, one.stem) ||
		    !is_alive(rundir, one.stem, one.about))
			continue;
		struct round *more = realloc(*out, (*count + 1) * sizeof **out);
		if (!more) {
			closedir(dir);
			return err_set(e, MUNI_NO_MEMORY, "no memory to list open mounts");
		}
		*out = more;
		more[(*count)++] = one;
	}
	closedir(dir);
	return 0;
}

int presence_tell(int rundir, enum presence_kind kind, uint64_t epoch, int timeout_ms,
		  void (*row)(void *arg, const struct presence_mount *m), void *arg,
		  unsigned *answered, unsigned *silent, struct err *e)
{
	struct presence_message m = { .kind = (uint16_t)kind, .epoch = epoch };
	uint8_t raw[PRESENCE_MESSAGE_SIZE];
	struct round *rounds = NULL;
	size_t count = 0;
	int rc = -1;

	*answered = *silent = 0;
	if (random_bytes(&m.number, sizeof m.number, e) < 0 ||
	    collect(rundir, &rounds, &count, e) < 0)
		goto out;
	presence_pack(&m, raw);
	for (size_t i = 0; i < count; i++) {
		rounds[i].fd = connect_to(rundir, rounds[i].stem, timeout_ms);
		if (rounds[i].fd >= 0)
			(void)!send(rounds[i].fd, raw, sizeof raw, MSG_NOSIGNAL);
	}
	for (size_t i = 0; i < count; i++) {
		bool is_heard = rounds[i].fd >= 0 && has_answered(rounds[i].fd, &m);
		struct presence_mount told = {
			.name = rounds[i].stem,
			.about = text_printable(rounds[i].about),
			.has_answered = is_heard,
		};

		(*(is_heard ? answered : silent))++;
		file_close(&rounds[i].fd);
		if (row)
			row(arg, &told);
	}
	rc = 0;
out:
	free(rounds);
	return rc;
}

#include "fs/mount/unmounter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"

#define SAY_UNMOUNT 'u'
#define SAY_NOTHING 'x'
#define DEATH_TRIES 40		/* of 50 ms: the kernel tells a mount's death late */

const char *unmounter_fusermount(void)
{
	static const char *const places[] = {
		"/usr/bin/fusermount3", "/bin/fusermount3", "/usr/local/bin/fusermount3",
	};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

void unmounter_now(const char *mountpoint)
{
	const char *fusermount = unmounter_fusermount();
	pid_t pid;

	if (umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || !fusermount)
		return;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(null, 2);
		execl(fusermount, "fusermount3", "-u", "-q", "-z", "--", mountpoint,
		      (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

bool unmounter_take_dead(const char *mountpoint)
{
	int fd = open(mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char very_mount[64];
	struct statfs fs;

	/* The kernel answers other questions from its cache: this one is always asked. */
	if (fd < 0 || fstatfs(fd, &fs) == 0 || errno != ENOTCONN) {
		file_close(&fd);
		return false;
	}
	snprintf(very_mount, sizeof very_mount, "/proc/self/fd/%d", fd);
	bool is_gone = umount2(very_mount, MNT_DETACH) == 0;
	file_close(&fd);	/* fusermount3 unmounts by name, and nothing that is held */
	if (!is_gone)
		unmounter_now(mountpoint);
	return true;
}

/* Our munifs died: what stands there now may be a living one, started since. */
static void clean_up_after(const char *mountpoint)
{
	struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };

	for (unsigned i = 0; i < DEATH_TRIES && !unmounter_take_dead(mountpoint); i++)
		nanosleep(&pause, NULL);
}

static void help(const char *mountpoint, int fd)
{
	char word = 0;
	ssize_t got;

	do
		got = read(fd, &word, 1);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		clean_up_after(mountpoint);
	} else if (word == SAY_UNMOUNT) {
		unmounter_now(mountpoint);
		(void)!write(fd, &word, 1);
	}
}

int unmounter_start(const char *mountpoint, struct err *e)
{
	int pair[2];
	/* Before it is there: without it the helper would keep our caller's pipes open, who waits
	 * for their end, as long as the mount lasts. */
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return err_errno(e, "opening /dev/null for the unmounting helper");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		err_errno(e, "making a socket for the unmounting helper");
		file_close(&null);
		return -1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
		prctl(PR_SET_NAME, "munifs-umount");
		signal(SIGHUP, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGPIPE, SIG_IGN);
		close(pair[0]);
		(void)!chdir("/");
		help(mountpoint, pair[1]);
		_exit(0);
	}
	if (pid < 0) {
		err_errno(e, "starting the unmounting helper");
		file_close(&pair[0]);
	}
	file_close(&pair[1]);
	file_close(&null);
	return pair[0];
}

static void say(int *fd, char word, bool wait)
{
	if (*fd < 0)
		return;
	if (send(*fd, &word, 1, MSG_NOSIGNAL) == 1 && wait)
		while (read(*fd, &word, 1) < 0 && errno == EINTR)
			;
	file_close(fd);
}

void unmounter_unmount(int *fd)
{
	say(fd, SAY_UNMOUNT, true);
}

void unmounter_dismiss(int *fd)
{
	say(fd, SAY_NOTHING, false);
}

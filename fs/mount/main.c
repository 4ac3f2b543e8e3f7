/*
 * munifs ARCHIVE MOUNTPOINT: the archive as ordinary files, read-only.
 *
 * Processes, in the order in which they are made: the helper that unmounts, the
 * recorder of an audited mount, the daemon.  What the daemon finds wrong before
 * it serves reaches the terminal, and its exit status is ours.  Keys are the last
 * two's alone: each begins with what guards them when it has been made.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/mount/access_log.h"
#include "fs/mount/checks.h"
#include "fs/mount/options.h"
#include "fs/mount/ops.h"
#include "fs/mount/serve.h"
#include "fs/mount/unmounter.h"
#include "fs/vault/vault.h"

static const char usage[] =
	"munifs ARCHIVE MOUNTPOINT [-f] [-o OPTION,...]\n"
	"\n"
	"  -f                    stay in the foreground\n"
	"  -o system=NAME        only this system; version=LABEL: only this version of it\n"
	"  -o uid=, gid=, umask= owners and modes other than the source's\n"
	"  -o allow_other        let other users in; audience=GROUP: for whom\n"
	"  -o classes=A:B        only records of these classes\n"
	"  -o cache=64M, threads=N, readahead=4M, kernel-readahead=512K\n"
	"  -o dev, suid          devices and setuid bits count (they do not by default)\n"
	"  -o audit              record every open in the archive's log\n"
	"  -o keyring=, key-file=, passphrase-file=\n"
	"\n"
	"`fusermount3 -u MOUNTPOINT` or `muni umount MOUNTPOINT` unmounts.  munifs(8)\n"
	"says the rest.\n";

static int complain(const struct err *e)
{
	fprintf(stderr, "munifs: %s\n", e->text);
	return err_exit_status(e->code);
}

/* Waits until the daemon serves or has failed. */
static int wait_for(pid_t daemon, int ready)
{
	char byte;
	ssize_t got;
	int status;

	do
		got = read(ready, &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1)
		return 0;
	while (waitpid(daemon, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) ? WEXITSTATUS(status) : 1;
	fprintf(stderr, "munifs: it died of signal %d before it served\n", WTERMSIG(status));
	return 1;
}

static int run(const struct mount_options *o, struct serve_ends *ends)
{
	struct err e = ERR_NONE;
	int status = 0;

	signal(SIGXFSZ, SIG_IGN);	/* a file size limit is an error, not a death */
	signal(SIGPIPE, SIG_IGN);
	/* Each arena keeps freed memory for itself: one, so that RSS is bounded. */
	mallopt(M_ARENA_MAX, 1);
	if (!o->foreground && chdir("/") < 0)
		err_errno(&e, "leaving the working directory");
	else if (vault_begin(&e) == 0 && serve(o, ends, &e) == 0)
		return 0;
	status = complain(&e);
	unmounter_dismiss(&ends->unmounter);
	return status;
}

static int start(const struct mount_options *o, struct err *e)
{
	const struct vault_keys keys = { .keyring = o->keyring, .key_file = o->key_file };
	struct serve_ends ends = { .ready = -1, .unmounter = -1 };
	int pipe_ends[2], status = 0;
	pid_t daemon;

	ends.unmounter = unmounter_start(o->mountpoint, e);
	if (ends.unmounter < 0)
		return -1;
	if (o->audit && access_log_start(o, &ends.access_log, e) < 0) {
		unmounter_dismiss(&ends.unmounter);
		return -1;
	}
	if (o->foreground) {
		status = run(o, &ends);
		access_log_stop(ends.access_log);
		return status;
	}
	if (pipe2(pipe_ends, O_CLOEXEC) < 0)
		return err_errno(e, "making a pipe");
	daemon = fork();
	if (daemon < 0)
		return err_errno(e, "going into the background");
	file_close(&pipe_ends[daemon == 0 ? 0 : 1]);
	if (daemon == 0) {
		ends.ready = pipe_ends[1];
		status = run(o, &ends);
		access_log_stop(ends.access_log);
		exit(status);
	}
	/* Both helpers live until the daemon lets go of them: not also we. */
	file_close(&ends.unmounter);
	access_log_stop(ends.access_log);
	vault_expect(o->archive, &keys);
	status = wait_for(daemon, pipe_ends[0]);
	file_close(&pipe_ends[0]);
	return status;
}

int main(int argc, char **argv)
{
	struct mount_options o;
	struct err e = ERR_NONE;
	int status = 0;

	file_fill_standard_streams();
	if (options_parse(argc, argv, &o, &e) < 0) {
		status = complain(&e);
	} else if (o.wants_help) {
		fputs(usage, stdout);
	} else if (o.wants_version) {
		printf("munifs, format %d, libfuse %s\n", MUNIMENT_FORMAT, fuse_pkgversion());
	} else if (!o.is_fake) {
		if (checks_before(&o, &e) < 0 || (status = start(&o, &e)) < 0)
			status = complain(&e);
	}
	options_free(&o);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "munifs: writing to standard output failed\n");
		status = status ? status : 1;
	}
	return status;
}

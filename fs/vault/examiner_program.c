#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/examiner_inside.h"
#include "fs/vault/sibling.h"

#define CONTROL 3		/* where the program looks for its socket */

/* ---- where it is ----------------------------------------------------------------------- */

int program_find(const char *given, char out[EXAMINER_PATH_MAX], struct err *e)
{
	if (!given)
		return sibling_find("muni-examine", "MUNIMENT_EXAMINE", "looks into files", out,
				    EXAMINER_PATH_MAX, e);
	snprintf(out, EXAMINER_PATH_MAX, "%s", given);
	if (access(out, X_OK) == 0)
		return 0;
	return err_set(e, MUNI_NOT_FOUND, "the program that looks into files is not at %s",
		       text_printable(given));
}

/* ---- starting it ------------------------------------------------------------------------ */

static int spawn(const char *path, int control, pid_t *pid)
{
	char name[] = "muni-examine", *args[] = { name, NULL };
	struct sibling_environment environment;
	posix_spawn_file_actions_t actions;
	int rc;

	sibling_environment(&environment);
	sibling_variable(&environment, "TZ", "UTC0");
	rc = posix_spawn_file_actions_init(&actions);
	if (rc != 0)
		return rc;
	for (int fd = 0; rc == 0 && fd < CONTROL; fd++)
		rc = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, control, CONTROL);
	if (rc == 0)
		rc = posix_spawn(pid, path, &actions, NULL, args, environment.list);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

int program_start(const char *path, pid_t *pid, int *socket, struct err *e)
{
	int ends[2] = { -1, -1 }, control, rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(e, "making a socket");
	/* Above the places that are filled one after the other in the child. */
	control = fcntl(ends[1], F_DUPFD_CLOEXEC, CONTROL + 1);
	close(ends[1]);
	if (control < 0) {
		err_errno(e, "making a socket");
		close(ends[0]);
		return -1;
	}
	rc = spawn(path, control, pid);
	close(control);
	if (rc != 0) {
		errno = rc;
		err_errno(e, "starting %s", text_printable(path));
		close(ends[0]);
		return -1;
	}
	*socket = ends[0];
	return 0;
}

#include "fs/vault/foreign_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/sibling.h"

#define NUMBER_SIZE 24

enum argument { ARG_PROGRAM, ARG_NAME, ARG_RAR, ARG_RAW, ARG_ENCODING, ARG_BOMB, ARG_MEMORY };
_Static_assert(ARG_MEMORY + 1 == FOREIGN_ARGUMENTS, "arguments were added");

/* Both above the places that they take there, which the other might stand on. */
static int spawn(const char *path, int input, int output, char **args, char **environment,
		 pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int in = fcntl(input, F_DUPFD_CLOEXEC, 10), out = fcntl(output, F_DUPFD_CLOEXEC, 10);
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		goto out;
	rc = in < 0 || out < 0 ? errno : 0;
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, in, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_RDWR, 0);
	if (rc == 0)
		rc = posix_spawn(pid, path, &actions, NULL, args, environment);
	posix_spawn_file_actions_destroy(&actions);
out:
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}

int foreign_spawn(int input, int output, const char *name, const struct foreign_options *o,
		  pid_t *pid, struct err *e)
{
	char path[PATH_MAX], program[] = "muni-unpack", bomb[NUMBER_SIZE], memory[NUMBER_SIZE];
	char *args[FOREIGN_ARGUMENTS + 1] = {
		[ARG_PROGRAM] = program,
		[ARG_NAME] = (char *)(uintptr_t)name,	/* execve() writes to none */
		[ARG_RAR] = (char *)(uintptr_t)(o->allow_rar ? "rar" : ""),
		[ARG_RAW] = (char *)(uintptr_t)(o->allow_raw ? "raw" : ""),
		[ARG_ENCODING] = (char *)(uintptr_t)(o->name_encoding ? o->name_encoding : ""),
		[ARG_BOMB] = bomb,
		[ARG_MEMORY] = memory,
	};
	static const char *const kept[] = { "TZ", "TZDIR", "GCONV_PATH" };
	struct sibling_environment environment;
	int rc;

	snprintf(bomb, sizeof bomb, "%" PRIu64, o->bomb_limit);
	snprintf(memory, sizeof memory, "%" PRIu64, o->memory);
	if (sibling_find("muni-unpack", "MUNIMENT_UNPACK", "reads archives of other formats", path,
			 sizeof path, e) < 0)
		return -1;
	sibling_environment(&environment);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		sibling_variable(&environment, kept[i], secure_getenv(kept[i]));
	rc = spawn(path, input, output, args, environment.list, pid);
	if (rc == 0)
		return 0;
	errno = rc;
	return err_errno(e, "starting %s", text_printable(path));
}

static int number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' ? 0 : -1;
}

int foreign_heed(int argc, char **argv, const char **name, struct foreign_options *o,
		 struct err *e)
{
	*o = (struct foreign_options){ .allow_rar = false };
	if (argc != FOREIGN_ARGUMENTS || number(argv[ARG_BOMB], &o->bomb_limit) < 0 ||
	    number(argv[ARG_MEMORY], &o->memory) < 0)
		return err_set(e, MUNI_USAGE, "muni-unpack is started by `muni ingest` and `muni "
			       "scan`, not by hand");
	*name = argv[ARG_NAME];
	o->allow_rar = *argv[ARG_RAR] != '\0';
	o->allow_raw = *argv[ARG_RAW] != '\0';
	if (*argv[ARG_ENCODING] != '\0')
		o->name_encoding = argv[ARG_ENCODING];
	return 0;
}

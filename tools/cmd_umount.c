#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/text.h"
#include "tools/commands.h"
#include "tools/terminal.h"

static const struct cli_option options[] = {
	{ 'z', "lazy", NULL, "detach now; it ends when the last file is closed" },
	{ .name = NULL },
};

/* /proc/self/mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from != '\0';) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* The newest mount on `path` decides: a line is "ID PARENT DEV ROOT POINT
 * OPTIONS ... - TYPE SOURCE ...". */
static bool is_our_mount(const char *path)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t capacity = 0;
	bool is_ours = false;

	if (f == NULL)
		return false;
	while (getline(&line, &capacity, f) >= 0) {
		char *rest = line, *point = NULL, *type = strstr(line, " - ");

		for (int i = 0; i < 5; i++)
			point = strsep(&rest, " ");
		if (point == NULL || type == NULL)
			continue;
		unescape(point);
		if (strcmp(point, path) == 0)
			is_ours = strncmp(type + 3, "fuse.munifs ", 12) == 0;
	}
	free(line);
	fclose(f);
	return is_ours;
}

/*
 * The mountpoint's path without asking the mount itself: its daemon may be dead.
 * So the parent is resolved, and the last part taken as it stands.
 */
static int resolve(const char *dir, char out[PATH_MAX], struct err *e)
{
	char parent[PATH_MAX], *last;
	size_t size = strlen(dir);

	if (realpath(dir, out) != NULL)
		return 0;
	if (errno != ENOTCONN && errno != EACCES && errno != EIO)
		return err_errno(e, "finding %s", text_printable(dir));
	while (size > 1 && dir[size - 1] == '/')
		size--;
	if (size >= sizeof parent)
		return err_set(e, MUNI_LIMIT, "the path %s is too long", text_printable(dir));
	memcpy(parent, dir, size);
	parent[size] = '\0';
	last = strrchr(parent, '/');
	if (last != NULL)
		*last++ = '\0';
	if (realpath(last == NULL ? "." : *parent != '\0' ? parent : "/", out) == NULL)
		return err_errno(e, "finding the folder of %s", text_printable(dir));
	if (strlen(out) + size + 2 > PATH_MAX)
		return err_set(e, MUNI_LIMIT, "the path %s is too long", text_printable(dir));
	if (strcmp(out, "/") != 0)
		strcat(out, "/");
	strcat(out, last != NULL ? last : parent);
	return 0;
}

static int run_fusermount(const char *path, bool is_lazy, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return err_errno(e, "starting fusermount3");
	if (pid == 0) {
		terminal_restore_signals();
		execlp("fusermount3", "fusermount3", "-u", is_lazy ? "-qz" : "-q", "--", path,
		       (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, MUNI_UNSUPPORTED, "fusermount3 is not installed: it lets "
			       "ordinary users unmount (package fuse3)");
	return err_set(e, MUNI_BUSY, "%s could not be unmounted: a program still uses it (`fuser "
		       "-m DIR` names it; --lazy detaches it now), or another user mounted it",
		       text_printable(path));
}

static int unmount(const char *dir, bool is_lazy, struct err *e)
{
	char path[PATH_MAX];

	if (resolve(dir, path, e) < 0)
		return -1;
	if (!is_our_mount(path))
		return err_set(e, MUNI_NOT_FOUND, "no archive is mounted on %s",
			       text_printable(path));
	if (geteuid() != 0)
		return run_fusermount(path, is_lazy, e);
	if (umount2(path, UMOUNT_NOFOLLOW | (is_lazy ? MNT_DETACH : 0)) == 0)
		return 0;
	if (errno == EBUSY)
		return err_set(e, MUNI_BUSY, "%s is in use: `fuser -m DIR` names the program; "
			       "--lazy detaches it now", text_printable(path));
	return err_errno(e, "unmounting %s", text_printable(path));
}

static int run(struct cli *cli)
{
	struct err e = ERR_NONE;
	bool is_lazy = false;
	int o;

	while ((o = cli_next(cli)) > 0)
		is_lazy = true;
	if (o != CLI_END)
		return cli_stopped(o);
	return cli_end(cli, unmount(cli->operands[0], is_lazy, &e), &e);
}

const struct command cmd_umount = {
	.name = "umount",
	.operands = "DIR",
	.summary = "unmount",
	.about =
	"Unmounts the archive that is mounted on DIR; its munifs ends by itself.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};

#include "fs/mount/checks.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/mount/options.h"
#include "fs/mount/unmounter.h"

#define FUSE_MAGIC 0x65735546	/* linux/magic.h of newer kernels names it */
#define DYING_TRIES 20		/* of 50 ms */

static int device(struct err *e)
{
	if (access("/dev/fuse", R_OK | W_OK) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(e, MUNI_UNSUPPORTED, "there is no /dev/fuse: load the module "
			       "with `modprobe fuse`; in a container, start it with "
			       "`--device /dev/fuse --cap-add SYS_ADMIN`");
	return err_errno(e, "/dev/fuse cannot be opened for reading and writing; its mode "
			 "should be 0666, as udev sets it");
}

static int helper(struct err *e)
{
	if (geteuid() == 0 || unmounter_fusermount())
		return 0;
	return err_set(e, MUNI_UNSUPPORTED, "fusermount3 is not here, and only root mounts "
		       "without it: install the package fuse3");
}

static int others(const struct mount_options *o, struct err *e)
{
	char line[256];
	bool is_allowed = false;
	FILE *f;

	if (!o->allow_other || geteuid() == 0)
		return 0;
	f = fopen("/etc/fuse.conf", "re");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "user_allow_other", 16) == 0)
			is_allowed = true;
	if (f)
		fclose(f);
	if (is_allowed)
		return 0;
	return err_set(e, MUNI_UNSUPPORTED, "allow_other is for root unless /etc/fuse.conf has "
		       "the line user_allow_other: ask for it there, or mount without");
}

static bool is_fuse_mount(const char *path)
{
	char above[PATH_MAX];
	struct stat there, parent;
	struct statfs fs;
	int n = snprintf(above, sizeof above, "%s/..", path);

	return n > 0 && (size_t)n < sizeof above && statfs(path, &fs) == 0 &&
	       fs.f_type == FUSE_MAGIC && stat(path, &there) == 0 &&
	       stat(above, &parent) == 0 && there.st_dev != parent.st_dev;
}

/* Who was killed a moment ago may not have died yet: a mount that stands there has a
 * little time to turn out dead. */
static int clear_dead(const char *path, struct err *e)
{
	struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	bool was_dead = unmounter_take_dead(path);

	for (unsigned i = 0; !was_dead && i < DYING_TRIES && is_fuse_mount(path); i++) {
		nanosleep(&pause, NULL);
		was_dead = unmounter_take_dead(path);
	}
	if (!was_dead)
		return 0;
	fprintf(stderr, "munifs: on %s stood a mount whose program is gone; it was unmounted\n",
		text_printable(path));
	if (unmounter_take_dead(path))
		return err_set(e, MUNI_BUSY, "the dead mount on %s does not go: "
			       "`fusermount3 -u -z` it as the user who made it, or as root",
			       text_printable(path));
	return 0;
}

static int is_empty(const char *path, struct err *e)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return err_errno(e, "looking into the mountpoint %s", text_printable(path));
	while (rc == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = err_set(e, MUNI_EXISTS, "the mountpoint %s is not empty: what is in "
				     "it would be hidden; choose another, or say -o nonempty",
				     text_printable(path));
	closedir(dir);
	return rc;
}

static int mountpoint(struct mount_options *o, struct err *e)
{
	struct stat st;

	if (clear_dead(o->mountpoint, e) < 0)
		return -1;
	if (stat(o->mountpoint, &st) < 0)
		return errno == ENOENT ?
		       err_set(e, MUNI_NOT_FOUND, "the mountpoint %s is not there: make it with "
			       "`mkdir`", text_printable(o->mountpoint)) :
		       err_errno(e, "the mountpoint %s", text_printable(o->mountpoint));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, MUNI_USAGE, "the mountpoint %s is not a directory",
			       text_printable(o->mountpoint));
	return o->nonempty ? 0 : is_empty(o->mountpoint, e);
}

/* A path that is not there stays as it is: who opens it says so better. */
static int absolute(char **path, struct err *e)
{
	char *full = *path ? realpath(*path, NULL) : NULL;

	if (full) {
		free(*path);
		*path = full;
	} else if (*path && errno == ENOMEM) {
		return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
	}
	return 0;
}

static bool is_below(const char *path, const char *folder)
{
	size_t size = strlen(folder);

	while (size > 0 && folder[size - 1] == '/')
		size--;
	return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* Over the archive, the mount would have to read itself through itself. */
static int apart(const struct mount_options *o, struct err *e)
{
	if (!is_below(o->archive, o->mountpoint) && !is_below(o->mountpoint, o->archive))
		return 0;
	return err_set(e, MUNI_USAGE, "the archive %s and the mountpoint %s lie one in the "
		       "other; choose a mountpoint elsewhere", text_printable(o->archive),
		       text_printable(o->mountpoint));
}

int checks_before(struct mount_options *o, struct err *e)
{
	if (absolute(&o->archive, e) < 0 || absolute(&o->keyring, e) < 0 ||
	    absolute(&o->key_file, e) < 0 || absolute(&o->passphrase_file, e) < 0)
		return -1;
	if (device(e) < 0 || helper(e) < 0 || others(o, e) < 0 || mountpoint(o, e) < 0)
		return -1;
	return absolute(&o->mountpoint, e) < 0 ? -1 : apart(o, e);
}

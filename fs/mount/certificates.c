#include "fs/mount/certificates.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/mount/attr.h"
#include "fs/mount/look.h"
#include "fs/mount/mount.h"

int64_t certificates_id(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u;	/* FNV-1a */

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3u;
	h = (h >> 4) ^ (h & 15);
	return h ? (int64_t)h : 1;
}

/* The folder may come with the first certificate.  -1: there is none. */
static int open_folder(const struct mount *m)
{
	struct err ignored = ERR_NONE;

	return file_open_dir(m->folder, "certificates", &ignored);
}

void certificates_changed(const struct mount *m, struct timespec *out)
{
	int fd = open_folder(m);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0)
		*out = st.st_mtim;
	file_close(&fd);
}

void certificates_each(const struct mount *m, int (*row)(void *arg, const char *name),
		       void *arg)
{
	struct dirent *entry;
	int fd = open_folder(m);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		file_close(&fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && row(arg, entry->d_name) != 0)
			break;
	closedir(dir);
}

struct certificate_search {
	int64_t id;
	char name[256];
};

static int is_certificate(void *arg, const char *name)
{
	struct certificate_search *s = arg;

	if (certificates_id(name) != s->id)
		return 0;
	snprintf(s->name, sizeof s->name, "%s", name);
	return 1;
}

/* They tell of what went, with names where policy keeps them: whoever may enter the mount
 * need not be among those who might have read the records. */
static mode_t mode_of(const struct mount *m, const char *name)
{
	return m->o.allow_other && strcmp(name, "archive.pem") != 0 ? 0400 : 0444;
}

static int open_named(const struct mount *m, int64_t id, struct certificate_search *s,
		      struct err *e)
{
	int folder, fd;

	*s = (struct certificate_search){ .id = id };
	certificates_each(m, is_certificate, s);
	folder = s->name[0] ? open_folder(m) : -1;
	if (folder < 0)
		return err_set(e, MUNI_NOT_FOUND, "there is no such certificate");
	fd = file_open(folder, s->name, O_RDONLY | O_NONBLOCK, 0, e);
	file_close(&folder);
	return fd;
}

int certificates_open(const struct mount *m, int64_t id, struct err *e)
{
	struct certificate_search s;

	return open_named(m, id, &s, e);
}

int certificates_at(const struct mount *m, uint64_t ino, int64_t id, struct found *out,
		    struct err *e)
{
	struct certificate_search s;
	struct stat there;
	int fd = open_named(m, id, &s, e), rc = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &there) < 0 || !S_ISREG(there.st_mode)) {
		err_set(e, MUNI_NOT_FOUND, "there is no such certificate");
		goto out;
	}
	attr_of_ours(m, ino, S_IFREG | mode_of(m, s.name), there.st_mtim.tv_sec, there.st_mtim.tv_nsec,
		     &out->st);
	out->st.st_size = there.st_size;
	out->st.st_blocks = (there.st_size + 511) / 512;
	rc = 0;
out:
	file_close(&fd);
	return rc;
}

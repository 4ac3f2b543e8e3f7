#include "fs/vault/media.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fcntl.h>

#include "fs/base/err.h"
#include "fs/base/file.h"

static const struct kind_of_filesystem {
	unsigned long magic;
	const char *name;
	const char *kind;	/* of medium, where the file system says it; else NULL */
	bool in_place;
} filesystems[] = {
	{ 0xef53, "ext4", NULL, true },
	{ 0x58465342, "xfs", NULL, true },
	{ 0x4d44, "vfat", NULL, true },
	{ 0x2011bab0, "exfat", NULL, true },
	{ 0x9123683e, "btrfs", NULL, false },
	{ 0x2fc12fc1, "zfs", NULL, false },
	{ 0xf2f52010, "f2fs", "flash", false },
	{ 0x01021994, "tmpfs", "memory", true },
	{ 0x858458f6, "ramfs", "memory", true },
	{ 0x6969, "nfs", "network", false },
	{ 0xff534d42, "cifs", "network", false },
	{ 0xfe534d42, "smb", "network", false },
	{ 0x794c7630, "overlayfs", NULL, false },
	{ 0x65735546, "fuse", NULL, false },
};

/* The first line of a file below the device's folder; "" where there is none. */
static void read_line(const char *folder, const char *name, char *out, size_t size)
{
	char path[PATH_MAX];
	struct err ignored = ERR_NONE;
	int fd;
	ssize_t got;

	out[0] = '\0';
	if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
		return;
	fd = file_open_user(path, O_RDONLY, 0, &ignored);
	if (fd < 0)
		return;
	got = read(fd, out, size - 1);	/* sysfs tells no size beforehand */
	file_close(&fd);
	out[got > 0 ? got : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	for (size_t n = strlen(out); n > 0 && out[n - 1] == ' '; n--)
		out[n - 1] = '\0';
}

/* A disk of a virtual machine, or one made of others: what lies below is not told, and
 * what it says of turning platters says nothing. */
static bool is_virtual(const char *folder, const struct media *m)
{
	static const char *const names[] = { "vd", "xvd", "dm-", "loop", "md", "nbd", "rbd",
					     "zd", "drbd", "bcache" };
	static const char *const vendors[] = { "QEMU", "VMware", "Msft", "VBOX", "Xen", "Google",
					       "Amazon" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(m->device, names[i], strlen(names[i])) == 0)
			return true;
	for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
		if (strncmp(m->vendor, vendors[i], strlen(vendors[i])) == 0)
			return true;
	return strstr(folder, "/virtio") != NULL;
}

static void ask_device(dev_t dev, struct media *m)
{
	char link[64], folder[PATH_MAX], partition[8], rotational[8];

	snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(dev), minor(dev));
	if (!realpath(link, folder))
		return;
	read_line(folder, "partition", partition, sizeof partition);
	if (partition[0] && strrchr(folder, '/'))
		*strrchr(folder, '/') = '\0';	/* a partition lies in its disk's folder */
	snprintf(m->device, sizeof m->device, "%.63s", strrchr(folder, '/') + 1);
	read_line(folder, "device/vendor", m->vendor, sizeof m->vendor);
	read_line(folder, "device/model", m->model, sizeof m->model);
	read_line(folder, "device/serial", m->serial, sizeof m->serial);
	read_line(folder, "queue/rotational", rotational, sizeof rotational);
	if (is_virtual(folder, m))
		m->kind = "virtual";
	else if (rotational[0])
		m->kind = rotational[0] == '1' ? "magnetic" : "flash";
}

void media_of(const char *path, struct media *out)
{
	struct statfs fs;
	struct stat st;

	*out = (struct media){ .kind = "unknown" };
	if (gethostname(out->host, sizeof out->host - 1) < 0)
		out->host[0] = '\0';
	if (stat(path, &st) == 0)
		ask_device(st.st_dev, out);
	if (statfs(path, &fs) < 0)
		return;
	for (size_t i = 0; i < sizeof filesystems / sizeof *filesystems; i++) {
		const struct kind_of_filesystem *k = &filesystems[i];

		if ((unsigned long)fs.f_type != k->magic)
			continue;
		snprintf(out->filesystem, sizeof out->filesystem, "%s", k->name);
		/* Below a virtual disk there may be a file that is never written in place. */
		out->overwrites_in_place = k->in_place && strcmp(out->kind, "virtual") != 0;
		if (k->kind)
			out->kind = k->kind;
	}
}

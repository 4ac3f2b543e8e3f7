#include "fs/mount/kernel_ahead.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/file.h"

/* The number of the mount that fd is in, as /proc/self/mountinfo has it; 0: unknown. */
static unsigned mount_of(int fd)
{
	char path[48], line[128];
	unsigned id = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && id == 0 && fgets(line, sizeof line, f))
		(void)sscanf(line, "mnt_id: %u", &id);
	if (f)
		fclose(f);
	return id;
}

/* "ID PARENT MAJOR:MINOR ..." */
static bool device_of(unsigned id, unsigned *major, unsigned *minor)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	bool is_found = false;
	char *line = NULL;
	size_t room = 0;
	unsigned at;

	while (f && !is_found && getline(&line, &room, f) > 0)
		is_found = sscanf(line, "%u %*u %u:%u", &at, major, minor) == 3 && at == id;
	free(line);
	if (f)
		fclose(f);
	return is_found;
}

int kernel_ahead_open(const char *mountpoint)
{
	int fd = geteuid() == 0 ? open(mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	unsigned id = fd >= 0 ? mount_of(fd) : 0, major, minor;
	char path[80];

	file_close(&fd);
	if (id == 0 || !device_of(id, &major, &minor))
		return -1;
	snprintf(path, sizeof path, "/sys/class/bdi/%u:%u/read_ahead_kb", major, minor);
	return open(path, O_WRONLY | O_CLOEXEC);
}

size_t kernel_ahead_set(int *fd, size_t bytes)
{
	char text[24];
	int size = snprintf(text, sizeof text, "%zu", bytes / 1024);
	bool is_taken = *fd >= 0 && write(*fd, text, (size_t)size) == size;

	file_close(fd);
	return is_taken ? bytes : 0;
}

#include "tests/fuzz/scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static char path[64];

static int remove_one(const char *name, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(name);
}

static void remove_all(void)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int scratch_folder(void)
{
	int fd;

	snprintf(path, sizeof path, "%s/muniment-fuzz.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(path));
	MUST(atexit(remove_all) == 0);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	MUST(fd >= 0);
	return fd;
}

const char *scratch_path(void)
{
	return path;
}

void scratch_put(int folder, const char *name, const void *data, size_t size)
{
	char way[256];
	int fd;

	snprintf(way, sizeof way, "%s", name);
	for (char *at = way; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		mkdirat(folder, way, 0700);
	}
	unlinkat(folder, name, 0);
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	MUST(fd >= 0);
	MUST(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

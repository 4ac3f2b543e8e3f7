#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/live.h"

#define NAME_SIZE 256

/* One step down; takes dir. */
static int step(int dir, const char *name, size_t size, struct err *e)
{
	char text[NAME_SIZE];
	int next;

	if (size == 0 || size >= sizeof text || memchr(name, 0, size) ||
	    (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.')))) {
		file_close(&dir);
		return err_set(e, MUNI_DAMAGED, "a path of the inventory is none");
	}
	memcpy(text, name, size);
	text[size] = '\0';
	next = openat(dir, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		err_errno(e, "a folder on the way cannot be entered");
	file_close(&dir);
	return next;
}

int live_open_root(const char *path, struct err *e)
{
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, "opening /");
	while (*path && dir >= 0) {
		size_t size = strcspn(path, "/");

		if (size > 0)
			dir = step(dir, path, size, e);
		path += size + (path[size] == '/');
	}
	return dir;
}

int live_open_parent(int root, const char *path, size_t size, const char **name,
		     struct err *e)
{
	const char *end = path + size;
	int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);

	if (dir < 0)
		return err_errno(e, "entering the source");
	for (;;) {
		const char *slash = memchr(path, '/', (size_t)(end - path));

		if (!slash)
			break;
		dir = step(dir, path, (size_t)(slash - path), e);
		if (dir < 0)
			return -1;
		path = slash + 1;
	}
	size = (size_t)(end - path);
	if (size == 0 || size >= NAME_SIZE || strcmp(path, ".") == 0 || strcmp(path, "..") == 0) {
		file_close(&dir);
		return err_set(e, MUNI_DAMAGED, "a path of the inventory is none");
	}
	*name = path;
	return dir;
}

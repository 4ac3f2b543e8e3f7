#include "tools/user_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "tools/cli.h"
#include "tools/user_stream.h"

#define LOOK_MS 200

/* Until a pipe has something to say; a pipe that lies there may never have. */
static int wait_for(int fd, const char *name, struct err *e)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "reading \"%s\"", name);
	while (!S_ISREG(st.st_mode)) {
		int n = poll(&ready, 1, LOOK_MS);

		if (cli_check_signal(e) < 0)
			return err_wrap(e, "waiting for what is to be written into \"%s\"", name);
		if (n < 0 && errno != EINTR)
			return err_errno(e, "reading \"%s\"", name);
		if (n > 0)
			break;
	}
	return 0;
}

/* A pipe does not say its size: it grows. */
static int read_all(int fd, const char *name, size_t max, uint8_t **out, size_t *size,
		    struct err *e)
{
	size_t room = 0, used = 0;
	uint8_t *data = NULL;

	for (;;) {
		ssize_t n;

		if (room - used < 2) {
			size_t more = room > 0 ? room * 2 : 64 * 1024;
			uint8_t *grown = realloc(data, more);

			if (grown == NULL) {
				free(data);
				return err_set(e, MUNI_NO_MEMORY, "no memory to read \"%s\"", name);
			}
			data = grown;
			room = more;
		}
		if (wait_for(fd, name, e) < 0) {
			free(data);
			return -1;
		}
		n = read(fd, data + used, room - used - 1);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			err_errno(e, "reading \"%s\"", name);
			free(data);
			return -1;
		}
		used += (size_t)n;
		if (used > max) {
			free(data);
			return err_set(e, MUNI_LIMIT, "\"%s\" is larger than %zu bytes: it cannot be "
				       "what is wanted here", name, max);
		}
		if (n == 0)
			break;
	}
	data[used] = '\0';
	*out = data;
	*size = used;
	return 0;
}

int user_file_load(const char *path, size_t max, uint8_t **out, size_t *size, struct err *e)
{
	bool is_input = strcmp(path, "-") == 0;
	int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), rc;

	*out = NULL;
	*size = 0;
	if (fd < 0 && errno == ENOENT)
		return err_set(e, MUNI_NOT_FOUND, "there is no file \"%s\"", text_printable(path));
	if (fd < 0)
		return err_errno(e, "opening \"%s\"", text_printable(path));
	rc = read_all(fd, text_printable(path), max, out, size, e);
	if (!is_input)
		file_close(&fd);
	return rc;
}

int user_file_save(const char *path, const void *data, size_t size, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name;
	char *folder;
	mode_t mask;
	int dirfd, rc;

	if (strcmp(path, "-") == 0)
		return fwrite(data, 1, size, stdout) == size ? 0 :
		       err_errno(e, "writing to standard output");
	if (slash != NULL && slash[1] == '\0')
		return err_set(e, MUNI_USAGE, "\"%s\" is a folder's name, a file's is wanted",
			       text_printable(path));
	folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
	if (folder == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a file's name");
	dirfd = file_open_user(folder, O_RDONLY | O_DIRECTORY, 0, e);
	free(folder);
	if (dirfd < 0)
		return -1;
	mask = umask(0);	/* there is no way to ask alone; no other thread runs here */
	umask(mask);
	name = slash != NULL ? slash + 1 : path;
	rc = user_stream_is(path) ? user_stream_write(dirfd, name, path, data, size, e) :
	     file_replace_synced(dirfd, name, data, size, 0666 & ~mask, e);
	file_close(&dirfd);
	return rc;
}

#include "fs/mount/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "fs/base/file.h"

static int read_line(int fd, char *out, size_t size)
{
	size_t used = 0;
	char c;

	for (;;) {
		ssize_t got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || used + 1 >= size)
			return -1;
		if (c == '\n')
			break;
		out[used++] = c;
	}
	out[used] = '\0';
	return (int)used;
}

/* ISIG is off while it waits: an interrupt must not leave the terminal mute. */
int prompt_terminal(void *unused, const char *question, char *out, size_t size)
{
	struct termios before, silent;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), length = -1;

	(void)unused;
	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &before) < 0)
		goto out;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	silent.c_lflag |= ECHONL | ICANON;
	if (tcsetattr(fd, TCSAFLUSH, &silent) < 0)
		goto out;
	dprintf(fd, "%s ", question);
	length = read_line(fd, out, size);
	tcsetattr(fd, TCSAFLUSH, &before);
out:
	file_close(&fd);
	return length;
}

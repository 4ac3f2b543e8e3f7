#include "fs/mount/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "fs/base/file.h"

enum {				/* as the terminal sends them */
	KEY_INTERRUPT = 3,
	KEY_END = 4,
	KEY_BACKSPACE = 8,
	KEY_KILL = 21,
	KEY_DELETE = 127,
};

/* Key by key, for the terminal is raw: -1 when the person gave up. */
static int read_line(int fd, char *out, size_t size)
{
	size_t used = 0;
	char c;

	for (;;) {
		ssize_t got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || c == KEY_INTERRUPT || c == KEY_END || used + 1 >= size)
			return -1;
		if (c == '\n' || c == '\r')
			break;
		if (c == KEY_BACKSPACE || c == KEY_DELETE)
			used -= used > 0;
		else if (c == KEY_KILL)
			used = 0;
		else
			out[used++] = c;
	}
	out[used] = '\0';
	return (int)used;
}

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
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG | ICANON);
	silent.c_cc[VMIN] = 1;
	silent.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSAFLUSH, &silent) < 0)
		goto out;
	dprintf(fd, "%s ", question);
	length = read_line(fd, out, size);
	tcsetattr(fd, TCSAFLUSH, &before);
	dprintf(fd, "\n");
out:
	file_close(&fd);
	return length;
}

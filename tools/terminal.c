/*
 * The process around a command: its signals, its standard streams, the prompt.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "tools/cli.h"
#include "tools/terminal.h"

/* Set by a signal handler and by nothing else. */
static volatile sig_atomic_t signal_seen;
static bool was_pipe_ignored;

static void on_signal(int number)
{
	signal_seen = number;
}

void cli_prepare(void)
{
	/* The second signal of a kind ends the process at once. */
	struct sigaction stop = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;

	file_fill_standard_streams();
	/* For the width of characters; the words of messages stay English. */
	setlocale(LC_CTYPE, "C.UTF-8");
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);	/* EFBIG instead */
	if (sigaction(SIGPIPE, &ignore, &before) == 0)
		was_pipe_ignored = before.sa_handler == SIG_IGN;
}

void terminal_restore_signals(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (!was_pipe_ignored)
		signal(SIGPIPE, SIG_DFL);
}

bool terminal_is_cancelled(void *unused)
{
	(void)unused;
	return signal_seen != 0;
}

bool cli_is_over(void)
{
	return signal_seen != 0 || ferror(stdout);
}

int cli_check_signal(struct err *e)
{
	if (signal_seen != 0)
		return err_set(e, MUNI_CANCELLED, "stopped by signal %d (%s)",
			       (int)signal_seen, strsignal(signal_seen));
	return 0;
}

int cli_close_output(int status)
{
	struct pollfd pipe_end = { .fd = STDOUT_FILENO };
	bool was_broken = ferror(stdout);
	int sys;

	/* POLLERR: the reader is gone.  errno of a write long ago is not at hand. */
	poll(&pipe_end, 1, 0);
	errno = 0;
	if (fclose(stdout) == 0 && !was_broken)
		return status;
	sys = errno;
	/* A reader that went away ("| head") ends us as it ends cat. */
	if ((pipe_end.revents & POLLERR) != 0 && !was_pipe_ignored) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	fprintf(stderr, "muni: writing to standard output: %s\n",
		sys != 0 ? strerror(sys) : "an earlier write failed");
	return status != 0 ? status : 1;
}

/* One line without its newline; -1 at a signal, the end or too long a line. */
static int read_line(int fd, char *out, size_t size)
{
	size_t used = 0;
	char c;

	for (;;) {
		ssize_t n = read(fd, &c, 1);

		if (n < 0 && errno == EINTR && signal_seen == 0)
			continue;
		if (n <= 0 || used + 1 >= size)
			return -1;
		if (c == '\n')
			break;
		out[used++] = c;
	}
	out[used] = '\0';
	return (int)used;
}

int terminal_prompt(void *unused, const char *question, char *out, size_t size)
{
	struct termios before, silent;
	int length = -1;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	(void)unused;
	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &before) < 0)
		goto out;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ECHONL | ICANON;
	if (tcsetattr(fd, TCSAFLUSH, &silent) < 0)
		goto out;
	dprintf(fd, "%s ", question);
	length = read_line(fd, out, size);
	tcsetattr(fd, TCSAFLUSH, &before);
	if (length < 0)
		dprintf(fd, "\n");
out:
	close(fd);
	return length;
}

#include "fs/mount/messages.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define A_SECOND 10		/* no more of them in one */
#define MESSAGE_MAX 1100

struct messages {
	pthread_mutex_t lock;	/* protects all below */
	bool is_syslog;
	time_t second;
	unsigned in_second;
	unsigned long dropped;
	unsigned count;		/* ever said */
	time_t when[MESSAGES_KEPT];
	char text[MESSAGES_KEPT][MESSAGE_MAX];
};

struct messages *messages_new(void)
{
	struct messages *m = calloc(1, sizeof *m);

	if (m)
		pthread_mutex_init(&m->lock, NULL);
	return m;
}

void messages_free(struct messages *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void messages_open_syslog(void)
{
	/* Both would read files at the first message: too late in a sandbox. */
	tzset();
	openlog("munifs", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void messages_to_syslog(struct messages *m)
{
	pthread_mutex_lock(&m->lock);
	m->is_syslog = true;
	pthread_mutex_unlock(&m->lock);
}

/* A pipe that nobody empties must not hold up the request that had something to tell: what
 * does not go in is left out here, and stands in .muniment/status all the same. */
static void put(bool is_syslog, const char *text)
{
	struct pollfd to = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[MESSAGE_MAX + 16];

	if (is_syslog) {
		syslog(LOG_WARNING, "%s", text);
		return;
	}
	int size = snprintf(line, sizeof line, "munifs: %s\n", text);
	if (poll(&to, 1, 0) == 1 && (to.revents & POLLOUT) != 0)
		(void)!write(to.fd, line, (size_t)size);	/* below PIPE_BUF: whole */
}

void messages_say(struct messages *m, const char *format, ...)
{
	char text[MESSAGE_MAX] = "", more[64] = "";
	time_t now = time(NULL);
	va_list args;

	pthread_mutex_lock(&m->lock);
	if (now != m->second) {
		m->second = now;
		m->in_second = 0;
		if (m->dropped > 0)
			snprintf(more, sizeof more, "(%lu more like these)", m->dropped);
		m->dropped = 0;
	}
	if (m->in_second++ < A_SECOND) {
		unsigned at = m->count++ % MESSAGES_KEPT;
		va_start(args, format);
		vsnprintf(text, sizeof text, format, args);
		va_end(args);
		m->when[at] = now;
		memcpy(m->text[at], text, sizeof text);
	} else {
		m->dropped++;
	}
	bool is_syslog = m->is_syslog;
	pthread_mutex_unlock(&m->lock);

	/* Without the lock: a log that takes nothing holds up nobody else. */
	if (more[0])
		put(is_syslog, more);
	if (text[0])
		put(is_syslog, text);
}

void messages_each(struct messages *m, void (*row)(void *arg, time_t when, const char *text),
		   void *arg)
{
	pthread_mutex_lock(&m->lock);
	unsigned from = m->count > MESSAGES_KEPT ? m->count - MESSAGES_KEPT : 0;
	for (unsigned i = from; i < m->count; i++)
		row(arg, m->when[i % MESSAGES_KEPT], m->text[i % MESSAGES_KEPT]);
	pthread_mutex_unlock(&m->lock);
}

/*
 * What munifs has to say while it serves: to the terminal in the foreground, to
 * syslog behind it, and the last few to /.muniment/status.  Thread-safe.
 */
#ifndef FS_MOUNT_MESSAGES_H
#define FS_MOUNT_MESSAGES_H

#include <stdbool.h>
#include <time.h>

struct messages;

#define MESSAGES_KEPT 8

struct messages *messages_new(void);	/* NULL without memory */
void messages_free(struct messages *m);
/* Connects to syslog: before a sandbox. */
void messages_open_syslog(void);
/* From now on to syslog, which was opened. */
void messages_to_syslog(struct messages *m);
/* Damage read a thousand times a second is said ten times a second. */
void messages_say(struct messages *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Calls row for the kept ones, oldest first. */
void messages_each(struct messages *m, void (*row)(void *arg, time_t when, const char *text),
		   void *arg);

#endif

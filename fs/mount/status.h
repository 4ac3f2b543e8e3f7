/*
 * /.muniment/status: what this mount is and how it does, as JSON.  Made anew at
 * most once a second, so that size and content agree for one who reads it.
 */
#ifndef FS_MOUNT_STATUS_H
#define FS_MOUNT_STATUS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct catalogue;
struct err;
struct mount;
struct status;

struct status *status_new(void);	/* NULL without memory */
void status_free(struct status *s);

/* What was said of an epoch that is over. */
void status_forget(struct status *s);

int status_stat(struct mount *m, struct catalogue *c, off_t *size, struct timespec *changed,
		struct err *e);
/* *out malloc'ed: bytes [offset, offset + size), cut at the end. */
int status_read(struct mount *m, struct catalogue *c, uint64_t offset, size_t size,
		char **out, size_t *got, struct err *e);

#endif

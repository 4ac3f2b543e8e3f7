/*
 * Reading ahead: a thread reads a file piece after piece and shows each to a watcher (the
 * digest), while the one who asked for it works on pieces that came before.
 *
 * A ring of pieces: those that were given last stay readable, a few more are filled.  All
 * but the thread's own work belongs to the caller's thread.
 */
#ifndef FS_CONTENT_INPUT_AHEAD_H
#define FS_CONTENT_INPUT_AHEAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct ahead;

#define AHEAD_PIECE (256u << 10)	/* each but the last */
#define AHEAD_KEPT (1u << 20)		/* bytes before the piece given last that stay */

struct ahead_source {
	int fd;			/* borrowed */
	uint64_t from, end;	/* nothing beyond end is read */
	/* Each piece once and in order, on the thread; all of them before the end is told.
	 * NULL: nobody. */
	void (*watch)(void *arg, const void *data, size_t size);
	void *arg;
};

/* MUNI_NO_MEMORY: no memory, or no thread. */
int ahead_new(const struct ahead_source *source, struct ahead **out, struct err *e);
void ahead_free(struct ahead *a);	/* stops it; NULL is allowed */

/* 0 at the end, -1 with e where reading failed there. */
ssize_t ahead_next(struct ahead *a, const uint8_t **data, struct err *e);

#endif

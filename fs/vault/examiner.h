/*
 * The scan's hand on muni-examine: a pool of sandboxed workers that look into
 * files for it.
 *
 *   X1  A worker sees the one descriptor that it was sent, nothing else; it can
 *       open, connect, execute and signal nothing, and inherits no key: it is a
 *       program of its own.
 *   X2  A worker that dies, hangs (time limit) or grows (memory limit) is
 *       replaced; its file's examination says so in `opaque`, and keeps size and
 *       SHA-256, which the pool then makes itself.
 *   X3  What a worker answers is hostile until checked.
 *   X4  Damage, a need of more memory than a worker may have, and a machine without
 *       memory are told apart in `opaque`.
 */
#ifndef FS_VAULT_EXAMINER_H
#define FS_VAULT_EXAMINER_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/content/examination.h"
#include "fs/content/look.h"

struct err;
struct examiner;

struct examiner_options {
	const struct custom_recogniser *custom;	/* borrowed during examiner_open() */
	size_t custom_count;
	struct look_limits limits;
	unsigned workers;		/* at the most; 0: one a processor */
	/* Of a worker, over what it starts with; 0: 134 MiB.  One at a time gets that
	 * much, so that a scan stays within 256 MiB (examiner_memory.c). */
	uint64_t memory;
	uint64_t besides;		/* what else the scan holds, of the 256 MiB */
	/* Of processor time on one file: seconds for it, and more for each MiB. */
	unsigned seconds;		/* 0: 20 */
	/* Without an answer, a byte of a pipe, or processor time: a slow disk is nobody's
	 * fault.  Seconds, and more for each MiB. */
	unsigned standstill;		/* 0: 300 */
	/* Asked a few times a second, from any thread; true: MUNI_CANCELLED.  NULL: never. */
	bool (*is_cancelled)(void *arg);
	void *arg;
	const char *program;		/* NULL: muni-examine beside this program, or in
					 * ../libexec/muniment, or $MUNIMENT_EXAMINE */
};

/* MUNI_NOT_FOUND: no muni-examine; MUNI_UNSUPPORTED: the kernel has no filter to look
 * into hostile files behind; MUNI_USAGE: a recogniser that cannot be compiled. */
int examiner_open(const struct examiner_options *o, struct examiner **out, struct err *e);
void examiner_close(struct examiner *x);	/* NULL is allowed */
/* As many as there is memory for: more callers at once only wait. */
unsigned examiner_workers(const struct examiner *x);

/*
 * Looks into one file; waits for a worker to be free; any number of threads.
 * fd: a regular file or a pipe (whose writer is another thread), borrowed.  size:
 * of a file, read to there; of a pipe, what will come, UINT64_MAX where nobody
 * knows.  -1: the pool cannot go on (MUNI_IO, MUNI_NO_MEMORY, MUNI_CANCELLED), or
 * reading fd failed (MUNI_IO with fd's errno in e->sys).
 */
int examiner_look(struct examiner *x, int fd, const char *name, uint64_t size,
		  struct examination *out, struct err *e);

#endif

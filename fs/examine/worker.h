/*
 * A worker: looks into one file after the other until its socket is closed.
 */
#ifndef FS_EXAMINE_WORKER_H
#define FS_EXAMINE_WORKER_H

#include <stdatomic.h>

#include "fs/content/look.h"

/* What a worker writes and muni-examine reads when it is gone: the format of the
 * file, and of the item inside whose reader runs; why memory was refused meanwhile (enum
 * shortage).  Shared between the two. */
struct worker_note {
	char format[128], reader[128];
	atomic_uchar shortage;
};

/* In the forked child, its socket at JAIL_SOCKET; never returns. */
_Noreturn void worker_run(struct looker *k, struct worker_note *note);

#endif

/*
 * A few threads for a few pieces of work: the caller waits until all are done.
 */
#ifndef FS_BASE_TEAM_H
#define FS_BASE_TEAM_H

#include <stddef.h>

/* Processors that this process may use, at least 1. */
unsigned team_processors(void);

/* act(arg, i) once for each i below count, on up to `threads` threads, the
 * caller's among them.  Fewer threads are used where none can be made. */
void team_run(unsigned threads, size_t count, void (*act)(void *arg, size_t i),
	      void *arg);

#endif

/*
 * Looking, for some microseconds, in place of sleeping.  To wake a thread that sleeps takes ten to
 * forty microseconds, often longer than what it is woken for.  Who looks keeps a processor from
 * everybody else, so this is for moments in which something is known to come.
 */
#ifndef FS_BASE_SPIN_H
#define FS_BASE_SPIN_H

#include <pthread.h>
#include <stdatomic.h>

enum spin {
	SPIN_CHANGED,
	SPIN_IN_VAIN,
	SPIN_TAKEN,	/* meanwhile the processor was at something else: others want it */
};

/* Looks until *what is no longer `seen`, `us` microseconds at most. */
enum spin spin_while(atomic_uint *what, unsigned seen, unsigned us);

/* A mutex for what is held for a few instructions: who finds it taken looks again before he
 * sleeps (glibc's adaptive kind).  Destroyed like any other. */
void spin_mutex_init(pthread_mutex_t *lock);

#endif

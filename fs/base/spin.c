#include "fs/base/spin.h"

#include <stdint.h>
#include <time.h>

#define LOOKS 16		/* between two of the clock: half a microsecond */
#define TAKEN_NS 1000000	/* a slice of the scheduler: longer than what wakes for a moment */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Tells the processor what we are at: who shares a core with us has more of it. */
static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

enum spin spin_while(atomic_uint *what, unsigned seen, unsigned us)
{
	int64_t before = now_ns(), end = before + (int64_t)us * 1000;

	for (;;) {
		for (unsigned i = 0; i < LOOKS; i++) {
			if (atomic_load_explicit(what, memory_order_acquire) != seen)
				return now_ns() - before > TAKEN_NS ? SPIN_TAKEN : SPIN_CHANGED;
			relax();
		}
		int64_t now = now_ns();
		if (now - before > TAKEN_NS)
			return SPIN_TAKEN;
		if (now >= end)
			return SPIN_IN_VAIN;
		before = now;
	}
}

void spin_mutex_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t spins;

	pthread_mutexattr_init(&spins);
	pthread_mutexattr_settype(&spins, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(lock, &spins);
	pthread_mutexattr_destroy(&spins);
}

#include "fs/mount/beside.h"

#include <signal.h>

static void *work(void *arg)
{
	struct beside *b = arg;

	b->rc = b->step(b->m, &b->e);
	return NULL;
}

void beside_start(struct beside *b, int (*step)(struct mount *m, struct err *e),
		  struct mount *m)
{
	sigset_t all, before;

	*b = (struct beside){ .m = m, .step = step };
	sigfillset(&all);	/* signals are the main thread's business */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	b->has_thread = pthread_create(&b->thread, NULL, work, b) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!b->has_thread)
		work(b);
}

int beside_finish(struct beside *b, struct err *e)
{
	if (b->has_thread)
		pthread_join(b->thread, NULL);
	b->has_thread = false;
	if (b->rc < 0)
		*e = b->e;
	return b->rc;
}

#include "fs/base/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define THREADS_MAX 64

struct team {
	atomic_size_t next;
	size_t count;
	void (*act)(void *arg, size_t i);
	void *arg;
};

unsigned team_processors(void)
{
	cpu_set_t set;
	int n;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	n = CPU_COUNT(&set);
	return n < 1 ? 1 : (unsigned)n;
}

static void *work(void *arg)
{
	struct team *t = arg;
	size_t i;

	while ((i = atomic_fetch_add(&t->next, 1)) < t->count)
		t->act(t->arg, i);
	return NULL;
}

void team_run(unsigned threads, size_t count, void (*act)(void *arg, size_t i),
	      void *arg)
{
	struct team t = { .count = count, .act = act, .arg = arg };
	pthread_t helpers[THREADS_MAX];
	unsigned made = 0;

	atomic_init(&t.next, 0);
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	if (threads > count)
		threads = (unsigned)count;
	while (made + 1 < threads && pthread_create(&helpers[made], NULL, work, &t) == 0)
		made++;
	work(&t);
	while (made > 0)
		pthread_join(helpers[--made], NULL);
}

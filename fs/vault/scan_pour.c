#include <stdio.h>
#include <stdlib.h>

#include "fs/vault/scan_inside.h"

struct pour *pour_new(void)
{
	struct pour *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	atomic_init(&p->refs, 2);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->is_over, NULL);
	return p;
}

void pour_unref(struct pour *p)
{
	if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	pthread_cond_destroy(&p->is_over);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void pour_end(struct pour *p, const char *failure)
{
	pthread_mutex_lock(&p->lock);
	p->has_ended = true;
	p->is_whole = failure == NULL;
	snprintf(p->failure, sizeof p->failure, "%s", failure ? failure : "");
	pthread_cond_broadcast(&p->is_over);
	pthread_mutex_unlock(&p->lock);
}

bool pour_wait(struct pour *p, char failure[SCAN_FAILURE_MAX])
{
	bool is_whole;

	pthread_mutex_lock(&p->lock);
	while (!p->has_ended)
		pthread_cond_wait(&p->is_over, &p->lock);
	is_whole = p->is_whole;
	snprintf(failure, SCAN_FAILURE_MAX, "%s", p->failure);
	pthread_mutex_unlock(&p->lock);
	return is_whole;
}

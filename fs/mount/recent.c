#include "fs/mount/recent.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOCKS 16
#define SETS 4096		/* power of two, multiple of LOCKS */
#define WAYS 4

struct recent {
	pthread_mutex_t locks[LOCKS];	/* lock i protects sets with set % LOCKS == i */
	struct recent_node sets[SETS][WAYS];	/* newest first; ino 0: free */
};

static unsigned set_of(uint64_t ino)
{
	return (unsigned)((ino * 0x9e3779b97f4a7c15u) >> 40) % SETS;
}

struct recent *recent_new(void)
{
	struct recent *r = calloc(1, sizeof *r);

	for (unsigned i = 0; r && i < LOCKS; i++)
		pthread_mutex_init(&r->locks[i], NULL);
	return r;
}

void recent_free(struct recent *r)
{
	for (unsigned i = 0; r && i < LOCKS; i++)
		pthread_mutex_destroy(&r->locks[i]);
	free(r);
}

void recent_put(struct recent *r, const struct recent_node *n)
{
	unsigned set = set_of(n->ino), way = 0;
	struct recent_node *ways = r->sets[set];

	pthread_mutex_lock(&r->locks[set % LOCKS]);
	while (way < WAYS - 1 && ways[way].ino != n->ino)
		way++;
	memmove(ways + 1, ways, way * sizeof *ways);
	ways[0] = *n;
	pthread_mutex_unlock(&r->locks[set % LOCKS]);
}

bool recent_get(struct recent *r, uint64_t ino, struct recent_node *out)
{
	unsigned set = set_of(ino);
	bool is_found = false;

	pthread_mutex_lock(&r->locks[set % LOCKS]);
	for (unsigned way = 0; way < WAYS && !is_found; way++) {
		if (r->sets[set][way].ino == ino) {
			*out = r->sets[set][way];
			is_found = true;
		}
	}
	pthread_mutex_unlock(&r->locks[set % LOCKS]);
	return is_found;
}

void recent_clear(struct recent *r)
{
	for (unsigned set = 0; set < SETS; set++) {
		pthread_mutex_lock(&r->locks[set % LOCKS]);
		memset(r->sets[set], 0, sizeof r->sets[set]);
		pthread_mutex_unlock(&r->locks[set % LOCKS]);
	}
}

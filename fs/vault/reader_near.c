#include "fs/vault/reader_near.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 4096u		/* 4 GiB of segments */
#define CROWD 4			/* so many reads, and ten times their bytes are fetched */

struct slot {
	uint64_t key;
	uint32_t reads;		/* CROWD: asked for */
};

struct near {
	pthread_mutex_t lock;	/* protects slots */
	struct slot slots[SLOTS];	/* by hash; who comes later takes the place */
};

struct near *near_new(void)
{
	struct near *n = calloc(1, sizeof *n);

	if (n)
		pthread_mutex_init(&n->lock, NULL);
	return n;
}

void near_free(struct near *n)
{
	if (n)
		pthread_mutex_destroy(&n->lock);
	free(n);
}

static uint64_t key_of(const uint8_t segment_uid[16], uint64_t offset)
{
	uint64_t key;

	memcpy(&key, segment_uid, sizeof key);	/* random bytes */
	return key + (offset / NEAR_SIZE + 1) * 0x9e3779b97f4a7c15u;
}

static struct slot *slot_of(struct near *n, uint64_t key)
{
	return &n->slots[(key ^ key >> 32) % SLOTS];
}

bool near_note(struct near *n, const uint8_t segment_uid[16], uint64_t offset)
{
	uint64_t key = key_of(segment_uid, offset);
	struct slot *s = slot_of(n, key);
	bool is_crowd = false;

	pthread_mutex_lock(&n->lock);
	if (s->key != key)
		*s = (struct slot){ .key = key };
	if (s->reads < CROWD)
		is_crowd = ++s->reads == CROWD;
	pthread_mutex_unlock(&n->lock);
	return is_crowd;
}

void near_again(struct near *n, const uint8_t segment_uid[16], uint64_t offset)
{
	uint64_t key = key_of(segment_uid, offset);
	struct slot *s = slot_of(n, key);

	pthread_mutex_lock(&n->lock);
	if (s->key == key && s->reads == CROWD)
		s->reads = CROWD - 1;
	pthread_mutex_unlock(&n->lock);
}

#include "fs/store/pagevfs_dirty.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct pagevfs_dirty {
	struct pagevfs_dirty *next;	/* all fields protected by `lock` */
	uint8_t file_id[PAGEVFS_FILE_ID_SIZE];
	unsigned holders;
	uint8_t *bits;			/* bit p: page p was written */
	size_t bytes;
};

/* SQLite opens files by itself, so what its connections share is the process's. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pagevfs_dirty *all;

struct pagevfs_dirty *pagevfs_dirty_hold(const uint8_t file_id[PAGEVFS_FILE_ID_SIZE])
{
	pthread_mutex_lock(&lock);
	struct pagevfs_dirty *d = all;
	while (d && memcmp(d->file_id, file_id, PAGEVFS_FILE_ID_SIZE) != 0)
		d = d->next;
	if (!d && (d = calloc(1, sizeof *d))) {
		memcpy(d->file_id, file_id, PAGEVFS_FILE_ID_SIZE);
		d->next = all;
		all = d;
	}
	if (d)
		d->holders++;
	pthread_mutex_unlock(&lock);
	return d;
}

void pagevfs_dirty_release(struct pagevfs_dirty *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&lock);
	if (--d->holders == 0) {
		struct pagevfs_dirty **at = &all;
		while (*at != d)
			at = &(*at)->next;
		*at = d->next;
		free(d->bits);
		free(d);
	}
	pthread_mutex_unlock(&lock);
}

static bool grow(struct pagevfs_dirty *d, size_t wanted)
{
	size_t bytes = d->bytes ? d->bytes : 64;

	while (bytes < wanted)
		bytes *= 2;
	uint8_t *bits = realloc(d->bits, bytes);
	if (!bits)
		return false;
	memset(bits + d->bytes, 0, bytes - d->bytes);
	d->bits = bits;
	d->bytes = bytes;
	return true;
}

bool pagevfs_dirty_mark(struct pagevfs_dirty *d, uint64_t page)
{
	size_t at = (size_t)(page / 8);

	pthread_mutex_lock(&lock);
	bool is_done = at < d->bytes || grow(d, at + 1);
	if (is_done)
		d->bits[at] |= (uint8_t)(1u << (page % 8));
	pthread_mutex_unlock(&lock);
	return is_done;
}

bool pagevfs_dirty_take(struct pagevfs_dirty *d, bool clear, uint64_t **pages, uint64_t *count)
{
	uint64_t n = 0;

	*pages = NULL;
	*count = 0;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < d->bytes; i++)
		n += (unsigned)__builtin_popcount(d->bits[i]);
	uint64_t *list = malloc((n ? n : 1) * sizeof *list);
	if (list) {
		for (size_t i = 0; i < d->bytes; i++)
			for (unsigned bit = 0; bit < 8; bit++)
				if (d->bits[i] >> bit & 1)
					list[(*count)++] = i * 8 + bit;
		if (clear && d->bits)
			memset(d->bits, 0, d->bytes);
		*pages = list;
	}
	pthread_mutex_unlock(&lock);
	return list != NULL;
}

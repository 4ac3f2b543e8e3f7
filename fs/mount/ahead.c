#include "fs/mount/ahead.h"

#include <pthread.h>
#include <stdlib.h>

#define STREAMS 64
#define LOOSE (512u * 1024)	/* the kernel's reads of one stream come out of order */
#define WINDOW_MIN (256u * 1024)
#define EAGER (64u * 1024)	/* one who looks at headers reads less */

struct stream {
	uint64_t ino;
	uint64_t next;		/* just past the furthest byte read */
	uint64_t fetched;	/* just past the furthest byte asked for ahead */
	size_t window;
};

struct ahead {
	size_t window_max;
	pthread_mutex_t lock;	/* protects streams */
	struct stream streams[STREAMS];
};

struct ahead *ahead_new(size_t window_max)
{
	struct ahead *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->window_max = window_max;
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

void ahead_free(struct ahead *a)
{
	if (a)
		pthread_mutex_destroy(&a->lock);
	free(a);
}

/* Under the lock. */
static size_t advance(struct ahead *a, struct stream *s, uint64_t file_size, uint64_t *from)
{
	uint64_t begin = s->fetched > s->next ? s->fetched : s->next;
	uint64_t end = s->next + s->window;

	if (a->window_max == 0)
		return 0;
	if (end > file_size)
		end = file_size;
	/* In strides of half a window: not a hint a read. */
	if (begin >= end || (end - begin < s->window / 2 && end < file_size))
		return 0;
	s->fetched = end;
	s->window = s->window * 2 > a->window_max ? a->window_max : s->window * 2;
	*from = begin;
	return (size_t)(end - begin);
}

struct ahead_advice ahead_note(struct ahead *a, uint64_t ino, uint64_t file_size,
			       uint64_t offset, size_t size)
{
	struct ahead_advice advice = { .goes_on = false };

	if (file_size <= size || offset >= file_size)
		return advice;
	pthread_mutex_lock(&a->lock);
	struct stream *s = &a->streams[(ino * 0x9e3779b97f4a7c15u) >> 58];
	uint64_t end = offset + size;
	if (s->ino == ino && offset + LOOSE >= s->next && offset <= s->next + LOOSE) {
		advice.goes_on = true;
		if (end > s->next) {
			s->next = end;
			advice.size = advance(a, s, file_size, &advice.from);
		}
	} else {
		*s = (struct stream){ .ino = ino, .next = end, .fetched = end,
				      .window = WINDOW_MIN };
		/* Perhaps the beginning of one: who starts at the front with a large
		 * read will want the rest, others are told by their next read. */
		advice.goes_on = offset == 0 && size >= EAGER;
		if (advice.goes_on)
			advice.size = advance(a, s, file_size, &advice.from);
	}
	pthread_mutex_unlock(&a->lock);
	return advice;
}

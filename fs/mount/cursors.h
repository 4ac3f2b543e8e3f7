/*
 * Where listings stand.  No directory is ever opened here (that saves a round
 * trip), so a listing is resumed from its offset alone: the number of entries
 * before it.  This bounded table remembers the name that stood there.  What it
 * does not know is found by skipping from the nearest place that it does know:
 * slower, never wrong.  Thread-safe.
 *
 * Where entries of a directory can have gone (a new epoch), numbers of before mean
 * nothing: a generation in their upper bits tells them apart.  Who comes with one of
 * before goes on behind the nearest name that was kept: told twice, never left out.
 */
#ifndef FS_MOUNT_CURSORS_H
#define FS_MOUNT_CURSORS_H

#include <stdint.h>

struct cursors;

#define CURSORS_GENERATION 48	/* from this bit of a count on */

struct cursor {
	uint64_t ino;
	uint64_t count;		/* generation, and entries up to and with name */
	uint16_t name_size;	/* 0: none, before the first */
	char name[256];
};

struct cursors *cursors_new(void);	/* NULL without memory */
void cursors_free(struct cursors *c);
void cursors_put(struct cursors *c, const struct cursor *at);
/* The one of the same generation with the greatest count not above `count`; the
 * generation's first count, no name, if none. */
void cursors_get(struct cursors *c, uint64_t ino, uint64_t count, struct cursor *out);
uint64_t cursors_first(struct cursors *c);	/* count before the first entry, now */
/* A new generation; mend() puts a name that stays in place of each that was kept. */
void cursors_renew(struct cursors *c, void (*mend)(void *arg, struct cursor *at), void *arg);

#endif

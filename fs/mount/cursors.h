/*
 * Where listings stand.  No directory is ever opened here (that saves a round
 * trip), so a listing is resumed from its offset alone: the number of entries
 * before it.  This bounded table remembers the name that stood there.  What it
 * does not know is found by skipping from the nearest place that it does know:
 * slower, never wrong.  Thread-safe.
 *
 * Where entries of a directory can have gone (a new epoch), numbers of before may mean
 * something else: a generation in their upper bits tells them apart.  The kernel keeps
 * listings, and their numbers, of directories in which nothing went: once all that lost
 * something are noted, numbers of the others are good for ever.  Who comes with one of a
 * directory that did goes on behind the nearest name that was kept: told twice, never
 * left out.
 */
#ifndef FS_MOUNT_CURSORS_H
#define FS_MOUNT_CURSORS_H

#include <stdint.h>

struct cursors;

#define CURSORS_GENERATION 48	/* from this bit of a count on */
#define CURSORS_LOST_MAX (1u << 20)	/* directories noted in all: 16 MiB */

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
/* Entries of this directory went in the present generation, or are shown otherwise. */
void cursors_note_lost(struct cursors *c, int64_t directory);
/* All such are noted; where this is never said, no number of before counts any more. */
void cursors_settle(struct cursors *c);
/* `count` as it is now, where the directory lost nothing since; else as it came. */
uint64_t cursors_now(struct cursors *c, int64_t directory, uint64_t count);

#endif

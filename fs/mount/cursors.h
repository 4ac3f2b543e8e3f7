/*
 * Where listings stand.  No directory is ever opened here (that saves a round
 * trip), so a listing is resumed from its offset alone: the number of entries
 * before it.  This bounded table remembers the name that stood there.  What it
 * does not know is found by skipping from the nearest place that it does know:
 * slower, never wrong.  Thread-safe.
 */
#ifndef FS_MOUNT_CURSORS_H
#define FS_MOUNT_CURSORS_H

#include <stdint.h>

struct cursors;

struct cursor {
	uint64_t ino;
	uint64_t count;		/* entries up to and with name */
	uint16_t name_size;
	char name[256];
};

struct cursors *cursors_new(void);	/* NULL without memory */
void cursors_free(struct cursors *c);
void cursors_put(struct cursors *c, const struct cursor *at);
/* The one with the greatest count not above `count`; count 0, no name, if none. */
void cursors_get(struct cursors *c, uint64_t ino, uint64_t count, struct cursor *out);
void cursors_clear(struct cursors *c);

#endif

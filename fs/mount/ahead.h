/*
 * Which files are being read from front to back: found from the reads alone,
 * for nothing is ever opened here.  The kernel's own window stays at 128 KiB
 * for the unprivileged, so the daemon decodes further ahead by itself.
 * Thread-safe.
 */
#ifndef FS_MOUNT_AHEAD_H
#define FS_MOUNT_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ahead;

struct ahead *ahead_new(size_t window_max);	/* NULL without memory */
void ahead_free(struct ahead *a);

struct ahead_advice {
	bool goes_on;		/* the read belongs to such a stream */
	uint64_t from;		/* fetch ahead this much from here; size 0: nothing */
	size_t size;
};

/* Notes a read of [offset, offset + size). */
struct ahead_advice ahead_note(struct ahead *a, uint64_t ino, uint64_t file_size,
			       uint64_t offset, size_t size);

#endif

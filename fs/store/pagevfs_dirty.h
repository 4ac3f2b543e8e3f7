/*
 * Which pages of a catalogue file this process has written: one set a file,
 * shared by all its connections.  Thread-safe.
 */
#ifndef FS_STORE_PAGEVFS_DIRTY_H
#define FS_STORE_PAGEVFS_DIRTY_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/store/pagevfs_cipher.h"

struct pagevfs_dirty;

/* The set of that file, made at first use; NULL without memory. */
struct pagevfs_dirty *pagevfs_dirty_hold(const uint8_t file_id[PAGEVFS_FILE_ID_SIZE]);
void pagevfs_dirty_release(struct pagevfs_dirty *d);	/* the last one frees it */

bool pagevfs_dirty_mark(struct pagevfs_dirty *d, uint64_t page);	/* false: no memory */
/* Sorted, malloc'ed (never NULL on success). */
bool pagevfs_dirty_take(struct pagevfs_dirty *d, bool clear, uint64_t **pages,
			uint64_t *count);

#endif

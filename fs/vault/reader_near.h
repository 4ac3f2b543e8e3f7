/*
 * Where reads at random crowd.  A read of a few kilobytes somewhere waits for the disk as
 * long as for its decoding; once several went to the same mebibyte of a segment, more will,
 * and one large read of it costs the disk little more than each of those.  Thread-safe.
 */
#ifndef FS_VAULT_READER_NEAR_H
#define FS_VAULT_READER_NEAR_H

#include <stdbool.h>
#include <stdint.h>

#define NEAR_SIZE (1024u * 1024)	/* bytes of a segment, at multiples of it */

struct near;

struct near *near_new(void);	/* NULL without memory */
void near_free(struct near *n);
/* Notes a read at `offset` of a segment.  true: now the disk should be asked for all of
 * the mebibyte around it; once, as far as the table remembers. */
bool near_note(struct near *n, const uint8_t segment_uid[16], uint64_t offset);
/* It could not be asked: the next read there says so again. */
void near_again(struct near *n, const uint8_t segment_uid[16], uint64_t offset);

#endif

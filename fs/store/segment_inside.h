/*
 * What segment.c (reading) and segment_build.c (writing) share.
 */
#ifndef FS_STORE_SEGMENT_INSIDE_H
#define FS_STORE_SEGMENT_INSIDE_H

#include "fs/store/segment.h"

#define SEGMENT_FORMAT 2		/* that is written */
#define SEGMENT_FORMAT_DIGESTS 1	/* its blocks' sums are SHA-256, cut */
#define SEGMENT_TAIL 64
#define SEGMENT_ENTRY 44
#define SEGMENT_SUM 16
#define SEGMENT_SUMMED 48	/* of head and tail: what their own sum covers */

extern const uint8_t segment_head_magic[8], segment_tail_magic[8];

/* SHA-256, cut: of head and tail, in all formats. */
void segment_digest(const void *data, size_t size, uint8_t sum[SEGMENT_SUM]);
int segment_sum_ends(const uint8_t *head, const uint8_t *footer, size_t size,
		     uint8_t sum[SEGMENT_SUM], struct err *e);

#endif

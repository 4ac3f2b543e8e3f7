/*
 * Sealed blocks of one lane, put into the segment together.  Lanes seal by turns, so one file's
 * blocks would lie apart, with those of other lanes between them; together, what is read of a
 * large file in one go is got from the disk in one go.
 *
 *   R1  Blocks come into segments in the order in which they were added (pack.h, P5).
 *   R2  Memory is PACK_RUN_SIZE and some hundred bytes a block.
 */
#ifndef FS_VAULT_PACK_RUN_H
#define FS_VAULT_PACK_RUN_H

#include <stdint.h>

#define PACK_RUN_SIZE (512u * 1024)	/* bytes of sealed blocks */

struct err;
struct pack_block;
struct packer;
struct pack_run;

struct pack_run *pack_run_new(struct packer *p);	/* NULL without memory */
/* Takes the names from b on success; sealed and sum are copied. */
int pack_run_add(struct pack_run *r, struct pack_block *b, const uint8_t *sealed,
		 const uint8_t sum[16], struct err *e);
/* Into the segment with all that wait. */
int pack_run_flush(struct pack_run *r, struct err *e);
void pack_run_free(struct pack_run *r);	/* what waits is lost; NULL is allowed */

#endif

/*
 * Threads that decode ahead of need.  They take block numbers from a short
 * ring; what does not fit is dropped, for a hint is only a hint.
 */
#ifndef FS_VAULT_READER_HELPERS_H
#define FS_VAULT_READER_HELPERS_H

#include <stdint.h>

struct block_cache;
struct err;
struct helpers;
struct vault;

int helpers_start(struct vault *v, struct block_cache *c, unsigned count,
		  struct helpers **out, struct err *e);
void helpers_hint(struct helpers *h, int64_t block);
void helpers_stop(struct helpers *h);	/* joins; NULL is allowed */

#endif

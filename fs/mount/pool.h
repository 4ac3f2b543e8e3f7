/*
 * Readers for the threads that answer the kernel.  The one given back last is
 * handed out first: a quiet mount works with one warm connection.  Opened as
 * they are needed, never more than `limit`; then pool_take() waits.
 */
#ifndef FS_MOUNT_POOL_H
#define FS_MOUNT_POOL_H

#include <stddef.h>

struct block_cache;
struct err;
struct pool;
struct vault;
struct vault_reader;

struct pool *pool_new(struct vault *v, struct block_cache *blocks, unsigned limit,
		      size_t catalogue_cache);	/* NULL without memory */
int pool_take(struct pool *p, struct vault_reader **out, struct err *e);
/* Closes every reader, waiting up to timeout_ms for those in use; from then on
 * pool_take() waits for pool_open().  MUNI_BUSY: one did not come back, and the pool is
 * as it was. */
int pool_shut(struct pool *p, unsigned timeout_ms, struct err *e);
void pool_open(struct pool *p);
void pool_give(struct pool *p, struct vault_reader *r);
/* Opens the first reader before somebody waits for it; what fails, that one will meet. */
void pool_warm(struct pool *p);
void pool_free(struct pool *p);		/* all must have been given back */

#endif

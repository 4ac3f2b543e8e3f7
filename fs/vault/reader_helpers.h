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
/* Returns once each has let go of its reader; they rest, and forget what they were
 * asked for, until helpers_resume(). */
void helpers_pause(struct helpers *h);
void helpers_resume(struct helpers *h);
void helpers_stop(struct helpers *h);	/* joins; NULL is allowed */

#endif

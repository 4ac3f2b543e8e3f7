/*
 * Every content of an archive, read and hashed by several threads.  Only fs/vault/verify_deep.c
 * and verify_reading.c include this.
 */
#ifndef FS_VAULT_VERIFY_DEEP_H
#define FS_VAULT_VERIFY_DEEP_H

#include "fs/vault/verify_inside.h"

struct deep;

/* With all that reading takes; NULL: e says why. */
struct deep *deep_new(struct verify *k, struct err *e);
/* All contents that `walk` lists, once.  k: hears of the progress, and may stop it; NULL: nobody.
 * -1 where it came to no end; content that is damaged is no failure. */
int deep_read(struct deep *d, struct catalogue *walk, struct verify *k, struct err *e);
void deep_stop(struct deep *d);	/* deep_read() ends soon, on whatever thread it is */
/* What was read since it was shown last. */
void deep_show(struct deep *d, struct verify *k);
/* What deep_read() found damaged. */
int deep_tell(const struct deep *d, struct verify *k, struct err *e);
void deep_free(struct deep *d);	/* once deep_read() has returned; NULL is allowed */

#endif

/*
 * Memory for keys: locked (where RLIMIT_MEMLOCK lets us), MADV_DONTDUMP,
 * MADV_WIPEONFORK, guard pages on both sides, wiped when freed.
 *
 * A child reads zeros where its parent had keys: a daemon forks first and
 * opens the archive after.
 */
#ifndef FS_CRYPT_SECRET_H
#define FS_CRYPT_SECRET_H

#include <stddef.h>

void *secret_new(size_t size);		/* zeroed; NULL without memory */
void secret_free(void *secret);		/* wipes; NULL is allowed */
void secret_wipe(void *data, size_t size);	/* not optimised away */

/* No core of this process and no ptrace by its equals: what OpenSSL keeps of a
 * key (its schedule) lies in memory that is not ours to mark.  Process-wide. */
void secret_forbid_cores(void);

#endif

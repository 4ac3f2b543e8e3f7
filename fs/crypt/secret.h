/*
 * Memory for keys: locked (where RLIMIT_MEMLOCK lets us), MADV_DONTDUMP,
 * MADV_WIPEONFORK unless asked, guard pages on both sides, wiped when freed.
 */
#ifndef FS_CRYPT_SECRET_H
#define FS_CRYPT_SECRET_H

#include <stddef.h>

void *secret_new(size_t size);		/* zeroed; NULL without memory */
void secret_free(void *secret);		/* wipes; NULL is allowed */
void secret_wipe(void *data, size_t size);	/* not optimised away */

#endif

/*
 * The process's table of catalogue keys.  Thread-safe.
 */
#ifndef FS_STORE_PAGEVFS_KEYS_H
#define FS_STORE_PAGEVFS_KEYS_H

#include <stdint.h>

#include "fs/store/pagevfs_cipher.h"

struct err;

/* A cipher under the key for one file.  MUNI_CANNOT_UNLOCK if the table has no
 * such key. */
int pagevfs_keys_cipher(unsigned key_id, const uint8_t file_id[PAGEVFS_FILE_ID_SIZE],
			struct pagevfs_cipher **out, struct err *e);

/* The key of one copy of catalogue pages (docs/format.md, "Base and redo"), by the
 * copy's random id; out: 32 bytes of secret memory. */
int pagevfs_keys_of_copy(unsigned key_id, const uint8_t uid[16], uint8_t *out, struct err *e);

/* Before each seal.  MUNI_LIMIT once this process alone has made 2^31. */
int pagevfs_keys_count_seal(unsigned key_id, struct err *e);

#endif

/*
 * The digest of a file that is being exported.  Of a large one it is made by a thread of
 * its own, beside reading and writing, for SHA-256 of one file takes as long as all else.
 * One thread calls; which of the two happens makes no difference to the result.
 * Eight pieces are under way at most: memory does not grow with the file.
 * Without memory or a thread for it the caller hashes, as it does small files.
 */
#ifndef FS_VAULT_EXPORT_HASH_H
#define FS_VAULT_EXPORT_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/vault/leaf.h"

struct export_hash;

/* NULL without memory.  with_thread: large files may have one, and 8 MiB; started with the first. */
struct export_hash *export_hash_new(bool with_thread);
void export_hash_free(struct export_hash *h);	/* NULL is allowed */

/* Forgets the file before, finished or not.  holes: as in content_hash_start(). */
void export_hash_start(struct export_hash *h, uint64_t size, uint64_t holes);
/* Where the next piece is to be read into, EXPORT_PIECE bytes: good until the piece after
 * it is asked for. */
uint8_t *export_hash_room(struct export_hash *h);
/* The room holds data [offset, offset + size) of the file, and is not changed any more. */
void export_hash_data(struct export_hash *h, uint64_t offset, size_t size);
struct digest export_hash_finish(struct export_hash *h, uint64_t size);

/*
 * Behind: files that are not small are held against their digest by the thread while the
 * next are read, and what differs is told afterwards.  For a target that ends with the
 * first file that is wrong in any case, and is not finished before export_hash_settle().
 */
void export_hash_behind(struct export_hash *h);
/* In place of export_hash_finish(): the file that was started is, or is found later not to
 * be, what it should be; expected NULL: it never is.  false: it is not hashed behind. */
bool export_hash_end_behind(struct export_hash *h, uint64_t size, const struct digest *expected,
			    const char *path, size_t path_size);
/* Until all are held against their digests. */
void export_hash_settle(struct export_hash *h);
/* Has one been found wrong?  Its path, good until the hash is freed; without memory for
 * that "", 0 bytes.  NULL: none so far. */
const char *export_hash_wrong(const struct export_hash *h, size_t *path_size);

#endif

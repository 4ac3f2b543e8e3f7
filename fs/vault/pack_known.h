/*
 * Chunks that the catalogue knows: found by name, believed once they were compared.
 *
 * A name is short, so that its row is, and leads to a chunk that may be another by
 * chance, or to one that can no longer be read.  So the bytes that it leads to are
 * decoded and compared with those at hand.
 *
 *   N1  What is found has, at this moment, the very bytes that were asked for.
 *   N2  What cannot be read is not found: the chunk is stored again.
 */
#ifndef FS_VAULT_PACK_KNOWN_H
#define FS_VAULT_PACK_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"

struct block_cache;
struct err;
struct pack_known;
struct vault;

#define PACK_KNOWN_CACHE (16u * 1024 * 1024)	/* of decoded blocks, over all threads */

/* One thread's.  cache: shared; borrowed.  catalogue_cache: bytes, of its connection. */
int pack_known_open(struct vault *v, struct block_cache *cache, size_t catalogue_cache,
		    struct pack_known **out, struct err *e);
void pack_known_close(struct pack_known *k);	/* NULL is allowed */

int pack_known_find(struct pack_known *k, const uint8_t name[CHUNK_NAME_SIZE],
		    const void *data, size_t size, struct chunk_place *out, bool *is_found,
		    struct err *e);

#endif

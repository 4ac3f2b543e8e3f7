/*
 * Where the chunks of this ingest are: name to place, for many threads.
 *
 * Split into shards by name.  When a shard grows past its share, what the
 * catalogue has committed is dropped from it: there it is found again.
 */
#ifndef FS_VAULT_PACK_MAP_H
#define FS_VAULT_PACK_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"

struct pack_map;

/* limit: entries, over all shards, before committed ones are dropped.  base: no
 * block of this ingest has a lower id.  NULL without memory. */
struct pack_map *pack_map_new(size_t limit, int64_t base);
void pack_map_free(struct pack_map *m);

bool pack_map_find(struct pack_map *m, const uint8_t name[16], struct chunk_place *out);
enum pack_map_put { PACK_MAP_NEW, PACK_MAP_THERE, PACK_MAP_NO_MEMORY };
/* Inserts *place, or gives the place that is there already. */
enum pack_map_put pack_map_put(struct pack_map *m, const uint8_t name[16],
			       struct chunk_place *place);
/* Chunks in this block may be dropped from now on.  false: out of memory. */
bool pack_map_committed(struct pack_map *m, int64_t block);

#endif

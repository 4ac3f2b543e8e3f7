#include "fs/vault/pack_known.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/reader.h"
#include "fs/vault/reader_decode.h"

struct pack_known {
	struct vault_reader *reader;
	struct block_cache *cache;	/* borrowed */
};

int pack_known_open(struct vault *v, struct block_cache *cache, size_t catalogue_cache,
		    struct pack_known **out, struct err *e)
{
	struct pack_known *k = calloc(1, sizeof *k);

	*out = NULL;
	if (!k)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for a worker");
	k->cache = cache;
	if (vault_reader_open(v, cache, catalogue_cache, &k->reader, e) < 0) {
		free(k);
		return -1;
	}
	*out = k;
	return 0;
}

void pack_known_close(struct pack_known *k)
{
	if (!k)
		return;
	vault_reader_close(k->reader);
	free(k);
}

/* N2: damage is for verify to tell; here it only means that the bytes are not there. */
static bool is_unreadable(const struct err *e)
{
	return e->code == MUNI_DAMAGED || e->code == MUNI_IO || e->code == MUNI_NOT_FOUND ||
	       e->code == MUNI_FORMAT;
}

static int compare(struct pack_known *k, const struct chunk_place *p, const void *data,
		   bool *is_same, struct err *e)
{
	struct cached_block *b;
	uint32_t end = p->at + p->size;

	*is_same = false;
	if (reader_pin(k->reader, p->block, end, false, &b, e) < 0) {
		if (!is_unreadable(e))
			return -1;
		*e = ERR_NONE;
		return 0;
	}
	*is_same = b->valid >= end && cached_block_equals(b, p->at, data, p->size);
	block_cache_unpin(k->cache, b);
	return 0;
}

int pack_known_find(struct pack_known *k, const uint8_t name[CHUNK_NAME_SIZE],
		    const void *data, size_t size, struct chunk_place *out, bool *is_found,
		    struct err *e)
{
	if (catalogue_chunk_find(vault_reader_catalogue(k->reader), name, out, is_found, e) < 0)
		return -1;
	if (*is_found && out->size != size)
		*is_found = false;
	return *is_found ? compare(k, out, data, is_found, e) : 0;
}

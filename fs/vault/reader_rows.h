/*
 * Rows of the catalogue that reading asks for again and again: pages of extents
 * and rows of blocks, kept in two set-associative tables of bounded size, so
 * that a 4 KiB read somewhere in a big file costs no SQL.  Thread-safe.
 *
 * Block rows hold block keys: row_cache_clear() wipes.
 */
#ifndef FS_VAULT_READER_ROWS_H
#define FS_VAULT_READER_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"

struct row_cache;

struct row_extent {		/* struct extent without its gaps */
	uint64_t offset;
	int64_t block;
	uint32_t size, at;
};

struct extents {		/* one page, shared, immutable */
	int64_t content;
	unsigned refs;		/* protected by the cache's lock */
	unsigned count;
	uint64_t first, end;	/* the file offsets that it answers for */
	struct row_extent list[];	/* sorted, apart from each other */
};

struct row_cache *row_cache_new(size_t limit_bytes);	/* NULL without memory */
void row_cache_clear(struct row_cache *c);
void row_cache_free(struct row_cache *c);
size_t row_cache_used(struct row_cache *c);

/* The page that covers offset, from the table or the catalogue; rows_drop() it. */
int rows_extents(struct row_cache *rc, struct catalogue *c, int64_t content,
		 uint64_t offset, struct extents **out, struct err *e);
void rows_drop(struct row_cache *rc, struct extents *x);
/* Contents are numbered as they were met, so files that are read in the order of their
 * paths ask for one number after the other.  Where `content` goes on like that, this
 * fetches the pages of the small ones that follow, in one query, and says which blocks
 * they lie in: how many, at most `max`; 0 where it fetched nothing. */
unsigned rows_ahead(struct row_cache *rc, struct catalogue *c, int64_t content,
		    int64_t *blocks, unsigned max);
/* The pages of all these small contents, one query for those whose numbers follow each other;
 * and which blocks they lie in: how many, at most `max`.  Never fails. */
unsigned rows_of_many(struct row_cache *rc, struct catalogue *c, const int64_t *contents,
		      unsigned count, int64_t *blocks, unsigned max);

/* MUNI_DAMAGED also where the row's own numbers cannot be. */
int rows_block(struct row_cache *rc, struct catalogue *c, int64_t id, struct block *out,
	       uint8_t segment_uid[16], struct err *e);

#endif

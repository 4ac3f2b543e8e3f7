/*
 * Decoded blocks by number: a sharded LRU with single-flight decoding.  Only
 * fs/vault/reader*.c and block_cache*.c include this.
 *
 * Who pins a block that is not there becomes its decoder and must publish or
 * abandon it; others who want it wait.  A block is immutable once published; a
 * longer decode of the same block replaces it, and the old one lives on until
 * its last pin goes.
 *
 * Locks: one a shard, never two at once.
 */
#ifndef FS_VAULT_BLOCK_CACHE_H
#define FS_VAULT_BLOCK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/vault/reader.h"

struct helpers;
struct near;
struct row_cache;

struct cached_block {
	int64_t id;
	uint32_t valid;		/* bytes of data decoded, from the block's start */
	unsigned pins;		/* this and below: protected by the shard's lock */
	bool is_listed;		/* in table and LRU list */
	struct cached_block *next;	/* in the table's chain */
	struct cached_block *newer, *older;
	unsigned page_count;
	uint8_t *pages[];	/* block_pages.h */
};

/* A decode under way; lies on its decoder's stack. */
struct flight {
	int64_t id;
	bool had_part;		/* fewer bytes than wanted were there already */
	struct flight *next;
};

/* true: *out is pinned and has `wanted` bytes.  false: the caller decodes now,
 * then calls publish or abandon with the same flight. */
bool block_cache_pin(struct block_cache *c, int64_t id, uint32_t wanted, bool may_look,
		     struct flight *flight, struct cached_block **out);
/* A copy of data[valid], counted from here on, for which older ones go; it must be published.
 * NULL without memory. */
struct cached_block *cached_block_new(struct block_cache *c, int64_t id, const void *data,
				      uint32_t valid);
/* Takes `fresh`, which comes out pinned once for the caller. */
void block_cache_publish(struct block_cache *c, struct flight *flight,
			 struct cached_block *fresh);
void block_cache_abandon(struct block_cache *c, struct flight *flight);
void block_cache_unpin(struct block_cache *c, struct cached_block *b);

/* Of one that is pinned: bytes [at, at + size), which are within `valid`. */
void cached_block_copy(const struct cached_block *b, uint32_t at, size_t size, void *out);
bool cached_block_equals(const struct cached_block *b, uint32_t at, const void *data,
			 size_t size);
/* Where they lie, in at most `max` parts; false: in more.  *count goes up. */
bool cached_block_parts(const struct cached_block *b, uint32_t at, size_t size,
			struct iovec *parts, unsigned max, unsigned *count);

/* What a reader holds besides, of bytes that blocks could have, was so much and is now. */
void block_cache_count(struct block_cache *c, size_t before, size_t now);
/* Whether it is there with `wanted` bytes, or being decoded. */
bool block_cache_is_coming(struct block_cache *c, int64_t id, uint32_t wanted);

/* Who reads says so while he does.  How many do at a time, he among them: the most of late, for
 * four that read one after the other are, at most moments, not four that decode. */
unsigned block_cache_enter(struct block_cache *c);
void block_cache_leave(struct block_cache *c);

struct row_cache *block_cache_rows(struct block_cache *c);
struct near *block_cache_near(struct block_cache *c);
struct helpers *block_cache_helpers(struct block_cache *c);	/* NULL: none */

#endif

/*
 * From a block's number to its decoded bytes: row, ciphertext, bases, decoder.
 * Only fs/vault/reader*.c and pack_known.c include this.
 */
#ifndef FS_VAULT_READER_DECODE_H
#define FS_VAULT_READER_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "fs/store/block.h"
#include "fs/vault/block_cache.h"

struct objects;

struct vault_reader {
	struct vault *vault;		/* borrowed */
	struct block_cache *cache;	/* borrowed */
	struct objects *objects;	/* borrowed from vault */
	struct catalogue *catalogue;	/* owned */
	bool may_look;			/* for a block that a helper decodes, before it sleeps */
	struct block_decoder *decoder;	/* owned */
	uint8_t *sealed;		/* scratch, owned: one block's ciphertext */
	size_t sealed_size;
	/* Of a segment, got in one piece for several blocks; ahead_count 0: nothing. */
	uint8_t *ahead;			/* scratch, owned */
	size_t ahead_size, ahead_count;
	uint64_t ahead_offset;
	uint8_t ahead_uid[16];
	/* Where blocks are decoded: to zstd bases and block are one run, a third faster than two. */
	uint8_t *room;			/* owned; counted in the cache */
	size_t room_size, laid_size;
	int64_t laid[BLOCK_BASES_MAX];	/* whose bytes stand at its front; 0: nobody's */
};

/* Pins `block` with at least `wanted` bytes (1..BLOCK_RAW_MAX).  is_sample: the
 * caller wants no more of it than that, so stop decoding soon after. */
int reader_pin(struct vault_reader *r, int64_t block, uint32_t wanted, bool is_sample,
	       struct cached_block **out, struct err *e);
/* Has the block's row at hand, and its neighbours'. */
void reader_know(struct vault_reader *r, int64_t block);
/* For the helpers: have it in the cache, or not.  `wanted` past the block's end: all. */
void reader_decode_ahead(struct vault_reader *r, int64_t block, uint32_t wanted);
/* The same for all of several blocks, which a file has one after the other: got from the disk
 * in few pieces. */
#define READER_RUN_MAX 16u
void reader_decode_run(struct vault_reader *r, const int64_t *blocks, unsigned count);
/* Gets the ciphertext of blocks that will be pinned next, as far as they lie together, from the
 * disk in one piece; until reader_forget_together(). */
void reader_get_together(struct vault_reader *r, const int64_t *blocks, unsigned count);
void reader_forget_together(struct vault_reader *r);
/* Has the disk read the part of its segment that the block lies in. */
void reader_expect_near(struct vault_reader *r, int64_t block);
/* The same from the block on, of a stream that will come there, and without waiting. */
void reader_expect_ahead(struct vault_reader *r, int64_t block);

#endif

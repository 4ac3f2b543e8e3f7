/*
 * Reading content: shared by the mount, cat, export and verify.
 *
 *   D1  Bytes handed out were authenticated.
 *   D2  One block is decoded by one thread at a time however many ask for it.
 *   D3  Memory is the cache's limit plus a constant per thread.
 */
#ifndef FS_VAULT_READER_H
#define FS_VAULT_READER_H

#include "fs/vault/vault.h"

/* Decoded blocks, shared by all threads of a process. */
struct block_cache;
struct block_cache *block_cache_new(size_t limit_bytes);
void block_cache_clear(struct block_cache *c);	/* wipes */
void block_cache_free(struct block_cache *c);

/* One thread each: a catalogue connection, a decoder, the last extents. */
struct vault_reader;
int vault_reader_open(struct vault *v, struct block_cache *cache, size_t catalogue_cache,
		      struct vault_reader **out, struct err *e);
void vault_reader_close(struct vault_reader *r);
struct catalogue *vault_reader_catalogue(struct vault_reader *r);

/*
 * Bytes [offset, offset + size) of a file's content, holes as zeros, cut at
 * file_size: *got says how many.  MUNI_DAMAGED names the block.
 */
int vault_read(struct vault_reader *r, int64_t content, uint64_t file_size,
	       uint64_t offset, void *out, size_t size, size_t *got, struct err *e);
/* Next data (is_data) or hole at or after offset; file_size if none. */
int vault_seek(struct vault_reader *r, int64_t content, uint64_t file_size,
	       uint64_t offset, bool is_data, uint64_t *out, struct err *e);
/* Hints that [offset, offset+size) will be read soon; decoding happens on the
 * cache's own helper threads.  Never fails. */
void vault_prefetch(struct vault_reader *r, int64_t content, uint64_t offset, size_t size);

#endif

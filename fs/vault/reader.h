/*
 * Reading content: shared by the mount, cat, export and verify.
 *
 *   D1  Bytes handed out were authenticated.
 *   D2  One block is decoded by one thread at a time however many ask for it.
 *   D3  Memory is the cache's limit plus a constant per thread: decoded blocks,
 *       pages of extents and rows of blocks all count.
 *   D4  A failure is never kept: who asks again reads again.
 *   D5  A block's bases have lower numbers than the block and stand at most
 *       READER_DEPTH_MAX deep: a catalogue that says otherwise is MUNI_DAMAGED,
 *       so no chain is endless and no two decoders wait for each other.
 */
#ifndef FS_VAULT_READER_H
#define FS_VAULT_READER_H

#include <sys/uio.h>

#include "fs/vault/vault.h"

#define READER_DEPTH_MAX 8

/* Decoded blocks, shared by all threads of a process.  Thread-safe. */
struct block_cache;
struct block_cache *block_cache_new(size_t limit_bytes);	/* NULL without memory */
void block_cache_clear(struct block_cache *c);	/* wipes all that is not in use */
/* After every reader was closed; stops the helpers. */
void block_cache_free(struct block_cache *c);

struct block_cache_figures {
	size_t limit, used;	/* bytes */
	uint64_t hits, misses;	/* blocks that were there; that had to be decoded */
	uint64_t failures;
};

void block_cache_figures(struct block_cache *c, struct block_cache_figures *out);

/*
 * Starts up to `count` threads that decode ahead of need: for vault_prefetch()
 * and for large reads.  Each opens a reader of its own on v (borrowed until
 * block_cache_free()).  Without helpers all decoding is done by who asks.
 */
int block_cache_start_helpers(struct block_cache *c, struct vault *v, unsigned count,
			      struct err *e);

/* Returns once no helper has a reader; they rest until block_cache_resume(). */
void block_cache_pause(struct block_cache *c);
void block_cache_resume(struct block_cache *c);

/* One thread each: a catalogue connection and a decoder. */
struct vault_reader;
int vault_reader_open(struct vault *v, struct block_cache *cache, size_t catalogue_cache,
		      struct vault_reader **out, struct err *e);
void vault_reader_close(struct vault_reader *r);	/* NULL is allowed */
struct catalogue *vault_reader_catalogue(struct vault_reader *r);

/*
 * Bytes [offset, offset + size) of a file's content, holes as zeros, cut at
 * file_size: *got says how many.  MUNI_DAMAGED names the block.
 */
int vault_read(struct vault_reader *r, int64_t content, uint64_t file_size,
	       uint64_t offset, void *out, size_t size, size_t *got, struct err *e);

/*
 * The same without a copy: parts[0..count) point into the cache and stay good
 * until vault_parts_release(), which is to be called after failure too.  goes_on:
 * what stands behind will be wanted too, so blocks are decoded to their end.
 */
#define VAULT_PINS_MAX 96
#define VAULT_PARTS_MAX (256 + 2 * VAULT_PINS_MAX)	/* a MiB in pages, and ends */

struct vault_parts {
	struct iovec parts[VAULT_PARTS_MAX];
	unsigned count;
	size_t size;		/* sum of the parts */
	struct cached_block *pins[VAULT_PINS_MAX];
	unsigned pin_count;
	void *own;		/* where a read was too scattered: one copy */
};

int vault_read_parts(struct vault_reader *r, int64_t content, uint64_t file_size,
		     uint64_t offset, size_t size, bool goes_on, struct vault_parts *out,
		     struct err *e);
void vault_parts_release(struct vault_reader *r, struct vault_parts *p);

/* Next data (is_data) or hole at or after offset; file_size if none. */
int vault_seek(struct vault_reader *r, int64_t content, uint64_t file_size,
	       uint64_t offset, bool is_data, uint64_t *out, struct err *e);
/* Hints that [offset, offset+size) will be read soon; decoding happens on the
 * cache's own helper threads.  Never fails. */
void vault_prefetch(struct vault_reader *r, int64_t content, uint64_t offset, size_t size);
/* The same for all of many small files. */
void vault_prefetch_files(struct vault_reader *r, const int64_t *contents, unsigned count);
/* The whole of a small file was read: where files are being read in the order of their
 * paths, the next ones' rows are fetched and their blocks decoded.  Never fails. */
void vault_prefetch_next(struct vault_reader *r, int64_t content);

#endif

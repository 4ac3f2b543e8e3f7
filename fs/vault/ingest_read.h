/*
 * Reading files: what the workers and the reader of large files share.
 */
#ifndef FS_VAULT_INGEST_READ_H
#define FS_VAULT_INGEST_READ_H

#include "fs/vault/ingest_inside.h"
#include "fs/vault/leaf.h"
#include "fs/vault/walk.h"

/* A file as it was when it was opened, and whether it still is. */
struct live_file {
	int fd;
	struct statx sx;
	bool is_sparse;		/* fewer blocks than bytes: look for holes */
};

/*
 * Opens item's file and brings its metadata up to date where it changed since
 * the walker saw it.  -1: a problem was told, the body is failed.
 */
int live_open(struct ingest *g, struct capture *c, struct handle *h, struct item *item,
		struct live_file *out);
/* Has it changed since it was opened? */
bool live_changed(const struct live_file *f);
void live_close(struct live_file *f);

/* Next run of data at or after `offset`, below `size`; false: only hole is left.
 * A file system without holes is all data. */
bool live_next_data(const struct live_file *f, uint64_t offset, uint64_t size,
		      uint64_t *begin, uint64_t *end);

/* As pread(), but whole: less only at the end of the file.  -1: errno. */
ssize_t live_read(const struct live_file *f, uint64_t offset, void *out, size_t size);

/* Cuts data[size], which stands at `offset` in the file, packs the chunks, adds
 * their places to b.  whole: the digest of data, where it is known and data is
 * no larger than a block; else NULL.  Failures are fatal to the ingest. */
int pack_run(struct ingest *g, struct pack_lane *lane, struct body *b, uint64_t offset,
	     const uint8_t *data, size_t size, const struct digest *whole, struct err *e);

/*
 * Reads a file of any size in pieces, which go to the workers; with a lane they
 * are packed on the spot instead.  Ends with body_done(), now or by the worker
 * that packs the last piece.
 */
int large_read(struct ingest *g, struct capture *c, struct pack_lane *lane,
	       struct handle *h, struct item *item, struct err *e);

/* The problem and the mark of a file that would not hold still, or be read, or is a keyring. */
void tell_unstable(struct ingest *g, struct item *item);
void tell_unreadable(struct ingest *g, struct item *item, int why);
void tell_keyring(struct ingest *g, struct item *item);

#endif

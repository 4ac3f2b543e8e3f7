/*
 * Parity of segments that are being written, made from their bytes while they are
 * in memory: nothing is read again at the end of an ingest.
 *
 *   S1  What it writes is what parity_update() would have written: groups of segments of
 *       like size, in the order in which they come; the first goes on with the
 *       archive's open group.
 *   S2  It writes nothing before parity_batch_write(), which is for when every member of
 *       the batch is on stable storage.  Until then parity is as it was, and
 *       parity_update() covers what a crash leaves.
 *   S3  Memory: `parity` objects as long as the longest member, for the batch in
 *       the making and for each that was handed out.
 *
 * The stream belongs to one thread; a batch that was handed out to whoever has it.
 */
#ifndef FS_STORE_PARITY_STREAM_H
#define FS_STORE_PARITY_STREAM_H

#include "fs/store/parity.h"

struct parity_stream;
struct parity_batch;

/* MUNI_USAGE for a strength that is not to be had; strength.parity is at least 1. */
int parity_stream_new(struct objects *o, const uint8_t archive_id[16],
		      struct parity_strength strength, struct parity_stream **out,
		      struct err *e);
void parity_stream_free(struct parity_stream *s);	/* NULL is allowed */

/* A new member, of about `expected` bytes.  *closed: the batch that it does not join any
 * more, owned by the caller, or NULL. */
int parity_stream_begin(struct parity_stream *s, const uint8_t uid[16], uint64_t expected,
			struct parity_batch **closed, struct err *e);
int parity_stream_append(struct parity_stream *s, const void *data, size_t size,
			 struct err *e);
/* The member is whole.  *closed: its batch, if that is full. */
int parity_stream_end(struct parity_stream *s, struct parity_batch **closed,
		      struct err *e);
/* The batch in the making, which the caller then owns; NULL: there is none. */
struct parity_batch *parity_stream_take(struct parity_stream *s);

/* Durable when it returns; then what it replaces is removed. */
int parity_batch_write(struct parity_batch *b, struct err *e);
uint64_t parity_batch_bytes(const struct parity_batch *b);	/* of its objects, on disk */
void parity_batch_free(struct parity_batch *b);	/* NULL is allowed */

#endif

/*
 * A file's bytes in order, cut into chunks, sent to the workers in pieces.
 *
 * One try at one file is a `reading`: it ends when the stream has ended and the
 * last of its pieces is packed, wherever that happens.  A dropped reading (the
 * file changed meanwhile, or failed) leaves nothing but chunks, which the next
 * try finds again.
 *
 * The digest of the whole is made by the workers too, piece after piece in
 * their order, by whichever of them is at hand: who reads only reads and cuts.
 */
#ifndef FS_VAULT_INGEST_STREAM_H
#define FS_VAULT_INGEST_STREAM_H

#include "fs/vault/ingest_inside.h"

struct reading;

struct stream {
	struct ingest *g;
	struct pack_lane *lane;	/* packs on the spot; NULL: pieces go to the workers */
	struct reading *reading;
	struct piece *piece;	/* in the making */
	size_t fill;		/* bytes in its buffer ... */
	size_t cut;		/* ... of which so many are cut */
	uint64_t at;		/* where the first byte that is not cut stands */
	bool is_first;		/* nothing of this run of data was cut yet */
};

/*
 * Into b, whose waiting run (NULL: none) is released when all is packed.
 * holes: as content_hash_start().  All of these: -1 is fatal to the ingest.
 */
int stream_start(struct stream *s, struct ingest *g, struct pack_lane *lane,
		 struct body *b, struct run *r, uint64_t holes, struct err *e);
/* Where the next bytes go, and how many fit (never 0). */
uint8_t *stream_room(struct stream *s, size_t *room);
/* So many were put there. is_end: of this run of data (then a hole follows, or
 * the end). */
int stream_advance(struct stream *s, size_t size, bool is_end, struct err *e);
/* The next run begins at `offset`; the one before was ended. */
void stream_seek(struct stream *s, uint64_t offset);
/* Ends it: b gets digest and extents. */
int stream_finish(struct stream *s, uint64_t file_size, struct err *e);
/* Ends it for nothing: b stays as it was, and nobody is told. */
void stream_drop(struct stream *s);

/* A worker's part; takes p, also when it fails. */
int piece_pack(struct ingest *g, struct pack_lane *lane, struct piece *p, struct err *e);
void piece_free(struct piece *p);	/* NULL is allowed */

#endif

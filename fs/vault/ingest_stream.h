/*
 * A file's bytes in order, cut into chunks, sent to the workers in pieces.
 *
 * One try at one file is a `reading`: it ends when the stream has ended and the
 * last of its pieces is packed, wherever that happens.  A dropped reading (the
 * file changed meanwhile, or failed) leaves nothing but chunks, which the next
 * try finds again.
 */
#ifndef FS_VAULT_INGEST_STREAM_H
#define FS_VAULT_INGEST_STREAM_H

#include "fs/vault/ingest_inside.h"
#include "fs/vault/leaf.h"

struct reading;

struct stream {
	struct ingest *g;
	struct pack_lane *lane;	/* packs on the spot; NULL: pieces go to the workers */
	struct content_hash *hash;	/* borrowed */
	struct reading *reading;
	/* A window on the present run of data: */
	uint8_t *buf;		/* of the pool: a piece and a chunk */
	uint64_t at;		/* where buf[0] stands in the file */
	size_t fill;
	bool is_first;		/* nothing of this run was cut yet */
};

/*
 * Into b, whose waiting run (NULL: none) is released when all is packed.
 * holes: as content_hash_start().  All of these: -1 is fatal to the ingest.
 */
int stream_start(struct stream *s, struct ingest *g, struct pack_lane *lane,
		 struct content_hash *hash, struct body *b, struct run *r,
		 uint64_t holes, struct err *e);
/* Where the next bytes go, and how many fit (never 0). */
uint8_t *stream_room(struct stream *s, size_t *room);
/* So many were put there. is_end: of this run of data (then a hole follows, or
 * the end). */
int stream_advance(struct stream *s, size_t size, bool is_end, struct err *e);
/* The next run begins at `offset`; the one before was ended. */
void stream_seek(struct stream *s, uint64_t offset);
/* Ends it.  With is_dropped nobody is told; else b gets digest and extents. */
int stream_finish(struct stream *s, bool is_dropped, uint64_t file_size, struct err *e);

/* A worker's part. */
int piece_pack(struct ingest *g, struct pack_lane *lane, struct piece *p, struct err *e);
void piece_free(struct piece *p);

#endif

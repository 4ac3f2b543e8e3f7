/*
 * One try at one file, from the pieces' side: who is packed, whose turn it is
 * to be hashed, and what happens when all are.  ingest_stream.h says the rest.
 */
#ifndef FS_VAULT_INGEST_READING_H
#define FS_VAULT_INGEST_READING_H

#include "fs/vault/ingest_inside.h"

#define PIECE_CUTS 1024

struct reading;

struct piece {
	struct reading *reading;	/* NULL: in the making, or packed */
	struct ingest_pool *pool;
	size_t number;		/* in the reading */
	uint8_t *data;		/* of the pool; chunks one after the other */
	struct body *part;	/* owned: their extents */
	struct piece *next;	/* packed, and waiting to be hashed */
	size_t cut_count;
	struct {
		uint64_t offset;	/* in the file */
		uint32_t size;
	} cuts[PIECE_CUTS];
};

/* NULL without memory.  Ends itself: after reading_end() or reading_drop() by
 * the reader and reading_packed() or reading_lose() for each piece. */
struct reading *reading_new(struct ingest *g, struct body *b, struct run *r,
			    uint64_t holes);
int reading_add(struct reading *r, struct piece *p, struct err *e);
int reading_end(struct reading *r, uint64_t file_size, struct err *e);
void reading_drop(struct reading *r);
/* Takes p.  -1 is fatal. */
int reading_packed(struct reading *r, struct piece *p, struct err *e);
void reading_lose(struct reading *r);

#endif

/*
 * The payload of an object of base or redo: what the pages hold, compressed and sealed
 * anew, beside the nonces and tags that they have in the catalogue; and back.
 * docs/format.md, "Base and redo", format 2.
 *
 *   C1  Pages come back byte for byte: each is sealed again under the nonce that it has,
 *       which reveals nothing, and must get the tag that it has.
 *   C2  The key is derived from the epoch's and the object's random id, so it seals this
 *       object's pieces once each, and is gone with the epoch's.
 *   C3  What the pages hold in clear (keys of blocks) lies in the arena's memory only.
 */
#ifndef FS_STORE_REDO_PACK_H
#define FS_STORE_REDO_PACK_H

#include "fs/store/redo_object.h"

struct sqlite3;

/* Pages of a catalogue on their way into an object. */
struct redo_pages {
	uint32_t count;
	uint32_t *numbers;	/* owned */
	uint8_t *seals;		/* owned; nonce and tag of each */
	uint8_t *bodies;	/* of arena_new(); the 8160 bytes that SQLite uses of each */
	uint8_t first[24];	/* of the catalogue's page 1 as it is on disk */
};

int redo_pages_new(uint32_t count, struct redo_pages *out, struct err *e);
void redo_pages_free(struct redo_pages *p);
/* db as for redo_append().  First what says of which catalogue the pages are. */
int redo_pages_begin(struct redo_pages *p, struct sqlite3 *db, struct err *e);
/* Page number `page` of db becomes the ith. */
int redo_pages_take(struct redo_pages *p, uint32_t i, uint64_t page, struct sqlite3 *db,
		    struct err *e);

/* head: all but format and payload; it is copied.  out is freed by redo_object_free(). */
int redo_pack(const struct redo_head *head, const struct redo_pages *p, unsigned key_id,
	      unsigned threads, struct redo_object *out, struct err *e);

/* Makes r's sealed pages (redo_object_page()); nothing to do for format 1.
 * MUNI_DAMAGED: they are not what the catalogue held, or the key is another. */
int redo_unpack(struct redo_object *r, unsigned key_id, struct err *e);

#endif

/*
 * One object of base or redo: pages of the catalogue under their own checksums and
 * parity.  docs/format.md, "Base and redo", gives the bytes; redo_pack.h makes and
 * opens the payload.
 *
 *   D1  Head and table of checksums stand twice, at both ends: one flipped bit,
 *       or one damaged run, costs nothing anywhere in the object.
 *   D2  No key is needed to check or to mend.
 *   D3  What redo_object_load() hands out has the checksums that were written.
 */
#ifndef FS_STORE_REDO_OBJECT_H
#define FS_STORE_REDO_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/crypt/digest.h"
#include "fs/store/objects.h"
#include "fs/store/pagevfs.h"

struct err;

#define REDO_OBJECT_PAGES 2048	/* at most, in one object: 16 MiB of them */
#define REDO_OBJECT_WRITES 1024	/* so many are put into one; some have more */

enum redo_kind {		/* on disk: never renumber, never reuse */
	REDO_BASE = 1,		/* pages first .. first + pages - 1 */
	REDO_CHANGES = 2,	/* pages as listed */
};

/* What one object says of itself. */
struct redo_head {
	uint32_t format;
	uint8_t archive_id[16];
	uint8_t uid[16];
	uint64_t epoch;
	uint64_t sequence;	/* of its set; the objects of one append are a set */
	enum redo_kind kind;
	uint32_t part, parts;	/* 0 <= part < parts */
	uint32_t pages;		/* in this object */
	uint32_t first;		/* base: number of its first page; else 0 */
	uint64_t page_count;	/* of the catalogue once the set is applied */
	uint64_t payload;	/* bytes */
	struct digest before, after;	/* of the catalogue, around the set */
};

/* An object in memory while it is made or read. */
struct redo_object {
	struct redo_head head;
	uint8_t *payload;	/* owned; head.payload bytes */
	uint8_t *sealed;	/* owned; the pages, once redo_unpack() made them again */
	uint32_t bad_columns;	/* found when it was loaded */
	bool is_head_bad;	/* one of the copies of head and table */
};

void redo_object_free(struct redo_object *r);

/* What needs no key.  Page i of the object: its number in the catalogue, the tag of
 * its seal; the 24 plain bytes of the catalogue's page 1 if that is it. */
uint32_t redo_object_number(const struct redo_object *r, uint32_t i);
const uint8_t *redo_object_tag(const struct redo_object *r, uint32_t i);
const uint8_t *redo_object_first_bytes(const struct redo_object *r, uint32_t i);
/* Its 8192 bytes as they stand in the catalogue; after redo_unpack(). */
const uint8_t *redo_object_page(const struct redo_object *r, uint32_t i);

/* Under head.uid, which the caller has drawn. */
int redo_object_put(struct objects *o, const struct redo_object *r, struct err *e);

/* MUNI_DAMAGED: no copy of the head is whole.  MUNI_FORMAT: of a later version.
 * Anything else: it could not be read now. */
int redo_object_head(struct objects *o, const struct object_name *name,
		     struct redo_head *out, struct err *e);
/* Checks all of it, mends what parity can.  MUNI_DAMAGED: more is damaged than
 * that; out is then empty but for its counts. */
int redo_object_load(struct objects *o, const struct object_name *name,
		     struct redo_object *out, struct err *e);

#endif

/*
 * The inventory in the catalogue: what a scan saw of a live source.  One row an
 * item of a system, by its path; written by scans, read by everything that decides.
 * Rows of an item go when the item's record is destroyed.
 *
 * As catalogue.h: writing is between catalogue_begin() and _commit().
 */
#ifndef FS_STORE_CATALOGUE_ITEMS_H
#define FS_STORE_CATALOGUE_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"

struct scan {
	int64_t id;
	int64_t system;
	char *source;		/* as given; owned (scan_clear()) */
	char source_kind[32];
	int64_t began, ended;	/* seconds; ended 0: in progress or cut off */
	uint64_t fingerprint;	/* of the recognisers */
	uint64_t items, files, bytes;	/* present at its end */
	uint64_t looked_into, unchanged, problems;
	bool is_complete;
};
void scan_clear(struct scan *s);

struct stored_finding {
	char *id;		/* recogniser */
	uint64_t count;
	uint8_t confidence, sensitivity;
	char *where;
	char *samples;		/* JSON: [{"text":…,"offset":…,"where":…}] */
};

struct item_row {
	int64_t id;		/* never reused */
	int64_t system;
	int64_t scan;		/* that saw it last */
	char *path;		/* bytes; owned */
	size_t path_size;
	enum node_kind kind;
	uint32_t mode, uid, gid, links;
	char *owner, *group;	/* owned; NULL: unknown */
	uint64_t size;
	struct stamp mtime, ctime, atime, btime;
	bool has_btime;
	uint64_t device, inode;
	uint64_t fingerprint;	/* of the recognisers it was looked into with */
	bool has_sha256;
	struct digest sha256;
	char *format, *claimed, *encoding, *script;	/* owned; NULL: none */
	char *opaque;		/* owned; NULL: all was looked into */
	int64_t duplicate_of;	/* id of the first (by path) with this content; 0: itself
				 * the first, or unique */
	uint64_t copies;	/* of its content in the system, itself included */
	struct stored_finding *findings;	/* owned */
	size_t finding_count;
};
void item_row_clear(struct item_row *r);	/* frees, and empties it */

/* ---- scans ------------------------------------------------------------------------ */

/* The system is made if it is not there (it has no version yet).  Goes on with a
 * scan of the same source that was cut off: *is_resumed. */
int catalogue_scan_begin(struct catalogue *c, const char *system, struct scan *s,
			 bool *is_resumed, struct err *e);
int catalogue_scan_end(struct catalogue *c, const struct scan *s, struct err *e);
/* The newest one of a system; MUNI_NOT_FOUND says how to make one. */
int catalogue_scan_latest(struct catalogue *c, int64_t system, struct scan *out,
			  struct err *e);

/* ---- items ------------------------------------------------------------------------- */

/* The item of this path as the scan before left it; MUNI_NOT_FOUND. */
int catalogue_item_find(struct catalogue *c, int64_t system, const void *path,
			size_t path_size, struct item_row *out, struct err *e);
/* New or changed: replaces the row of that path (same id) and its findings. */
int catalogue_item_put(struct catalogue *c, struct item_row *r, struct err *e);
/* Unchanged: only that this scan saw it. */
int catalogue_item_seen(struct catalogue *c, int64_t id, int64_t scan, struct err *e);
/* At the end of a whole scan: rows that it did not see go; duplicates are settled
 * (first by path; empty files are no duplicates). */
int catalogue_items_settle(struct catalogue *c, int64_t system, int64_t scan,
			   uint64_t *gone, struct err *e);
/*
 * In byte order of paths, after `after` (NULL: from the first).  row: as in
 * catalogue_list(); duplicate_path: of duplicate_of, or NULL.  The row is borrowed.
 */
int catalogue_items(struct catalogue *c, int64_t system, const void *after,
		    size_t after_size,
		    int (*row)(void *arg, const struct item_row *r,
			       const char *duplicate_path, size_t duplicate_size),
		    void *arg, struct err *e);

#endif

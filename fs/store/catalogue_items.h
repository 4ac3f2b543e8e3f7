/*
 * The inventory in the catalogue: what a scan saw of a live source.  One row an
 * item of a system, by its path; written by scans, read by everything that decides.
 * Rows of an item go when the item's record is destroyed.
 *
 * As catalogue.h: writing is between catalogue_begin() and _commit().  A catalogue
 * of an older format has no inventory: MUNI_NOT_FOUND.
 */
#ifndef FS_STORE_CATALOGUE_ITEMS_H
#define FS_STORE_CATALOGUE_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"

/* ---- scans ------------------------------------------------------------------------ */

struct scan {
	int64_t id;
	int64_t system;
	char *source;		/* as given; owned (scan_clear()) */
	char source_kind[32];	/* "directory", "tar+gzip" ... */
	struct digest stamp;	/* of an archive file: changes when it does; zeros else */
	int64_t began, ended;	/* seconds; ended 0: in progress or cut off */
	uint64_t fingerprint;	/* of the recognisers */
	/* Of a whole one, at its end: */
	uint64_t items, files, bytes;	/* bytes: of files, a hard-link group once */
	uint64_t looked_into, unchanged, problems;
	struct digest digest;	/* over the inventory, docs/format.md */
	bool is_complete;
};
void scan_clear(struct scan *s);

/*
 * In: source, source_kind, stamp, began, fingerprint.  The system is made if it is
 * not there (it has no version yet).  Goes on with the newest scan where that was
 * cut off and had the same source, stamp and fingerprint: *is_resumed.  Fills id,
 * system, began.  Until catalogue_scan_end() or _stop() it counts as in progress.
 */
int catalogue_scan_begin(struct catalogue *c, const char *system, struct scan *s,
			 bool *is_resumed, struct err *e);
/* It is whole: writes the counts, digest, ended. */
int catalogue_scan_end(struct catalogue *c, const struct scan *s, struct err *e);
/* Every scan in progress was cut off (by a crash, or as the user wished). */
int catalogue_scan_stop(struct catalogue *c, struct err *e);
int catalogue_scan_is_running(struct catalogue *c, bool *out, struct err *e);
/* The newest one of a system, whole or not; MUNI_NOT_FOUND says how to make one. */
int catalogue_scan_latest(struct catalogue *c, int64_t system, struct scan *out,
			  struct err *e);
/* A system that was scanned, whether a version of it was ingested or not;
 * MUNI_NOT_FOUND says how to scan it. */
int catalogue_scanned_system(struct catalogue *c, const char *name, struct system *out,
			     struct err *e);

/* What is in no item, or not whole; of the newest scan only. */
int catalogue_scan_problem_add(struct catalogue *c, int64_t scan, const void *path,
			       size_t path_size, const char *what, struct err *e);
int catalogue_scan_problems(struct catalogue *c, int64_t scan,
			    int (*row)(void *arg, const void *path, size_t path_size,
				       const char *what), void *arg, struct err *e);

/* ---- items ------------------------------------------------------------------------- */

#define ITEM_PATH_MAX (128u << 10)
#define ITEM_OPAQUE_MAX 1000
#define ITEM_FINDINGS_MAX 1000

struct stored_finding {
	char *id;		/* recogniser */
	uint64_t count;
	uint8_t confidence, sensitivity;
	char *where;
	char *samples;		/* JSON: [{"text":…,"offset":…,"where":…}] */
};

struct item_row {
	int64_t id;		/* never reused; an item is found by its path only */
	int64_t system;
	int64_t scan;		/* that wrote the row: it was new then, or had changed */
	char *path;		/* bytes; owned */
	size_t path_size;
	enum node_kind kind;	/* a directory: an empty one */
	uint32_t mode, uid, gid, links;
	char *owner, *group;	/* owned; NULL: unknown */
	uint64_t size;		/* files: bytes; symlinks: length of the target */
	uint64_t allocated;	/* files: bytes that are not hole */
	uint32_t rdev_major, rdev_minor;
	struct stamp mtime, ctime, atime, btime;
	bool has_btime;
	bool is_unsettled;	/* changed while it was read, or could not be read: it is
				 * looked at again by the next scan, whatever its times */
	uint64_t device, inode;	/* device 0: an archive's entry, names of one file have
				 * one inode; both 0: unknown */
	char *target;		/* of a symlink; bytes, `size` of them; owned */
	/* From the scan that wrote the row; not written: */
	uint64_t fingerprint;	/* of the recognisers it was looked into with */
	int64_t scan_began;
	bool has_sha256;
	struct digest sha256;
	char *format, *claimed, *encoding, *script;	/* owned; NULL: none */
	char *opaque;		/* owned; NULL: all was looked into */
	/* Written by catalogue_items_settle() only: */
	int64_t duplicate_of;	/* id of the first (by path) with this content; 0: itself
				 * the first, another name of it, or unique */
	uint64_t copies;	/* inodes of its content in the system, its own included */
	struct stored_finding *findings;	/* owned */
	size_t finding_count;
};
void item_row_clear(struct item_row *r);	/* frees, and empties it */

/* The item of this path as the scan before left it, without its findings unless
 * with_findings (finding_count tells how many all the same); MUNI_NOT_FOUND. */
int catalogue_item_find(struct catalogue *c, int64_t system, const void *path,
			size_t path_size, bool with_findings, struct item_row *out,
			struct err *e);
/* Is there any item of the system? */
int catalogue_items_any(struct catalogue *c, int64_t system, bool *out, struct err *e);
/* New or changed: replaces the row of that path (same id) and its findings.  Fills
 * r->id.  MUNI_LIMIT: no row can hold it; nothing was written. */
int catalogue_item_put(struct catalogue *c, struct item_row *r, struct err *e);
/* Row, findings and decision of an item that was destroyed in its source, which is no
 * error where they are gone already; after the last one what the others say of it. */
int catalogue_item_forget(struct catalogue *c, int64_t system, const void *path,
			  size_t path_size, struct err *e);
int catalogue_items_forgotten(struct catalogue *c, int64_t system, struct err *e);

struct item_sums {
	uint64_t items, files, bytes;	/* as in struct scan */
	uint64_t gone;		/* rows that went */
	uint64_t with_findings, opaque;
	uint64_t duplicates, duplicate_bytes;	/* of them, an inode once */
	struct digest digest;
};
/*
 * At the end of a whole scan: rows of which is_there(arg, id) is false go, with
 * their findings; duplicates are settled: the first by path is the original, names
 * of its inode are no duplicates of it, empty files are none at all.
 */
int catalogue_items_settle(struct catalogue *c, int64_t system,
			   bool (*is_there)(void *arg, int64_t id), void *arg,
			   struct item_sums *sums, struct err *e);
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

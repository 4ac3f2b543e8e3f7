/*
 * Ingest: a source becomes one new version of a system.
 *
 *   I1  A version is visible only when it is whole in the catalogue and all its
 *       blocks are on stable storage.
 *   I2  What could not be taken in is named in the version's problems; then the
 *       version is INCOMPLETE and vault_ingest() returns -1 with
 *       MUNI_INCOMPLETE, the version being there all the same (result filled).
 *   I3  Killed at any moment, the archive stays valid; what was stored is found
 *       again by content, not stored twice.
 *   I4  An unchanged item costs no row and no byte.
 *   I5  Nothing outside the archive is written; links in the source are never
 *       followed.
 *   I6  Of a system that was classified only what is to be archived is taken in, each
 *       item into its class, unless options.everything says otherwise; the rest is
 *       counted by what was decided (docs/decisions/0081).
 */
#ifndef FS_VAULT_INGEST_H
#define FS_VAULT_INGEST_H

#include "fs/vault/sizes.h"
#include "fs/vault/vault.h"

#define INGEST_GLOB_MAX 4095

struct ingest_options {
	const char *system;
	const char *label;	/* NULL: the next number, "1", "2" ... */
	const char *class_code;	/* NULL: unclassified */
	bool has_at;
	int64_t at;		/* else the time of ingest */
	/* Globs (fnmatch; "*" passes "/"): with a "/" in it on the whole path below
	 * the source, else on the path and on the name; one that ends in "/" means
	 * directories.  A directory goes with all below it. */
	const char *const *excludes;	/* of INGEST_GLOB_MAX bytes each, at most */
	size_t exclude_count;
	bool one_file_system;
	bool dry_run;		/* read and count, store nothing */
	bool everything;	/* also what was not decided to be archived */
	bool reread;		/* do not trust device, inode, size, mtime, ctime */
	bool allow_rar;
	bool allow_raw;		/* a single compressed file that is no archive */
	const char *name_encoding;	/* of old zips; NULL: as the archive says */
	unsigned threads;	/* 0: one a processor */
	uint64_t bomb_limit;	/* refuse an archive that expands past it; 0: default */
};

/* What a decision kept out. */
struct left_out {
	struct { uint64_t items, bytes; } by[4];	/* policy's enum decision */
	uint64_t undecided;	/* among those for review: new or changed since the scan */
	uint64_t taken;		/* decided to be archived, and there */
	uint64_t missing;	/* decided to be archived, and no longer there */
};

struct ingest_result {
	struct version version;	/* as sealed (dry run: id 0) */
	uint64_t unchanged, added, changed, removed, moved;
	uint64_t read_bytes;
	uint64_t milliseconds;	/* all of it took */
	bool has_sizes;
	struct vault_sizes sizes;	/* of the whole archive, now */
	bool is_selected;	/* decisions were followed: left_out says how */
	struct left_out left_out;
};

/* Files that an ingest makes use of having open (descriptors_lift()); it takes what it may. */
#define INGEST_DESCRIPTORS 8192

/* source: a directory, an archive file, or "-" for standard input. */
int vault_ingest(struct vault *v, const char *source, const struct ingest_options *o,
		 const struct vault_monitor *m, struct ingest_result *out, struct err *e);

#endif

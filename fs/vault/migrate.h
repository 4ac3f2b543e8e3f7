/*
 * Migration: what was decided so goes from the live source to its new place,
 * without a stay in the archive, with the exactness of an export of a version.
 *
 *   G1  An item goes only as it was scanned: of its size and modification time, and
 *       with the inventory's SHA-256.  What is new or has changed is undecided: left
 *       out and counted.  Other content behind the same times is named, and the
 *       export fails as on a damaged archive.
 *   G2  What cannot be read, or is no longer there, is named; the rest goes on.
 *   G3  Nothing in the source is written, links in it are never followed.
 *   G4  Names of one inode are names of one file in the target.  A directory is there
 *       if something in it is, with all of its own attributes.
 *   G5  A migration stands in the audit log, with counts and no names.
 */
#ifndef FS_VAULT_MIGRATE_H
#define FS_VAULT_MIGRATE_H

#include "fs/vault/export.h"
#include "fs/vault/ingest.h"
#include "policy/policy.h"

struct migrate_options {
	const char *system;
	const char *source;	/* a directory */
	enum decision decision;	/* DECISION_MIGRATE, as a rule */
	struct export_options target;
};

struct migrate_listener {	/* NULL function: silent */
	/* path: printable. */
	void (*loss)(void *arg, const char *path, const char *what);
	/* path: bytes, below the source; "" is the source itself. */
	void (*problem)(void *arg, const void *path, size_t path_size, const char *what);
	void *arg;
};

struct migrate_result {
	struct export_result target;
	uint64_t items;		/* that have a place in the target */
	struct left_out left_out;	/* taken, missing: of those to be migrated */
};

/* For VAULT_WRITE.  MUNI_INCOMPLETE: some items are named as problems; the others are
 * there, and *out is filled. */
int vault_migrate(struct vault *v, const struct migrate_options *o,
		  const struct migrate_listener *to, const struct vault_monitor *m,
		  struct migrate_result *out, struct err *e);

#endif

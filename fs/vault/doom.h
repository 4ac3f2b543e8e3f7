/*
 * What goes with a set of records, and what has to be kept out of its way: marking,
 * re-packing of survivors, copying of the rows that stay.  Used by the switch of epoch
 * alone (fs/vault/epoch.h): doom_mark(), doom_repack(), doom_put_marks(), doom_copy(),
 * doom_result(), doom_free(), with nothing written to the catalogue in between.  docs/format.md, "What a
 * destruction removes", says of each table what goes.
 *
 *   D1  Liveness is computed, never counted: one scan of the extents of kept records.
 *   D2  A block whose key the next catalogue has holds nothing of what goes, unless a kept
 *       record has these very bytes too.
 *   D3  Names, salts, metadata, owners' names, extended attributes, chunk names, inventory,
 *       findings, decisions, overrides, problems and log details of what goes are not in
 *       the next catalogue; the bare leaf is (table stub), so every version's root holds.
 *   D4  Cost grows with what goes and with the catalogue, not with the segments.
 */
#ifndef FS_VAULT_DOOM_H
#define FS_VAULT_DOOM_H

#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/vault.h"

struct doom;

struct doom_result {
	uint64_t records;	/* of the list */
	uint64_t directories;	/* that went with what was in them */
	uint64_t bytes;		/* logical, of the files among the records, an inode once */
	uint64_t contents_gone, contents_shared;	/* shared: a kept record has the bytes */
	uint64_t blocks_gone;	/* their keys are in no catalogue any more */
	uint64_t blocks_repacked;	/* of these: had survivors, which were moved */
	uint64_t bytes_repacked;	/* sealed, of the new blocks */
	uint64_t segments_gone;
	struct digest keys;	/* SHA-256 over the ids of blocks_gone, ascending */
};

/* Marks by the items of the disposition (0: nothing goes).  v->catalogue is read, here and
 * below, and never written.  MUNI_REFUSED: the list names what is not there any more. */
int doom_mark(struct vault *v, int64_t disposition, struct doom **out, struct err *e);
void doom_free(struct doom *d);		/* NULL is allowed */
/* New blocks for survivors, in new segments, on stable storage.  Their ids are taken by
 * the next catalogue alone: a switch that is taken back leaves segments without rows. */
int doom_repack(struct doom *d, struct vault *v, const struct vault_monitor *m, struct err *e);
/* certificates/D<n>.marks (fs/vault/marks.h), on stable storage. */
int doom_put_marks(const struct doom *d, struct vault *v, struct err *e);
/* Every row that stays, from v->catalogue into the empty `next` (attached inside), in a
 * transaction of its own; settles the disposition: state GONE, outcomes, names. */
int doom_copy(struct doom *d, struct vault *v, struct catalogue *next,
	      const struct vault_monitor *m, struct err *e);
void doom_result(const struct doom *d, struct doom_result *out);
/* Entries of the audit log whose details go: "3-7,9", "" none; malloc'ed, NULL without
 * memory.  The entry of the switch commits to it, so that nothing else may be missing. */
char *doom_words_gone(const struct doom *d);

#endif

/*
 * Scan: the inventory of a live source, before anything is decided.
 *
 *   S1  Nothing in the source is written, links are never followed, access times
 *       stay as they were where the system lets us.
 *   S2  An item whose device, inode, size, mtime, ctime are as the scan before saw
 *       them, with the same recognisers, is not read again.
 *   S3  Killed at any moment, what was committed stays; the next scan of the source
 *       goes on from there.
 *   S4  Every item of the source is in the inventory, or in the problems.
 *   S5  The rows do not depend on the number of threads or on the order of reading.
 */
#ifndef FS_VAULT_SCAN_H
#define FS_VAULT_SCAN_H

#include "fs/vault/examiner.h"
#include "fs/vault/vault.h"

struct scan_options {
	const char *system;
	const char *const *excludes;	/* as in ingest.h */
	size_t exclude_count;
	bool one_file_system;
	bool reread;
	unsigned threads;	/* 0: one a processor */
	const struct custom_recogniser *custom;
	size_t custom_count;
	struct look_limits limits;
};

struct scan_result {
	uint64_t items, files, bytes;	/* in the inventory now */
	uint64_t looked_into, unchanged, gone, problems;
	uint64_t read_bytes;
	uint64_t with_findings, opaque, duplicates, duplicate_bytes;
	bool is_resumed;
};

/* source: a directory or an archive file.  MUNI_INCOMPLETE: some items could not
 * be read; the rest is there.  For VAULT_WRITE. */
int vault_scan(struct vault *v, const char *source, const struct scan_options *o,
	       const struct vault_monitor *m, struct scan_result *out, struct err *e);

struct item_row;
/* Whether the digest of an item that has one is the SHA-256 of its bytes: not of a file with
 * more hole than LEAF_HOLE_MAX (leaf.h). */
bool scan_digest_is_plain(const struct item_row *r);

#endif

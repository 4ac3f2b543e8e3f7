/*
 * Fixity: verify reads every byte of the archive, repair mends what parity and
 * redo cover.
 */
#ifndef FS_VAULT_VERIFY_H
#define FS_VAULT_VERIFY_H

#include "fs/vault/vault.h"

struct verify_options {
	bool deep;		/* also file digests and Merkle roots */
	unsigned threads;	/* 0: one a processor */
};

enum finding_kind {
	FINDING_DAMAGE,		/* of an object, a page, the log, a head ... */
	FINDING_FILE,		/* a file that a damage touches */
	FINDING_NOTE,		/* not damage: unreferenced bytes, no anchor */
};

struct verify_finding {
	enum finding_kind kind;
	const char *where;	/* "segments/ab/ab12.seg at 65,536", or a printable path */
	const char *what;	/* a sentence */
	bool can_repair;
	/* FINDING_FILE: */
	const char *system;
	const char *path;	/* bytes, NUL ended */
	size_t path_size;
	const char *first_label, *last_label;	/* versions it stands in */
};

struct verify_summary {
	uint64_t blocks, block_bytes, files, versions;
	uint64_t damages, files_touched, repairable;
	bool is_unvouched;	/* of repair: parity was made anew for segments of which the
				 * keys could not tell whether they are what was written */
};

/*
 * Works from the path, not from an open vault: a damaged catalogue or keyring
 * half must not keep it from looking at the rest.  Returns 0 if all is whole,
 * -1 with MUNI_DAMAGED if anything is damaged (all of it reported first).  While
 * it runs writers wait or are told MUNI_BUSY, as it is if one is at work.
 */
int vault_verify(const char *path, const struct vault_options *o,
		 const struct verify_options *how, const struct vault_monitor *m,
		 void (*found)(void *arg, const struct verify_finding *f), void *arg,
		 struct verify_summary *out, struct err *e);

/*
 * Mends; found() says of each damage whether it was mended, and names the files
 * that stay damaged.  0: nothing damaged is left; MUNI_DAMAGED: something is;
 * MUNI_BUSY: the catalogue has to be rebuilt, and somebody has it open.
 */
int vault_repair(const char *path, const struct vault_options *o,
		 const struct vault_monitor *m,
		 void (*found)(void *arg, const struct verify_finding *f), void *arg,
		 struct verify_summary *out, struct err *e);

#endif

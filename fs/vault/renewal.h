/*
 * The renewal of the archive's own signing key: after a compromise, or when its algorithm
 * ages.
 *
 *   X1  Before the log's entry is committed a crash leaves the former key alone; after it,
 *       the next writer goes on to the end.
 *   X2  Nothing that the former key signs counts past that entry.
 */
#ifndef FS_VAULT_RENEWAL_H
#define FS_VAULT_RENEWAL_H

#include "fs/vault/vault.h"

struct officer_key;

struct renewal_request {	/* all borrowed */
	const char *algorithm;	/* "ecdsa-p384" ...; NULL: the one that is stronger than init's */
	const char *reason;
	const char *officer;	/* both NULL where the archive has no officers */
	struct officer_key *key;
};
struct renewal_result {
	struct digest before, after;	/* SHA-256 of the two certificates (DER) */
	uint64_t entry;		/* of the log, which tells of it */
	uint64_t versions;	/* whose statements were signed anew */
};
/*
 * Another key signs for the archive from now on: heads, statements of versions (those of
 * before are signed anew), certificates.  The former's secret is overwritten; what it signed
 * stays valid up to the entry of the log that tells of the renewal, which both keys signed
 * (docs/decisions/0137).  MUNI_REFUSED: an officer is missing; MUNI_USAGE: no such algorithm.
 */
int vault_renew_signing(struct vault *v, const struct renewal_request *r,
			struct renewal_result *out, struct err *e);

/* What tells of renewals to whoever has no key (files archive-*), into this folder too. */
int vault_renewals_save(struct vault *v, int folder, struct err *e);

#endif

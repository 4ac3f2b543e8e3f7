/*
 * The proof that a file stood in a signed version: everything that a stranger needs to
 * compute the version's root from the file's digest, and the signature over that root.
 * docs/format.md, "Proof of a file", gives every field.
 *
 *   Q1  A proof names the file, the folders above it, and nothing else that the version
 *       holds: of the rest there are bare hashes.
 *   Q2  It needs neither archive nor key to be checked, and holds after other parts of
 *       the version were destroyed.
 */
#ifndef FS_VAULT_PROOF_H
#define FS_VAULT_PROOF_H

#include "fs/crypt/digest.h"
#include "fs/vault/vault.h"

/* Canonical JSON, malloc'ed.  MUNI_NOT_FOUND: no such path in that version. */
int proof_make(struct vault *v, const char *spec, const void *path, size_t path_size,
	       char **out, size_t *size, struct err *e);

struct proof_facts {		/* what the proof proves; texts malloc'ed */
	char *system, *label;	/* NULL: the salt of their commitment was destroyed */
	char *path;		/* bytes, NUL ended */
	size_t path_size;
	char *kind;		/* "file", "directory" ... */
	bool has_sha256;	/* a file whose digest is SHA-256 over its bytes */
	struct digest sha256;
	uint64_t size;
	int64_t modified;
	char archive[33];
	char *signer;		/* subject of the certificate that signed the version */
	struct digest signer_fingerprint;
	int64_t signed_at;
	char *time;		/* of the version's ingest, as the statement has it */
};
/* certificate: the archive's (PEM or DER), as the auditor has it from elsewhere; NULL: the
 * one in the signature, which proves less.  MUNI_FORMAT; MUNI_DAMAGED: it proves nothing. */
int proof_check(const void *proof, size_t size, const uint8_t *certificate,
		size_t certificate_size, struct proof_facts *out, struct err *e);
/* MUNI_DAMAGED unless the file at path has the content that was proven. */
int proof_check_file(const struct proof_facts *f, const char *path, struct err *e);
void proof_facts_clear(struct proof_facts *f);

#endif

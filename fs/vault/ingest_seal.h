/*
 * The end of an ingest: its statement, signed, and the act in the log.
 * docs/format.md, "Version statement and Merkle trees".
 */
#ifndef FS_VAULT_INGEST_SEAL_H
#define FS_VAULT_INGEST_SEAL_H

#include "fs/vault/ingest_inside.h"

/* g->version is final; the transaction is open, and committed on success. */
int ingest_seal(struct ingest *g, struct err *e);

#endif

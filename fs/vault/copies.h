/*
 * Copies of the data or of the keyring that people keep elsewhere, as they declare them.
 * A certificate says of each what became of it.
 */
#ifndef FS_VAULT_COPIES_H
#define FS_VAULT_COPIES_H

#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/vault.h"

/* of: "data" or "keyring".  Logged (LOG_COPY). */
int vault_copy_declare(struct vault *v, const char *of, const char *place, int64_t *id,
		       struct err *e);
/* state: "kept", "destroyed" or "lost".  MUNI_NOT_FOUND. */
int vault_copy_settle(struct vault *v, int64_t id, const char *state, struct err *e);

#endif

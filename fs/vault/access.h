/*
 * Opens on an audited mount, into the archive's log.
 */
#ifndef FS_VAULT_ACCESS_H
#define FS_VAULT_ACCESS_H

#include "fs/vault/vault.h"

/*
 * Opens the archive for writing, appends one entry LOG_OPEN with `details` (a
 * JSON text that names any number of opens), closes it.  MUNI_BUSY while
 * another writer holds the archive: keep the details and try again.
 */
int vault_log_opens(const char *path, const struct vault_options *o, const char *details,
		    struct err *e);

#endif

/*
 * Records whose use is restricted, for who reads an archive through this API: they are
 * kept, but nobody works with them.  Without a reason that goes into the log they are to
 * the caller as if they were not there.
 *
 *   R1  What is barred has no name here, and asked for by name it is answered as what
 *       never was.
 *   R2  The entry of the log is on stable storage before anything barred is shown.
 *
 * Acts that administer records (retention, dispositions, inventories, verification) name
 * them all the same: docs/decisions/0125.
 */
#ifndef FS_VAULT_BARRED_H
#define FS_VAULT_BARRED_H

#include "fs/vault/vault.h"

struct barred {			/* classes; {0}: nothing is barred.  Owned */
	int64_t *classes;
	size_t count;
};

int barred_read(struct catalogue *c, struct barred *out, struct err *e);
void barred_free(struct barred *b);
/* b NULL: no. */
bool barred_has(const struct barred *b, const struct node *n);

struct barred_use {		/* strings borrowed */
	const char *command;	/* "cat" */
	const char *system, *version;	/* version: a label */
	const char *other_version;	/* of a comparison; else NULL */
	char *const *paths;	/* normalised; "" is all of it */
	size_t path_count;
	const char *reason;	/* UTF-8, not empty */
};

/* Logs the use (LOG_RESTRICTED_USED); v is open for writing.  MUNI_USAGE: no reason. */
int barred_log_use(struct vault *v, const struct barred_use *use, struct err *e);

#endif

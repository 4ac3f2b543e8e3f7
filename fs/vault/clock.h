/*
 * Where the clock is in doubt, officers say what time it is: two different persons, within
 * a day, each by a signature that stands in the log (docs/decisions/0091, "Clock").
 */
#ifndef FS_VAULT_CLOCK_H
#define FS_VAULT_CLOCK_H

#include "fs/vault/roster.h"
#include "fs/vault/vault.h"

/* Signs the present time of this host.  *is_enough: another officer did so within a day. */
int vault_clock_sign(struct vault *v, const char *officer, struct officer_key *key,
		     bool *is_enough, struct err *e);

/* The entry is an officer's signature over its own time: *who, borrowed from the roster;
 * NULL where it is not. */
int clock_signer(struct vault *v, const struct roster *r, const struct log_entry *entry,
		 const struct officer **who, struct err *e);

#endif

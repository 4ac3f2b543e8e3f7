/*
 * Clearance: may this disposition be executed, now?  The one question that stands
 * before every deletion (docs/decisions/0091).
 *
 *   L1  Every rule is asked anew, as of now, with the archive's lock held; nothing is
 *       remembered from the proposal.
 *   L2  MUNI_REFUSED cites the rule and names the record, the officer or the clock; the
 *       refusal is in the log when this returns.
 */
#ifndef FS_VAULT_CLEARANCE_H
#define FS_VAULT_CLEARANCE_H

#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/vault.h"

int clearance_check(struct vault *v, int64_t disposition, struct err *e);
/* The clock alone (docs/decisions/0091, "Clock"). */
int clearance_clock(struct vault *v, struct err *e);
/* Appends LOG_REFUSED with what e says, whose rule stands before its first colon and in
 * which no name may be that a destruction has to remove.  what: "execute D1"; actor NULL:
 * the key's holder. */
void clearance_refused(struct vault *v, const char *what, const struct digest *actor,
		       const struct err *e);

#endif

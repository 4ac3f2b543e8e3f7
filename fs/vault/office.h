/*
 * How each officer came into office: read again from the log every time, since the table
 * is only a table.  docs/decisions/0149.
 *
 *   O1  Until the first approval that this rule covers, the archive's key is enough.
 *   O2  From then on an addition waits until two persons in office have signed its
 *       statement; where one alone is left, that one and the former certificate of the
 *       same id.
 *   O3  Without them it takes OFFICE_WAIT, counts for nothing that was proposed before,
 *       and is told for ever.
 *   O4  An approval of the log whose signature is not one, by somebody who may, over the
 *       statement of that very addition, lets nobody in, and is told as forged.
 */
#ifndef FS_VAULT_OFFICE_H
#define FS_VAULT_OFFICE_H

#include "fs/vault/roster.h"

#define OFFICE_WAIT (30 * 86400)	/* seconds */
/* In the details of LOG_APPROVED: from here on O2.  Approvals of before do not have it, so
 * that the officers of older archives stay in office. */
#define OFFICE_CLOSED "by approval"

/* Fills standing, counts_from and approved_by of the roster, r->is_closed and r->forged. */
int office_replay(struct vault *v, struct roster *r, struct err *e);
/* What is signed to let `o` in: canonical JSON, malloc'ed. */
int office_statement(const struct vault *v, const struct officer *o, char **out,
		     struct err *e);
/* May `by` sign for `o`?  MUNI_REFUSED. */
int office_may_approve(const struct roster *r, const struct officer *o,
		       const struct officer *by, struct err *e);
/* "waiting": for lists. */
const char *office_word(enum officer_standing s);

#endif

/*
 * Holds that officers sign for.  docs/decisions/0153.
 *
 *   H1  From the first hold on that an officer signed for, placed or released, the
 *       archive's key alone releases none.
 *   H2  Nothing is destroyed unless every signature from there on holds: of somebody who
 *       was in office then, in a role that may, over what the log says.
 */
#ifndef FS_VAULT_HOLD_OFFICER_H
#define FS_VAULT_HOLD_OFFICER_H

#include <jansson.h>

#include "fs/vault/vault.h"

struct hold_officer;

/*
 * Before the act is logged.  words: what the log is to say of it; with an officer it gets
 * his id and his signature over the rest.  by: NULL: the holder of the archive's key.
 * *actor: zeros without an officer.  MUNI_REFUSED: H1, or he may not.
 */
int hold_officer_sign(struct vault *v, const struct hold_officer *by, bool is_release,
		      json_t *words, struct digest *actor, struct err *e);
/* Takes what that added out of an entry's details again. */
void hold_officer_strip(json_t *words);
/* H2: MUNI_DAMAGED. */
int hold_officer_check(struct vault *v, struct err *e);

#endif

/* What classify*.c share. */
#ifndef FS_VAULT_CLASSIFY_INSIDE_H
#define FS_VAULT_CLASSIFY_INSIDE_H

#include "fs/vault/classify.h"
#include "fs/vault/inside.h"

/* What a class of this policy says, as canonical JSON; malloc'ed, NULL without
 * memory. */
char *classify_definition(const struct policy_class *k);
/* Why, in a sentence or two; malloc'ed, NULL without memory. */
char *classify_evidence(const struct judgement *j, const struct facts *f);
/* Ids of all rules that matched, "," between; NULL: none (*is_short: no memory). */
char *classify_matched(const struct policy_info *p, const uint8_t *matched, bool *is_short);

#endif

/*
 * Retention of items of a live source that are decided destroy: held, or of a class whose
 * period has not run out, they may not go there either.
 *
 *   R5  An item without a class may go by its decision alone, unless a hold covers it.  A
 *       hold covers a live item whether it is standing or not: what its query asks and the
 *       inventory cannot tell counts as covered.
 */
#ifndef FS_VAULT_RETAIN_LIVE_H
#define FS_VAULT_RETAIN_LIVE_H

#include "fs/store/catalogue_decisions.h"
#include "fs/vault/retain.h"

struct live_state {
	enum record_standing standing;
	const struct policy_class *ruling;	/* NULL: no class */
	const uint8_t *policy;	/* digest of the policy that defines it; NULL */
	enum then then;
	bool has_due;
	struct civil from, until, eligible;
	int64_t hold;		/* one that covers it */
	/* Every definition of its class that counts; borrowed until the next call. */
	const struct policy_class *definitions[16];
	size_t definition_count;
};

struct live_judge;
int live_judge_open(struct catalogue *c, int64_t system, int64_t now, struct live_judge **out,
		    struct err *e);
void live_judge_close(struct live_judge *j);	/* NULL is allowed */
/* Only items at such paths are asked for: a glob, or a name with what is below it. */
int live_judge_only(struct live_judge *j, const char *path, struct err *e);
bool live_judge_wants(const struct live_judge *j, const void *path, size_t size);
/* r: decided destroy.  *out borrows from j. */
int live_judge_item(struct live_judge *j, const struct decided_row *r, struct live_state *out,
		    struct err *e);

#endif

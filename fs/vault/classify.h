/*
 * Deciding: a policy over an inventory, officers' overrides over both.
 */
#ifndef FS_VAULT_CLASSIFY_H
#define FS_VAULT_CLASSIFY_H

#include "fs/store/catalogue_decisions.h"
#include "fs/vault/vault.h"
#include "policy/policy.h"

/* Reads and loads a policy file, its digest set. */
int vault_policy_read(const char *path, struct policy **out, char **text, size_t *size,
		      struct err *e);

/* An item of the inventory as rules see it; borrows from r and from findings
 * (room for r->finding_count). */
void facts_of_item(const struct item_row *r, const char *duplicate_path,
		   struct facts_finding *findings, struct facts *out);

struct decision_sum { uint64_t files, bytes; };
struct classify_result {
	struct decision_sum sums[4];	/* by enum decision, overrides applied */
	uint64_t items, overridden, differing;	/* overrides; those that policy contradicts */
	uint64_t redundant_bytes, obsolete_bytes, trivial_bytes;
};

/* One decision for each item of the inventory, in one transaction, logged. */
int vault_classify(struct vault *v, const char *system, const char *policy_path,
		   const struct vault_monitor *m, struct classify_result *out,
		   struct err *e);

struct override_request {
	const char *path;	/* exact, or a glob where is_glob */
	bool is_glob;
	enum decision decision;
	const char *class_code;	/* NULL: the policy's */
	const char *officer, *reason;
	bool is_withdrawn;	/* take the override back instead */
};
/* All or nothing, in one transaction, logged.  *count: items concerned. */
int vault_decide(struct vault *v, const char *system, const struct override_request *r,
		 size_t n, uint64_t *count, struct err *e);

/* What holds for an item: the override where there is one. */
enum decision decided_decision(const struct decided_row *r);
const char *decided_class(const struct decided_row *r);

#endif

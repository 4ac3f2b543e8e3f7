/*
 * Deciding: a policy over an inventory, officers' overrides over both.
 *
 *   K1  The same inventory, policy and time give the same decisions, byte for byte.
 *   K2  A classification and a set of overrides are there as a whole or not at all,
 *       and stand in the audit log.
 *   K3  An override outlives classification and scans; the policy's own decision
 *       stays beside it.
 *   K4  Nothing is decided by a policy that `muni policy check` would not let pass.
 *
 * docs/decisions/0081 says what an item is and what a decision binds.
 */
#ifndef FS_VAULT_CLASSIFY_H
#define FS_VAULT_CLASSIFY_H

#include "fs/store/catalogue_decisions.h"
#include "fs/vault/vault.h"
#include "policy/policy.h"

/* ---- policies --------------------------------------------------------------------- */

/* Reads and loads a policy file, its digest set.  *text malloc'ed; NULL: not wanted. */
int vault_policy_read(const char *path, struct policy **out, char **text, size_t *size,
		      struct err *e);
/* MUNI_USAGE: it has an error of those that `muni policy check` tells (policy_lint());
 * nothing new may be decided by it.  path: for the message. */
int vault_policy_check(const struct policy *p, const char *path, struct err *e);
/* The one that the system was classified with last.  MUNI_NOT_FOUND. */
int vault_policy_of(struct catalogue *c, int64_t system, struct policy **out,
		    struct policy_row *row, struct err *e);

/* ---- facts ------------------------------------------------------------------------- */

/* An item of the inventory as rules see it.  Borrows from item; the few texts that
 * must be made are in the struct. */
struct item_facts {
	struct facts facts;
	struct facts_finding *findings;	/* owned, kept for the next item */
	size_t capacity;
	char *duplicate;		/* owned */
};
int item_facts_fill(struct item_facts *out, const struct item_row *item,
		    const char *duplicate_path, size_t duplicate_size, struct err *e);
void item_facts_free(struct item_facts *f);

/* ---- classify ------------------------------------------------------------------------ */

#define DECISIONS 4

struct decision_sum {
	uint64_t items, bytes;
};

struct classify_result {
	struct decision_sum sums[DECISIONS];	/* by enum decision, overrides applied */
	struct decision_sum total;
	uint64_t overridden;	/* items on which an officer decided */
	uint64_t differing;	/* ... otherwise than the policy */
	uint64_t held_back;	/* would be decided, but could not be looked into */
	struct decision_sum rot[4];	/* by enum rot */
};

/* One decision for each item of the newest inventory of the system. */
int vault_classify(struct vault *v, const char *system, const char *policy_path,
		   const struct vault_monitor *m, struct classify_result *out,
		   struct err *e);

/* ---- what holds for an item ------------------------------------------------------------ */

bool is_decided(const struct decided_row *r);
/* The officer's, else the policy's, else review. */
enum decision decided_decision(const struct decided_row *r);
const char *decided_class(const struct decided_row *r);	/* NULL: none */
/* An officer decided otherwise than the policy. */
bool is_differing(const struct decided_row *r);

/* ---- decide ------------------------------------------------------------------------------ */

struct override_request {
	const char *path;	/* bytes: exact, or a glob (policy/glob.h) where is_glob */
	bool is_glob;
	bool is_withdrawn;	/* take the override back: the policy's decision holds again */
	enum decision decision;
	const char *class_code;	/* NULL: the policy's own */
	const char *officer, *reason;
};
/*
 * All or nothing.  *count: items concerned.  MUNI_NOT_FOUND names the request that
 * concerns no item; MUNI_USAGE: a class that the policy does not define, an empty
 * officer or reason.
 */
int vault_decide(struct vault *v, const char *system, const struct override_request *r,
		 size_t n, uint64_t *count, struct err *e);

#endif

/*
 * Who must agree, and who has: what the classes of a list ask for against the approvals
 * of its statement (docs/decisions/0091).
 *
 *   Q1  Each class under each definition that counts is asked; all must be content.
 *   Q2  One person counts once, whatever ids, certificates or roles; the proposer never
 *       counts; who is counted as a witness is not counted towards the quorum.
 *   Q3  An approval counts only while its officer is in office, with a certificate that
 *       was valid when signing and is now, over this very statement.
 */
#ifndef FS_VAULT_QUORUM_H
#define FS_VAULT_QUORUM_H

#include <jansson.h>

#include "fs/vault/roster.h"
#include "policy/policy.h"

#define WITNESSES_MAX 8

struct demand {			/* of one or more classes */
	unsigned quorum;	/* at least 1 */
	unsigned roles;		/* set; approvers have one of them */
	unsigned witness[WITNESSES_MAX];	/* roles, one person each; 0: a role that no
						 * officer can have */
	unsigned witness_count;
	json_t *words;		/* {"classes", "quorum", "roles", "witnesses"}; owned */
};

struct demands {
	struct demand *list;	/* owned */
	size_t count;
};
/* What the class asks for; definition NULL: one approval, for items without class. */
int demands_add(struct demands *d, const struct policy_class *definition, struct err *e);
/* As it stands in a statement: a new reference. */
json_t *demands_json(const struct demands *d);
int demands_parse(struct demands *d, const json_t *list, struct err *e);
void demands_clear(struct demands *d);

struct consent {		/* an approval, as it counts */
	const struct officer *officer;	/* borrowed from the roster; NULL: of nobody known */
	char *id;		/* owned: as the row has it */
	int64_t signed_at;	/* signingTime, else when it came in */
	bool counts;
	char why[1000];		/* where it does not: a sentence */
};

struct consents {
	struct consent *list;	/* owned */
	size_t count;
};
/* The approvals of d, each verified as of now. */
int consents_load(struct catalogue *c, const struct roster *r, const struct disposition_row *d,
		  int64_t now, struct consents *out, struct err *e);
void consents_clear(struct consents *c);

/* *missing: sentences, a line each, of what is still asked for; "" nothing; malloc'ed. */
int quorum_missing(const struct demands *d, const struct consents *c, char **missing,
		   struct err *e);

#endif

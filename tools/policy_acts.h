/*
 * The acts of `muni policy`, one file each: tools/policy_ACT.c.
 */
#ifndef TOOLS_POLICY_ACTS_H
#define TOOLS_POLICY_ACTS_H

#include "fs/vault/classify.h"
#include "policy/policy.h"
#include "tools/cli.h"

struct policy_words {		/* what was asked for */
	const char *system, *policy;
	const char *asof;	/* NULL: now */
	bool only_sums, is_csv;
};

/* Each gets the operands behind the act's name; returns 0 or -1. */
int policy_check(struct cli *cli, const struct policy_words *w, int count, char **operands,
		 struct err *e);
int policy_explain_item(struct cli *cli, const struct policy_words *w, int count,
			char **operands, struct err *e);
int policy_simulate(struct cli *cli, const struct policy_words *w, int count,
		    char **operands, struct err *e);
int policy_diff(struct cli *cli, const struct policy_words *w, int count, char **operands,
		struct err *e);
int policy_classes(struct cli *cli, const struct policy_words *w, int count, char **operands,
		   struct err *e);
int policy_import(struct cli *cli, const struct policy_words *w, int count, char **operands,
		  struct err *e);

/* ---- shared -------------------------------------------------------------------------- */

/* An archive open for reading, and a system of it that was scanned. */
struct policy_source {
	struct vault *vault;
	struct catalogue *catalogue;
	struct system system;
};
int policy_source_open(struct cli *cli, const char *archive, const char *system,
		       struct policy_source *out, struct err *e);
void policy_source_close(struct policy_source *s);

/* The second that rules and dates are judged at: the archive's clock, or the first of
 * the day `asof` in the policy's zone. */
int policy_moment(const struct policy_source *s, const struct policy *p, const char *asof,
		  int64_t *out, struct err *e);

/* What two files of a policy say differently about classes and rules. */
int policy_diff_texts(struct cli *cli, const struct policy *before,
		      const struct policy *after, struct err *e);

#endif

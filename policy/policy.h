/*
 * A policy: the classes of records and the rules that say what becomes of an item.
 * Text in, struct out; docs/policy.md and muni-policy(5) give every field.
 *
 *   P1  policy_decide() is a pure function: the same policy, facts and now give the
 *       same verdict, in ten years too.  No disk, no clock, no locale.
 *   P2  What is not understood is refused when it is loaded, with file, line and
 *       field; nothing is guessed and nothing unknown is skipped.  (Only the patterns
 *       of a policy's own recognisers are left to policy_lint() and to the scan,
 *       since deciding needs no Vectorscan.)
 *   P3  Nothing is destroyed by default: what no rule matches is reviewed, and an
 *       item that could not be looked into goes to review unless the rule that
 *       decides says `opaque: accept`, or decides archive and would have done so
 *       whatever stands inside: neither it nor any rule before it that says
 *       something else could turn out otherwise.
 *
 * Constant once loaded: any number of threads.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/detect/detect.h"
#include "policy/facts.h"
#include "policy/period.h"

struct err;
struct policy;
struct condition;

#define POLICY_TEXT_MAX (4u << 20)
#define POLICY_ID_MAX 64

enum decision {			/* in the catalogue: never renumber, never reuse */
	DECISION_REVIEW = 0,
	DECISION_MIGRATE = 1,
	DECISION_ARCHIVE = 2,
	DECISION_DESTROY = 3,
};
const char *decision_name(enum decision d);	/* "review" ... */
int decision_parse(const char *text, enum decision *out);	/* -1: none */

enum importance { IMPORTANCE_LOW, IMPORTANCE_NORMAL, IMPORTANCE_HIGH, IMPORTANCE_VITAL };
const char *importance_name(enum importance i);
int importance_parse(const char *text, enum importance *out);
const char *sensitivity_name(enum sensitivity s);
int sensitivity_parse(const char *text, enum sensitivity *out);

enum then { THEN_DESTROY, THEN_REVIEW, THEN_TRANSFER, THEN_KEEP };
const char *then_name(enum then t);
int then_parse(const char *text, enum then *out);

struct mandate {
	char *instrument, *clause, *jurisdiction;
	bool has_minimum;
	struct period minimum;	/* what the instrument asks for at least */
};

struct policy_class {
	char *id;
	char *title_en, *title_zh;	/* NULL: not given; one of them is */
	struct mandate *mandates;
	size_t mandate_count;
	enum sensitivity sensitivity;
	enum importance importance;
	char *trigger;		/* "modified", "created", "ingested", "retired", "event:NAME" */
	char *fallback;		/* the same words; NULL: none */
	unsigned cutoff_month, cutoff_day;	/* 0: none */
	struct period period;
	enum then then;
	unsigned quorum;
	char **roles;		/* approvers, ended by NULL */
	char **witnesses;
	struct period grace;
	char *residual;		/* "stub" or "none" */
	char *names;		/* "keep", "commit", "drop" */
	char **groups;		/* access; ended by NULL; empty: everybody */
	unsigned line;
};

struct policy_rule {
	char *id;
	struct condition *when;
	enum decision decide;
	char *class_id;		/* NULL: none */
	char *because;		/* NULL: none */
	bool accepts_opaque;
	unsigned line;
};

struct policy_info {		/* borrowed from the policy */
	const char *name;
	unsigned version;
	const char *calendar;	/* time zone */
	const uint8_t *digest;	/* 32 bytes: SHA-256 of the text as loaded (set by the caller) */
	enum decision unmatched;
	size_t class_count, rule_count, custom_count;
	const struct policy_class *classes;
	const struct policy_rule *rules;
	const struct custom_recogniser *custom;
};

/* name: of the file, for messages ("crm.yaml:12: rules[3].when.size: ...").
 * zone: opened by its name inside; MUNI_USAGE for anything off in the text. */
int policy_load(const void *text, size_t size, const char *name, struct policy **out,
		struct err *e);
void policy_free(struct policy *p);	/* NULL is allowed */
/* What policy_info() tells as the text's SHA-256: 32 bytes, copied. */
void policy_set_digest(struct policy *p, const uint8_t digest[32]);
const struct policy_info *policy_info(const struct policy *p);
const struct zone *policy_zone(const struct policy *p);	/* of the calendar; borrowed */
const struct policy_class *policy_class_find(const struct policy *p, const char *id);

struct judgement {		/* what becomes of one item; borrowed from the policy */
	enum decision decision;
	const struct policy_rule *rule;	/* the first that matched; NULL: unmatched */
	const struct policy_class *class;	/* NULL: none */
	enum sensitivity sensitivity;	/* the greater of the class's and the findings' */
	enum importance importance;
	uint8_t confidence;	/* percent: of the weakest fact that the rule needed; 100
				 * where it rests on no finding */
	bool is_held_back;	/* the rule said more, but the item is opaque: review (the
				 * class stays the rule's, for whoever reviews it) */
	/* Every rule that matched, in order, as a bit string over rules (caller's:
	 * (rule_count + 7) / 8 bytes), or NULL not to know. */
	uint8_t *matched;
};

void policy_decide(const struct policy *p, const struct facts *f, int64_t now,
		   struct judgement *out);

/* ---- why (policy/explain.c) ------------------------------------------------------- */

/* One line a step: a rule or a condition below it, what was wanted, what the item
 * has, whether it holds.  All rules, in order; depth 0 is a rule.  step() returns 0
 * to go on, 1 to stop, -1 to end the call with -1, its own error kept elsewhere. */
struct explain_step {
	unsigned depth;
	const char *rule;	/* its id */
	const char *text;	/* "size > 10 MiB: the file has 1.2 GiB" */
	bool holds;
	bool is_deciding;	/* depth 0: the rule that decided */
};
int policy_explain(const struct policy *p, const struct facts *f, int64_t now,
		   int (*step)(void *arg, const struct explain_step *s), void *arg,
		   struct err *e);

/* A rule's conditions in words, trees in brackets; two rules of the same words mean the
 * same.  malloc'ed; NULL without memory. */
char *policy_rule_words(const struct policy_rule *r);

/* ---- what is wrong with it (policy/lint.c) ------------------------------------------ */

enum lint_level { LINT_NOTE, LINT_WARNING, LINT_ERROR };
struct lint {
	enum lint_level level;
	unsigned line;
	const char *where;	/* "rules[3] (caches)" */
	const char *text;	/* a sentence: what, why, what to do */
};
/* Unreachable rules, classes never used or unknown, ids twice, periods below a
 * mandate's minimum (the policy's own `minimum`, and those of policy/mandates.c),
 * destroy without approval, conditions that can never hold.  In order of lines.
 * row: as step() above. */
int policy_lint(const struct policy *p, int (*row)(void *arg, const struct lint *l),
		void *arg, struct err *e);

#endif

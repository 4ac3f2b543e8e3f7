/*
 * What the parts of the lint share.
 */
#ifndef POLICY_LINT_INSIDE_H
#define POLICY_LINT_INSIDE_H

#include <stdbool.h>

#include "policy/condition.h"
#include "policy/policy_inside.h"

struct lints {
	const struct policy *policy;
	struct memory memory;	/* of the rows' texts */
	struct lint *rows;	/* owned */
	size_t count, capacity;
	bool has_failed;	/* no memory for a row */
};

/* Adds a row; where is "rules[3] (caches)" by list, index from 0 and id. */
void lints_add(struct lints *l, enum lint_level level, unsigned line, const char *list,
	       size_t index, const char *id, const char *format, ...)
	__attribute__((format(printf, 7, 8)));

void lint_recognisers(struct lints *l);	/* policy/lint_recogniser.c */
void lint_classes(struct lints *l);	/* policy/lint_class.c */
void lint_rules(struct lints *l);	/* policy/lint_rule.c */

#endif

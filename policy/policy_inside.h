/*
 * A policy as its own files see it.
 */
#ifndef POLICY_POLICY_INSIDE_H
#define POLICY_POLICY_INSIDE_H

#include "policy/memory.h"
#include "policy/policy.h"

struct policy {
	struct policy_info info;
	struct memory memory;	/* all that info points to, and all conditions */
	struct zone *zone;	/* of the calendar; owned */
	const unsigned *custom_lines;	/* where each recogniser stands */
	uint8_t digest[32];
};

/* Would it make no difference which of the two decided? */
bool rule_is_same_outcome(const struct policy_rule *a, const struct policy_rule *b);

#endif

/*
 * Retention periods that laws and rules ask for at least, as far as muniment knows
 * them: to warn of a slip, not to give legal advice.
 */
#ifndef POLICY_MANDATES_H
#define POLICY_MANDATES_H

#include <stdbool.h>

#include "policy/policy.h"

struct known_mandate {
	/* All of these stand in the instrument and clause, in mandate_normal() form.  Of
	 * several rows that fit the one with the most words counts, then the first. */
	const char *words[3];
	const char *minimum;	/* an ISO 8601 period, "forever"; NULL: none */
	/* Asks that nothing be kept longer than needed: "forever" contradicts it. */
	bool limits;
	const char *source;	/* the provision, and what it is for */
};

/* NULL: none that we know. */
const struct known_mandate *mandate_known(const struct mandate *m);
/* By index, for tests and the manual; NULL past the last. */
const struct known_mandate *mandate_row(unsigned index);

#define MANDATE_TEXT_MAX 600
/* Instrument and clause without blanks and signs, ASCII letters lower: "29 CFR 516.5(a)"
 * is "29cfr516.5a". */
void mandate_normal(const struct mandate *m, char out[MANDATE_TEXT_MAX]);

#endif

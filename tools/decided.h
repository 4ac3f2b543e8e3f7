/*
 * How muni shows what was decided: sums by decision and class, one item as JSON, as
 * a row of a table or of a spreadsheet.
 */
#ifndef TOOLS_DECIDED_H
#define TOOLS_DECIDED_H

#include <jansson.h>
#include <stdio.h>

#include "fs/vault/classify.h"
#include "policy/rot.h"
#include "tools/sheet.h"

struct err;

/* ---- sums --------------------------------------------------------------------------- */

struct class_sum {
	enum decision decision;
	char *class_code;	/* owned; "" none */
	struct decision_sum sum;
};

struct decided_sums {		/* all zeros: empty */
	struct decision_sum total, decisions[DECISIONS], rot[4];
	uint64_t undecided, overridden, differing;
	struct class_sum *classes;	/* owned; in order of decision, class */
	size_t class_count;
};
int decided_add(struct decided_sums *s, const struct decided_row *r, enum rot rot,
		struct err *e);
void decided_sums_free(struct decided_sums *s);
/* Tables for people. */
int decided_print_sums(FILE *to, const struct decided_sums *s, struct err *e);
json_t *decided_sums_json(const struct decided_sums *s);

/* ---- one item -------------------------------------------------------------------------- */

/* Adds the decision to an item's object. */
void decided_json(json_t *o, const struct decided_row *r);
void decided_sheet_head(struct sheet_out *s);
void decided_sheet_row(struct sheet_out *s, const struct decided_row *r);

#endif

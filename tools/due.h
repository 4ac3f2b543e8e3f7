/*
 * Records and how long they are kept, for `muni due` and what else tells of them.
 */
#ifndef TOOLS_DUE_H
#define TOOLS_DUE_H

#include <jansson.h>

#include "fs/vault/retain.h"
#include "tools/sheet.h"

/* -1: there is no such standing. */
int due_standing_parse(const char *text, enum record_standing *out);
/* The class that rules, or the first that it falls under; "-": none. */
const char *due_class(const struct record_state *s);

/* docs/man/muni.1, "JSON", `record`. */
void due_json(json_t *o, const struct record_state *s);
void due_sheet_head(struct sheet_out *out);
void due_sheet_row(struct sheet_out *out, const struct record_state *s);

/* ---- sums by class and standing ------------------------------------------------------- */

#define STANDINGS (STANDING_DUE + 1)

struct due_sum {
	uint64_t records, bytes;
	bool has_first;
	struct civil first;	/* the earliest day on which one of them may go */
};
struct due_sums {
	struct due_class {
		char code[68];
		struct due_sum by[STANDINGS];
		uint64_t lacking;	/* without a date to count from */
		char trigger[80];	/* what the first of them waits for */
	} *list;		/* owned; by code */
	size_t count, room;
};
int due_sums_add(struct due_sums *d, const struct record_state *s, struct err *e);
int due_sums_print(const struct due_sums *d, struct err *e);
int due_sums_json(const struct due_sums *d, struct err *e);
void due_sums_free(struct due_sums *d);

#endif

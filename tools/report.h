/*
 * `muni report`: the state of an archive on one page, for people.  What is summed up is
 * gathered first (report_sums.c), what is listed is read while the page is written.
 */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "fs/vault/classify.h"
#include "fs/base/text.h"
#include "tools/due.h"

struct xml;

struct report_system {
	int64_t id;
	char name[132];
	/* Of its versions, 0: none is left, or none came yet. */
	uint64_t versions, with_problems, stored;	/* stored: bytes that they brought */
	int64_t first, last;	/* ingested; seconds */
	char label[132];	/* of the newest */
	uint64_t files, bytes;	/* in the newest */
	/* Of its inventory: */
	bool is_scanned, is_classified;
	struct decision_sum decisions[DECISIONS];	/* of what is decided */
	uint64_t undecided;
};

struct report_class {
	char code[68];
	char *title, *mandates;	/* owned; NULL: none, or none was needed */
	char trigger[80];
	struct period period;
	enum then then;
	bool is_described;	/* by a policy: the four above are there */
};

struct report_year {
	int32_t year;
	uint64_t records;	/* that may go in it, the grace of their class over */
};

struct report_hold {
	int64_t id;
	uint64_t records, bytes;
};

struct report {
	struct vault *vault;	/* borrowed */
	int64_t now, asof;	/* seconds */
	struct civil day;	/* asof's */
	const struct civil *as_day;	/* judged as on that day in every time zone; NULL: not */
	struct report_system *systems;	/* owned; by name */
	size_t system_count, system_room;
	struct due_sums due;	/* owned; by class and standing */
	struct due_sum standings[STANDINGS];
	struct report_class *classes;	/* owned; as due.list, in its order */
	size_t class_count, class_room;
	struct report_year *years;	/* owned; in order */
	size_t year_count, year_room;
	uint64_t without_end;	/* records that no date ever lets go, by their class */
	uint64_t restricted;
	struct report_hold *holds;	/* owned; that stand, by id */
	size_t hold_count, hold_room;
	uint64_t dispositions, certificates;
	char **waits;		/* owned; sentences: what waits for somebody */
	size_t wait_count, wait_room;
};

/* vault, now, asof, day and as_day are given; fills the rest.  report_clear() it, also after
 * failure. */
int report_gather(struct report *r, struct err *e);
void report_clear(struct report *r);
/* report_records.c: its part of the above. */
int report_gather_records(struct report *r, struct err *e);
/* Something waits for somebody: a sentence. */
int report_waits(struct report *r, struct err *e, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
const struct report_hold *report_hold_find(const struct report *r, int64_t id);

/* The page, as HTML. */
int report_write(const struct report *r, FILE *to, struct err *e);

/* ---- report_lists.c: what is listed, each a table ------------------------------------------ */

int report_list_versions(const struct report *r, struct xml *x, struct err *e);
int report_list_holds(const struct report *r, struct xml *x, struct err *e);
int report_list_dispositions(const struct report *r, struct xml *x, struct err *e);
int report_list_certificates(const struct report *r, struct xml *x, struct err *e);
int report_list_officers(const struct report *r, struct xml *x, struct err *e);
int report_list_copies(const struct report *r, struct xml *x, struct err *e);

/* ---- report_table.c ------------------------------------------------------------------------ */

/* align: a letter a column, 'l' or 'r'. */
void report_table(struct xml *x, const char *align, const char *const *heads);
void report_cell(struct xml *x, bool is_number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_row(struct xml *x);
void report_row_end(struct xml *x);
void report_table_end(struct xml *x);

/* ---- report_picture.c: drawings beside the tables, which have the same figures -------------- */

struct report_bar {
	char label[80];
	uint64_t value;
	char shown[TEXT_SIZE_MAX + 40];	/* the value, as people write it */
	const char *colour;	/* a class of the page's style */
};
/* One below the other, as long as their value. */
void report_bars(struct xml *x, const char *title, const struct report_bar *bars, size_t count);
/* One bar, whose parts are the shares. */
void report_shares(struct xml *x, const char *title, const struct report_bar *bars,
		   size_t count);
/* Beside each other; label: below each. */
void report_columns(struct xml *x, const char *title, const struct report_bar *bars,
		    size_t count);

#endif

/*
 * What a scan found, for people and for scripts: by format, by kind of sensitive
 * data, copies, what could not be looked into, oldest and newest.
 */
#ifndef TOOLS_SCAN_REPORT_H
#define TOOLS_SCAN_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "fs/store/catalogue_items.h"
#include "fs/vault/scan.h"

struct err;

#define SCAN_REPORT_NAMED 5	/* of what could not be looked into */

struct scan_sum {		/* of a format, or of a recogniser */
	char *name;		/* owned */
	uint64_t files, bytes, count;	/* count: of findings */
	uint8_t sensitivity;
};

struct scan_named {
	char *path, *why;	/* printable; owned */
};

struct scan_report {		/* all zeros: empty */
	struct scan_sum *formats, *findings;	/* owned; by name */
	size_t format_count, finding_count;
	uint64_t lying;		/* files whose extension stands for something else */
	struct scan_named named[SCAN_REPORT_NAMED];
	bool has_oldest;
	int64_t oldest, newest;	/* modification times of files */
	char *oldest_path, *newest_path;	/* printable; owned */
};

int scan_report_make(struct scan_report *r, struct catalogue *c, int64_t system,
		     struct err *e);
void scan_report_free(struct scan_report *r);
/* -1: what was printed is not whole, for want of memory. */
int scan_report_print(FILE *to, const struct scan_report *r, const struct scan_result *s,
		      struct err *e);
void scan_report_json(json_t *o, const struct scan_report *r, const struct scan_result *s);

#endif

/*
 * The audit log's entries as a table, JSON, CSV or PREMIS 3.
 */
#ifndef TOOLS_AUDIT_LIST_H
#define TOOLS_AUDIT_LIST_H

#include "fs/vault/audit.h"
#include "tools/cli.h"

enum audit_form { AUDIT_TABLE, AUDIT_JSON, AUDIT_CSV, AUDIT_PREMIS };

struct audit_filter {
	const char *act;	/* by name; NULL: all */
	const char *officer;	/* id; "key": the holder of the archive's key */
	const char *text;	/* stands in the details */
	bool has_from, has_to;
	int64_t from, to;	/* seconds, both included */
	uint64_t first;		/* sequence */
	bool refused_only;
};

int audit_list(struct cli *cli, struct vault *v, enum audit_form form,
	       const struct audit_filter *f, struct err *e);

/* PREMIS 3 (tools/premis.c): a document of events and the agents they name. */
struct premis;
int premis_begin(const char *archive_id, struct premis **out, struct err *e);
int premis_event(struct premis *p, const struct audit_entry *entry, struct err *e);
/* Ends the document on standard output; frees p, also on failure. */
int premis_end(struct premis *p, struct err *e);

#endif

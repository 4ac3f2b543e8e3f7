/*
 * The audit log for people: its entries with what they say, and whether all of it holds.
 *
 *   A1  An entry's details are believed only where they have the commitment that stands in
 *       the log; what does not have it is told apart from what was lawfully destroyed.
 *   A2  A log that was cut, altered, reordered or put back, and a clock that ran
 *       backwards, is named, with the entry.
 */
#ifndef FS_VAULT_AUDIT_H
#define FS_VAULT_AUDIT_H

#include "fs/store/log.h"
#include "fs/vault/vault.h"

/* "ingest", "hold placed" ...; a number's own word for what this program does not know. */
const char *audit_act_name(enum log_act act);
int audit_act_parse(const char *name, enum log_act *out);	/* -1: there is none */
/* The PREMIS event type (Library of Congress, eventType vocabulary) nearest to it. */
const char *audit_act_premis(enum log_act act);
/* Did what was asked for come about?  False for refusals and what was taken back. */
bool audit_act_is_success(enum log_act act);

enum audit_details { AUDIT_WHOLE, AUDIT_DESTROYED, AUDIT_ALTERED };

struct audit_entry {		/* borrowed for the call */
	struct log_entry entry;
	enum audit_details state;
	const char *details;	/* JSON; NULL unless whole */
	const char *officer;	/* id; NULL: the holder of the archive's key, or unknown */
	bool is_officer;	/* not the holder of the key */
};

/* Entries from `first` on.  row(): 0 go on, 1 stop, -1 its own error. */
int audit_each(struct vault *v, uint64_t first,
	       int (*row)(void *arg, const struct audit_entry *entry), void *arg,
	       struct err *e);

/* What one entry says, malloc'ed; *is_whole false: it cannot be read or believed. */
int audit_details(struct vault *v, const struct log_entry *entry, char **details,
		  bool *is_whole, struct err *e);

/* ---- heads -------------------------------------------------------------------------- */

/* The newest head as it was signed: statement (canonical JSON, no newline) and detached
 * CMS, both malloc'ed. */
int audit_head(struct vault *v, struct log_head *head, char **statement, uint8_t **cms,
	       size_t *cms_size, struct err *e);

/* A head that an auditor kept: "COUNT:ROOT", a statement, or a line of JSON that has
 * "count" and "root".  MUNI_USAGE. */
struct kept_head {
	uint64_t count;
	struct digest root;
	bool has_pages;		/* a statement: it says more */
	uint64_t epoch;
	int64_t time;
};
int audit_head_parse(const char *text, struct kept_head *out, struct err *e);
/* The RFC 9162 consistency proof from there to the newest head; *path malloc'ed.
 * MUNI_DAMAGED: the log is not a continuation of that head. */
int audit_consistency(struct vault *v, const struct kept_head *since, struct digest **path,
		      size_t *count, struct err *e);

/* ---- verification ------------------------------------------------------------------- */

enum audit_fault {
	AUDIT_DAMAGE,		/* altered, cut, reordered, put back */
	AUDIT_CLOCK,		/* times that cannot be: the clock was set */
	AUDIT_UNFINISHED,	/* what a crash leaves; the next command that writes mends it */
};
struct audit_summary {
	uint64_t entries, heads, destroyed;	/* destroyed: entries whose details went */
	uint64_t damages, clocks;
	unsigned keys;		/* of the archive's own, one after the other, that signed heads */
	bool is_keyless;	/* the archive could not be opened: details were not looked at */
};
/*
 * All of it: entries, heads, signatures, both copies, details against commitments, times,
 * the catalogue's position, and where `since` is not NULL that the log continues it.
 * found() for each fault.  An archive that cannot be opened for damage is judged by what
 * needs no key.  MUNI_DAMAGED where there is damage.
 */
int audit_verify(const char *path, const struct vault_options *o,
		 const struct kept_head *since,
		 void (*found)(void *arg, enum audit_fault fault, const char *what), void *arg,
		 struct audit_summary *out, struct err *e);

#endif

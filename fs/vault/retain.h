/*
 * Retention: when a record may go, and what keeps it.  docs/decisions/0090.
 *
 *   R1  The longest of all dates counts; nothing but an approved shortening takes a date
 *       away.
 *   R2  A record without a date to count from is kept, and reported.
 *   R3  The same catalogue and `now` give the same answers, in the same order.
 *   R4  A record is due where every class that it falls under, under every definition of
 *       it that counts, lets it go; of what they want done then the strictest counts.
 */
#ifndef FS_VAULT_RETAIN_H
#define FS_VAULT_RETAIN_H

#include "fs/store/catalogue_items.h"
#include "fs/store/catalogue_retention.h"
#include "fs/vault/vault.h"
#include "policy/policy.h"
#include "policy/retention.h"

enum record_standing {
	STANDING_KEPT,		/* its date has not come, or it has none that ever comes */
	STANDING_MISSING,	/* no trigger date: kept, and reported */
	STANDING_UNCLASSIFIED,	/* no class, or one that no policy describes: kept, and
				 * reported */
	STANDING_HELD,		/* its date may have come; a hold pauses it */
	STANDING_GRACE,		/* due; the grace of its class is not over */
	STANDING_REVIEW,	/* due; its class wants a review or a transfer first */
	STANDING_DUE,		/* may be proposed for destruction */
};
const char *standing_name(enum record_standing s);	/* "kept" ... */

/* One class under one definition, as it counts for the record. */
struct record_term {
	const struct policy_class *definition;	/* borrowed from the retainer */
	const uint8_t *policy_digest;	/* 32 bytes */
	int64_t policy;
	struct retention retention;
};

struct record_state {
	const struct record *record;
	const char *system_name;
	enum record_standing standing;
	const struct policy_class *ruling;	/* of the term that counts; NULL: none */
	const struct record_term *ruling_term;	/* the same, with dates and policy */
	enum then then;		/* the strictest of all terms: keep, transfer, review, destroy */
	const struct record_term *terms;
	size_t term_count;
	const char *const *classes;	/* codes of all that it falls under */
	size_t class_count;
	struct civil from;	/* the day that the ruling term counts from */
	bool has_due;
	struct civil until;	/* the last day on which it must be kept */
	struct civil eligible;	/* the first day on which it may go: after the grace */
	bool is_extended;	/* by an extension: until is its day */
	bool lacks_trigger;	/* a class has no date to count from, held or not */
	bool is_restricted;
	uint64_t versions;	/* that it stands in */
	const int64_t *holds;	/* ids of those that cover it */
	size_t hold_count;
};

/* Everything that does not depend on the record, read once: definitions, events, holds,
 * extensions, shortenings, classifications. */
struct retainer;
int retainer_open(struct catalogue *c, int64_t now, struct retainer **out, struct err *e);
void retainer_close(struct retainer *r);	/* NULL is allowed */
/* *out borrows from r and record until the next call. */
int retainer_judge(struct retainer *r, const struct record *record, struct record_state *out,
		   struct err *e);

struct record_filter {		/* NULL or 0: any */
	const char *system;	/* name */
	const char *path;	/* glob */
	const char *class_code;
	int64_t version;	/* only records that stand in no other version */
	const struct civil *day;	/* judged as on this day in every time zone; NULL: as
					 * of the second asof */
};
/* Every record that the filter lets through, judged as of `asof`, in the order of
 * catalogue_records().  class_code: any of the record's classes; path: its newest.
 * MUNI_NOT_FOUND: no such system; MUNI_USAGE: the glob. */
int vault_due(struct catalogue *c, const struct record_filter *f, int64_t asof,
	      int (*row)(void *arg, const struct record_state *s), void *arg, struct err *e);

/*
 * What retention counts from, for an item of a live source: as for the record that it
 * is already, in the newest version of its system; else as if it were taken in `now`.
 */
struct retain_dates;
int retain_dates_open(struct catalogue *c, int64_t system, int64_t now,
		      struct retain_dates **out, struct err *e);
void retain_dates_close(struct retain_dates *d);	/* NULL is allowed */
int retain_dates_of(struct retain_dates *d, const struct item_row *item, struct err *e);
/* For retention_of(), with the dates as arg, after retain_dates_of(); z: its zone. */
void retain_dates_zone(struct retain_dates *d, const struct zone *z);
bool retain_dates_moment(void *arg, const char *word, int64_t *seconds);

struct officer_key;

/* ---- acts, each in the log ---------------------------------------------------------- */

/* is_day: `at` is the start of a day in UTC, and that day is meant in every time zone.
 * reason may be NULL. */
int vault_event(struct vault *v, const char *system, const char *name, int64_t at,
		bool is_day, const char *reason, struct err *e);

struct scope_request {		/* all that are given must match; NULL: any */
	const char *system, *path, *class_code;
	const char *query;	/* YAML (policy/when.h); an item that could not be looked into
				 * is taken to match, but not where a restriction is lifted */
	bool is_standing;	/* also what comes later */
};
/* How many records, and bytes of files among them, a scope covers now. */
int vault_scope_count(struct vault *v, const struct scope_row *s, uint64_t *records,
		      uint64_t *bytes, struct err *e);

struct hold_officer {		/* borrowed */
	const char *id;
	struct officer_key *key;
};
/* by: NULL: the holder of the archive's key, who cannot release where officers sign for
 * holds (fs/vault/hold_officer.h): MUNI_REFUSED. */
int vault_hold_add(struct vault *v, const struct scope_request *s, const char *case_ref,
		   const char *mandate, const char *reason, const struct hold_officer *by,
		   int64_t *id, struct err *e);
int vault_hold_release(struct vault *v, int64_t id, const char *reason,
		       const struct hold_officer *by, struct err *e);
/* until: later than what counts now is what it is for; an earlier one changes nothing. */
int vault_retain_extend(struct vault *v, const struct scope_request *s, struct civil until,
			const char *reason, int64_t *id, struct err *e);
/* *count: nodes that changed. */
int vault_restrict(struct vault *v, const struct scope_request *s, bool is_lifted,
		   const char *reason, uint64_t *count, struct err *e);

/* ---- holds as the log has them ------------------------------------------------------ */

/*
 * Rebuilds holds, extensions, events, officers and shortenings from the log's details,
 * each checked against its commitment, and compares with the tables; also that every
 * policy and definition that was classified by is there.  MUNI_DAMAGED says what was
 * changed behind the log's back; with it nothing may be destroyed.
 */
int retention_check_log(struct vault *v, struct err *e);

#endif

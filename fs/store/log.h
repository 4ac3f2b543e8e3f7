/*
 * The audit log: append-only, RFC 9162, verifiable without any key, holding no
 * name.  Files audit/log (entries of fixed size) and audit/heads (signed tree
 * heads), each with a copy, log.2 and heads.2, so that damage to one can be
 * mended from the other.  docs/format.md, "Audit log".
 *
 *   L1  log_append() returns 0 only once the entry is on stable storage.
 *   L2  Entries past the newest head that the catalogue does not know are cut
 *       off by log_open(); a head is written only after the catalogue's commit:
 *       append, commit the catalogue (which stores log position, frontier and
 *       details), log_sign_head().
 *   L3  An entry under a head is never rewritten or cut.
 *   L4  A catalogue shorter than the newest head is MUNI_DAMAGED: it is an
 *       older catalogue, not an older truth.
 *
 *   L5  The first files are written and synced before their copies: a copy lacks
 *       at most the newest entry or head, and log_open() for writing adds it, also
 *       where the copy is long enough and the bytes are not there.
 *
 * One writer at a time: the caller holds the archive's lock.  A reader beside a
 * writer may find a head newer than the position it read before: on MUNI_DAMAGED
 * it reads the position again and, if that moved, tries again.
 */
#ifndef FS_STORE_LOG_H
#define FS_STORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/crypt/digest.h"
#include "fs/crypt/merkle.h"
#include "fs/crypt/signatories.h"

struct err;
struct log;
struct signer;

enum log_act {			/* on disk: never renumber, never reuse */
	LOG_INIT = 1,
	LOG_INGEST = 2,
	LOG_INGEST_ABANDONED = 3,	/* a crashed ingest was rolled back */
	LOG_OPEN = 4,		/* a file opened on an audited mount */
	LOG_KEY_ADDED = 5,
	LOG_KEY_REMOVED = 6,
	LOG_EPOCH_INTENT = 7,
	LOG_EPOCH_SWITCHED = 8,
	LOG_REPAIR = 9,
	LOG_EXPORT = 10,
	LOG_VERIFY = 11,
	LOG_SCAN = 12,		/* an inventory is whole */
	LOG_SCAN_STOPPED = 13,	/* one was cut off; the next goes on from there */
	LOG_UPGRADE = 14,	/* the catalogue was brought to a newer format */
	LOG_CLASSIFY = 15,	/* a policy decided on a system's items */
	LOG_DECIDE = 16,	/* officers decided otherwise on some */
	LOG_EPOCH_ABANDONED = 17,	/* a switch was taken back before its point of no return */
	LOG_OFFICER_ADDED = 18,
	LOG_OFFICER_REMOVED = 19,
	LOG_EVENT = 20,		/* something that retention counts from */
	LOG_HOLD_PLACED = 21,
	LOG_HOLD_RELEASED = 22,
	LOG_RETENTION_EXTENDED = 23,
	LOG_RETENTION_SHORTENED = 24,	/* under approvals */
	LOG_RESTRICTED = 25,
	LOG_RESTRICTION_LIFTED = 26,
	LOG_PROPOSED = 27,	/* a disposition */
	LOG_APPROVED = 28,	/* one approval of it */
	LOG_WITHDRAWN = 29,
	LOG_REFUSED = 30,	/* what was asked for was against a rule; details cite it */
	LOG_DESTROYED = 31,	/* records of a disposition are gone */
	LOG_CERTIFIED = 32,
	LOG_CLOCK = 33,		/* officers signed the present time */
	LOG_AUTHORITY = 34,	/* a time-stamping authority was named */
	LOG_COPY = 35,		/* a copy of data or keyring was declared, or is gone */
	LOG_LIVE_BEGUN = 37,	/* destruction in a live source begins */
	LOG_EPOCH_ENDED = 36,	/* the key and files of the epoch before are gone */
	LOG_RESTRICTED_USED = 38,	/* restricted records were looked at, and why */
	LOG_RESTORE_BEGUN = 39,	/* an older copy is to be what there is */
	LOG_RESTORED = 40,	/* and what certificates say is gone has gone from it */
	LOG_STAMPED = 41,	/* a certificate has another time-stamp */
	LOG_SIGNING_RENEWED = 42,	/* the archive signs with another key from here on */
	LOG_OFFICER_APPROVED = 43,	/* one signature that lets an officer in */
};

struct log_entry {
	uint64_t sequence;	/* from 0 */
	enum log_act act;
	int64_t time;		/* seconds, UTC */
	struct digest actor;	/* SHA-256 of the officer's certificate; zeros: the
				 * holder of the archive's key */
	struct digest commitment;	/* SHA-256(salt || details) */
};

struct log_head {
	uint64_t count;		/* entries */
	struct digest root;
	int64_t time;
	uint64_t generation;	/* of the catalogue */
	struct digest pages;	/* digest over all page tags of the catalogue */
	uint64_t epoch;
	struct digest signer;	/* SHA-256 of the certificate; zeros: of one that was not read
				 * from a log */
};

/* A head whose signature was found to hold; zeros: none. */
struct log_checked {
	struct digest record;
	struct digest signer;
};

/* What the catalogue knows: stored there in the commit that follows append. */
struct log_position {
	struct merkle_frontier frontier;
};

/* auditfd: the folder audit/ (borrowed).  known: from the catalogue.  Writable:
 * applies L2.  Read-only: changes nothing.  L4 is checked in both. who: the
 * archive's own keys, by one of which the newest head is signed.
 * checked (may be NULL, zeros at first): of the head whose signature was found to hold
 * under them; where the newest head is that one, to the byte, it is not
 * verified again. */
int log_open(int auditfd, bool is_writable, const struct log_position *known,
	     const struct signatories *who, struct log_checked *checked,
	     struct log **out, struct err *e);
/* A new, empty log (init). */
int log_create(int auditfd, struct log **out, struct err *e);
void log_close(struct log *l);

/* details: JSON text; *salt gets 16 random bytes, to be stored with details in
 * the catalogue.  Moves the in-memory position. */
int log_append(struct log *l, enum log_act act, int64_t time, const struct digest *actor,
	       const char *details, uint8_t salt[16], struct err *e);
/* When the catalogue's commit failed: back to what it knows (not below the
 * newest head); the next append takes the place. */
void log_rewind(struct log *l, const struct log_position *known);
const struct log_position *log_position(const struct log *l);
uint64_t log_count(const struct log *l);

/* Signs and stores the head over all entries so far (CMS over canonical JSON). */
int log_sign_head(struct log *l, const struct signer *s, uint64_t generation,
		  const struct digest *pages, uint64_t epoch, int64_t time,
		  struct err *e);
/* What was read from the log is on stable storage, also where the writer that put it
 * there was killed before its sync: for what cannot be taken back is done next. */
int log_sync(struct log *l, struct err *e);
/* The newest head; MUNI_NOT_FOUND if there is none yet. */
int log_newest_head(const struct log *l, struct log_head *out, struct err *e);

/* Its statement (canonical JSON, NUL ended) and detached CMS as they stand in the file;
 * both malloc'ed. */
int log_newest_statement(const struct log *l, char **statement, uint8_t **cms,
			 size_t *cms_size, struct err *e);

/* The same without a catalogue to compare with: for verify and repair. */
int log_peek_head(int auditfd, const struct signatories *who, struct log_checked *checked,
		  struct log_head *out, struct err *e);

/* Was a catalogue of these pages signed, by whichever head?  Of the first copy that can be
 * walked to its end; signatures are not asked. */
int log_has_pages(int auditfd, const struct digest *pages, bool *has, struct err *e);

int log_read(const struct log *l, uint64_t sequence, struct log_entry *out, struct err *e);
/* The hash of that entry as a leaf of the tree. */
int log_leaf(const struct log *l, uint64_t sequence, struct digest *out, struct err *e);
/* The same from the entry itself: for whoever has no log at hand. */
struct digest log_leaf_of(const struct log_entry *entry);
/*
 * Every entry against every head, every head's signature, and both copies; needs
 * no key but the certificates; where the archive's key was renewed, heads go over from one
 * to the next and never back.  found() gets a sentence for each thing that is
 * off; is_damage false: what a crash leaves and the next writer puts right.
 * MUNI_DAMAGED if anything is damaged (e has the first).
 */
int log_verify(int auditfd, const struct signatories *who, uint64_t *entries,
	       uint64_t *heads,
	       void (*found)(void *arg, bool is_damage, bool can_mend, const char *what),
	       void *arg, struct err *e);
/* Mends each copy from the other, and where both are whole and differ from the one
 * that the archive signed; *mended: entries, heads and file heads that were written anew.
 * What both have lost stays, for log_verify() to name.  Heads that one copy alone has,
 * behind all that the archive signed, are cut off. */
int log_mend(int auditfd, const struct signatories *who, uint64_t *mended, struct err *e);

#endif

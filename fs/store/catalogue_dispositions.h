/*
 * Officers, dispositions, approvals, certificates, declared copies: their rows.
 * docs/decisions/0091 and 0093 say what they mean; docs/format.md, "Tables", what
 * each column holds.
 *
 * Every function that writes is called between catalogue_begin() and _commit().
 */
#ifndef FS_STORE_CATALOGUE_DISPOSITIONS_H
#define FS_STORE_CATALOGUE_DISPOSITIONS_H

#include "fs/store/catalogue_retention.h"

/* ---- officers ----------------------------------------------------------------------- */

struct officer_row {		/* texts and cert borrowed for the call */
	const char *id;
	const char *roles;	/* "records,owner" */
	const char *person;	/* the certificate's subject, RFC 2253 */
	const uint8_t *cert;	/* DER */
	size_t cert_size;
	struct digest fingerprint;	/* SHA-256 of cert */
	int64_t added, removed;	/* removed 0: in office */
};
/* MUNI_EXISTS: an officer in office has this id or this certificate. */
int catalogue_officer_add(struct catalogue *c, const struct officer_row *o, struct err *e);
/* MUNI_NOT_FOUND: none of this id is in office. */
int catalogue_officer_remove(struct catalogue *c, const char *id, int64_t now, struct err *e);
/* By id and date, removed ones too: an id may have had several certificates. */
int catalogue_officers(struct catalogue *c, int (*row)(void *arg, const struct officer_row *o),
		       void *arg, struct err *e);

/* ---- dispositions --------------------------------------------------------------------- */

enum disposition_kind {		/* on disk: never renumber, never reuse */
	DISPOSITION_RECORDS = 1,	/* records of the archive are destroyed */
	DISPOSITION_LIVE = 2,	/* items of a live source are destroyed there */
	DISPOSITION_SHORTEN = 3,	/* a class is kept for a shorter time from now on */
	DISPOSITION_RESTORED = 4,	/* records that a restored copy has and certificates say
					 * are gone (fs/vault/restore.h) */
};

enum disposition_state {	/* on disk: never renumber, never reuse */
	DISPOSITION_PROPOSED = 0,	/* approvals may come in */
	DISPOSITION_SWITCHING = 1,	/* being executed */
	DISPOSITION_GONE = 2,	/* done; the certificate is outstanding */
	DISPOSITION_CERTIFIED = 3,
	DISPOSITION_WITHDRAWN = 4,
};

struct disposition_row {	/* texts malloc'ed and owned; disposition_row_clear() */
	int64_t id;
	enum disposition_kind kind;
	enum disposition_state state;
	char *proposer;		/* officer id */
	int64_t proposed, asof;	/* seconds */
	char *scope;		/* JSON: what the list can be made and checked again from;
				 * nothing that a destruction has to remove */
	struct digest root;
	char *statement;	/* canonical JSON: what is signed */
	uint8_t *signature;	/* the proposer's, CMS DER */
	size_t signature_size;
	char *result;		/* JSON: facts for the certificate; NULL until GONE */
};
void disposition_row_clear(struct disposition_row *d);
/* d->id 0: taken from the sequence, else one that catalogue_disposition_next() gave. */
int catalogue_disposition_add(struct catalogue *c, struct disposition_row *d, struct err *e);
/* The id for a disposition that is to be added: its statement names it. */
int catalogue_disposition_next(struct catalogue *c, int64_t *id, struct err *e);
int catalogue_disposition_get(struct catalogue *c, int64_t id, struct disposition_row *out,
			      struct err *e);	/* MUNI_NOT_FOUND */
int catalogue_disposition_state(struct catalogue *c, int64_t id, enum disposition_state s,
				const char *result, struct err *e);	/* result NULL: kept */
/* Of kind RESTORED and not yet CERTIFIED; *id 0: none. */
int catalogue_disposition_restoring(struct catalogue *c, int64_t *id, struct err *e);
int catalogue_dispositions(struct catalogue *c,
			   int (*row)(void *arg, const struct disposition_row *d), void *arg,
			   struct err *e);

/* The key under which items of a live source hold their content; it goes for good when the
 * list has come to its end (gone, certified, withdrawn). */
#define LIST_KEY_SIZE 32
int catalogue_list_key_put(struct catalogue *c, int64_t disposition,
			   const uint8_t key[LIST_KEY_SIZE], struct err *e);
/* *is_there false: a list of records, one that has ended, or one of an older format. */
int catalogue_list_key_get(struct catalogue *c, int64_t disposition,
			   uint8_t key[LIST_KEY_SIZE], bool *is_there, struct err *e);

enum item_outcome {		/* on disk: never renumber, never reuse */
	OUTCOME_PENDING = 0,
	OUTCOME_GONE = 1,
	OUTCOME_BYTES_STAY = 2,	/* gone, but another kept record has its bytes */
	OUTCOME_FAILED = 3,	/* live source: it is still there; `why` says why */
};

enum item_names {		/* on disk: never renumber, never reuse */
	ITEM_NAMES_KEEP = 0,	/* name and text stay when it has gone */
	ITEM_NAMES_COMMIT = 1,	/* its leaf stays */
	ITEM_NAMES_DROP = 2,	/* nothing stays */
};

struct disposition_item {
	struct digest leaf;
	struct record_key key;	/* LIVE: directory is the system's id, first 0; see path.
				 * name_size 0: gone under a class that does not keep names */
	const char *path;	/* LIVE: below the source; else NULL */
	size_t path_size;
	const char *class_code;	/* that rules it; "" none */
	enum item_names names;
	enum item_outcome outcome;
	const char *why;	/* of a failure, or what is to be said of it; no names; NULL */
	const char *text;	/* canonical JSON of the item with its salt; NULL once gone
				 * under a class that does not keep names */
};
int catalogue_disposition_item_put(struct catalogue *c, int64_t disposition,
				   const struct disposition_item *i, struct err *e);
/* LIVE: what became of it.  Its name goes when it is gone, unless its class keeps names;
 * the leaf stays. */
int catalogue_disposition_item_outcome(struct catalogue *c, int64_t disposition,
				       const struct digest *leaf, enum item_outcome outcome,
				       const char *why, struct err *e);
/* By leaf; borrowed for the call. */
int catalogue_disposition_items(struct catalogue *c, int64_t disposition,
				int (*row)(void *arg, const struct disposition_item *i),
				void *arg, struct err *e);

struct approval_row {
	const char *officer;
	int64_t made;
	const uint8_t *signature;	/* detached CMS over the statement, DER */
	size_t signature_size;
};
int catalogue_approval_put(struct catalogue *c, int64_t disposition,
			   const struct approval_row *a, struct err *e);	/* MUNI_EXISTS */
int catalogue_approvals(struct catalogue *c, int64_t disposition,
			int (*row)(void *arg, const struct approval_row *a), void *arg,
			struct err *e);

/*
 * For the switch of epoch: every row of dispositions, items and approvals from `from`
 * into `to`, which has none and is in a transaction.  outcome() says of a record what
 * becomes of it: OUTCOME_PENDING stays.  A name that goes is never written to `to`: of
 * an item that goes, in whatever disposition it stands, only what its class lets stay.
 * Disposition `id` (0: none) gets state GONE and this result.
 */
int catalogue_disposition_settle(struct catalogue *from, struct catalogue *to, int64_t id,
				 const char *result,
				 enum item_outcome (*outcome)(void *arg,
							      const struct record_key *key),
				 void *arg, struct err *e);

/* ---- certificates, declared copies ---------------------------------------------------- */

int catalogue_certificate_add(struct catalogue *c, int64_t disposition, int64_t now,
			      const struct digest *content, int64_t *id, struct err *e);
int catalogue_certificates(struct catalogue *c,
			   int (*row)(void *arg, int64_t id, int64_t disposition, int64_t made,
				      const struct digest *content), void *arg, struct err *e);

struct copy_row {		/* a copy of the data or of the keyring that people keep */
	int64_t id;
	const char *of;		/* "data", "keyring" */
	const char *place;	/* "tape 0042, vault of the bank" */
	int64_t declared;
	const char *state;	/* "kept", "destroyed", "lost" */
	int64_t changed;
};
/* id 0: new, and filled; else its state changes.  MUNI_NOT_FOUND. */
int catalogue_copy_put(struct catalogue *c, struct copy_row *k, struct err *e);
int catalogue_copies(struct catalogue *c, int (*row)(void *arg, const struct copy_row *k),
		     void *arg, struct err *e);

/* ---- the time-stamping authority ------------------------------------------------------- */

/* Its address and its certificates in PEM, malloc'ed; both NULL: none was named. */
int catalogue_authority_get(struct catalogue *c, char **url, char **ca, struct err *e);
int catalogue_authority_put(struct catalogue *c, const char *url, const char *ca,	/* NULL: none */
			    struct err *e);

#endif

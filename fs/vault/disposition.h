/*
 * Dispositions: proposed, shown, approved, executed, withdrawn.  docs/decisions/0091.
 */
#ifndef FS_VAULT_DISPOSITION_H
#define FS_VAULT_DISPOSITION_H

#include "fs/crypt/officer.h"
#include "fs/vault/epoch.h"
#include "fs/vault/retain.h"

/* ---- officers ---------------------------------------------------------------------- */

#define OFFICER_ROLES "records, owner, legal, it, witness, auditor"
/*
 * In the log: LOG_OFFICER_ADDED {"certificate": base64 of the DER, "fingerprint": hex,
 * "id", "person", "roles", "without_approval": why, or not there}, LOG_OFFICER_APPROVED
 * {"entry": number of the addition, "fingerprint", "id", "officer", "signature": base64}, LOG_OFFICER_REMOVED {"fingerprint", "id", "reason"},
 * LOG_RETENTION_SHORTENED {"class", "disposition": "D1", "policy": hex of its digest}:
 * retention_check_log() rebuilds the tables from these.
 */
/* roles: comma separated.  without: NULL, or why nobody in office can sign for him
 * (fs/vault/office.h).  MUNI_EXISTS; MUNI_USAGE: no such role, or a certificate that
 * cannot sign or is not for documents; MUNI_REFUSED: another officer's key or subject. */
int vault_officer_add(struct vault *v, const char *id, const char *roles, const char *cert_path,
		      const char *without, struct err *e);
/* What officers sign to let the one in who has this id: malloc'ed. */
int vault_officer_statement(struct vault *v, const char *id, char **out, struct err *e);
/* key of officer `by`, or signature (detached CMS over the statement, DER or PEM; by NULL:
 * found by its certificate).  MUNI_REFUSED. */
int vault_officer_approve(struct vault *v, const char *id, const char *by,
			  struct officer_key *key, const uint8_t *signature,
			  size_t signature_size, struct err *e);
int vault_officer_remove(struct vault *v, const char *id, const char *reason, struct err *e);

/* Opens the officer's key (crypt/officer.h: officer_key_open()); officer_key_close() it.
 * MUNI_REFUSED: nobody in office has that id, or the key is another's. */
int vault_officer_key(struct vault *v, const char *id, const char *spec,
		      int (*ask)(void *arg, const char *question, char *out, size_t size),
		      void *arg, struct officer_key **out, struct err *e);

/* ---- proposals ------------------------------------------------------------------------ */

struct propose_request {
	enum disposition_kind kind;
	struct record_filter filter;	/* LIVE: its system, path and class */
	bool is_whole;		/* all that the filter lets through, or nothing: a version, a
				 * system, everything */
	bool by_review;		/* also records whose class wants a review: with a reason */
	const char *reason;	/* NULL: none */
	const char *source;	/* LIVE: the directory */
	const char *shorten_class;	/* SHORTEN: its code ... */
	const char *policy_digest;	/* ... and the digest (hex) of the policy to go by */
	int64_t asof;		/* 0: now */
};

/* What was not taken, and why; left_out_clear(). */
struct left_out {
	uint64_t taken, count[8];	/* count: by enum record_standing */
	uint64_t undecided;	/* LIVE: items that are not decided destroy */
	uint64_t changed;	/* LIVE: not what the inventory has, or not there */
	char *text;		/* malloc'ed sentences, a line each; "" or NULL: nothing was left */
	char *first;		/* malloc'ed: the first of them by name, with why; NULL: none */
};
void left_out_clear(struct left_out *left);

/* MUNI_REFUSED where nothing is left to propose, or a whole scope is not: says what keeps
 * it, as *left does. */
int vault_propose(struct vault *v, const struct propose_request *r, const char *officer,
		  struct officer_key *key, struct left_out *left, int64_t *id, struct err *e);

/* What is still asked for, as sentences, in *missing (malloc'ed lines; "" nothing). */
int vault_disposition_missing(struct vault *v, int64_t id, char **missing, struct err *e);

/* key or signature (detached CMS over the statement, DER or PEM), one of them.  With a
 * signature `officer` may be NULL: found by its certificate. */
int vault_approve(struct vault *v, int64_t id, const char *officer, struct officer_key *key,
		  const uint8_t *signature, size_t signature_size, struct err *e);
int vault_withdraw(struct vault *v, int64_t id, const char *officer, struct officer_key *key,
		   const char *reason, struct err *e);

/* Executes, or goes on with what was cut off.  *certificate: its number. */
int vault_execute(struct vault *v, int64_t id, const char *officer, struct officer_key *key,
		  const struct epoch_options *o, const struct vault_monitor *m,
		  int64_t *certificate, struct err *e);

#endif

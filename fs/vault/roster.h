/*
 * The archive's officers, as they are in office now: who is who, and who may what.
 *
 *   R1  A person is a subject or a key: certificates that share one are one person,
 *       whatever ids they were given.
 *   R2  Nobody is believed to be an officer by a name: roster_prove() makes the key sign,
 *       and compares the certificate with the one that the archive knows.
 */
#ifndef FS_VAULT_ROSTER_H
#define FS_VAULT_ROSTER_H

#include "fs/crypt/officer.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/vault.h"

enum {				/* roles, as a set */
	ROLE_RECORDS = 1,
	ROLE_OWNER = 2,
	ROLE_LEGAL = 4,
	ROLE_IT = 8,
	ROLE_WITNESS = 16,
	ROLE_AUDITOR = 32,
	ROLES_DECIDING = ROLE_RECORDS | ROLE_OWNER | ROLE_LEGAL | ROLE_IT,
};
/* 0: no such role. */
unsigned role_of(const char *word);
/* "records,owner" as a set; -1: MUNI_USAGE names the word that is no role. */
int roles_parse(const char *words, unsigned *out, struct err *e);

#define OFFICE_APPROVERS_MAX 16

enum officer_standing {		/* how he came into office: fs/vault/office.h */
	OFFICER_FIRST,		/* by the archive's key, before anybody could sign for him */
	OFFICER_APPROVED,	/* officers in office signed for him */
	OFFICER_ALONE,		/* by the key, without them: not at once */
	OFFICER_WAITING,	/* not yet: their signatures are missing */
};

struct officer {
	char *id, *roles_text, *person;	/* owned */
	unsigned roles;
	struct identity identity;
	int64_t added, removed;	/* removed 0: not taken away */
	enum officer_standing standing;
	int64_t counts_from;	/* ALONE */
	char *because;		/* ALONE: what the holder of the key said; owned */
	uint64_t entry;		/* of the log, that added him; 0: there is none */
	bool is_live;		/* the log has not taken him away */
	size_t approved_by[OFFICE_APPROVERS_MAX];	/* indices of the roster */
	size_t approved_count;
};
/* In office at that time, had he not been taken away. */
bool officer_counts(const struct officer *o, int64_t at);

struct roster {
	struct officer *list;	/* by id and date, those who left too */
	size_t count;
	int64_t now;
	bool is_closed;		/* the key alone makes nobody an officer any more */
	uint64_t forged;	/* approvals of officers in the log that are none, and where */
	uint64_t forged_at;	/* the first stands */
};
int roster_load(struct vault *v, struct roster *out, struct err *e);
void roster_clear(struct roster *r);
bool roster_has_any(const struct roster *r);	/* not taken away: who waits too */
/* Not taken away: who waits too. */
const struct officer *roster_listed(const struct roster *r, const char *id);
/* In office; NULL: none. */
const struct officer *roster_find(const struct roster *r, const char *id);
const struct officer *roster_by_certificate(const struct roster *r,
					    const struct digest *fingerprint);
/* The one who had this id at that time, or has it. */
const struct officer *roster_at(const struct roster *r, const char *id, int64_t when);
bool is_same_person(const struct identity *a, const struct identity *b);	/* R1 */

/* MUNI_REFUSED: cannot do this in any of those roles, or its certificate is not valid at
 * `now`.  act: "propose a disposition". */
int officer_may(const struct officer *o, unsigned roles, const char *act, int64_t now,
		struct err *e);
/* MUNI_REFUSED unless the certificate is valid at that time; `when` says which moment it
 * is: "now", "when it was signed". */
int officer_is_valid(const struct officer *o, int64_t at, const char *when, struct err *e);

/*
 * Who says to be officer `id` signs data with the key.  MUNI_REFUSED: nobody in office has
 * that id, the key is another's, officer_may() said no.  *signature: malloc'ed.
 */
int roster_prove(const struct roster *r, const char *id, struct officer_key *key,
		 unsigned roles, const char *act, const void *data, size_t size, int64_t now,
		 const struct officer **who, uint8_t **signature, size_t *signature_size,
		 struct err *e);

#endif

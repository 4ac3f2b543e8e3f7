/*
 * Certificates of destruction: what was destroyed, why, under whose approval, how, and
 * the proof.  docs/decisions/0093; docs/format.md, "Certificate", gives every field.
 */
#ifndef FS_VAULT_CERTIFICATE_H
#define FS_VAULT_CERTIFICATE_H

#include "fs/crypt/officer.h"
#include "fs/vault/epoch.h"

/* What the adversarial check found; filled by the program of that name. */
struct adversary_report {
	bool was_run;
	bool has_passed;
	char *text;		/* JSON: what was tried with which keys, malloc'ed */
};

/*
 * Makes the certificate of a disposition in state GONE: JSON, signature of the officer,
 * and beside it the archive's own (the officers' authorities do not vouch for that one, and
 * stock tools accept a CMS only if all its signers are vouched for), time-stamp where an
 * authority is configured, annex; files synced; LOG_CERTIFIED; state CERTIFIED.  Never twice: made again after a crash it is the same one.
 * The facts come from the disposition's rows and its result (fs/vault/execution.h).
 */
int certificate_make(struct vault *v, int64_t disposition, const char *officer,
		     struct officer_key *key, const struct adversary_report *adversary,
		     int64_t *id, struct err *e);

/* What lies of it in certificates/. */
enum certificate_file {
	CERTIFICATE_CMS,	/* C1.p7m */
	CERTIFICATE_ANNEX,	/* C1.annex.json */
	CERTIFICATE_TIMESTAMP,	/* C1.tsr; not there where no authority was named */
	CERTIFICATE_ARCHIVE_SIGNATURE,	/* C1.p7s: the archive's own, detached */
	CERTIFICATE_MARKS,	/* C1.marks (fs/vault/marks.h); of records of the archive alone */
	CERTIFICATE_FILES,
};
/* malloc'ed; MUNI_NOT_FOUND. */
int certificate_file(struct vault *v, int64_t id, enum certificate_file which, uint8_t **data,
		     size_t *size, struct err *e);
/* Puts one of its files there, on stable storage. */
int certificate_file_put(struct vault *v, int64_t id, enum certificate_file which,
			 const void *data, size_t size, struct err *e);
/* D<n>.marks, until the certificate has them. */
int certificate_marks_put(struct vault *v, int64_t disposition, const void *text, size_t size,
			  struct err *e);
int certificate_marks_remove(struct vault *v, int64_t disposition, struct err *e);
/* The CMS of certificate `id` (malloc'ed DER).  MUNI_NOT_FOUND. */
int certificate_read(struct vault *v, int64_t id, uint8_t **der, size_t *size, struct err *e);
/* Another time-stamp, number *number from 1, over the content and all before it, from the
 * authority that is named.  LOG_STAMPED.  MUNI_NOT_FOUND: none is named. */
int certificate_stamp(struct vault *v, int64_t id, unsigned *number, int64_t *when,
		      struct err *e);
/* malloc'ed; MUNI_NOT_FOUND: there are fewer. */
int certificate_stamp_get(struct vault *v, int64_t id, unsigned number, uint8_t **data,
			  size_t *size, struct err *e);
/* Adds an officer's signature, of whom it asks the key and the office.  Of one that was cut
 * off once the certificate had it, the log's entry is made.  MUNI_EXISTS: has signed, and the
 * log names it. */
int certificate_sign(struct vault *v, int64_t id, const char *officer, struct officer_key *key,
		     struct err *e);

#endif

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
 * Makes the certificate of a disposition in state GONE: JSON, signatures of the archive
 * and of the officer, time-stamp where an authority is configured, annex; files synced;
 * LOG_CERTIFIED; state CERTIFIED.  Never twice: made again after a crash it is the same one.
 * The facts come from the disposition's rows and its result (fs/vault/execution.h).
 */
int certificate_make(struct vault *v, int64_t disposition, const char *officer,
		     struct officer_key *key, const struct adversary_report *adversary,
		     int64_t *id, struct err *e);

/* The CMS of certificate `id` (malloc'ed DER).  MUNI_NOT_FOUND. */
int certificate_read(struct vault *v, int64_t id, uint8_t **der, size_t *size, struct err *e);
/* Adds an officer's signature. */
int certificate_sign(struct vault *v, int64_t id, const char *officer, struct officer_key *key,
		     struct err *e);

#endif

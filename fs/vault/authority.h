/*
 * The time-stamping authority (RFC 3161) that an archive asks, if it has one: for its
 * certificates, and where the clock is in doubt.
 */
#ifndef FS_VAULT_AUTHORITY_H
#define FS_VAULT_AUTHORITY_H

#include "fs/crypt/officer.h"
#include "fs/vault/vault.h"

/* url NULL: none from now on.  ca: PEM, its root and links.  One time-stamp is asked
 * for before it is believed.  Logged (LOG_AUTHORITY). */
int vault_authority_set(struct vault *v, const char *url, const void *ca, size_t ca_size,
			struct err *e);
/* malloc'ed; NULL: there is none. */
int vault_authority_get(struct vault *v, char **url, char **ca, struct err *e);
/* A fresh time-stamp; *tsr malloc'ed DER.  MUNI_NOT_FOUND: no authority was named.  *is_silent
 * (may be NULL): one was named, was asked, and gave none that holds; any other failure is ours. */
int vault_authority_stamp(struct vault *v, const struct digest *of, uint8_t **tsr, size_t *size,
			  int64_t *when, bool *is_silent, struct err *e);

#endif

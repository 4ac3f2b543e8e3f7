/*
 * An officer's signature under a statement: made here with a key, or elsewhere and carried
 * in as a file; and how it is read again from the log.
 *
 *   S1  put() is called only for a signature that was verified over the statement, of
 *       somebody in office (or whom who() knows) whom may() has let.
 *   S2  In a file with several signatures each is one assent; twice the same certificate
 *       is one.  The first that is refused ends it, and those before it stand.
 */
#ifndef FS_VAULT_ASSENT_H
#define FS_VAULT_ASSENT_H

#include "fs/vault/roster.h"

#define ASSENT_SLACK 86400	/* seconds that an officer's own clock may be off */

struct assent {
	const struct roster *roster;
	const char *statement;	/* what is signed, to the byte */
	const char *act;	/* "approve a disposition" */
	unsigned roles;		/* that may */
	const char *other;	/* what is said of a signature over anything else */
	int64_t now;
	void *arg;
	/* NULL: roster_by_certificate(). */
	const struct officer *(*who)(void *arg, const struct digest *fingerprint);
	/* signed_at 0: the signature does not say when, or is yet to be made. */
	int (*may)(void *arg, const struct officer *by, int64_t signed_at, struct err *e);
	int (*put)(void *arg, const struct officer *by, const uint8_t *signature, size_t size,
		   int64_t signed_at, struct err *e);
};
/*
 * With the key of officer `id`, or, where signature is not NULL, as carried in; then id may
 * be NULL, and is held against the signer where it is not.  MUNI_REFUSED cites the rule.
 */
int assent_take(const struct assent *a, const char *id, struct officer_key *key,
		const uint8_t *signature, size_t size, struct err *e);

/*
 * What stands in the log for a signature (base64, NULL: nothing does) over that text: its
 * signers.  MUNI_DAMAGED: it is none.
 */
int assent_read(const char *base64, const void *text, size_t size,
		struct cms_signer **signers, size_t *count, struct err *e);
/* ... and is it that of one person alone, with that certificate? */
int assent_read_one(const char *base64, const void *text, size_t size,
		    const struct digest *certificate, struct err *e);
/* base64 of a signature for the log, malloc'ed; NULL: MUNI_NO_MEMORY. */
char *assent_text(const uint8_t *signature, size_t size, struct err *e);

#endif

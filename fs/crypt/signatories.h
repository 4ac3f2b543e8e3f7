/*
 * Whose signatures are an archive's own: the present key's, and those of the keys before
 * it (docs/decisions/0137).
 *
 *   Y1  A key that was renewed signs for nothing of a log that had grown past the entry of
 *       its renewal: whoever stole it cannot make what comes after.
 */
#ifndef FS_CRYPT_SIGNATORIES_H
#define FS_CRYPT_SIGNATORIES_H

#include <stddef.h>
#include <stdint.h>

#include "fs/crypt/digest.h"

struct err;

#define SIGNATORIES_MAX 64
#define SIGNATORY_PRESENT UINT64_MAX	/* `until` of the key that was not renewed */

struct signatory {
	struct digest certificate;	/* SHA-256 of its DER */
	uint64_t until;		/* it signed for a log of at most so many entries */
};

struct signatories {		/* oldest first; plain memory */
	struct signatory list[SIGNATORIES_MAX];
	size_t count;
};

/* This certificate alone. */
void signatories_one(struct signatories *s, const uint8_t *cert, size_t cert_size);
/* Behind those that there are; -1 where there is no room. */
int signatories_add(struct signatories *s, const struct digest *certificate, uint64_t until);
/* NULL: none of them. */
const struct signatory *signatories_find(const struct signatories *s,
					 const struct digest *certificate);
/* The detached CMS in `der` over data, which speaks of a log of `entries`.  *signer (may be
 * NULL): whose it is.  MUNI_DAMAGED: nobody's of these, or Y1. */
int signatories_verify(const struct signatories *s, uint64_t entries, const uint8_t *der,
		       size_t der_size, const void *data, size_t size, struct digest *signer,
		       struct err *e);

#endif

/*
 * A certificate judged offline, from the files alone: what the archive says today is not
 * asked, and nothing of it is needed.
 *
 *   V1  One changed byte in the certificate, its annex or its time-stamp is found.
 *   V2  Who signed is trusted by the bundle of authorities or not at all; as of the moment
 *       of signing, so that a certificate outlives those of its signers.
 *   V3  What the certificate says of approvals is counted again from the signatures in it.
 */
#ifndef FS_VAULT_CERTIFICATE_VERIFY_H
#define FS_VAULT_CERTIFICATE_VERIFY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

struct err;

enum check_result {
	CHECK_HOLDS,
	CHECK_FAILS,		/* changed, or never so */
	CHECK_UNTRUSTED,	/* sound, but of nobody whom the bundle vouches for, or against
				 * a rule */
	CHECK_SKIPPED,		/* what it needs was not given */
	CHECK_NOTED,		/* sound; an auditor should ask about it all the same */
};

#define TIMESTAMPS_MAX 64	/* of one certificate: one in some years */

struct renewal {
	const uint8_t *data;
	size_t size;
};

struct evidence {		/* all borrowed; NULL: not given */
	const uint8_t *cms;
	size_t cms_size;
	const uint8_t *ca;	/* PEM */
	size_t ca_size;
	FILE *annex;
	const uint8_t *timestamp;
	size_t timestamp_size;
	const struct renewal *renewals;	/* of the time-stamp, in their order */
	size_t renewal_count;
	const uint8_t *authority;	/* PEM; NULL: ca is asked */
	size_t authority_size;
	const uint8_t *archive_signature;
	size_t archive_signature_size;
	const uint8_t *marks;
	size_t marks_size;
};

/*
 * found(): a sentence a check.  *content: the certificate, a new reference, NULL where it
 * cannot be read.  0 only if nothing fails and nobody is untrusted; MUNI_DAMAGED,
 * MUNI_REFUSED, with the first such sentence; MUNI_NO_MEMORY, MUNI_IO where something could
 * not be looked at, whatever else was found.
 */
int certificate_verify(const struct evidence *w,
		       void (*found)(void *arg, const char *check, enum check_result result,
				     const char *sentence), void *arg, json_t **content,
		       struct err *e);

#endif

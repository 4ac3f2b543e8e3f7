/*
 * A certificate of destruction as a document that a board can sign.
 */
#ifndef TOOLS_PAPER_CERTIFICATE_H
#define TOOLS_PAPER_CERTIFICATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct paper_signer {		/* of the CMS around it; borrowed */
	const char *person;
	int64_t signed_at;
};

/* content: the certificate; hex: SHA-256 of its text.  *pdf: malloc'ed. */
int paper_certificate(const json_t *content, const char *hex, const struct paper_signer *signers,
		      size_t signer_count, bool is_chinese, uint8_t **pdf, size_t *size,
		      struct err *e);

#endif

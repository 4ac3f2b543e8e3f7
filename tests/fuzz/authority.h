/*
 * A time-stamping authority (RFC 3161) of the targets' own, whose certificate is its own
 * root's: it signs whatever it is given as TSTInfo, as the RFC asks.
 */
#ifndef TESTS_FUZZ_AUTHORITY_H
#define TESTS_FUZZ_AUTHORITY_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "fs/crypt/digest.h"

#define AUTHORITY_LIFE (36500L * 86400)	/* its certificate's, from 1970 on, in seconds */

struct authority {
	EVP_PKEY *key;
	X509 *cert;
	char *pem;		/* of cert */
};

void authority_open(struct authority *a);
void authority_close(struct authority *a);
/* TSTInfo over `of`, at `when`; malloc'ed DER. */
size_t authority_info(const struct digest *of, int64_t when, uint8_t **out);
/* A TimeStampResp that grants it: TSTInfo, signed, with its certificate; malloc'ed DER. */
size_t authority_answer(const struct authority *a, const uint8_t *info, size_t size,
			uint8_t **out);

#endif

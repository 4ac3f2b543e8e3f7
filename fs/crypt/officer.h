/*
 * Officers' identities and what they sign: X.509, CMS (RFC 5652), RFC 3161.
 *
 *   O1  What is signed verifies with stock `openssl cms -verify -binary`.
 *   O2  A key on a token never leaves it; a key from a file lies in secret memory and is
 *       wiped.
 *   O3  Verification is as of a moment that the caller gives: a signer whose certificate
 *       was not valid then is refused.
 */
#ifndef FS_CRYPT_OFFICER_H
#define FS_CRYPT_OFFICER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/crypt/digest.h"

struct err;
struct signer;
struct officer_key;

struct identity {		/* of a certificate; texts malloc'ed: identity_clear() */
	uint8_t *cert;		/* DER */
	size_t cert_size;
	struct digest fingerprint;	/* SHA-256 of cert */
	struct digest key;	/* SHA-256 of its public key (SPKI) */
	char *subject, *issuer, *serial;	/* RFC 2253; RFC 2253; hex */
	int64_t not_before, not_after;
	bool can_sign;		/* keyUsage allows digitalSignature or nonRepudiation, or
				 * there is none; the key is of a kind that CMS signs with */
	bool is_for_documents;	/* extendedKeyUsage names mail, documents or any purpose, or
				 * there is none: not that of a server, say */
};
/* PEM or DER; the first certificate in it.  MUNI_FORMAT. */
int identity_parse(const void *data, size_t size, struct identity *out, struct err *e);
void identity_clear(struct identity *i);

/*
 * spec: path of a PEM key (encrypted: ask() is called), or a "pkcs11:" URI (RFC 7512; the
 * token's PIN by pin-value, pin-source (a file) or ask(); module-path names its library,
 * else p11-kit's are tried).  cert: DER, whose public key it must be
 * (MUNI_CANNOT_UNLOCK: the PIN or passphrase; MUNI_USAGE: another's key).  ask(): not
 * negative, out NUL ended; -1 where nobody answers; NULL: nobody does.
 */
int officer_key_open(const char *spec, const uint8_t *cert, size_t cert_size,
		     int (*ask)(void *arg, const char *question, char *out, size_t size),
		     void *arg, struct officer_key **out, struct err *e);
void officer_key_close(struct officer_key *k);	/* NULL is allowed */

/* Detached CMS, certificate included, signingTime = now; malloc'ed DER. */
int officer_sign(struct officer_key *k, const void *data, size_t size, int64_t now,
		 uint8_t **out, size_t *out_size, struct err *e);
/*
 * A detached CMS (DER, PEM or S/MIME; one that carries the content is fine where that
 * is data to the byte) over data: every signature in it is checked, and SHA-1 or MD5
 * are refused.  signers: malloc'ed, with their certificates; signed_at: signingTime or
 * 0.  MUNI_DAMAGED: not a signature over these bytes; MUNI_FORMAT: not a CMS.
 */
struct cms_signer {
	struct identity identity;
	int64_t signed_at;
};
int cms_verify_detached(const uint8_t *cms, size_t cms_size, const void *data, size_t size,
			struct cms_signer **signers, size_t *count, struct err *e);
void cms_signers_free(struct cms_signer *signers, size_t count);
/* The same signatures as DER without the content, whatever form they came in (malloc'ed). */
int cms_detach(const uint8_t *cms, size_t cms_size, uint8_t **out, size_t *out_size,
	       struct err *e);

/* Attached CMS: the first signatures (archive or k may be NULL, not both), and one more
 * to what is there. MUNI_EXISTS: this certificate has signed. */
int cms_sign_attached(const struct signer *archive, struct officer_key *k, const void *data,
		      size_t size, int64_t now, uint8_t **out, size_t *out_size, struct err *e);
int cms_add_signature(const uint8_t *cms, size_t cms_size, struct officer_key *k, int64_t now,
		      uint8_t **out, size_t *out_size, struct err *e);
/* *content malloc'ed; every signature is checked, and that the frame around them is DER as
 * RFC 5652 has it: no byte can change where it stands and nobody notice.  In DER alone.  Added
 * may be what nobody believes: a certificate, an attribute that is not signed. */
int cms_verify_attached(const uint8_t *cms, size_t cms_size, uint8_t **content, size_t *size,
			struct cms_signer **signers, size_t *count, struct err *e);
/* Detached, in DER alone, as sign_detached() makes it: no byte of the frame can change, go or
 * come and nobody notices; of the certificate in it, nobody who asks whose it is
 * (sign_verify_known()).  But ECDSA itself has beside each s another that is as good, and
 * everybody can work it out. */
int cms_verify_own(const uint8_t *cms, size_t cms_size, const void *data, size_t size,
		   struct cms_signer **signers, size_t *count, struct err *e);
/* Does the certificate lead to one in the PEM bundle `ca`, as of `at`?  As `openssl cms
 * -verify -purpose any -attime` asks.  MUNI_REFUSED says why not; MUNI_FORMAT: ca has no
 * certificate in it. */
int identity_check_chain(const struct identity *i, const void *ca, size_t ca_size,
			 const uint8_t *cms, size_t cms_size,	/* for intermediates; or NULL */
			 int64_t at, struct err *e);

/* ---- RFC 3161 --------------------------------------------------------------------------- */

/* Asks the authority at url (http) for a time-stamp of a SHA-256; *out: malloc'ed
 * TimeStampResp, DER, checked against ca (PEM).  *when: the time it says. */
int timestamp_get(const char *url, const void *ca, size_t ca_size, const struct digest *of,
		  unsigned timeout_s, uint8_t **out, size_t *out_size, int64_t *when,
		  struct err *e);
/* As timestamp_get() checks.  The signer's certificate comes with the token or with ca; without
 * it MUNI_REFUSED: nothing can be said of the time.  MUNI_DAMAGED: another digest, another
 * authority's, or changed. */
int timestamp_verify(const uint8_t *der, size_t size, const struct digest *of, const void *ca,
		     size_t ca_size, int64_t *when, struct err *e);
/* Is it what an authority gave over this digest?  By the certificate that it carries, for whom
 * nobody vouches: of a former authority too.  A token that carries none (ours always do) is
 * compared with the digest and no more: *is_signature_checked is false, and its time may be
 * any.  MUNI_DAMAGED. */
int timestamp_check(const uint8_t *der, size_t size, const struct digest *of,
		    bool *is_signature_checked, struct err *e);

#endif

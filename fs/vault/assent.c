#include "fs/vault/assent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"

/* ---- by key ----------------------------------------------------------------------------- */

static int by_key(const struct assent *a, const char *id, struct officer_key *key,
		  struct err *e)
{
	const struct officer *by = roster_find(a->roster, id);
	uint8_t *signature = NULL;
	size_t size = 0;
	int rc = -1;

	if (!by)
		return err_set(e, MUNI_REFUSED, "role: no officer \"%s\" is in office; `muni "
			       "officer list` shows who is", text_printable(id));
	if (a->may(a->arg, by, 0, e) == 0 &&
	    roster_prove(a->roster, id, key, a->roles, a->act, a->statement,
			 strlen(a->statement), a->now, &by, &signature, &size, e) == 0)
		rc = a->put(a->arg, by, signature, size, a->now, e);
	free(signature);
	return rc;
}

/* ---- carried in ------------------------------------------------------------------------- */

static int take_one(const struct assent *a, const struct cms_signer *s, const char *id,
		    const uint8_t *der, size_t size, struct err *e)
{
	const struct digest *certificate = &s->identity.fingerprint;
	const struct officer *by = a->who ? a->who(a->arg, certificate) :
				   roster_by_certificate(a->roster, certificate);

	if (!by)
		return err_set(e, MUNI_REFUSED, "role: it was signed by %s with a certificate of "
			       "no officer in office; `muni officer list` shows who is",
			       text_printable(s->identity.subject));
	if (id && strcmp(id, by->id) != 0)
		return err_set(e, MUNI_REFUSED, "identity: it was signed by %s, not by %s",
			       text_printable(by->id), text_printable(id));
	return a->may(a->arg, by, s->signed_at, e) < 0 ? -1 :
	       a->put(a->arg, by, der, size, s->signed_at, e);
}

static bool has_come(const struct cms_signer *signers, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (digest_equal(&signers[i].identity.fingerprint,
				 &signers[at].identity.fingerprint))
			return true;
	return false;
}

static int by_file(const struct assent *a, const char *id, const uint8_t *signature,
		   size_t size, struct err *e)
{
	struct cms_signer *signers = NULL;
	size_t count = 0, der_size = 0;
	uint8_t *der = NULL;
	int rc = -1;

	if (cms_verify_detached(signature, size, a->statement, strlen(a->statement), &signers,
				&count, e) < 0) {
		if (e->code != MUNI_DAMAGED)
			return -1;
		e->code = MUNI_REFUSED;
		return err_wrap(e, "%s", a->other);
	}
	/* S2 */
	if (cms_detach(signature, size, &der, &der_size, e) == 0) {
		rc = 0;
		for (size_t i = 0; rc == 0 && i < count; i++)
			if (!has_come(signers, i))
				rc = take_one(a, &signers[i], id, der, der_size, e);
	}
	free(der);
	cms_signers_free(signers, count);
	return rc;
}

int assent_take(const struct assent *a, const char *id, struct officer_key *key,
		const uint8_t *signature, size_t size, struct err *e)
{
	return signature ? by_file(a, id, signature, size, e) : by_key(a, id, key, e);
}

/* ---- in the log ------------------------------------------------------------------------- */

int assent_read(const char *base64, const void *text, size_t size,
		struct cms_signer **signers, size_t *count, struct err *e)
{
	size_t der_size = 0;
	uint8_t *der;
	int rc;

	*signers = NULL;
	*count = 0;
	if (!base64 || !*base64)
		return err_set(e, MUNI_DAMAGED, "there is no signature");
	der = text_unbase64_bytes(base64, &der_size);
	if (!der)
		return errno == ENOMEM ? err_set(e, MUNI_NO_MEMORY, "no memory for a signature") :
		       err_set(e, MUNI_DAMAGED, "what stands for the signature is no base64 "
			       "(RFC 4648)");
	rc = cms_verify_detached(der, der_size, text, size, signers, count, e);
	if (rc < 0 && e->code != MUNI_NO_MEMORY)
		e->code = MUNI_DAMAGED;	/* no CMS, or of something else: forged all the same */
	free(der);
	return rc;
}

int assent_read_one(const char *base64, const void *text, size_t size,
		    const struct digest *certificate, struct err *e)
{
	struct cms_signer *signers;
	size_t count;
	int rc;

	if (assent_read(base64, text, size, &signers, &count, e) < 0)
		return -1;
	rc = count == 1 && digest_equal(&signers[0].identity.fingerprint, certificate) ? 0 :
	     err_set(e, MUNI_DAMAGED, "the signature is another's");
	cms_signers_free(signers, count);
	return rc;
}

char *assent_text(const uint8_t *signature, size_t size, struct err *e)
{
	char *base64 = text_base64(signature, size);

	if (!base64)
		err_set(e, MUNI_NO_MEMORY, "no memory for a signature");
	return base64;
}

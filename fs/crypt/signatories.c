#include "fs/crypt/signatories.h"

#include <inttypes.h>

#include "fs/base/err.h"
#include "fs/crypt/sign.h"

void signatories_one(struct signatories *s, const uint8_t *cert, size_t cert_size)
{
	s->count = 1;
	s->list[0] = (struct signatory){ digest_of(cert, cert_size), SIGNATORY_PRESENT };
}

int signatories_add(struct signatories *s, const struct digest *certificate, uint64_t until)
{
	if (s->count == SIGNATORIES_MAX)
		return -1;
	s->list[s->count++] = (struct signatory){ *certificate, until };
	return 0;
}

const struct signatory *signatories_find(const struct signatories *s,
					 const struct digest *certificate)
{
	for (size_t i = 0; i < s->count; i++)
		if (digest_equal(&s->list[i].certificate, certificate))
			return &s->list[i];
	return NULL;
}

int signatories_verify(const struct signatories *s, uint64_t entries, const uint8_t *der,
		       size_t der_size, const void *data, size_t size, struct digest *signer,
		       struct err *e)
{
	struct digest known[SIGNATORIES_MAX];
	size_t which = 0;

	for (size_t i = 0; i < s->count; i++)
		known[i] = s->list[i].certificate;
	if (sign_verify_known(der, der_size, data, size, known, s->count, &which, e) < 0)
		return -1;
	if (entries > s->list[which].until)
		return err_set(e, MUNI_DAMAGED, "it is signed by a key of this archive that was "
			       "renewed at entry %" PRIu64 " of the log, and speaks of %" PRIu64
			       " entries: whoever signed it had no right to the key any more",
			       s->list[which].until, entries);
	if (signer)
		*signer = known[which];
	return 0;
}

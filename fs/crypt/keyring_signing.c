/*
 * The renewal of the signing key: its successor beside it, then in its place.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/keyring_inside.h"
#include "fs/crypt/secret.h"
#include "fs/crypt/signatories.h"

_Static_assert(KEYRING_FORMER_MAX + 2 <= SIGNATORIES_MAX, "all of them have room");

int keyring_signing_begin(struct keyring *k, enum signer_algorithm algorithm, int64_t now,
			  uint64_t entry, struct err *e)
{
	struct signer *made = NULL;
	struct slots s;
	struct body *b;
	int rc;

	if (k->body->next_key_size != 0)
		return err_set(e, MUNI_EXISTS, "a renewal of the signing key has begun already");
	if (k->body->former_count == KEYRING_FORMER_MAX)
		return err_set(e, MUNI_LIMIT, "the signing key was renewed %d times: the keyring "
			       "has no room to remember more", KEYRING_FORMER_MAX);
	if (keyring_draft(k, &b, &s, e) < 0)
		return -1;
	b->next_entry = entry;
	if (body_make_signer(k->id, algorithm, now, b->next_key, &b->next_key_size,
			     b->next_certificate, &b->next_certificate_size, &made, e) < 0) {
		signer_free(made);
		return keyring_drop(b, &s);
	}
	rc = keyring_commit(k, b, &s, e);
	if (k->body->next_key_size != 0)
		k->next_signer = made;
	else
		signer_free(made);
	return rc;
}

static void forget_next(struct body *b)
{
	secret_wipe(b->next_key, sizeof b->next_key);
	b->next_key_size = b->next_certificate_size = 0;
	b->next_entry = 0;
}

/* In memory what is on the disk, also where only the first half could be written. */
static int end(struct keyring *k, struct body *b, struct slots *s, bool is_renewed, struct err *e)
{
	int rc = keyring_commit(k, b, s, e);

	if (k->body->next_key_size != 0)
		return rc;
	signer_free(is_renewed ? k->signer : k->next_signer);
	if (is_renewed)
		k->signer = k->next_signer;
	k->next_signer = NULL;
	return rc;
}

int keyring_signing_finish(struct keyring *k, struct err *e)
{
	struct slots s;
	struct body *b;

	if (k->body->next_key_size == 0)
		return err_set(e, MUNI_USAGE, "no renewal of the signing key has begun");
	if (keyring_draft(k, &b, &s, e) < 0)
		return -1;
	b->former[b->former_count++] = (struct former){
		digest_of(b->certificate, b->certificate_size), b->next_entry,
	};
	memcpy(b->signing_key, b->next_key, sizeof b->signing_key);
	b->signing_key_size = b->next_key_size;
	memcpy(b->certificate, b->next_certificate, sizeof b->certificate);
	b->certificate_size = b->next_certificate_size;
	forget_next(b);
	return end(k, b, &s, true, e);
}

int keyring_signing_abandon(struct keyring *k, struct err *e)
{
	struct slots s;
	struct body *b;

	if (k->body->next_key_size == 0)
		return 0;
	if (keyring_draft(k, &b, &s, e) < 0)
		return -1;
	forget_next(b);
	return end(k, b, &s, false, e);
}

bool keyring_signing_next(const struct keyring *k, uint64_t *entry)
{
	*entry = k->body->next_entry;
	return k->body->next_key_size != 0;
}

const uint8_t *keyring_next_certificate(const struct keyring *k, size_t *size)
{
	*size = k->body->next_certificate_size;
	return k->body->next_certificate;
}

const struct signer *keyring_next_signer(struct keyring *k, struct err *e)
{
	const struct body *b = k->body;

	if (!k->next_signer && signer_import(b->next_key, b->next_key_size, b->next_certificate,
					     b->next_certificate_size, &k->next_signer, e) < 0)
		err_wrap(e, "keyring %s", text_printable(k->path));
	return k->next_signer;
}

void keyring_signatories(const struct keyring *k, struct signatories *out)
{
	const struct body *b = k->body;
	struct digest d = digest_of(b->certificate, b->certificate_size);
	bool is_renewing = b->next_key_size != 0;

	out->count = 0;
	for (size_t i = 0; i < b->former_count; i++)
		(void)signatories_add(out, &b->former[i].certificate, b->former[i].entry);
	(void)signatories_add(out, &d, is_renewing ? b->next_entry : SIGNATORY_PRESENT);
	if (!is_renewing)
		return;
	d = digest_of(b->next_certificate, b->next_certificate_size);
	(void)signatories_add(out, &d, SIGNATORY_PRESENT);
}

/*
 * Signatures that let an officer in, made here with a key or carried in as a file.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/clearance.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/office.h"

#define CLOCK_SLACK 86400	/* seconds that an officer's own clock may be off */
#define WHAT "approve an officer"

struct admitting {
	struct vault *vault;
	struct roster roster;
	const struct officer *officer;	/* whom it is about */
	char *statement;
};

static void admitting_clear(struct admitting *a)
{
	roster_clear(&a->roster);
	free(a->statement);
}

static int admitting_load(struct admitting *a, struct vault *v, const char *id, struct err *e)
{
	*a = (struct admitting){ .vault = v };
	if (roster_load(v, &a->roster, e) < 0)
		return -1;
	a->officer = roster_listed(&a->roster, id);
	if (!a->officer)
		err_set(e, MUNI_NOT_FOUND, "there is no officer \"%s\"; `muni officer list` shows "
			"who there is", text_printable(id));
	else if (a->officer->entry == 0)
		err_set(e, MUNI_DAMAGED, "the audit log does not say that %s was added",
			text_printable(id));
	else if (office_statement(v, a->officer, &a->statement, e) == 0)
		return 0;
	admitting_clear(a);
	return -1;
}

int vault_officer_statement(struct vault *v, const char *id, char **out, struct err *e)
{
	struct admitting a;

	*out = NULL;
	if (admitting_load(&a, v, id, e) < 0)
		return -1;
	*out = a.statement;
	a.statement = NULL;
	admitting_clear(&a);
	return 0;
}

/* ---- may this person? ------------------------------------------------------------------- */

static int check_once(const struct admitting *a, const struct officer *by, struct err *e)
{
	const struct officer *o = a->officer;

	if (o->standing == OFFICER_APPROVED)
		return err_set(e, MUNI_REFUSED, "state: %s is in office by approval already",
			       text_printable(o->id));
	for (size_t i = 0; i < o->approved_count; i++)
		if (is_same_person(&a->roster.list[o->approved_by[i]].identity, &by->identity))
			return err_set(e, MUNI_REFUSED, "separation of duties: %s has signed for "
				       "%s already, and a person counts once",
				       text_printable(by->id), text_printable(o->id));
	return 0;
}

static int check_time(const struct admitting *a, const struct officer *by, int64_t signed_at,
		      struct err *e)
{
	int64_t now = vault_now(a->vault);
	char when[TEXT_TIME_MAX];

	if (officer_is_valid(by, signed_at ? signed_at : now, "when it was signed", e) < 0)
		return -1;
	if (signed_at <= now + CLOCK_SLACK && (signed_at == 0 ||
					       signed_at >= a->officer->added - CLOCK_SLACK))
		return 0;
	return err_set(e, MUNI_REFUSED, "clock: the signature of %s says %s, which is %s",
		       text_printable(by->id), text_time(signed_at, 0, when),
		       signed_at > now ? "yet to come" : "before the officer was added");
}

static int put(struct admitting *a, const struct officer *by, const uint8_t *signature,
	       size_t size, int64_t signed_at, struct err *e)
{
	char hex[DIGEST_HEX_SIZE], *base64, *details = NULL;
	const struct officer *o = a->officer;
	int rc = -1;

	if (office_may_approve(&a->roster, o, by, e) < 0 || check_once(a, by, e) < 0 ||
	    check_time(a, by, signed_at, e) < 0)
		return -1;
	digest_hex(&o->identity.fingerprint, hex);
	base64 = json_needs(text_base64(signature, size));
	if (details_text(json_pack("{s:I, s:s, s:s, s:s, s:s}", "entry", (json_int_t)o->entry,
				   "fingerprint", hex, "id", o->id, "officer", by->id,
				   "signature", base64), &details, e) == 0 &&
	    catalogue_begin(a->vault->catalogue, e) == 0)
		rc = vault_commit_act_by(a->vault, LOG_OFFICER_APPROVED,
					 &by->identity.fingerprint, details, e);
	free(details);
	free(base64);
	return rc;
}

/* ---- by key, carried in ----------------------------------------------------------------- */

static int approve_by_key(struct admitting *a, const char *id, struct officer_key *key,
			  struct err *e)
{
	const struct officer *by = roster_find(&a->roster, id);
	uint8_t *signature = NULL;
	size_t size = 0;
	int rc = -1;

	if (!by)
		return err_set(e, MUNI_REFUSED, "role: no officer \"%s\" is in office",
			       text_printable(id));
	if (office_may_approve(&a->roster, a->officer, by, e) == 0 &&
	    roster_prove(&a->roster, id, key, ROLES_DECIDING, WHAT, a->statement,
			 strlen(a->statement), vault_now(a->vault), &by, &signature, &size,
			 e) == 0)
		rc = put(a, by, signature, size, 0, e);
	free(signature);
	return rc;
}

/* The one in office has it, else he who had it before. */
static const struct officer *signer_of(const struct admitting *a,
				       const struct digest *fingerprint)
{
	const struct officer *by = roster_by_certificate(&a->roster, fingerprint);
	struct err none = ERR_NONE;

	for (size_t i = 0; !by && i < a->roster.count; i++)
		if (digest_equal(&a->roster.list[i].identity.fingerprint, fingerprint) &&
		    office_may_approve(&a->roster, a->officer, &a->roster.list[i], &none) == 0)
			by = &a->roster.list[i];
	return by;
}

static int approve_as(struct admitting *a, const struct cms_signer *s, const char *id,
		      const uint8_t *der, size_t size, struct err *e)
{
	const struct officer *by = signer_of(a, &s->identity.fingerprint);

	if (!by)
		return err_set(e, MUNI_REFUSED, "role: it was signed by %s with a certificate of "
			       "no officer in office", text_printable(s->identity.subject));
	if (id && strcmp(id, by->id) != 0)
		return err_set(e, MUNI_REFUSED, "identity: it was signed by %s, not by %s",
			       text_printable(by->id), text_printable(id));
	return put(a, by, der, size, s->signed_at, e);
}

/* Signed twice by one: that is one approval. */
static bool has_come(const struct cms_signer *signers, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (digest_equal(&signers[i].identity.fingerprint,
				 &signers[at].identity.fingerprint))
			return true;
	return false;
}

static int approve_by_file(struct admitting *a, const char *id, const uint8_t *signature,
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
		return err_wrap(e, "one officer, one signature: it is not over the statement of %s "
				"(`muni officer statement`)", text_printable(a->officer->id));
	}
	/* The first that is refused ends it: those before it stand, each an approval. */
	if (cms_detach(signature, size, &der, &der_size, e) == 0) {
		rc = 0;
		for (size_t i = 0; rc == 0 && i < count; i++)
			if (!has_come(signers, i))
				rc = approve_as(a, &signers[i], id, der, der_size, e);
	}
	free(der);
	cms_signers_free(signers, count);
	return rc;
}

int vault_officer_approve(struct vault *v, const char *id, const char *by,
			  struct officer_key *key, const uint8_t *signature,
			  size_t signature_size, struct err *e)
{
	const struct officer *o;
	struct admitting a;
	int rc;

	if (admitting_load(&a, v, id, e) < 0)
		return -1;
	rc = signature ? approve_by_file(&a, by, signature, signature_size, e) :
	     approve_by_key(&a, by, key, e);
	if (rc < 0 && e->code == MUNI_REFUSED) {
		o = by ? roster_find(&a.roster, by) : NULL;
		clearance_refused(v, WHAT, o ? &o->identity.fingerprint : NULL, e);
	}
	admitting_clear(&a);
	return rc;
}

/*
 * Signatures that let an officer in, made here with a key or carried in as a file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/assent.h"
#include "fs/vault/clearance.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/office.h"

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
	if (signed_at <= now + ASSENT_SLACK && (signed_at == 0 ||
					       signed_at >= a->officer->added - ASSENT_SLACK))
		return 0;
	return err_set(e, MUNI_REFUSED, "clock: the signature of %s says %s, which is %s",
		       text_printable(by->id), text_time(signed_at, 0, when),
		       signed_at > now ? "yet to come" : "before the officer was added");
}

static int may_sign(void *arg, const struct officer *by, int64_t signed_at, struct err *e)
{
	struct admitting *a = arg;

	return office_may_approve(&a->roster, a->officer, by, e) < 0 ||
	       check_once(a, by, e) < 0 || check_time(a, by, signed_at, e) < 0 ? -1 : 0;
}

static int put(void *arg, const struct officer *by, const uint8_t *signature, size_t size,
	       int64_t signed_at, struct err *e)
{
	char hex[DIGEST_HEX_SIZE], *base64, *details = NULL;
	struct admitting *a = arg;
	const struct officer *o = a->officer;
	int rc = -1;

	(void)signed_at;	/* the signature says it */
	base64 = assent_text(signature, size, e);
	if (!base64)
		return -1;
	digest_hex(&o->identity.fingerprint, hex);
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

/* The one in office has it, else he who had it before. */
static const struct officer *signer_of(void *arg, const struct digest *fingerprint)
{
	const struct admitting *a = arg;
	const struct officer *by = roster_by_certificate(&a->roster, fingerprint);
	struct err none = ERR_NONE;

	for (size_t i = 0; !by && i < a->roster.count; i++)
		if (digest_equal(&a->roster.list[i].identity.fingerprint, fingerprint) &&
		    office_may_approve(&a->roster, a->officer, &a->roster.list[i], &none) == 0)
			by = &a->roster.list[i];
	return by;
}

int vault_officer_approve(struct vault *v, const char *id, const char *by,
			  struct officer_key *key, const uint8_t *signature,
			  size_t signature_size, struct err *e)
{
	const struct officer *o;
	struct admitting a;
	char other[256];
	int rc;

	if (admitting_load(&a, v, id, e) < 0)
		return -1;
	snprintf(other, sizeof other, "one officer, one signature: it is not over the statement "
		 "of %s (`muni officer statement`)", text_printable(a.officer->id));
	const struct assent assent = {
		.roster = &a.roster, .statement = a.statement, .act = WHAT,
		.roles = ROLES_DECIDING, .other = other, .now = vault_now(v), .arg = &a,
		.who = signer_of, .may = may_sign, .put = put,
	};
	rc = assent_take(&assent, by, key, signature, signature_size, e);
	if (rc < 0 && e->code == MUNI_REFUSED) {
		o = by ? roster_find(&a.roster, by) : NULL;
		clearance_refused(v, WHAT, o ? &o->identity.fingerprint : NULL, e);
	}
	admitting_clear(&a);
	return rc;
}

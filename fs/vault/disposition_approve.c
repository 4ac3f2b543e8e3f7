/*
 * Approvals of a statement, made here with a key or carried in as a file; what is still
 * missing; withdrawal.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/assent.h"
#include "fs/vault/clearance.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/office.h"

#define ROLES_SIGNING (ROLES_DECIDING | ROLE_WITNESS)

struct approving {
	struct vault *vault;
	struct roster roster;
	struct disposition_row row;
	struct consents consents;	/* those that there are */
	int64_t now;
};

static const char *state_words(enum disposition_state s)
{
	switch (s) {
	case DISPOSITION_PROPOSED:
		return "waits for approvals";
	case DISPOSITION_SWITCHING:
		return "is being executed";
	case DISPOSITION_GONE:
	case DISPOSITION_CERTIFIED:
		return "has been executed";
	case DISPOSITION_WITHDRAWN:
		return "was withdrawn";
	}
	return "is in no known state";
}

static void approving_clear(struct approving *a)
{
	consents_clear(&a->consents);
	disposition_row_clear(&a->row);
	roster_clear(&a->roster);
}

static int approving_load(struct approving *a, struct vault *v, int64_t id, struct err *e)
{
	*a = (struct approving){ .vault = v, .now = vault_now(v) };
	if (catalogue_disposition_get(v->catalogue, id, &a->row, e) == 0 &&
	    roster_load(v, &a->roster, e) == 0 &&
	    consents_load(v->catalogue, &a->roster, &a->row, a->now, &a->consents, e) == 0)
		return 0;
	approving_clear(a);
	return -1;
}

static int check_state(const struct approving *a, struct err *e)
{
	return a->row.state == DISPOSITION_PROPOSED ? 0 :
		err_set(e, MUNI_REFUSED, "state: D%" PRId64 " %s", a->row.id,
			state_words(a->row.state));
}

/* ---- may this person approve? ----------------------------------------------------------- */

static int check_separation(const struct approving *a, const struct officer *o, struct err *e)
{
	const struct officer *proposer = roster_at(&a->roster, a->row.proposer, a->row.proposed);

	if (!proposer)
		return err_set(e, MUNI_DAMAGED, "D%" PRId64 " was proposed by nobody that the "
			       "archive knows", a->row.id);
	if (is_same_person(&o->identity, &proposer->identity))
		return err_set(e, MUNI_REFUSED, "separation of duties: %s proposed D%" PRId64
			       ", and who proposes cannot approve", text_printable(o->id),
			       a->row.id);
	for (size_t i = 0; i < a->consents.count; i++) {
		const struct consent *c = &a->consents.list[i];

		if (c->officer && is_same_person(&c->officer->identity, &o->identity))
			return err_set(e, MUNI_REFUSED, "separation of duties: %s has approved D%"
				       PRId64 " already, and a person counts once",
				       text_printable(c->id), a->row.id);
	}
	return 0;
}

static int check_signing_time(const struct approving *a, const struct officer *o,
			      int64_t signed_at, struct err *e)
{
	char when[TEXT_TIME_MAX];

	if (signed_at == 0)
		return 0;	/* then it is as of now */
	if (officer_is_valid(o, signed_at, "when it was signed", e) < 0)
		return -1;
	text_time(signed_at, 0, when);
	if (signed_at > a->now + ASSENT_SLACK)
		return err_set(e, MUNI_REFUSED, "clock: the signature of %s says %s, which is "
			       "yet to come", text_printable(o->id), when);
	if (signed_at < a->row.proposed - ASSENT_SLACK)
		return err_set(e, MUNI_REFUSED, "clock: the signature of %s says %s, when D%" PRId64
			       " was not yet proposed", text_printable(o->id), when, a->row.id);
	return 0;
}

static int may_approve(void *arg, const struct officer *o, int64_t signed_at, struct err *e)
{
	const struct approving *a = arg;

	return officer_may(o, ROLES_SIGNING, "approve a disposition", a->now, e) < 0 ||
	       check_signing_time(a, o, signed_at, e) < 0 ||
	       check_separation(a, o, e) < 0 ? -1 : 0;
}

/* ---- writing it down ----------------------------------------------------------------------- */

static int approved_details(const struct approving *a, const struct officer *o,
			    const uint8_t *signature, size_t size, int64_t signed_at,
			    char **out, struct err *e)
{
	struct digest of = digest_of(signature, size);
	char id[24], root[DIGEST_HEX_SIZE], hex[DIGEST_HEX_SIZE], cert[DIGEST_HEX_SIZE];
	char when[TEXT_TIME_MAX];

	snprintf(id, sizeof id, "D%" PRId64, a->row.id);
	digest_hex(&a->row.root, root);
	digest_hex(&of, hex);
	digest_hex(&o->identity.fingerprint, cert);
	return details_text(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "disposition",
				      id, "officer", o->id, "officers", OFFICE_CLOSED,
				      "certificate", cert, "root", root,
				      "signature", hex, "signed", text_time(signed_at, 0, when)),
			    out, e);
}

static int put_approval(void *arg, const struct officer *o, const uint8_t *signature,
			size_t size, int64_t signed_at, struct err *e)
{
	struct approving *a = arg;
	const struct approval_row row = { .officer = o->id, .made = a->now,
					  .signature = signature, .signature_size = size };
	struct catalogue *c = a->vault->catalogue;
	char *details = NULL;
	int rc = -1;

	if (approved_details(a, o, signature, size, signed_at ? signed_at : a->now, &details,
			     e) < 0)
		return -1;
	if (catalogue_begin(c, e) == 0) {
		if (catalogue_approval_put(c, a->row.id, &row, e) < 0)
			catalogue_rollback(c);
		else
			rc = vault_commit_act_by(a->vault, LOG_APPROVED,
						 &o->identity.fingerprint, details, e);
	}
	free(details);
	return rc;
}

static int approve(struct approving *a, const char *officer, struct officer_key *key,
		   const uint8_t *signature, size_t size, struct err *e)
{
	char other[128];
	const struct assent assent = {
		.roster = &a->roster, .statement = a->row.statement,
		.act = "approve a disposition", .roles = ROLES_SIGNING, .other = other,
		.now = a->now, .arg = a, .may = may_approve, .put = put_approval,
	};

	snprintf(other, sizeof other, "one list, one signature: it is not over the statement of "
		 "D%" PRId64 " of this archive (`muni dispose show --for-signing`)", a->row.id);
	return assent_take(&assent, officer, key, signature, size, e);
}

int vault_approve(struct vault *v, int64_t id, const char *officer, struct officer_key *key,
		  const uint8_t *signature, size_t signature_size, struct err *e)
{
	struct approving a;
	char what[48];
	int rc = -1;

	if (approving_load(&a, v, id, e) < 0)
		return -1;
	if (check_state(&a, e) == 0)
		rc = approve(&a, officer, key, signature, signature_size, e);
	if (rc < 0 && e->code == MUNI_REFUSED) {
		const struct officer *o = officer ? roster_find(&a.roster, officer) : NULL;

		snprintf(what, sizeof what, "approve D%" PRId64, id);
		clearance_refused(v, what, o ? &o->identity.fingerprint : NULL, e);
	}
	approving_clear(&a);
	return rc;
}

/* ---- what is missing ---------------------------------------------------------------------------- */

static int missing_lines(const struct approving *a, char **missing, struct err *e)
{
	struct demands demands;
	json_t *statement = NULL;
	char *lines = NULL;
	size_t size = 0;
	int rc = -1;

	if (canonical_load(a->row.statement, strlen(a->row.statement), &statement, e) < 0)
		return -1;
	if (demands_parse(&demands, json_object_get(statement, "approvals"), e) == 0) {
		rc = quorum_missing(&demands, &a->consents, &lines, e);
		demands_clear(&demands);
	}
	json_decref(statement);
	if (rc < 0)
		return -1;
	FILE *to = text_stream(missing, &size);
	if (to) {
		fputs(lines, to);
		for (size_t i = 0; i < a->consents.count; i++)
			if (!a->consents.list[i].counts)
				fprintf(to, "the approval of %s does not count: %s\n",
					text_printable(a->consents.list[i].id),
					a->consents.list[i].why);
		rc = text_stream_end(to, missing);
	}
	free(lines);
	return to && rc == 0 ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a sentence");
}

int vault_disposition_missing(struct vault *v, int64_t id, char **missing, struct err *e)
{
	struct approving a;
	int rc;

	*missing = NULL;
	if (approving_load(&a, v, id, e) < 0)
		return -1;
	if (a.row.state == DISPOSITION_PROPOSED || a.row.state == DISPOSITION_SWITCHING) {
		rc = missing_lines(&a, missing, e);
	} else {
		*missing = strdup("");
		rc = *missing ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a sentence");
	}
	approving_clear(&a);
	return rc;
}

/* ---- withdrawal --------------------------------------------------------------------------------- */

static int withdraw(struct approving *a, const char *officer, struct officer_key *key,
		    const char *reason, struct err *e)
{
	char id[24], root[DIGEST_HEX_SIZE], *order = NULL, *details = NULL, *base64 = NULL;
	struct catalogue *c = a->vault->catalogue;
	const struct officer *who;
	uint8_t *signature = NULL;
	size_t size = 0;
	int rc = -1;

	snprintf(id, sizeof id, "D%" PRId64, a->row.id);
	digest_hex(&a->row.root, root);
	if (details_text(json_pack("{s:s, s:s, s:s, s:s}", "archive", vault_id_hex(a->vault),
				   "reason", reason, "root", root, "withdrawn", id), &order,
			 e) < 0 ||
	    roster_prove(&a->roster, officer, key, ROLES_DECIDING, "withdraw a disposition",
			 order, strlen(order), a->now, &who, &signature, &size, e) < 0)
		goto out;
	base64 = json_needs(text_base64(signature, size));
	if (details_text(json_pack("{s:s, s:s, s:s, s:s}", "disposition", id, "officer",
				   who->id, "reason", reason, "signature", base64), &details,
			 e) < 0 ||
	    catalogue_begin(c, e) < 0)
		goto out;
	if (catalogue_disposition_state(c, a->row.id, DISPOSITION_WITHDRAWN, NULL, e) < 0)
		catalogue_rollback(c);
	else
		rc = vault_commit_act_by(a->vault, LOG_WITHDRAWN, &who->identity.fingerprint,
					 details, e);
out:
	free(order);
	free(details);
	free(base64);
	free(signature);
	return rc;
}

int vault_withdraw(struct vault *v, int64_t id, const char *officer, struct officer_key *key,
		   const char *reason, struct err *e)
{
	struct approving a;
	char what[48];
	int rc = -1;

	if (!reason || !*reason || !text_is_utf8(reason, strlen(reason)))
		return err_set(e, MUNI_USAGE, "a reason is needed: why is it withdrawn?");
	if (approving_load(&a, v, id, e) < 0)
		return -1;
	if (check_state(&a, e) == 0)
		rc = withdraw(&a, officer, key, reason, e);
	if (rc < 0 && e->code == MUNI_REFUSED) {
		snprintf(what, sizeof what, "withdraw D%" PRId64, id);
		clearance_refused(v, what, NULL, e);
	}
	approving_clear(&a);
	return rc;
}

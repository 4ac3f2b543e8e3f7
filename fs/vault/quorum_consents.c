/*
 * Approvals, each verified anew: a row in a table approves nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/quorum.h"

struct verifying {
	const struct roster *roster;
	const struct disposition_row *disposition;
	const struct officer *proposer;
	int64_t now;
	struct consents *out;
	struct err *e;
};

void consents_clear(struct consents *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->list[i].id);
	free(c->list);
	*c = (struct consents){ .count = 0 };
}

static void does_not_count(struct consent *c, const char *why)
{
	c->counts = false;
	snprintf(c->why, sizeof c->why, "%s", why);
}

/* The signature in the file by this officer's very certificate; NULL: none. */
static const struct cms_signer *find_signer(const struct cms_signer *signers, size_t count,
					    const struct officer *o)
{
	for (size_t i = 0; i < count; i++)
		if (digest_equal(&signers[i].identity.fingerprint, &o->identity.fingerprint))
			return &signers[i];
	return NULL;
}

static int check_signature(struct consent *c, const struct verifying *v,
			    const struct approval_row *a)
{
	const char *statement = v->disposition->statement;
	struct cms_signer *signers = NULL;
	const struct cms_signer *mine;
	struct err e = ERR_NONE;
	size_t count = 0;

	if (cms_verify_detached(a->signature, a->signature_size, statement, strlen(statement),
				&signers, &count, &e) < 0) {
		if (e.code == MUNI_NO_MEMORY) {
			*v->e = e;
			return -1;
		}
		does_not_count(c, "its signature is not over this list's statement");
		return 0;
	}
	mine = find_signer(signers, count, c->officer);
	if (!mine)
		does_not_count(c, "it was signed with another certificate than the one that the "
			       "officer has now");
	else if (mine->signed_at != 0)
		c->signed_at = mine->signed_at;
	cms_signers_free(signers, count);
	return 0;
}

static void check_officer(struct consent *c, const struct verifying *v)
{
	struct err e = ERR_NONE;

	if (!(c->officer->roles & (ROLES_DECIDING | ROLE_WITNESS)))
		does_not_count(c, "an auditor approves nothing");
	else if (officer_is_valid(c->officer, c->signed_at, "when it was signed", &e) < 0 ||
		 officer_is_valid(c->officer, v->now, "now", &e) < 0)
		does_not_count(c, e.text);
	else if (!officer_counts(c->officer, v->disposition->proposed))
		does_not_count(c, "office: he was made an officer without approval, and counts "
			       "for nothing that was proposed before his 30 days were over");
	else if (!v->proposer || is_same_person(&c->officer->identity, &v->proposer->identity))
		does_not_count(c, "separation of duties: it is the proposer's own");
	for (size_t i = 0; c->counts && i + 1 < v->out->count; i++) {
		const struct consent *other = &v->out->list[i];

		if (other->counts &&
		    is_same_person(&other->officer->identity, &c->officer->identity))
			does_not_count(c, "separation of duties: the same person has approved "
				       "under another id");
	}
}

static int verify_one(void *arg, const struct approval_row *a)
{
	struct verifying *v = arg;
	struct consents *out = v->out;
	struct consent *list = reallocarray(out->list, out->count + 1, sizeof *list), *c;

	if (!list)
		return err_set(v->e, MUNI_NO_MEMORY, "no memory for approvals");
	out->list = list;
	c = &out->list[out->count++];
	*c = (struct consent){ .officer = roster_find(v->roster, a->officer),
			       .id = strdup(a->officer), .signed_at = a->made, .counts = true };
	if (!c->id)
		return err_set(v->e, MUNI_NO_MEMORY, "no memory for approvals");
	if (!c->officer) {
		does_not_count(c, "the officer is not in office any more");
		return 0;
	}
	if (check_signature(c, v, a) < 0)
		return -1;
	if (c->counts)
		check_officer(c, v);
	return 0;
}

int consents_load(struct catalogue *c, const struct roster *r, const struct disposition_row *d,
		  int64_t now, struct consents *out, struct err *e)
{
	struct verifying v = { .roster = r, .disposition = d, .now = now, .out = out, .e = e,
			       .proposer = roster_at(r, d->proposer, d->proposed) };

	*out = (struct consents){ .count = 0 };
	if (catalogue_approvals(c, d->id, verify_one, &v, e) == 0)
		return 0;
	consents_clear(out);
	return -1;
}

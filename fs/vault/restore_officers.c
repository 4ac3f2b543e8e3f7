/*
 * Who signed what a certificate says, held against the officers of the copy: the archive's
 * key alone signs certificates, too, and what they say is gone goes.  docs/decisions/0153.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/quorum.h"
#include "fs/vault/restore_inside.h"

#define PEOPLE_MAX 100

struct part {			/* a signature over the statement of what was destroyed */
	struct officer who;	/* as the certificate has him; owned */
	const struct officer *known;	/* the copy's, in office then; NULL: it knows nobody with
					 * this certificate */
	bool is_proposer;
	int64_t at;
};

struct holding {
	const struct roster *roster;
	const char *name;	/* of the certificate, for people */
	const char *statement;	/* borrowed from the content */
	bool take_later;
	struct part parts[PEOPLE_MAX];
	size_t count;
	const char *stranger;	/* borrowed: the first whom the copy does not know */
};

static const char *text_at(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* ---- known to the copy --------------------------------------------------------------------- */

/* *known false: nobody has this certificate here.  MUNI_REFUSED: he was not in office. */
static int find_known(const struct holding *h, const struct identity *who, int64_t at,
		      const struct officer **known, struct err *e)
{
	bool is_there = false;
	char when[TEXT_TIME_MAX];

	*known = NULL;
	for (size_t i = 0; i < h->roster->count; i++) {
		const struct officer *o = &h->roster->list[i];

		if (!digest_equal(&o->identity.fingerprint, &who->fingerprint))
			continue;
		is_there = true;
		if (officer_counts(o, at) && (o->removed == 0 || o->removed >= at))
			*known = o;
	}
	if (!is_there || *known)
		return 0;
	return err_set(e, MUNI_REFUSED, "%s: it was signed by %s on %s, who was not in office then, "
		       "as this copy knows: what it says is gone was not destroyed lawfully",
		       text_printable(h->name), text_printable(who->subject),
		       text_time(at, 0, when));
}

static void note_stranger(struct holding *h, const struct officer *known, const char *subject)
{
	if (!known && !h->stranger)
		h->stranger = subject;
}

/* ---- signatures over the statement --------------------------------------------------------- */

static int damaged(const struct holding *h, struct err *e)
{
	return json_memory_refused(e, MUNI_DAMAGED, "%s: a signature of somebody who agreed to it is "
				   "missing, or is not over what it says was agreed to",
				   text_printable(h->name));
}

static int read_identity(const struct holding *h, const json_t *json, struct part *p,
			 struct err *e)
{
	size_t size = 0;
	uint8_t *cert = text_unbase64_bytes(text_at(json, "certificate"), &size);
	int rc = cert ? identity_parse(cert, size, &p->who.identity, e) : -1;

	if (rc == 0)
		rc = roles_parse(text_at(json, "roles"), &p->who.roles, e);
	free(cert);
	if (rc == 0)
		p->who.id = strdup(text_at(json, "id"));
	if (rc == 0 && p->who.id)
		return 0;
	return rc == 0 || e->code == MUNI_NO_MEMORY ?
	       err_set(e, MUNI_NO_MEMORY, "no memory for who signed") : damaged(h, e);
}

static int check_signature(const struct holding *h, const json_t *json, struct part *p,
			   struct err *e)
{
	struct cms_signer *signers = NULL;
	struct err why = ERR_NONE;
	size_t size = 0, count = 0;
	uint8_t *cms = text_unbase64_bytes(text_at(json, "signature"), &size);
	bool is_his = false;

	if (cms && cms_verify_detached(cms, size, h->statement, strlen(h->statement), &signers,
				       &count, &why) == 0)
		for (size_t i = 0; i < count && !is_his; i++)
			if (digest_equal(&signers[i].identity.fingerprint,
					 &p->who.identity.fingerprint)) {
				is_his = true;
				p->at = signers[i].signed_at;
			}
	cms_signers_free(signers, count);
	free(cms);
	if (why.code == MUNI_NO_MEMORY) {
		*e = why;
		return -1;
	}
	if (!is_his || (p->at == 0 && text_parse_time(text_at(json, "at"), false, &p->at) < 0))
		return damaged(h, e);
	return 0;
}

static int take_part(struct holding *h, const json_t *json, struct err *e)
{
	const char *act = text_at(json, "act");
	struct part *p = &h->parts[h->count];
	bool is_proposer = strcmp(act, "proposed") == 0;

	if (!is_proposer && strcmp(act, "approved") != 0 && strcmp(act, "witnessed") != 0)
		return 0;
	if (h->count == PEOPLE_MAX)
		return err_set(e, MUNI_LIMIT, "%s: more than %d people signed", text_printable(h->name),
			       PEOPLE_MAX);
	*p = (struct part){ .is_proposer = is_proposer };
	h->count++;
	if (read_identity(h, json, p, e) < 0 || check_signature(h, json, p, e) < 0 ||
	    find_known(h, &p->who.identity, p->at, &p->known, e) < 0)
		return -1;
	if (p->known)	/* what the copy knows counts, not what the certificate says */
		p->who.roles &= p->known->roles;
	note_stranger(h, p->known, p->who.identity.subject);
	return 0;
}

/* ---- enough of them? ------------------------------------------------------------------------ */

static bool is_one_person(const struct part *a, const struct part *b)
{
	return is_same_person(&a->who.identity, &b->who.identity);
}

/* One person once, and the proposer not at all; with_strangers: also whom the copy does not
 * know. */
static bool counts(const struct holding *h, size_t at, const struct part *proposer,
		   bool with_strangers)
{
	const struct part *p = &h->parts[at];

	if (p->is_proposer || is_one_person(p, proposer) || (!p->known && !with_strangers))
		return false;
	for (size_t i = 0; i < at; i++)
		if (!h->parts[i].is_proposer && is_one_person(p, &h->parts[i]) &&
		    (h->parts[i].known || with_strangers))
			return false;
	return true;
}

static int is_enough(const struct holding *h, const json_t *statement, bool with_strangers,
		     bool *out, struct err *e)
{
	struct consent list[PEOPLE_MAX];
	struct consents consents = { .list = list };
	struct demands demands = { .count = 0 };
	const struct part *proposer = NULL;
	char *missing = NULL;
	int rc = -1;

	*out = false;
	for (size_t i = 0; i < h->count && !proposer; i++)
		if (h->parts[i].is_proposer)
			proposer = &h->parts[i];
	if (!proposer || (!proposer->known && !with_strangers))
		return 0;
	for (size_t i = 0; i < h->count; i++)
		if (counts(h, i, proposer, with_strangers))
			list[consents.count++] = (struct consent){
				.officer = &h->parts[i].who, .id = h->parts[i].who.id,
				.signed_at = h->parts[i].at, .counts = true };
	if (demands_parse(&demands, json_object_get(statement, "approvals"), e) == 0 &&
	    quorum_missing(&demands, &consents, &missing, e) == 0) {
		*out = demands.count > 0 && consents.count > 0 && !*missing;
		rc = 0;
	}
	free(missing);
	demands_clear(&demands);
	return rc;
}

static int judge(const struct holding *h, const json_t *statement, struct err *e)
{
	bool are_known, are_all;

	if (is_enough(h, statement, false, &are_known, e) < 0 ||
	    is_enough(h, statement, true, &are_all, e) < 0)
		return -1;
	if (!are_all)
		return err_set(e, MUNI_REFUSED, "%s: it does not bear the approvals that its list asks "
			       "for", text_printable(h->name));
	/* Whose archive's key alone still makes officers gains nothing by making up others. */
	if (are_known || h->take_later || !h->roster->is_closed)
		return 0;
	return err_set(e, MUNI_REFUSED, "%s: this copy knows too few of the officers who agreed to it; "
		       "%s it does not know. Where they came into office after the copy was made, "
		       "--later-officers takes their word, and the audit log says so for ever",
		       text_printable(h->name), h->stranger ? text_printable(h->stranger) :
		       "some");
}

/* ---- the whole -------------------------------------------------------------------------------- */

/* The statement is of this archive, and of what the certificate says went. */
static int check_statement(const struct holding *h, const json_t *content, json_t **out,
			   struct err *e)
{
	static const char *const same[] = { "archive", "disposition", "kind" };
	const json_t *identity = json_object_get(content, "identity");
	bool fits;

	*out = NULL;
	if (canonical_load(h->statement, strlen(h->statement), out, e) < 0)
		return err_wrap(e, "%s", text_printable(h->name));
	fits = strcmp(text_at(*out, "root"), text_at(json_object_get(content, "what"), "root")) == 0;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		fits &= strcmp(text_at(*out, same[i]), text_at(identity, same[i])) == 0;
	return fits ? 0 : json_memory_refused(e, MUNI_DAMAGED, "%s: what was approved is not what it "
					      "says was destroyed", text_printable(h->name));
}

/* Of who vouches for it: a stranger among them adds nothing, and takes nothing away. */
static int check_signers(const struct holding *h, const struct cms_signer *signers, size_t count,
			 struct err *e)
{
	const struct officer *known;

	for (size_t i = 0; i < count; i++)
		if (signers[i].signed_at != 0 &&
		    find_known(h, &signers[i].identity, signers[i].signed_at, &known, e) < 0)
			return -1;
	return 0;
}

int testimony_check_officers(const struct roster *roster, const char *name, const json_t *content,
			     const struct cms_signer *signers, size_t count, bool take_later,
			     bool *has_strangers, struct err *e)
{
	struct holding *h = calloc(1, sizeof *h);
	json_t *statement = NULL, *person;
	int rc;
	size_t i;

	*has_strangers = false;
	if (!h)
		return err_set(e, MUNI_NO_MEMORY, "no memory for who signed");
	h->roster = roster;
	h->name = name;
	h->take_later = take_later;
	h->statement = text_at(json_object_get(content, "clearance"), "statement");
	rc = check_statement(h, content, &statement, e);
	json_array_foreach(json_object_get(content, "people"), i, person)
		if (rc == 0)
			rc = take_part(h, person, e);
	if (rc == 0)
		rc = check_signers(h, signers, count, e);
	if (rc == 0)
		rc = judge(h, statement, e);
	*has_strangers = h->stranger != NULL;
	for (i = 0; i < h->count; i++) {
		free(h->parts[i].who.id);
		identity_clear(&h->parts[i].who.identity);
	}
	free(h);
	json_decref(statement);
	return rc;
}

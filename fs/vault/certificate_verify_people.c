/*
 * Who approved: every signature over the statement again, the quorum counted again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/certificate_verify_inside.h"
#include "fs/vault/office.h"
#include "fs/vault/quorum.h"

#define PEOPLE_MAX 100

#define SECONDS_A_DAY 86400
#define APPROVERS_NAMED 4	/* two are asked for */
#define NEW_IN_OFFICE 30	/* days: who was added so shortly before he signed is named */

struct part {			/* one person's part in it */
	const json_t *json;
	struct officer officer;
	int64_t at;
	bool is_sound;		/* its signature holds, by whom it says */
};

struct parts {
	struct part list[PEOPLE_MAX];
	size_t count;
};

static const char *act_of(const struct part *p)
{
	return judge_text(p->json, "act");
}

static void parts_clear(struct parts *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->list[i].officer.id);
		free(p->list[i].officer.roles_text);
		free(p->list[i].officer.person);
		identity_clear(&p->list[i].officer.identity);
	}
	free(p);
}

static void take_part(struct judging *j, struct parts *all, const json_t *json)
{
	struct part *p = &all->list[all->count];
	struct err e = ERR_NONE;
	size_t size = 0;
	uint8_t *cert = judge_bytes(j, json, "certificate", &size);

	*p = (struct part){ .json = json };
	if (!cert || identity_parse(cert, size, &p->officer.identity, &e) < 0 ||
	    roles_parse(judge_text(json, "roles"), &p->officer.roles, &e) < 0) {
		if (e.code == MUNI_NO_MEMORY)
			judge_lacks(j, "people", &e);
		judge_tell(j, "people", CHECK_FAILS, "who %s is not said with a certificate and "
			   "roles that can be read", text_printable(act_of(p)));
		identity_clear(&p->officer.identity);
		free(cert);
		return;
	}
	free(cert);
	p->officer.id = strdup(judge_text(json, "id"));
	p->officer.roles_text = strdup(judge_text(json, "roles"));
	p->officer.person = strdup(judge_text(json, "person"));
	if (!p->officer.id || !p->officer.roles_text || !p->officer.person)
		judge_no_memory(j, "people");
	all->count++;
}

/* Several officers may have signed one file; NULL: he is none of them. */
static const struct cms_signer *signer_of(const struct part *p, const struct cms_signer *signers,
					  size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (digest_equal(&signers[i].identity.fingerprint,
				 &p->officer.identity.fingerprint))
			return &signers[i];
	return NULL;
}

/* "A, B": who signed for him when he was made one. */
static void join_approvers(const json_t *list, char *out, size_t size)
{
	size_t i, used = 0;
	json_t *one;

	out[0] = '\0';
	json_array_foreach(list, i, one) {
		if (i == APPROVERS_NAMED)
			return;
		int n = snprintf(out + used, size - used, "%s%s", i ? "; " : "",
				 text_printable(judge_text(one, "person")));

		if (n < 0 || (size_t)n >= size - used)
			return;
		used += (size_t)n;
	}
}

/* Whom other officers let in, and whom the archive's key alone did, against the will of the
 * rule.  true: that is all there is to tell. */
static bool tell_admission(struct judging *j, const struct part *p, const char *who)
{
	const char *how = judge_text(p->json, "admitted"), *since = judge_text(p->json, "added");
	char by[800];

	join_approvers(json_object_get(p->json, "approved_by"), by, sizeof by);
	if (strcmp(how, office_word(OFFICER_APPROVED)) == 0 && *by) {
		judge_tell(j, "office", CHECK_HOLDS, "%s was an officer since %s, approved by %s",
			   who, text_printable(since), by);
		return true;
	}
	if (strcmp(how, office_word(OFFICER_ALONE)) != 0)
		return false;
	judge_tell(j, "office", CHECK_NOTED, "%s was made an officer on %s without the approval of "
		   "those in office, by the holder of the archive's key (\"%s\"): have somebody "
		   "else confirm that this person held the office", who, text_printable(since),
		   text_printable(judge_text(p->json, "because")));
	return true;
}

/* The first officers are added by whoever holds the archive's key: who was made one for this
 * very act is for an auditor to ask about.  Certificates of before do not say since when. */
static void tell_office(struct judging *j, const struct part *p, const char *who)
{
	const char *since = judge_text(p->json, "added");
	int64_t added, days;

	if (!*since)
		return;
	if (text_parse_time(since, false, &added) < 0) {
		judge_tell(j, "office", CHECK_FAILS, "since when %s was an officer cannot be read",
			   who);
		return;
	}
	if (tell_admission(j, p, who))
		return;
	days = p->at > added ? (p->at - added) / SECONDS_A_DAY : 0;
	if (days < NEW_IN_OFFICE)
		judge_tell(j, "office", CHECK_NOTED, "%s was made an officer on %s, %" PRId64
			   " day%s before signing, for which the archive's key was enough: have "
			   "somebody else confirm that this person held the office", who,
			   text_printable(since), days, days == 1 ? "" : "s");
	else
		judge_tell(j, "office", CHECK_HOLDS, "%s was an officer since %s%s", who,
			   text_printable(since), *judge_text(p->json, "admitted") ?
			   ", one of the first, by the archive's key" : "");
}

/* The signature of this part over the statement, by the certificate that stands beside it. */
static void check_part(struct judging *j, struct part *p, const char *statement)
{
	struct cms_signer *signers = NULL;
	const struct cms_signer *mine;
	size_t size = 0, count = 0;
	uint8_t *cms = judge_bytes(j, p->json, "signature", &size);
	const char *who = p->officer.person ? text_printable(p->officer.person) : "";
	struct err e = ERR_NONE;
	char when[TEXT_TIME_MAX];

	if (!cms || cms_verify_detached(cms, size, statement, strlen(statement), &signers,
					&count, &e) < 0) {
		if (e.code == MUNI_NO_MEMORY)
			judge_lacks(j, act_of(p), &e);
		judge_tell(j, act_of(p), CHECK_FAILS, "the signature of %s over the statement: %s",
			   who, cms ? e.text : "it is not there");
		goto out;
	}
	mine = signer_of(p, signers, count);
	if (!mine) {
		judge_tell(j, act_of(p), CHECK_FAILS, "the signature is not that of %s", who);
		goto out;
	}
	p->at = mine->signed_at;
	if (p->at == 0 && text_parse_time(judge_text(p->json, "at"), false, &p->at) < 0)
		p->at = 0;
	if (identity_check_chain(&p->officer.identity, j->with->ca, j->with->ca_size, cms, size,
				 p->at, &e) < 0) {
		judge_tell_err(j, act_of(p), &e);
		goto out;
	}
	p->is_sound = true;
	judge_tell(j, act_of(p), CHECK_HOLDS, "by %s (%s), on %s", who,
		   text_printable(p->officer.roles_text), text_time(p->at, 0, when));
	tell_office(j, p, who);
out:
	cms_signers_free(signers, count);
	free(cms);
}

/* Who says to vouch for the certificate must be among its signers. */
static void check_maker(struct judging *j, const struct part *p)
{
	for (size_t i = 0; i < j->signer_count; i++)
		if (digest_equal(&j->signers[i].identity.fingerprint,
				 &p->officer.identity.fingerprint))
			return;
	judge_tell(j, "certified", CHECK_FAILS, "%s is said to have certified it, and has not "
		   "signed it", text_printable(p->officer.person));
}

static bool is_consent(const struct part *p)
{
	return strcmp(act_of(p), "approved") == 0 || strcmp(act_of(p), "witnessed") == 0;
}

static void check_parts(struct judging *j, struct parts *all, const char *statement)
{
	bool has_proposer = false, has_maker = false;

	for (size_t i = 0; i < all->count; i++) {
		struct part *p = &all->list[i];

		if (strcmp(act_of(p), "proposed") == 0 || is_consent(p))
			check_part(j, p, statement);
		if (strcmp(act_of(p), "proposed") == 0)
			has_proposer = true;
		if (strcmp(act_of(p), "certified") == 0) {
			has_maker = true;
			check_maker(j, p);
		}
	}
	if (!has_proposer || !has_maker)
		judge_tell(j, "people", CHECK_FAILS, "it does not say who %s",
			   has_proposer ? "certified it" : "proposed it");
}

/* ---- counting ----------------------------------------------------------------------------------- */

static const struct part *proposer_of(const struct parts *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(act_of(&all->list[i]), "proposed") == 0)
			return &all->list[i];
	return NULL;
}

/* A person counts once, and who proposed not at all. */
static bool counts(const struct parts *all, size_t at)
{
	const struct part *p = &all->list[at], *proposer = proposer_of(all);

	if (!p->is_sound || !is_consent(p) || !proposer ||
	    is_same_person(&p->officer.identity, &proposer->officer.identity))
		return false;
	for (size_t i = 0; i < at; i++)
		if (is_consent(&all->list[i]) && all->list[i].is_sound &&
		    is_same_person(&p->officer.identity, &all->list[i].officer.identity))
			return false;
	return true;
}

static void check_quorum(struct judging *j, const struct parts *all, const json_t *statement)
{
	struct consent list[PEOPLE_MAX];
	struct consents consents = { .list = list };
	struct demands demands = { .count = 0 };
	char *missing = NULL;
	struct err e = ERR_NONE;

	for (size_t i = 0; i < all->count; i++)
		if (counts(all, i))
			list[consents.count++] = (struct consent){
				.officer = &all->list[i].officer, .id = all->list[i].officer.id,
				.signed_at = all->list[i].at, .counts = true };
	if (demands_parse(&demands, json_object_get(statement, "approvals"), &e) < 0 ||
	    quorum_missing(&demands, &consents, &missing, &e) < 0) {
		if (e.code == MUNI_NO_MEMORY)
			judge_lacks(j, "quorum", &e);
		judge_tell(j, "quorum", CHECK_FAILS, "what was asked for cannot be read: %s",
			   e.text);
	} else if (demands.count == 0 || consents.count == 0) {
		judge_tell(j, "quorum", CHECK_UNTRUSTED, "nobody but the proposer approved");
	} else if (*missing) {
		missing[strcspn(missing, "\n")] = '\0';
		judge_tell(j, "quorum", CHECK_UNTRUSTED, "%s", missing);
	} else {
		judge_tell(j, "quorum", CHECK_HOLDS, "%zu %s, as every class asks", consents.count,
			   consents.count == 1 ? "person, who is not the proposer" :
			   "different persons, none of them the proposer");
	}
	free(missing);
	demands_clear(&demands);
}

/* The statement must be of this very destruction. */
static bool statement_fits(const struct judging *j, const json_t *statement)
{
	const json_t *identity = json_object_get(j->content, "identity");
	const json_t *what = json_object_get(j->content, "what");
	static const char *const same[] = { "archive", "disposition", "kind" };

	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (strcmp(judge_text(statement, same[i]), judge_text(identity, same[i])) != 0)
			return false;
	return strcmp(judge_text(statement, "root"), judge_text(what, "root")) == 0 &&
	       json_equal(json_object_get(statement, "items"), json_object_get(what, "items")) &&
	       json_equal(json_object_get(statement, "bytes"), json_object_get(what, "bytes"));
}

void judge_people(struct judging *j)
{
	const char *text = judge_text(json_object_get(j->content, "clearance"), "statement");
	struct parts *all = calloc(1, sizeof *all);
	json_t *statement = NULL, *person;
	struct err e = ERR_NONE;
	size_t i;

	if (!all) {
		judge_no_memory(j, "people");
		return;
	}
	if (canonical_load(text, strlen(text), &statement, &e) < 0 && e.code == MUNI_NO_MEMORY)
		judge_lacks(j, "statement", &e);
	else if (!statement || !statement_fits(j, statement))
		judge_tell(j, "statement", CHECK_FAILS, "what was approved is not what this "
			   "certificate is of");
	else
		judge_tell(j, "statement", CHECK_HOLDS, "what was approved is this list");
	json_array_foreach(json_object_get(j->content, "people"), i, person)
		if (all->count < PEOPLE_MAX)
			take_part(j, all, person);
	check_parts(j, all, text);
	if (statement)
		check_quorum(j, all, statement);
	json_decref(statement);
	parts_clear(all);
}

#include "fs/vault/office.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/assent.h"
#include "fs/vault/audit.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"

struct replay {
	struct vault *vault;
	struct roster *roster;
	int64_t time;		/* the latest that the log has come to: none goes back */
	struct err *e;
};

const char *office_word(enum officer_standing s)
{
	static const char *const words[] = {
		[OFFICER_FIRST] = "by key", [OFFICER_APPROVED] = "approved",
		[OFFICER_ALONE] = "without approval", [OFFICER_WAITING] = "waiting",
	};

	return words[s];
}

int office_statement(const struct vault *v, const struct officer *o, char **out,
		     struct err *e)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&o->identity.fingerprint, hex);
	return details_text(json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "archive", v->id_hex,
				      "certificate", hex, "entry", (json_int_t)o->entry, "id",
				      o->id, "person", o->identity.subject, "roles",
				      o->roles_text, "type", "muniment-officer-1"), out, e);
}

/* ---- who may sign for whom -------------------------------------------------------------- */

static bool is_in_office(const struct officer *o, int64_t now)
{
	return o->is_live && officer_counts(o, now);
}

/* The certificate that had this id before. */
static bool is_former(const struct officer *by, const struct officer *o, int64_t now)
{
	return by != o && !by->is_live && by->entry != 0 && by->entry < o->entry &&
	       strcmp(by->id, o->id) == 0 && officer_counts(by, now);
}

int office_may_approve(const struct roster *r, const struct officer *o,
		       const struct officer *by, struct err *e)
{
	if (is_former(by, o, r->now))
		return 0;
	if (!is_in_office(by, r->now))
		return err_set(e, MUNI_REFUSED, "role: %s is not in office",
			       text_printable(by->id));
	if (!(by->roles & ROLES_DECIDING))
		return err_set(e, MUNI_REFUSED, "role: %s has the role %s, and cannot approve an "
			       "officer", text_printable(by->id), text_printable(by->roles_text));
	if (is_same_person(&by->identity, &o->identity))
		return err_set(e, MUNI_REFUSED, "separation of duties: nobody approves himself");
	return 0;
}

/* Persons in office who could sign for o; those of them who have, in *signed_by. */
static unsigned count_persons(const struct roster *r, const struct officer *o, int64_t now,
			      unsigned *signed_by, bool *has_former)
{
	unsigned persons = 0;

	*signed_by = 0;
	*has_former = false;
	for (size_t i = 0; i < r->count; i++)
		persons += is_in_office(&r->list[i], now) &&
			   (r->list[i].roles & ROLES_DECIDING) != 0 &&
			   !is_same_person(&r->list[i].identity, &o->identity);
	for (size_t i = 0; i < o->approved_count; i++) {
		const struct officer *by = &r->list[o->approved_by[i]];

		*signed_by += is_in_office(by, now);
		*has_former |= is_former(by, o, now);
	}
	return persons;
}

static void settle(struct replay *p, struct officer *o)
{
	unsigned signed_by, persons;
	bool has_former;

	persons = count_persons(p->roster, o, p->time, &signed_by, &has_former);
	if (signed_by >= 2 || (persons == 1 && signed_by == 1 && has_former))
		o->standing = OFFICER_APPROVED;
}

/* ---- entries ---------------------------------------------------------------------------- */

static const char *word(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* Rows of one id stand in the order in which they were added. */
static struct officer *find_row(struct roster *r, const json_t *o, bool is_new)
{
	char hex[DIGEST_HEX_SIZE];

	for (size_t i = 0; i < r->count; i++) {
		struct officer *one = &r->list[i];

		digest_hex(&one->identity.fingerprint, hex);
		if (strcmp(one->id, word(o, "id")) == 0 &&
		    strcmp(hex, word(o, "fingerprint")) == 0 &&
		    (is_new ? one->entry == 0 : one->is_live))
			return one;
	}
	return NULL;
}

static int on_added(struct replay *p, uint64_t sequence, const json_t *details)
{
	struct officer *o = find_row(p->roster, details, true);
	const char *because = word(details, "without_approval");

	if (!o || strcmp(o->roles_text, word(details, "roles")) != 0)
		return 0;
	o->entry = sequence;
	o->is_live = true;
	o->standing = !p->roster->is_closed ? OFFICER_FIRST :
		      *because ? OFFICER_ALONE : OFFICER_WAITING;
	if (o->standing != OFFICER_ALONE)
		return 0;
	o->counts_from = p->time + OFFICE_WAIT;
	o->because = strdup(because);
	return o->because ? 0 : err_set(p->e, MUNI_NO_MEMORY, "no memory for the officers");
}

static void on_removed(struct replay *p, const json_t *details)
{
	struct officer *o = find_row(p->roster, details, false);

	if (o)
		o->is_live = false;
}

static size_t signer_of(const struct replay *p, const struct officer *o,
			const struct digest *fingerprint)
{
	struct err none = ERR_NONE;

	for (size_t i = 0; i < p->roster->count; i++)
		if (digest_equal(&p->roster->list[i].identity.fingerprint, fingerprint) &&
		    office_may_approve(p->roster, o, &p->roster->list[i], &none) == 0)
			return i;
	return p->roster->count;
}

/* False: this signature lets nobody in. */
static bool count_signer(struct replay *p, struct officer *o, const struct cms_signer *s)
{
	size_t by = signer_of(p, o, &s->identity.fingerprint);
	struct err none = ERR_NONE;

	if (by == p->roster->count ||
	    officer_is_valid(&p->roster->list[by], s->signed_at ? s->signed_at : p->time,
			     "when it was signed", &none) < 0)
		return false;
	for (size_t i = 0; i < o->approved_count; i++)
		if (is_same_person(&p->roster->list[o->approved_by[i]].identity, &s->identity))
			return true;
	if (o->approved_count < OFFICE_APPROVERS_MAX)
		o->approved_by[o->approved_count++] = by;
	return true;
}

/* *counts: somebody who may has signed. */
static int count_signers(struct replay *p, struct officer *o, const struct digest *actor,
			 const char *base64, bool *counts)
{
	struct cms_signer *signers = NULL;
	struct err why = ERR_NONE;
	char *statement = NULL;
	size_t count = 0;

	if (office_statement(p->vault, o, &statement, p->e) < 0)
		return -1;
	if (assent_read(base64, statement, strlen(statement), &signers, &count, &why) == 0)
		for (size_t i = 0; i < count; i++)
			if (digest_equal(&signers[i].identity.fingerprint, actor))
				*counts |= count_signer(p, o, &signers[i]);
	cms_signers_free(signers, count);
	free(statement);
	if (why.code != MUNI_NO_MEMORY)
		return 0;
	*p->e = why;
	return -1;
}

/* O4: the signature is verified anew each time: an entry approves nobody. */
static int on_approved(struct replay *p, const struct log_entry *entry, const json_t *details)
{
	struct officer *o = find_row(p->roster, details, false);
	bool counts = false;

	if (o && (uint64_t)json_integer_value(json_object_get(details, "entry")) == o->entry &&
	    count_signers(p, o, &entry->actor, word(details, "signature"), &counts) < 0)
		return -1;
	if (!counts) {
		if (p->roster->forged++ == 0)
			p->roster->forged_at = entry->sequence;
	} else if (o->standing == OFFICER_WAITING || o->standing == OFFICER_ALONE) {
		settle(p, o);
	} else {
		p->roster->is_closed = true;	/* O1, by their own will */
	}
	return 0;
}

static int on_details(struct replay *p, const struct log_entry *entry, const json_t *details)
{
	switch (entry->act) {
	case LOG_OFFICER_ADDED:
		return on_added(p, entry->sequence, details);
	case LOG_OFFICER_REMOVED:
		on_removed(p, details);
		return 0;
	case LOG_OFFICER_APPROVED:
		return details ? on_approved(p, entry, details) : 0;
	default:
		/* What cannot be read any more is not taken for an approval of before. */
		if (!details || strcmp(word(details, "officers"), OFFICE_CLOSED) == 0)
			p->roster->is_closed = true;
		return 0;
	}
}

static int on_entry(struct replay *p, const struct log_entry *entry)
{
	char *text = NULL;
	json_t *details = NULL;
	bool is_whole;
	int rc;

	if (entry->time > p->time)
		p->time = entry->time;
	p->roster->now = p->time;
	if (entry->act != LOG_OFFICER_ADDED && entry->act != LOG_OFFICER_REMOVED &&
	    entry->act != LOG_OFFICER_APPROVED && entry->act != LOG_APPROVED)
		return 0;
	if (audit_details(p->vault, entry, &text, &is_whole, p->e) < 0)
		return -1;
	if (is_whole)
		details = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	/* An approval that is not read would be one that nobody gave. */
	rc = json_memory_lacked() ? err_set(p->e, MUNI_NO_MEMORY, "no memory for the officers") :
	     on_details(p, entry, details);
	json_decref(details);
	free(text);
	return rc;
}

int office_replay(struct vault *v, struct roster *r, struct err *e)
{
	struct replay p = { .vault = v, .roster = r, .e = e };
	uint64_t count = log_count(v->log);
	struct log_entry entry;

	for (size_t i = 0; i < r->count; i++)	/* whom the log does not know is not in office */
		r->list[i].standing = OFFICER_WAITING;
	for (uint64_t i = 0; i < count; i++)
		if (log_read(v->log, i, &entry, e) < 0 || on_entry(&p, &entry) < 0)
			return err_wrap(e, "reading how the officers came into office");
	r->now = vault_now(v);
	return 0;
}

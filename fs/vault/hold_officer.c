#include "fs/vault/hold_officer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/assent.h"
#include "fs/vault/audit.h"
#include "fs/vault/clearance.h"
#include "fs/vault/inside.h"
#include "fs/vault/retain.h"
#include "fs/vault/roster.h"

#define STATEMENT_TYPE "muniment-hold-1"
#define OFFICER "officer"
#define SIGNATURE "signature"
/* A hold is the law's business and the register's; neither the owner's, who may want to be
 * rid of the records, nor that of who runs the machines. */
#define ROLES_OF_HOLDS (ROLE_RECORDS | ROLE_LEGAL)

void hold_officer_strip(json_t *words)
{
	json_object_del(words, OFFICER);
	json_object_del(words, SIGNATURE);
}

/* What is signed: what the log says, and of which archive and act. */
static int statement(const struct vault *v, bool is_release, const json_t *words, char **text,
		     size_t *size, struct err *e)
{
	json_t *o = json_deep_copy(words);
	int rc;

	*text = NULL;
	hold_officer_strip(o);
	if (!o || json_object_set_new(o, "act", json_string(is_release ? "release" : "place")) < 0 ||
	    json_object_set_new(o, "archive", json_string(v->id_hex)) < 0 ||
	    json_object_set_new(o, "type", json_string(STATEMENT_TYPE)) < 0) {
		json_decref(o);
		return err_set(e, MUNI_NO_MEMORY, "no memory for what is signed of a hold");
	}
	rc = canonical_dump(o, text, size, e);
	json_decref(o);
	return rc;
}

static bool is_of_hold(enum log_act act)
{
	return act == LOG_HOLD_PLACED || act == LOG_HOLD_RELEASED;
}

static bool has_actor(const struct log_entry *entry)
{
	static const struct digest nobody;

	return !digest_equal(&entry->actor, &nobody);
}

/* ---- the act ---------------------------------------------------------------------------- */

/* H1.  An entry keeps its actor whatever becomes of its details. */
static int officers_have_holds(struct vault *v, bool *out, struct err *e)
{
	const uint64_t count = log_count(v->log);
	struct log_entry entry;

	*out = false;
	for (uint64_t i = 0; i < count && !*out; i++) {
		if (log_read(v->log, i, &entry, e) < 0)
			return -1;
		*out = is_of_hold(entry.act) && has_actor(&entry);
	}
	return 0;
}

static int by_the_key(struct vault *v, bool is_release, struct err *e)
{
	bool is_theirs = false;

	if (!is_release)
		return 0;
	if (officers_have_holds(v, &is_theirs, e) < 0)
		return -1;
	return !is_theirs ? 0 :
		err_set(e, MUNI_REFUSED, "role: officers sign for holds of this archive, so one "
			"with the role records or legal has to release it (--by ID --key KEY); the "
			"archive's key alone does not");
}

static int put_signature(json_t *words, const char *id, const uint8_t *signature, size_t size,
			 struct err *e)
{
	char *base64 = assent_text(signature, size, e);
	int rc;

	if (!base64)
		return -1;
	rc = json_object_set_new(words, OFFICER, json_string(id)) == 0 &&
	     json_object_set_new(words, SIGNATURE, json_string(base64)) == 0 ? 0 :
	     err_set(e, MUNI_NO_MEMORY, "no memory for a signature");
	free(base64);
	return rc;
}

static int by_officer(struct vault *v, const struct hold_officer *by, bool is_release,
		      json_t *words, struct digest *actor, struct err *e)
{
	const struct officer *who;
	struct roster roster;
	uint8_t *signature = NULL;
	char *text = NULL;
	size_t text_size = 0, size = 0;
	int rc = -1;

	if (roster_load(v, &roster, e) < 0)
		return -1;
	if (statement(v, is_release, words, &text, &text_size, e) == 0 &&
	    roster_prove(&roster, by->id, by->key, ROLES_OF_HOLDS, is_release ?
			 "release a hold" : "place a hold", text, text_size, vault_now(v), &who,
			 &signature, &size, e) == 0) {
		*actor = who->identity.fingerprint;
		rc = put_signature(words, who->id, signature, size, e);
	}
	free(signature);
	free(text);
	roster_clear(&roster);
	return rc;
}

int hold_officer_sign(struct vault *v, const struct hold_officer *by, bool is_release,
		      json_t *words, struct digest *actor, struct err *e)
{
	*actor = (struct digest){ { 0 } };
	if (!words)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the log's entry");
	return by ? by_officer(v, by, is_release, words, actor, e) : by_the_key(v, is_release, e);
}

/* ---- what the log says of it ------------------------------------------------------------- */

struct checking {
	struct vault *v;
	struct roster roster;
	bool are_theirs;	/* H1, as of the entry at hand */
	struct err *e;
};

static int doubt(struct checking *k, const struct log_entry *entry, const char *why)
{
	return json_memory_refused(k->e, MUNI_DAMAGED, "entry %" PRIu64 " of the audit log (%s) %s: "
		"nothing may be destroyed until it is clear who did that", entry->sequence,
		audit_act_name(entry->act), why);
}

/* In office at that place in the log, with a role that may. */
static const struct officer *who_acted(const struct checking *k, const struct log_entry *entry)
{
	struct err none = ERR_NONE;

	for (size_t i = 0; i < k->roster.count; i++) {
		const struct officer *o = &k->roster.list[i];

		if (digest_equal(&o->identity.fingerprint, &entry->actor) && o->entry != 0 &&
		    o->entry < entry->sequence && (o->removed == 0 || o->removed >= entry->time) &&
		    officer_counts(o, entry->time) &&
		    officer_may(o, ROLES_OF_HOLDS, "hold", entry->time, &none) == 0)
			return o;
	}
	return NULL;
}

static int check_signature(struct checking *k, const struct log_entry *entry,
			   const json_t *words)
{
	struct err why = ERR_NONE;
	char *text = NULL;
	size_t size = 0;
	int rc;

	if (statement(k->v, entry->act == LOG_HOLD_RELEASED, words, &text, &size, k->e) < 0)
		return -1;
	rc = assent_read_one(json_string_value(json_object_get(words, SIGNATURE)), text, size,
			     &entry->actor, &why);
	free(text);
	if (rc < 0 && why.code == MUNI_NO_MEMORY)
		*k->e = why;
	else if (rc < 0)
		doubt(k, entry, "does not bear the signature of the officer whom it names");
	return rc;
}

static int check_entry(void *arg, const struct audit_entry *a)
{
	struct checking *k = arg;
	json_t *words;
	int rc;

	if (!is_of_hold(a->entry.act))
		return 0;
	if (!has_actor(&a->entry))
		return k->are_theirs && a->entry.act == LOG_HOLD_RELEASED ?
		       doubt(k, &a->entry, "was made with the archive's key alone, where an "
			     "officer has to sign") : 0;
	k->are_theirs = true;
	if (!who_acted(k, &a->entry))
		return doubt(k, &a->entry, "names nobody who was in office then and may place or "
			     "release holds");
	if (a->state != AUDIT_WHOLE)	/* altered or taken away: retention_check_log() tells */
		return 0;
	words = json_loads(a->details, JSON_REJECT_DUPLICATES, NULL);
	rc = words ? check_signature(k, &a->entry, words) :
	     doubt(k, &a->entry, "does not say what it is about");
	json_decref(words);
	return rc;
}

int hold_officer_check(struct vault *v, struct err *e)
{
	struct checking k = { .v = v, .e = e };
	bool are_theirs;
	int rc;

	if (officers_have_holds(v, &are_theirs, e) < 0)
		return -1;
	if (!are_theirs)
		return 0;
	if (roster_load(v, &k.roster, e) < 0)
		return -1;
	rc = audit_each(v, 0, check_entry, &k, e);
	roster_clear(&k.roster);
	return rc;
}

/*
 * The tables of what keeps records, against what the log says of them.
 *
 * An entry's details are believed where they have the commitment that stands in the
 * log.  From them a sentence in JSON is kept for each hold, extension, event, officer
 * and shortening; the rows of the tables must give the same sentences, all of them and
 * no other.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bits.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/list.h"
#include "fs/base/text.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/audit.h"
#include "fs/vault/hold_officer.h"
#include "fs/vault/retain_inside.h"
#include "fs/vault/retain_words.h"

struct said {			/* what the log says of one thing */
	enum log_act act;
	char *key;		/* owned: "H1"; of an event the whole sentence */
	char *text;		/* owned */
	bool is_found;		/* a row says the same */
};

struct checking {
	struct vault *vault;
	struct said *list;	/* owned */
	size_t count, room;
	struct bits taken;	/* entries whose words a switch says that it took */
	uint64_t placed_unknown;	/* holds whose details were destroyed */
	uint64_t events_unknown;	/* events likewise: with their system, or what they named */
	struct err *e;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory to hold the tables against the log");
}

/* ---- what the log says -------------------------------------------------------------- */

static const char *key_field(enum log_act act)
{
	switch (act) {
	case LOG_HOLD_PLACED:
	case LOG_HOLD_RELEASED:
		return "hold";
	case LOG_RETENTION_EXTENDED:
		return "extension";
	case LOG_OFFICER_ADDED:
	case LOG_OFFICER_REMOVED:
		return "id";
	case LOG_RETENTION_SHORTENED:
		return "class";
	case LOG_CLASSIFY:
		return "policy_sha256";
	default:
		return NULL;
	}
}

static bool is_watched(enum log_act act)
{
	return act == LOG_EVENT || key_field(act) != NULL;
}

static char *dump(json_t *o)
{
	return o ? json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
}

/* Takes both texts. */
static int keep(struct checking *k, enum log_act act, char *key, char *text)
{
	if (!key || !text ||
	    !list_room(&k->list, k->count, &k->room, sizeof *k->list)) {
		free(key);
		free(text);
		return no_memory(k->e);
	}
	k->list[k->count++] = (struct said){ .act = act, .key = key, .text = text };
	return 0;
}

static int take_details(struct checking *k, const struct audit_entry *a)
{
	json_t *o = json_loads(a->details, JSON_REJECT_DUPLICATES, NULL);
	const char *field = key_field(a->entry.act);
	const char *key = field ? json_string_value(json_object_get(o, field)) : "";
	int rc;

	if (!json_is_object(o) || !key) {
		json_decref(o);
		return json_memory_refused(k->e, MUNI_DAMAGED, "entry %" PRIu64 " of the audit log (%s) does "
			       "not say what it is about", a->entry.sequence,
			       audit_act_name(a->entry.act));
	}
	json_object_del(o, RETAIN_WORDS_SYSTEM);
	if (a->entry.act == LOG_HOLD_PLACED || a->entry.act == LOG_HOLD_RELEASED)
		hold_officer_strip(o);	/* hold_officer_check() looks at these */
	rc = keep(k, a->entry.act, strdup(key), dump(o));
	json_decref(o);
	return rc;
}

/* "3-7,9": every number on its own. */
static int take_words(struct checking *k, const char *text)
{
	while (text && *text) {
		char *end;
		long long first = strtoll(text, &end, 10), last = first;

		if (end == text || first < 0)
			return 0;	/* not ours: it excuses nothing */
		if (*end == '-') {
			text = end + 1;
			last = strtoll(text, &end, 10);
		}
		if (last < first || (uint64_t)last >= log_count(k->vault->log))
			return 0;
		for (long long n = first; n <= last; n++)
			if (!bits_add(&k->taken, n))
				return no_memory(k->e);
		text = *end == ',' ? end + 1 : "";
	}
	return 0;
}

/* None but a switch takes words away, and its entry, which is signed, names those. */
static int on_switch(void *arg, const struct audit_entry *a)
{
	struct checking *k = arg;
	json_t *o;
	int rc;

	if (a->entry.act != LOG_EPOCH_SWITCHED || a->state != AUDIT_WHOLE)
		return 0;
	o = json_loads(a->details, JSON_REJECT_DUPLICATES, NULL);
	rc = take_words(k, json_string_value(json_object_get(o, "words")));
	json_decref(o);
	return rc;
}

static int on_entry(void *arg, const struct audit_entry *a)
{
	struct checking *k = arg;

	if (!is_watched(a->entry.act))
		return 0;
	if (a->state == AUDIT_WHOLE)
		return take_details(k, a);
	if (a->state == AUDIT_DESTROYED && !bits_has(&k->taken, (int64_t)a->entry.sequence))
		return err_set(k->e, MUNI_DAMAGED, "what entry %" PRIu64 " of the audit log (%s) "
			       "says was taken away, and by no destruction: nobody can tell what "
			       "must be kept. Bring the archive back from a backup",
			       a->entry.sequence, audit_act_name(a->entry.act));
	/* A destruction may have taken what a released hold had covered by name. */
	if (a->state == AUDIT_DESTROYED && a->entry.act == LOG_HOLD_PLACED) {
		k->placed_unknown++;
		return 0;
	}
	if (a->state == AUDIT_DESTROYED && a->entry.act == LOG_EVENT) {
		k->events_unknown++;
		return 0;
	}
	if (a->state == AUDIT_DESTROYED && a->entry.act == LOG_CLASSIFY)
		return 0;
	return err_set(k->e, MUNI_DAMAGED, "what entry %" PRIu64 " of the audit log (%s) says is "
		       "%s, so that nobody can tell what must be kept. `muni audit verify` says "
		       "more", a->entry.sequence, audit_act_name(a->entry.act),
		       a->state == AUDIT_DESTROYED ? "gone" : "not what was written");
}

/* ---- rows against it ---------------------------------------------------------------- */

static int differs(struct checking *k, const char *what, const char *key)
{
	return json_memory_refused(k->e, MUNI_DAMAGED, "%s %s is not what the audit log says: the "
		"table was changed behind the log's back. Nothing may be destroyed until it is "
		"clear who did that; a backup of the archive from before has the table as it was",
		what, text_printable(key));
}

static struct said *find(struct checking *k, enum log_act act, const char *key)
{
	for (size_t i = k->count; i-- > 0;)	/* the newest word counts */
		if (k->list[i].act == act && strcmp(k->list[i].key, key) == 0)
			return &k->list[i];
	return NULL;
}

/* Takes o, the sentence of a row; what and name: for messages. */
static int match(struct checking *k, enum log_act act, const char *key, json_t *o,
		 const char *what, const char *name)
{
	char *text = dump(o);
	struct said *s = NULL;

	json_decref(o);
	if (!text)
		return no_memory(k->e);
	for (size_t i = 0; !s && i < k->count; i++)
		if (k->list[i].act == act && strcmp(k->list[i].key, key) == 0 &&
		    strcmp(k->list[i].text, text) == 0)
			s = &k->list[i];
	free(text);
	if (!s)
		return differs(k, what, name);
	s->is_found = true;
	return 0;
}

static int on_hold(void *arg, const struct hold_row *h)
{
	struct checking *k = arg;
	char id[24];

	snprintf(id, sizeof id, "H%" PRId64, h->id);
	bool is_known = find(k, LOG_HOLD_PLACED, id) != NULL;
	if (!is_known && h->released != 0 && k->placed_unknown > 0)
		k->placed_unknown--;
	else if (match(k, LOG_HOLD_PLACED, id, retain_words_hold(h), "the hold", id) < 0)
		return -1;
	if (h->released == 0)
		return find(k, LOG_HOLD_RELEASED, id) ? differs(k, "the hold", id) : 0;
	return match(k, LOG_HOLD_RELEASED, id, retain_words_release(h),
		     "the release of the hold", id);
}

static int on_extension(void *arg, const struct extension_row *x)
{
	char id[24];

	snprintf(id, sizeof id, "X%" PRId64, x->id);
	return match(arg, LOG_RETENTION_EXTENDED, id, retain_words_extension(x),
		     "the extension", id);
}

static int on_event(void *arg, const struct event_row *r)
{
	struct checking *k = arg;

	if (match(k, LOG_EVENT, "", retain_words_event(r), "the event", r->name) == 0)
		return 0;
	if (k->e->code != MUNI_DAMAGED || k->events_unknown == 0)
		return -1;
	*k->e = ERR_NONE;	/* its words were destroyed, and it stands */
	k->events_unknown--;
	return 0;
}

/* ---- officers, shortenings, policies: what matters of them -------------------------- */

static bool says(const struct said *s, const char *field, const char *want)
{
	json_t *o = json_loads(s->text, 0, NULL);
	const char *has = json_string_value(json_object_get(o, field));
	bool is_same = has && strcmp(has, want) == 0;

	json_decref(o);
	return is_same;
}

/* An act on that officer for which there was no row yet. */
static struct said *find_officer(struct checking *k, enum log_act act, const char *id,
				 const char *fingerprint)
{
	for (size_t i = 0; i < k->count; i++) {
		struct said *s = &k->list[i];

		if (s->act == act && !s->is_found && strcmp(s->key, id) == 0 &&
		    says(s, "fingerprint", fingerprint))
			return s;
	}
	return NULL;
}

/* One row for each time that somebody came into office, and left it. */
static int on_officer(void *arg, const struct officer_row *o)
{
	const struct digest of_cert = digest_of(o->cert, o->cert_size);
	struct checking *k = arg;
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&o->fingerprint, hex);
	struct said *added = find_officer(k, LOG_OFFICER_ADDED, o->id, hex);
	struct said *removed = o->removed == 0 ? NULL :
		find_officer(k, LOG_OFFICER_REMOVED, o->id, hex);
	if (!added || !says(added, "roles", o->roles) ||
	    !digest_equal(&of_cert, &o->fingerprint) || (o->removed != 0 && !removed))
		return differs(k, "the officer", o->id);
	added->is_found = true;
	if (removed)
		removed->is_found = true;
	return 0;
}

static int on_shortening(void *arg, const struct shortening_row *r)
{
	struct checking *k = arg;
	struct said *s = find(k, LOG_RETENTION_SHORTENED, r->code);
	struct policy_row policy;
	char hex[DIGEST_HEX_SIZE];

	if (!s)
		return differs(k, "the shortening of class", r->code);
	if (catalogue_policy_get(k->vault->catalogue, r->policy, &policy, k->e) < 0)
		return -1;
	digest_hex(&policy.digest, hex);
	policy_row_clear(&policy);
	if (!says(s, "policy", hex))
		return differs(k, "the shortening of class", r->code);
	for (size_t i = 0; i < k->count; i++)	/* an earlier one was put off by this */
		if (k->list[i].act == LOG_RETENTION_SHORTENED &&
		    strcmp(k->list[i].key, r->code) == 0)
			k->list[i].is_found = true;
	return 0;
}

static int check_definitions(struct catalogue *c, int64_t id, const struct policy *p,
			     struct err *e)
{
	const struct policy_info *info = policy_info(p);

	for (size_t i = 0; i < info->class_count; i++) {
		char *definition;

		if (catalogue_class_definition(c, info->classes[i].id, id, &definition, e) < 0)
			return e->code != MUNI_NOT_FOUND ? -1 :
				err_set(e, MUNI_DAMAGED, "what the policy %s, version %u, says of "
					"class %s was taken away behind the log's back",
					text_printable(info->name), info->version,
					text_printable(info->classes[i].id));
		free(definition);
	}
	return 0;
}

/* Every policy that anything was classified with is there, with all its classes. */
static int check_policy(struct checking *k, const struct said *s)
{
	struct catalogue *c = k->vault->catalogue;
	json_t *o = json_loads(s->text, 0, NULL);
	int64_t id = json_integer_value(json_object_get(o, "policy_id"));
	struct policy *p = NULL;
	struct policy_row row;
	char hex[DIGEST_HEX_SIZE];
	int rc = -1;

	json_decref(o);
	if (catalogue_policy_get(c, id, &row, k->e) < 0)
		return -1;
	digest_hex(&row.digest, hex);
	if (strcmp(hex, s->key) != 0)
		differs(k, "the policy", row.name);
	else if (policy_load(row.text, row.text_size, row.name, &p, k->e) == 0)
		rc = check_definitions(c, id, p, k->e);
	policy_free(p);
	policy_row_clear(&row);
	return rc;
}

static int check_policies(struct checking *k)
{
	for (size_t i = 0; i < k->count; i++) {
		const struct said *s = &k->list[i];

		if (s->act == LOG_CLASSIFY && find(k, LOG_CLASSIFY, s->key) == s &&
		    check_policy(k, s) < 0)
			return -1;
	}
	return 0;
}

/* ---- the whole ---------------------------------------------------------------------- */

/* What the log says and no row: a row was taken away.  A released hold may have gone with
 * what it named. */
static int check_missing(struct checking *k)
{
	for (size_t i = 0; i < k->count; i++) {
		const struct said *s = &k->list[i];

		if (s->is_found || s->act == LOG_CLASSIFY)
			continue;
		if (s->act == LOG_HOLD_RELEASED && k->placed_unknown > 0 &&
		    !find(k, LOG_HOLD_PLACED, s->key)) {
			k->placed_unknown--;
			continue;
		}
		return differs(k, audit_act_name(s->act), s->key);
	}
	if (k->placed_unknown > 0)
		return err_set(k->e, MUNI_DAMAGED, "the audit log says of %" PRIu64 " hold(s) "
			       "neither what they cover nor that they were released",
			       k->placed_unknown);
	return 0;
}

int retention_check_log(struct vault *v, struct err *e)
{
	struct checking k = { .vault = v, .e = e };
	struct catalogue *c = v->catalogue;
	int rc = -1;

	if (audit_each(v, 0, on_switch, &k, e) == 0 && audit_each(v, 0, on_entry, &k, e) == 0 &&
	    catalogue_holds(c, true, on_hold, &k, e) == 0 &&
	    catalogue_extensions(c, on_extension, &k, e) == 0 &&
	    catalogue_events(c, 0, on_event, &k, e) == 0 &&
	    catalogue_officers(c, on_officer, &k, e) == 0 &&
	    catalogue_shortenings(c, on_shortening, &k, e) == 0 &&
	    check_policies(&k) == 0 && check_missing(&k) == 0)
		rc = hold_officer_check(v, e);
	for (size_t i = 0; i < k.count; i++) {
		free(k.list[i].key);
		free(k.list[i].text);
	}
	free(k.list);
	bits_free(&k.taken);
	return rc;
}

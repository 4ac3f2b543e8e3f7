/*
 * Events, holds and extensions: each a row and an entry in the log that says all of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/clearance.h"
#include "fs/vault/hold_officer.h"
#include "fs/vault/retain_inside.h"
#include "fs/vault/retain_words.h"

/* ---- what was asked for ------------------------------------------------------------- */

static int check_words(const char *what, const char *text, struct err *e)
{
	if (!text || !*text || !text_is_utf8(text, strlen(text)))
		return err_set(e, MUNI_USAGE, "%s is needed, in UTF-8", what);
	return 0;
}

/* Also one that was scanned and is still to be taken in. */
static int find_system(struct catalogue *c, const char *name, struct system *out,
		       struct err *e)
{
	struct err none = ERR_NONE;

	if (catalogue_system_find(c, name, out, e) == 0)
		return 0;
	if (e->code != MUNI_NOT_FOUND || catalogue_scanned_system(c, name, out, &none) < 0)
		return -1;
	*e = ERR_NONE;
	return 0;
}

static int on_version(void *arg, const struct version *v)
{
	int64_t *newest = arg;

	if (v->id > *newest)
		*newest = v->id;
	return 0;
}

struct class_search {
	const char *code;
	bool is_found;
};

static int on_class(void *arg, const struct record_class *k)
{
	struct class_search *s = arg;

	s->is_found = s->is_found || (k->code[0] && k->base == 0 &&
				      strcmp(k->code, s->code) == 0);
	return 0;
}

static int check_class(struct catalogue *c, const struct scope_request *s, struct err *e)
{
	struct class_search search = { .code = s->class_code };

	if (!s->class_code || s->is_standing)
		return 0;
	if (catalogue_classes(c, on_class, &search, e) < 0)
		return -1;
	if (!search.is_found)
		return err_set(e, MUNI_NOT_FOUND, "this archive has no class %s. Check how it is "
			       "written in the policy; a standing scope may name one to come",
			       text_printable(s->class_code));
	return 0;
}

static int check_scope(const struct scope_row *row, struct err *e)
{
	struct memory m = { .blocks = NULL };
	struct scope s;
	int rc = scope_open(&s, &m, row, "the scope", e);

	scope_close(&s);
	memory_clear(&m);
	return rc;
}

int retain_scope_resolve(struct vault *v, const struct scope_request *s, struct scope_row *out,
			 struct system *system, struct err *e)
{
	struct catalogue *c = v->catalogue;

	*out = (struct scope_row){ .path = s->path, .class_code = s->class_code,
				   .query = s->query };
	*system = (struct system){ .id = 0 };
	if ((s->system && find_system(c, s->system, system, e) < 0) ||
	    check_class(c, s, e) < 0 || check_scope(out, e) < 0)
		return -1;
	out->system = system->id;
	if (s->is_standing)
		return 0;
	if (catalogue_versions(c, 0, on_version, &out->upto, e) < 0)
		return -1;
	if (out->upto == 0)
		return err_set(e, MUNI_NOT_FOUND, "nothing stands in the archive yet; a standing "
			       "scope (--standing) covers what is to come");
	return 0;
}

/* Ends the transaction that the caller began and wrote in; takes words.  actor: NULL: the
 * holder of the key. */
static int record_by(struct vault *v, enum log_act act, json_t *words, const char *system,
		     const struct digest *actor, struct err *e)
{
	char *details;
	int rc = retain_words_dump(words, system, &details, e);

	if (rc == 0)
		rc = vault_commit_act_by(v, act, actor, details, e);
	else
		catalogue_rollback(v->catalogue);
	free(details);
	return rc;
}

static int record(struct vault *v, enum log_act act, json_t *words, const char *system,
		  struct err *e)
{
	return record_by(v, act, words, system, NULL, e);
}

/* ---- events ------------------------------------------------------------------------- */

/* As a policy can name it: load_id() in policy/load_value.c. */
static int check_event(const char *name, struct err *e)
{
	size_t size = strlen(name);
	bool is_sound = size > 0 && size <= POLICY_ID_MAX && text_is_utf8(name, size) &&
			!strchr("-_.", name[0]);

	for (const char *p = name; is_sound && *p; p++)
		is_sound = (unsigned char)*p >= 0x80 || (*p >= '0' && *p <= '9') ||
			   (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			   strchr("-_.", *p) != NULL;
	if (is_sound)
		return 0;
	return err_set(e, MUNI_USAGE, "\"%s\" is no name of an event: letters, digits, \"-\", \"_\" "
		       "and \".\", as in case-closed. The policy's trigger event:case-closed "
		       "waits for it", text_printable(name));
}

int vault_event(struct vault *v, const char *system, const char *name, int64_t at,
		bool is_day, const char *reason, struct err *e)
{
	struct event_row row = { .name = name, .at = at, .is_day = is_day,
				 .recorded = vault_now(v), .reason = reason ? reason : "" };
	struct system s;

	if (check_event(name, e) < 0 || find_system(v->catalogue, system, &s, e) < 0)
		return -1;
	if (!text_is_utf8(row.reason, strlen(row.reason)))
		return err_set(e, MUNI_USAGE, "the reason is no UTF-8");
	row.system = s.id;
	if (catalogue_begin(v->catalogue, e) < 0)
		return -1;
	if (catalogue_event_put(v->catalogue, &row, e) < 0) {
		catalogue_rollback(v->catalogue);
		return err_wrap(e, "%s of %s", text_printable(name), s.name);
	}
	return record(v, LOG_EVENT, retain_words_event(&row), s.name, e);
}

/* ---- holds -------------------------------------------------------------------------- */

/* As record(), signed for by an officer where there is one. */
static int record_hold(struct vault *v, const struct hold_officer *by, enum log_act act,
		       json_t *words, const char *what, struct err *e)
{
	struct digest actor;

	if (hold_officer_sign(v, by, act == LOG_HOLD_RELEASED, words, &actor, e) == 0)
		return record_by(v, act, words, NULL, &actor, e);
	json_decref(words);
	catalogue_rollback(v->catalogue);
	if (e->code == MUNI_REFUSED)
		clearance_refused(v, what, NULL, e);
	return -1;
}

int vault_hold_add(struct vault *v, const struct scope_request *s, const char *case_ref,
		   const char *mandate, const char *reason, const struct hold_officer *by,
		   int64_t *id, struct err *e)
{
	struct hold_row row = { .case_ref = case_ref, .mandate = mandate, .reason = reason,
				.placed = vault_now(v) };
	struct system system;

	*id = 0;
	if (check_words("the case that the hold is for", case_ref, e) < 0 ||
	    check_words("a reason", reason, e) < 0 ||
	    (mandate && check_words("a mandate", mandate, e) < 0) ||
	    retain_scope_resolve(v, s, &row.scope, &system, e) < 0 ||
	    catalogue_begin(v->catalogue, e) < 0)
		return -1;
	if (catalogue_hold_add(v->catalogue, &row, e) < 0) {
		catalogue_rollback(v->catalogue);
		return -1;
	}
	*id = row.id;
	return record_hold(v, by, LOG_HOLD_PLACED, retain_words_hold(&row), "place a hold", e);
}

int vault_hold_release(struct vault *v, int64_t id, const char *reason,
		       const struct hold_officer *by, struct err *e)
{
	char what[48];
	const struct hold_row row = { .id = id, .released = vault_now(v),
				      .released_because = reason };

	if (check_words("a reason", reason, e) < 0 || catalogue_begin(v->catalogue, e) < 0)
		return -1;
	if (catalogue_hold_release(v->catalogue, id, row.released, reason, e) < 0) {
		catalogue_rollback(v->catalogue);
		return -1;
	}
	snprintf(what, sizeof what, "release H%" PRId64, id);
	return record_hold(v, by, LOG_HOLD_RELEASED, retain_words_release(&row), what, e);
}

/* ---- extensions --------------------------------------------------------------------- */

int vault_retain_extend(struct vault *v, const struct scope_request *s, struct civil until,
			const char *reason, int64_t *id, struct err *e)
{
	struct extension_row row = { .until = civil_day(until), .reason = reason,
				     .made = vault_now(v) };
	struct system system;

	*id = 0;
	if (check_words("a reason", reason, e) < 0 ||
	    retain_scope_resolve(v, s, &row.scope, &system, e) < 0 ||
	    catalogue_begin(v->catalogue, e) < 0)
		return -1;
	if (catalogue_extension_add(v->catalogue, &row, e) < 0) {
		catalogue_rollback(v->catalogue);
		return -1;
	}
	*id = row.id;
	return record(v, LOG_RETENTION_EXTENDED, retain_words_extension(&row), NULL, e);
}

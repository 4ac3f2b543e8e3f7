#include "fs/vault/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/store/redo.h"
#include "fs/vault/certificate.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/epoch_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/restore_inside.h"
#include "fs/vault/roster.h"

struct restoring {
	struct vault *v;
	const struct restore_request *request;
	struct roster roster;
	const struct officer *who;	/* NULL: the archive has no officers */
	struct testimony *testimonies;	/* owned */
	size_t count;
	struct marks marks;
	struct disposition_row row;
	uint64_t records;
	bool has_later;		/* officers whom the copy does not know, and whose word is taken */
	size_t taken;		/* certificates that this restoring goes by */
};

static void restoring_clear(struct restoring *r)
{
	free(r->testimonies);
	marks_clear(&r->marks);
	disposition_row_clear(&r->row);
	roster_clear(&r->roster);
}

/* ---- what it is decided on ------------------------------------------------------------ */

/* This host's anchor, the keyring, or a newer catalogue's copies know of what the copy does not: no more is needed for
 * it to be refused elsewhere. */
static bool is_known_to_be_older(const struct vault *v)
{
	const struct signatories *s = &v->signatories;

	return v->acts_seen > log_count(v->log) || v->has_newer_copies ||
	       (s->count >= 2 && s->list[s->count - 2].until >= log_count(v->log));
}

/* Not before somebody has said it: that there are no certificates, or that this is all. */
static int check_request(struct restoring *r, const struct restore_request *q, struct err *e)
{
	bool is_ahead = is_known_to_be_older(r->v);

	if (q->certificate_count == 0 && !q->none_known)
		return err_set(e, MUNI_REFUSED, "certificate: give each certificate of destruction "
			       "that was made since this copy, or say that there is none");
	if (q->certificate_count > 0 && r->count == 0 && !is_ahead)
		return err_set(e, MUNI_USAGE, "the archive knows all certificates that were given, "
			       "and this host has seen no newer copy: there is nothing to restore");
	if (q->none_known && !is_ahead)
		return err_set(e, MUNI_USAGE, "this host has seen no newer copy: the archive opens "
			       "as it is");
	return 0;
}

static json_t *certificates_json(const struct restoring *r)
{
	json_t *list = json_array();
	char name[24], hex[DIGEST_HEX_SIZE];

	for (size_t i = 0; i < r->count; i++) {
		snprintf(name, sizeof name, "C%" PRId64, r->testimonies[i].number);
		digest_hex(&r->testimonies[i].content, hex);
		json_array_append_new(list, json_pack("{s:s, s:s}", "certificate", name, "sha256",
						      hex));
	}
	return list;
}

/* What is signed, and what the log keeps. */
static int make_statement(struct restoring *r, struct err *e)
{
	char id[24], root[DIGEST_HEX_SIZE];

	snprintf(id, sizeof id, "D%" PRId64, r->row.id);
	digest_hex(&r->row.root, root);
	return details_text(json_pack("{s:s, s:I, s:I, s:o, s:s, s:s, s:b, s:s, s:I, s:s}", "archive",
				      vault_id_hex(r->v), "acts", (json_int_t)log_count(r->v->log),
				      "acts_seen", (json_int_t)r->v->acts_seen, "certificates",
				      certificates_json(r), "disposition", id, "kind",
				      disposition_kind_name(r->row.kind), "later_officers", r->has_later,
				      "root", root, "records",
				      (json_int_t)r->records, "reason", r->request->reason),
			    &r->row.statement, e);
}

static int sign(struct restoring *r, const char *officer, struct officer_key *key, struct err *e)
{
	if (!roster_has_any(&r->roster)) {
		r->row.proposer = strdup("");
		return r->row.proposer ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory to restore");
	}
	if (!officer || !key)
		return err_set(e, MUNI_REFUSED, "officer: the archive has officers; one of them has "
			       "to restore it");
	r->row.proposer = strdup(officer);
	if (!r->row.proposer)
		return err_set(e, MUNI_NO_MEMORY, "no memory to restore");
	return roster_prove(&r->roster, officer, key, ROLES_DECIDING, "restore an older copy",
			    r->row.statement, strlen(r->row.statement), vault_now(r->v), &r->who,
			    &r->row.signature, &r->row.signature_size, e);
}

/* ---- the first act ----------------------------------------------------------------------- */

/* An id that the lost copy never gave: its certificates speak of others. */
static int choose_id(struct restoring *r, struct err *e)
{
	int64_t highest = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->testimonies[i].disposition > highest)
			highest = r->testimonies[i].disposition;
	do {
		if (catalogue_disposition_next(r->v->catalogue, &r->row.id, e) < 0)
			return -1;
	} while (r->row.id <= highest);
	return 0;
}

static int put_certificates(struct restoring *r, struct err *e)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct testimony *t = &r->testimonies[i];
		int64_t id = 0;

		if (catalogue_certificate_add(r->v->catalogue, r->row.id, r->row.proposed,
					      &t->content, &id, e) < 0)
			return -1;
		if (id != t->number)
			return err_set(e, MUNI_DAMAGED, "the next certificate would be C%" PRId64
				       ", not C%" PRId64, id, t->number);
	}
	return 0;
}

static int begin_in(struct restoring *r, const char *officer, struct officer_key *key,
		    struct err *e)
{
	struct catalogue *c = r->v->catalogue;

	r->row.kind = DISPOSITION_RESTORED;
	r->row.proposed = r->row.asof = vault_now(r->v);
	r->row.scope = strdup("{\"restored\":true}");
	if (!r->row.scope)
		return err_set(e, MUNI_NO_MEMORY, "no memory to restore");
	if (choose_id(r, e) < 0 ||
	    restore_put_items(r->v, r->row.id, &r->marks, &r->row.root, &r->records, e) < 0 ||
	    make_statement(r, e) < 0 || sign(r, officer, key, e) < 0 ||
	    put_certificates(r, e) < 0)
		return -1;
	return catalogue_disposition_add(c, &r->row, e);
}

static int begin(struct restoring *r, const char *officer, struct officer_key *key,
		 struct err *e)
{
	struct testimony_officers officers = { .roster = &r->roster,
					       .take_later = r->request->take_later_officers };

	if (testimonies_read(r->v, r->request, &officers, &r->testimonies, &r->count, &r->marks,
			     e) < 0 ||
	    check_request(r, r->request, e) < 0)
		return -1;
	r->has_later = officers.has_later;
	for (size_t i = 0; i < r->count; i++)
		if (testimony_keep(r->v, &r->testimonies[i], e) < 0)
			return -1;
	for (size_t i = 0; i < r->request->link_folder_count; i++)
		if (renewal_links_keep(r->v, r->request->link_folders[i], e) < 0)
			return -1;
	/* The keyring's, where the signing key was renewed since. */
	if (vault_certificate_put(r->v, e) < 0 || catalogue_begin(r->v->catalogue, e) < 0)
		return -1;
	if (begin_in(r, officer, key, e) < 0) {
		catalogue_rollback(r->v->catalogue);
		return -1;
	}
	r->taken = r->count;
	/* From its commit on the row speaks against whoever would open it. */
	r->v->is_older = false;
	return vault_commit_act_by(r->v, LOG_RESTORE_BEGUN,
				   r->who ? &r->who->identity.fingerprint : NULL,
				   r->row.statement, e);
}

/* ---- the rest ------------------------------------------------------------------------------ */

static int end(struct restoring *r, struct err *e)
{
	struct catalogue *c = r->v->catalogue;
	char *details = NULL, id[24];
	int rc = -1;

	snprintf(id, sizeof id, "D%" PRId64, r->row.id);
	if (details_text(json_pack("{s:s, s:I}", "disposition", id, "records",
				   (json_int_t)r->records), &details, e) < 0)
		return -1;
	if (catalogue_begin(c, e) == 0) {
		rc = catalogue_disposition_state(c, r->row.id, DISPOSITION_CERTIFIED, NULL, e);
		if (rc < 0)
			catalogue_rollback(c);
		else
			rc = vault_commit_act(r->v, LOG_RESTORED, details, e);
	}
	free(details);
	/* Its marks are those of the certificates. */
	return rc < 0 ? -1 : certificate_marks_remove(r->v, r->row.id, e);
}

/* With the keyring of now and the log of then. */
static int tell_of_links(struct vault *v, struct err *e)
{
	size_t missing;

	if (renewal_links_missing(v, &missing, e) < 0)
		return -1;
	if (missing > 0)
		vault_add_notice(v, RENEWAL_LINKS_MISSING);
	return 0;
}

/* What a run that was cut off decided on stays so: its items, its certificates. */
static int take_up(struct restoring *r, int64_t id, struct err *e)
{
	r->v->is_older = false;
	if (testimonies_again(r->v, r->request, id, &r->taken, e) < 0)
		return -1;
	return catalogue_disposition_get(r->v->catalogue, id, &r->row, e);
}

static int run(struct restoring *r, const char *officer, struct officer_key *key,
	       const struct epoch_options *o, const struct vault_monitor *m,
	       struct restore_result *out, struct err *e)
{
	struct epoch_options options = *o;
	struct execution facts;
	int64_t pending;

	if (roster_load(r->v, &r->roster, e) < 0 ||
	    catalogue_disposition_restoring(r->v->catalogue, &pending, e) < 0 ||
	    (pending == 0 ? begin(r, officer, key, e) : take_up(r, pending, e)) < 0)
		return -1;
	out->disposition = r->row.id;
	out->certificates = r->taken;
	options.disposition = r->row.id;
	if (r->v->has_newer_copies && r->row.state != DISPOSITION_GONE &&
	    (epoch_remove_catalogues(r->v, true, e) < 0 ||
	     redo_drop_after(r->v->objects, r->v->id, r->v->epoch, e) < 0))
		return err_wrap(e, "removing what is left of the newest copy");
	if (r->row.state != DISPOSITION_GONE) {
		if (vault_epoch_switch(r->v, &options, m, &out->epoch, e) < 0)
			return -1;
	} else {
		if (execution_read(r->row.result, &facts, e) < 0)
			return -1;
		out->epoch = facts.epoch;
		execution_clear(&facts);
	}
	out->records = r->records = out->epoch.doom.records;
	return end(r, e) < 0 ? -1 : tell_of_links(r->v, e);
}

int vault_restore(struct vault *v, const struct restore_request *q, const char *officer,
		  struct officer_key *key, const struct epoch_options *o,
		  const struct vault_monitor *m, struct restore_result *out, struct err *e)
{
	struct restoring r = { .v = v, .request = q };
	int rc;

	*out = (struct restore_result){ .acts = log_count(v->log), .acts_seen = v->acts_seen };
	rc = run(&r, officer, key, o, m, out, e);
	restoring_clear(&r);
	return rc;
}

/* The renewal itself: statement, both signatures, the act. */
#include "fs/vault/renewal.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/crypt/sign.h"
#include "fs/store/catalogue_copy.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/clearance.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/roster.h"

struct renewing {
	struct vault *v;
	const struct renewal_request *request;
	enum signer_algorithm algorithm;
	struct renewal_result *out;
	struct roster roster;
	const struct officer *who;	/* NULL: the archive has no officers */
	uint8_t *approval;		/* his signature over the statement; owned */
	size_t approval_size;
	char *statement;		/* owned */
	size_t statement_size;
	int64_t now;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory to renew the signing key");
}

/* ---- what is signed ---------------------------------------------------------------------- */

static json_t *base64_text(const void *data, size_t size)
{
	char *text = json_needs(text_base64(data, size));
	json_t *o = text ? json_string(text) : NULL;

	free(text);
	return o;
}

static json_t *certificate_value(const uint8_t *cert, size_t size, struct digest *of)
{
	char hex[DIGEST_HEX_SIZE];

	*of = digest_of(cert, size);
	digest_hex(of, hex);
	return json_pack("{s:o, s:s}", "certificate", base64_text(cert, size), "sha256", hex);
}

static int make_statement(struct renewing *r, struct err *e)
{
	struct vault *v = r->v;
	const struct digest root = merkle_frontier_root(&log_position(v->log)->frontier);
	char hex[DIGEST_HEX_SIZE];
	size_t size;
	const uint8_t *next = keyring_next_certificate(v->keyring, &size);
	json_t *before = certificate_value(v->certificate, v->certificate_size, &r->out->before);
	json_t *after = certificate_value(next, size, &r->out->after), *o;
	int rc;

	digest_hex(&root, hex);
	if (after)
		json_object_set_new(after, "algorithm",
				    json_string(signer_algorithm_name(r->algorithm)));
	o = json_pack("{s:o, s:s, s:o, s:I, s:s, s:I, s:s}", "after", after, "archive", v->id_hex,
		      "before", before, "entry", (json_int_t)r->out->entry, "root", hex, "time",
		      (json_int_t)r->now, "type", RENEWAL_TYPE);
	if (!o)
		return no_memory(e);
	rc = canonical_dump(o, &r->statement, &r->statement_size, e);
	json_decref(o);
	return rc;
}

static int approve(struct renewing *r, struct err *e)
{
	const struct renewal_request *q = r->request;

	if (!roster_has_any(&r->roster))
		return 0;
	return roster_prove(&r->roster, q->officer, q->key, ROLES_DECIDING,
			    "renew the signing key", r->statement, r->statement_size, r->now,
			    &r->who, &r->approval, &r->approval_size, e);
}

static int sign_by(const struct signer *s, const struct renewing *r, json_t *into,
		   const char *name, struct err *e)
{
	uint8_t *signature = NULL;
	size_t size;
	int rc = -1;

	if (s && sign_detached(s, r->statement, r->statement_size, r->now, &signature, &size,
			       e) == 0)
		rc = json_object_set_new(into, name, base64_text(signature, size)) < 0 ?
			     no_memory(e) : 0;
	free(signature);
	return rc;
}

static int make_details(struct renewing *r, char **out, struct err *e)
{
	struct vault *v = r->v;
	char before[DIGEST_HEX_SIZE], after[DIGEST_HEX_SIZE];
	json_t *o, *signatures;
	int rc = -1;

	digest_hex(&r->out->before, before);
	digest_hex(&r->out->after, after);
	o = json_pack("{s:s, s:s, s:s, s:s, s:{}, s:s, s:I}", "after", after, "algorithm",
		      signer_algorithm_name(r->algorithm), "before", before, "reason",
		      r->request->reason, "signatures", "statement", r->statement, "versions",
		      (json_int_t)r->out->versions);
	signatures = json_object_get(o, "signatures");
	if (!o || (r->who && (json_object_set_new(o, "officer", json_string(r->who->id)) < 0 ||
			      json_object_set_new(o, "approval",
						  base64_text(r->approval,
							      r->approval_size)) < 0)))
		no_memory(e);
	else if (sign_by(keyring_signer(v->keyring, e), r, signatures, "before", e) == 0 &&
		 sign_by(keyring_next_signer(v->keyring, e), r, signatures, "after", e) == 0) {
		*out = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
		rc = *out ? 0 : no_memory(e);
	}
	json_decref(o);
	return rc;
}

/* ---- versions ------------------------------------------------------------------------------ */

struct ids {
	int64_t *list;		/* owned */
	size_t count, room;
	struct err *e;
};

static int take_id(void *arg, int64_t id, int64_t system, bool is_gone)
{
	struct ids *ids = arg;

	(void)system;
	(void)is_gone;	/* its statement is left, and stays verifiable */
	if (ids->count == ids->room) {
		size_t room = ids->room ? 2 * ids->room : 64;
		int64_t *list = realloc(ids->list, room * sizeof *list);

		if (!list)
			return no_memory(ids->e);
		ids->list = list;
		ids->room = room;
	}
	ids->list[ids->count++] = id;
	return 0;
}

static int resign(struct renewing *r, const struct signer *signer, int64_t id, struct err *e)
{
	struct catalogue *c = r->v->catalogue;
	uint8_t *old = NULL, *new = NULL;
	char *statement = NULL;
	size_t old_size, new_size;
	int rc = -1;

	/* What the former key did not sign is not vouched for by its successor. */
	if (catalogue_version_proof(c, id, &statement, &old, &old_size, e) == 0 &&
	    signatories_verify(&r->v->signatories, 0, old, old_size, statement, strlen(statement),
			       NULL, e) == 0 &&
	    sign_detached(signer, statement, strlen(statement), r->now, &new, &new_size, e) == 0)
		rc = catalogue_version_resign(c, id, new, new_size, e);
	free(statement);
	free(old);
	free(new);
	return rc < 0 ? err_wrap(e, "signing version %lld anew", (long long)id) : 0;
}

static int resign_versions(struct renewing *r, struct err *e)
{
	const struct signer *signer = keyring_next_signer(r->v->keyring, e);
	struct ids ids = { .e = e };
	int rc = -1;

	if (!signer || catalogue_each_version(r->v->catalogue, take_id, &ids, e) < 0)
		goto out;
	for (size_t i = 0; i < ids.count; i++)
		if (resign(r, signer, ids.list[i], e) < 0)
			goto out;
	r->out->versions = ids.count;
	rc = 0;
out:
	free(ids.list);
	return rc;
}

/* ---- the whole -------------------------------------------------------------------------------- */

static int require_ready(struct renewing *r, struct err *e)
{
	const struct renewal_request *q = r->request;
	bool is_in_progress;

	if (r->v->mode != VAULT_WRITE)
		return err_set(e, MUNI_USAGE, "the archive is open for reading only");
	if (r->v->is_spent)
		return err_set(e, MUNI_BUSY, "an act was cut off here: the next command that "
			       "writes ends it or takes it back");
	if (catalogue_is_in_progress(r->v->catalogue, &is_in_progress, e) < 0)
		return -1;
	if (is_in_progress)
		return err_set(e, MUNI_BUSY, "an ingest or a scan is in progress");
	if (roster_load(r->v, &r->roster, e) < 0)
		return -1;
	if (roster_has_any(&r->roster) && (!q->officer || !q->key))
		return err_set(e, MUNI_REFUSED, "officer: the archive has officers; one of them has "
			       "to renew its signing key (--by, --key)");
	return 0;
}

/* All of it in the one transaction that the act ends. */
static int act(struct renewing *r, struct err *e)
{
	struct vault *v = r->v;
	char *details = NULL;
	int rc = -1;

	if (make_statement(r, e) < 0 || approve(r, e) < 0 || catalogue_begin(v->catalogue, e) < 0)
		return -1;
	if (resign_versions(r, e) < 0 || make_details(r, &details, e) < 0)
		catalogue_rollback(v->catalogue);
	else
		rc = vault_commit_act_by(v, LOG_SIGNING_RENEWED,
					 r->who ? &r->who->identity.fingerprint : NULL, details, e);
	free(details);
	return rc;
}

/* What failed is what e says; the act itself may stand all the same (T2). */
static int go_back(struct vault *v, uint64_t entry, struct err *e)
{
	struct err second = ERR_NONE;

	if (log_count(v->log) > entry)
		v->is_spent = true;
	else if (renewal_take_back(v, &second) < 0) {
		v->is_spent = true;
		err_wrap(e, "the next command that writes takes back what was begun (%s)",
			 second.text);
	}
	return -1;
}

int vault_renew_signing(struct vault *v, const struct renewal_request *q,
			struct renewal_result *out, struct err *e)
{
	struct renewing r = { .v = v, .request = q, .algorithm = SIGNER_P384, .out = out,
			      .now = vault_now(v) };
	int rc = -1;

	*out = (struct renewal_result){ .entry = log_count(v->log) };
	if ((q->algorithm && signer_algorithm_parse(q->algorithm, &r.algorithm, e) < 0) ||
	    require_ready(&r, e) < 0 ||
	    keyring_signing_begin(v->keyring, r.algorithm, r.now, out->entry, e) < 0)
		goto out;
	keyring_signatories(v->keyring, &v->signatories);
	rc = act(&r, e) < 0 ? go_back(v, out->entry, e) : renewal_end(v, e);
out:
	if (rc < 0 && e->code == MUNI_REFUSED && !v->is_spent)
		clearance_refused(v, "renew the signing key", NULL, e);
	free(r.statement);
	free(r.approval);
	roster_clear(&r.roster);
	return rc;
}

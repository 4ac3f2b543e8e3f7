/*
 * Proposing: a list, its statement signed by who proposes it, rows, an entry in the log.
 */
#include "fs/vault/disposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/clearance.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/retain.h"

void left_out_clear(struct left_out *left)
{
	free(left->text);
	free(left->first);
	*left = (struct left_out){ .taken = 0 };
}

/* ---- the rows and the entry ----------------------------------------------------------- */

/* Of what the entry tells nothing has to go with the records: no name is in it. */
static int proposed_details(const struct disposition_row *d, const struct item_list *l,
			    char **out, struct err *e)
{
	struct digest statement = digest_of(d->statement, strlen(d->statement));
	char id[24], root[DIGEST_HEX_SIZE], hex[DIGEST_HEX_SIZE];
	json_t *classes = json_object();

	snprintf(id, sizeof id, "D%" PRId64, d->id);
	digest_hex(&d->root, root);
	digest_hex(&statement, hex);
	for (size_t i = 0; i < l->sum_count; i++)
		json_object_set_new(classes, l->sums[i].code,
				    json_integer((json_int_t)l->sums[i].items));
	return details_text(json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:s}", "disposition", id,
				      "kind", disposition_kind_name(d->kind), "officer",
				      d->proposer, "root", root, "items", (json_int_t)l->count,
				      "classes", classes, "statement", hex), out, e);
}

struct putting {
	struct roster roster;
	const struct officer *who;
	struct disposition_row row;	/* its texts are freed here, but proposer */
	char *details;
};

static int prepare(struct vault *v, struct item_list *l, json_t *scope,
		   const struct propose_request *r, const char *officer,
		   struct officer_key *key, struct putting *p, struct err *e)
{
	struct disposition_row *d = &p->row;
	struct statement_facts facts = { .kind = r->kind, .reason = r->reason, .scope = scope,
					 .source = json_string_value(
						json_object_get(scope, "path")),
					 .proposed = d->proposed, .asof = d->asof };
	size_t size = 0;

	if (catalogue_disposition_next(v->catalogue, &d->id, e) < 0)
		return -1;
	facts.id = d->id;
	facts.proposer = p->who;
	if (statement_text(v, l, &facts, &d->root, &d->statement, &size, e) < 0 ||
	    roster_prove(&p->roster, officer, key, ROLES_DECIDING, "propose a disposition",
			 d->statement, size, d->proposed, &p->who, &d->signature,
			 &d->signature_size, e) < 0 ||
	    proposed_details(d, l, &p->details, e) < 0)
		return -1;
	d->scope = json_dumps(scope, JSON_COMPACT | JSON_SORT_KEYS);
	return d->scope ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for the scope");
}

static int put(struct vault *v, struct item_list *l, json_t *scope,
	       const struct propose_request *r, const char *officer, struct officer_key *key,
	       struct putting *p, struct err *e)
{
	if (catalogue_begin(v->catalogue, e) < 0)
		return -1;
	if (prepare(v, l, scope, r, officer, key, p, e) < 0 ||
	    catalogue_disposition_add(v->catalogue, &p->row, e) < 0 ||
	    (l->has_key &&
	     catalogue_list_key_put(v->catalogue, p->row.id, l->key, e) < 0) ||
	    item_list_store(l, v->catalogue, p->row.id, e) < 0) {
		catalogue_rollback(v->catalogue);
		return -1;
	}
	return vault_commit_act_by(v, LOG_PROPOSED, &p->who->identity.fingerprint, p->details,
				   e);
}

int disposition_put(struct vault *v, struct item_list *l, json_t *scope,
		    const struct propose_request *r, const char *officer,
		    struct officer_key *key, int64_t *id, struct err *e)
{
	struct putting p = {
		.row = { .kind = r->kind, .proposer = (char *)officer,
			 .proposed = vault_now(v), .root = item_list_root(l) },
	};
	int rc = -1;

	p.row.asof = r->asof ? r->asof : p.row.proposed;
	if (roster_load(v, &p.roster, e) < 0)
		return -1;
	p.who = roster_find(&p.roster, officer);
	if (!p.who)
		err_set(e, MUNI_REFUSED, "role: no officer \"%s\" is in office",
			text_printable(officer));
	else
		rc = put(v, l, scope, r, officer, key, &p, e);
	*id = p.row.id;
	p.row.proposer = NULL;
	disposition_row_clear(&p.row);
	free(p.details);
	roster_clear(&p.roster);
	return rc;
}

/* ---- the act ---------------------------------------------------------------------------- */

static int check_request(const struct propose_request *r, struct err *e)
{
	if (r->reason && !text_is_utf8(r->reason, strlen(r->reason)))
		return err_set(e, MUNI_USAGE, "the reason is not UTF-8");
	if (r->by_review && (!r->reason || !*r->reason))
		return err_set(e, MUNI_USAGE, "a review ends with a reason: why may it go? "
			       "(--reason TEXT)");
	return 0;
}

static int make_list(struct vault *v, const struct propose_request *r, struct item_list *l,
		     json_t **scope, struct left_out *left, struct err *e)
{
	switch (r->kind) {
	case DISPOSITION_RECORDS:
		return propose_records(v, r, l, scope, left, e);
	case DISPOSITION_LIVE:
		return propose_live(v, r, l, scope, left, e);
	case DISPOSITION_SHORTEN:
		return propose_shorten(v, r, l, scope, e);
	case DISPOSITION_RESTORED:
		break;
	}
	return err_set(e, MUNI_USAGE, "there is no such kind of disposition");
}

/* Who may not propose is told before the records are walked. */
static int check_officer(struct vault *v, const char *officer, struct err *e)
{
	struct roster roster;
	int rc;

	if (roster_load(v, &roster, e) < 0)
		return -1;
	const struct officer *o = roster_find(&roster, officer);
	rc = o ? officer_may(o, ROLES_DECIDING, "propose a disposition", vault_now(v), e) :
	     err_set(e, MUNI_REFUSED, "role: no officer \"%s\" is in office",
		     text_printable(officer));
	roster_clear(&roster);
	return rc;
}

int vault_propose(struct vault *v, const struct propose_request *r, const char *officer,
		  struct officer_key *key, struct left_out *left, int64_t *id, struct err *e)
{
	struct item_list l = { .count = 0 };
	json_t *scope = NULL;
	int rc = -1;

	*left = (struct left_out){ .taken = 0 };
	*id = 0;
	/* What people are asked to approve is judged by what the log says, not by rows alone. */
	if (check_request(r, e) == 0 && check_officer(v, officer, e) == 0 &&
	    retention_check_log(v, e) == 0 && make_list(v, r, &l, &scope, left, e) == 0)
		rc = disposition_put(v, &l, scope, r, officer, key, id, e);
	if (rc < 0 && e->code == MUNI_REFUSED) {
		clearance_refused(v, "propose a disposition", NULL, e);
		if (left->first)	/* names are for people, not for the log */
			err_wrap(e, "%s", left->first);
	}
	json_decref(scope);
	item_list_clear(&l);
	return rc;
}

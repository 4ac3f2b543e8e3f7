#include "fs/vault/clearance.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/clearance_inside.h"
#include "fs/vault/restore.h"

/* ---- what is asked ------------------------------------------------------------------------ */

static int check_state(const struct clearing *k)
{
	const struct disposition_row *d = &k->row;

	switch (d->state) {
	case DISPOSITION_PROPOSED:
	case DISPOSITION_SWITCHING:	/* a switch that was cut off before anything went */
		return 0;
	case DISPOSITION_WITHDRAWN:
		return err_set(k->e, MUNI_REFUSED, "state: D%" PRId64 " was withdrawn", d->id);
	default:
		return err_set(k->e, MUNI_REFUSED, "state: D%" PRId64 " has been executed", d->id);
	}
}

static bool has_text(const json_t *o, const char *key, const char *want)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && strcmp(text, want) == 0;
}

/* The statement is of this archive, this disposition, this root, this scope, and signed by
 * the proposer: else its approvals are of something else. */
static int check_statement(struct clearing *k)
{
	const struct disposition_row *d = &k->row;
	const struct officer *proposer = roster_at(&k->roster, d->proposer, d->proposed);
	struct cms_signer *signers = NULL;
	char id[24], root[DIGEST_HEX_SIZE];
	json_t *o = NULL;
	size_t count = 0;
	int rc = -1;

	snprintf(id, sizeof id, "D%" PRId64, d->id);
	digest_hex(&d->root, root);
	if (!proposer || !d->signature)
		return err_set(k->e, MUNI_DAMAGED, "%s was proposed by nobody that the archive "
			       "knows", id);
	if (!officer_counts(proposer, d->proposed))
		return err_set(k->e, MUNI_REFUSED, "office: %s, who proposed %s, was not in office "
			       "then", text_printable(proposer->id), id);
	if (canonical_load(d->statement, strlen(d->statement), &o, k->e) < 0)
		return -1;
	if (!has_text(o, "archive", vault_id_hex(k->vault)) || !has_text(o, "disposition", id) ||
	    !has_text(o, "root", root) || !has_text(o, "kind", disposition_kind_name(d->kind)) ||
	    !json_equal(json_object_get(o, "scope"), k->scope))
		err_set(k->e, MUNI_DAMAGED, "the statement of %s is not that of its list", id);
	else if (cms_verify_detached(d->signature, d->signature_size, d->statement,
				     strlen(d->statement), &signers, &count, k->e) == 0 &&
		 (count != 1 || !digest_equal(&signers[0].identity.fingerprint,
					      &proposer->identity.fingerprint)))
		err_set(k->e, MUNI_DAMAGED, "the statement of %s was not signed by %s", id,
			text_printable(d->proposer));
	else
		rc = signers ? 0 : -1;
	cms_signers_free(signers, count);
	json_decref(o);
	return rc;
}

/* A sentence a line, as one. */
static int refuse_lines(const char *lines, struct err *e)
{
	char text[800];

	snprintf(text, sizeof text, "%s", lines);
	for (char *at = text; *at; at++)
		if (*at == '\n')
			*at = at[1] ? ';' : '\0';
	return err_set(e, MUNI_REFUSED, "%s", text);
}

static int check_approvals(struct clearing *k)
{
	char *missing = NULL, *all = NULL;
	size_t size = 0;
	FILE *to;
	int rc;

	if (quorum_missing(&k->demands, &k->consents, &missing, k->e) < 0)
		return -1;
	if (*missing == '\0') {
		free(missing);
		return 0;
	}
	to = text_stream(&all, &size);
	if (!to) {
		free(missing);
		return err_set(k->e, MUNI_NO_MEMORY, "no memory for a sentence");
	}
	fputs(missing, to);
	for (size_t i = 0; i < k->consents.count; i++)
		if (!k->consents.list[i].counts)
			fprintf(to, "the approval of %s does not count: %s\n",
				text_printable(k->consents.list[i].id), k->consents.list[i].why);
	rc = text_stream_end(to, &all) == 0 ? refuse_lines(all, k->e) :
	     err_set(k->e, MUNI_NO_MEMORY, "no memory for a sentence");
	free(all);
	free(missing);
	return rc;
}

static int load(struct clearing *k)
{
	struct catalogue *c = k->vault->catalogue;
	json_error_t wrong;

	if (check_state(k) < 0 ||
	    roster_load(k->vault, &k->roster, k->e) < 0 ||
	    consents_load(c, &k->roster, &k->row, vault_now(k->vault), &k->consents, k->e) < 0)
		return -1;
	k->scope = json_loads(k->row.scope, JSON_REJECT_DUPLICATES, &wrong);
	if (!k->scope)
		return json_memory_refused(k->e, MUNI_DAMAGED, "the scope of D%" PRId64
					   " does not read", k->row.id);
	k->by_review = json_is_true(json_object_get(k->scope, "review"));
	return 0;
}

static int check_all(struct clearing *k)
{
	if (k->row.kind == DISPOSITION_RESTORED)
		return check_state(k) < 0 ? -1 : restore_clearance(k->vault, &k->row, k->e);
	if (load(k) < 0 ||
	    clock_check(k->vault, k, &k->roster, &k->now, k->e) < 0 ||
	    retention_check_log(k->vault, k->e) < 0 ||
	    check_statement(k) < 0 ||
	    clearance_items(k) < 0 ||
	    check_approvals(k) < 0)
		return -1;
	return 0;
}

/* ---- the question -------------------------------------------------------------------------- */

int clearance_check(struct vault *v, int64_t disposition, struct err *e)
{
	struct clearing k = { .vault = v, .e = e };
	char what[48];
	int rc;

	if (catalogue_disposition_get(v->catalogue, disposition, &k.row, e) < 0)
		return -1;
	rc = check_all(&k);
	if (rc < 0 && (e->code == MUNI_REFUSED || e->code == MUNI_DAMAGED)) {
		snprintf(what, sizeof what, "execute D%" PRId64, disposition);
		/* L2.  What is damaged may be told by a name, which the log must not hold. */
		clearance_refused(v, what, NULL, e->code == MUNI_REFUSED ? e : &(struct err){
			.code = MUNI_DAMAGED, .text = "damage: what clearance has to ask does not "
			"read, or is not what the log says" });
		if (*k.name)
			err_wrap(e, "%s", k.name);
	}
	retainer_close(k.retainer);
	live_judge_close(k.live);
	demands_clear(&k.demands);
	consents_clear(&k.consents);
	roster_clear(&k.roster);
	json_decref(k.scope);
	disposition_row_clear(&k.row);
	return rc;
}

int clearance_clock(struct vault *v, struct err *e)
{
	struct roster roster;
	int64_t now;
	int rc;

	if (roster_load(v, &roster, e) < 0)
		return -1;
	rc = clock_check(v, NULL, &roster, &now, e);
	roster_clear(&roster);
	return rc;
}

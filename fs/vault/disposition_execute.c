/*
 * Executing: clearance, destruction, an entry in the log, the adversarial check, the
 * certificate.  Each step is found done or undone when it is begun, so the same command
 * goes on after whatever cut it off.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/adversary.h"
#include "fs/vault/clearance.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"

struct executing {
	struct vault *vault;
	struct disposition_row row;
	struct roster roster;
	const struct officer *who;
	uint8_t *order;		/* the executor's signature over what is to be done */
	size_t order_size;
	const struct epoch_options *options;
	struct execution facts;
	struct live_run *live;	/* LIVE: what became of the items */
};

static void executing_clear(struct executing *x)
{
	live_run_free(x->live);
	execution_clear(&x->facts);
	free(x->order);
	roster_clear(&x->roster);
	disposition_row_clear(&x->row);
}

/* ---- who executes ------------------------------------------------------------------------ */

static int prove(struct executing *x, const char *officer, struct officer_key *key,
		 struct err *e)
{
	char id[24], root[DIGEST_HEX_SIZE], when[TEXT_TIME_MAX], *order = NULL;
	int64_t now = vault_now(x->vault);
	int rc = -1;

	snprintf(id, sizeof id, "D%" PRId64, x->row.id);
	digest_hex(&x->row.root, root);
	if (details_text(json_pack("{s:s, s:s, s:s, s:s}", "archive", vault_id_hex(x->vault),
				   "execute", id, "root", root, "time",
				   text_time(now, 0, when)), &order, e) == 0)
		rc = roster_prove(&x->roster, officer, key, ROLES_DECIDING,
				  "execute a disposition", order, strlen(order), now, &x->who,
				  &x->order, &x->order_size, e);
	free(order);
	return rc;
}

/* ---- records -------------------------------------------------------------------------------- */

static void on_mount(void *arg, const char *about, bool has_answered)
{
	struct executing *x = arg;
	char text[400];

	if (x->facts.mount_count < EXECUTION_MOUNTS_MAX) {
		snprintf(text, sizeof text, "%s: %s", about, has_answered ?
			 "moved to the new epoch" : "did not answer");
		x->facts.mounts[x->facts.mount_count] = strdup(text);
		x->facts.mount_count += x->facts.mounts[x->facts.mount_count] != NULL;
	}
	if (x->options->mount)
		x->options->mount(x->options->arg, about, has_answered);
}

static int destroy_records(struct executing *x, const struct vault_monitor *m, struct err *e)
{
	struct epoch_options options = *x->options;

	options.disposition = x->row.id;
	options.mount = on_mount;
	options.arg = x;
	if (vault_epoch_switch(x->vault, &options, m, &x->facts.epoch, e) < 0)
		return -1;
	x->facts.keyring_was_read_back = true;	/* E3 */
	return 0;
}

/* ---- the entry ---------------------------------------------------------------------------------- */

static int destroyed_details(const struct executing *x, char **out, struct err *e)
{
	char id[24], root[DIGEST_HEX_SIZE];
	char *base64 = json_needs(text_base64(x->order, x->order_size));
	const struct doom_result *d = &x->facts.epoch.doom;
	int rc;

	snprintf(id, sizeof id, "D%" PRId64, x->row.id);
	digest_hex(&x->row.root, root);
	rc = details_text(json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "disposition", id,
				    "kind", disposition_kind_name(x->row.kind), "officer",
				    x->who->id, "root", root, "signature", base64, "records",
				    (json_int_t)(x->row.kind == DISPOSITION_LIVE ?
						 x->facts.live.gone : d->records), "failed",
				    (json_int_t)x->facts.live.failed, "bytes",
				    (json_int_t)(x->row.kind == DISPOSITION_LIVE ?
						 x->facts.live.bytes : d->bytes)), out, e);
	free(base64);
	return rc;
}

static int record(struct executing *x, struct err *e)
{
	struct catalogue *c = x->vault->catalogue;
	char *details = NULL, *result = NULL;
	int rc = -1;

	x->facts.officer = strdup(x->who->id);
	x->facts.ended = vault_now(x->vault);
	if (!x->facts.officer) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the facts of an execution");
		goto out;
	}
	if (execution_write(&x->facts, &result, e) < 0 || destroyed_details(x, &details, e) < 0 ||
	    catalogue_begin(c, e) < 0)
		goto out;
	if ((x->live && live_settle(x->live, x->row.id, e) < 0) ||
	    catalogue_disposition_state(c, x->row.id, DISPOSITION_GONE, result, e) < 0)
		catalogue_rollback(c);
	else
		rc = vault_commit_act_by(x->vault, LOG_DESTROYED, &x->who->identity.fingerprint,
					 details, e);
out:
	free(details);
	free(result);
	return rc;
}

/* ---- the steps ---------------------------------------------------------------------------------- */

static int destroy(struct executing *x, const struct vault_monitor *m, struct err *e)
{
	struct vault *v = x->vault;

	x->facts.began = vault_now(v);
	/* For records the switch itself asks (epoch.h, E2). */
	if (x->row.kind != DISPOSITION_RECORDS && clearance_check(v, x->row.id, e) < 0)
		return -1;
	switch (x->row.kind) {
	case DISPOSITION_RECORDS:
		return destroy_records(x, m, e) < 0 ? -1 : record(x, e);
	case DISPOSITION_LIVE:
		return live_execute(v, &x->row, x->who, m, &x->facts, &x->live, e) < 0 ? -1 :
			record(x, e);
	case DISPOSITION_SHORTEN:
		return shorten_execute(v, x->row.id, x->who, e);
	case DISPOSITION_RESTORED:
		return err_set(e, MUNI_REFUSED, "state: D%" PRId64 " is of a restoring, which `muni "
			       "restore` ends", x->row.id);
	}
	return err_set(e, MUNI_FORMAT, "this disposition is of a kind that this program does not "
		       "know");
}

/* Gone, but cut off before the entry: what the switch did is kept beside the disposition
 * (epoch.h, E2), without who executed. */
static int go_on(struct executing *x, struct err *e)
{
	bool is_recorded;

	if (execution_read(x->row.result, &x->facts, e) < 0)
		return -1;
	is_recorded = x->facts.officer != NULL;
	return is_recorded ? 0 : record(x, e);
}

/* What the inventory knew of items that are gone still lies in pages that nothing uses, and
 * in base and redo: it goes with the epoch's key. */
static int renew_epoch(struct executing *x, const struct vault_monitor *m, struct err *e)
{
	struct epoch_options options = *x->options;
	struct epoch_result renewed;

	options.disposition = 0;
	if (vault_epoch_switch(x->vault, &options, m, &renewed, e) < 0)
		return err_wrap(e, "the items are destroyed; what the inventory knew of them is "
				"not yet, and there is no certificate yet (`dispose execute` again "
				"goes on)");
	return 0;
}

/* A certificate that was cut off while it was written left a file of no name, which the
 * adversarial check would rightly complain of. */
static int sweep_certificates(struct vault *v, struct err *e)
{
	struct err none = ERR_NONE;
	int dirfd = file_open_dir(v->dirfd, "certificates", &none), rc = 0;
	DIR *dir = dirfd >= 0 ? fdopendir(dirfd) : NULL;
	struct dirent *d;

	if (!dir) {
		file_close(&dirfd);
		return none.code == MUNI_OK || none.code == MUNI_NOT_FOUND ? 0 :
			err_set(e, none.code, "%s", none.text);
	}
	while (rc == 0 && (d = readdir(dir))) {
		size_t size = strlen(d->d_name);

		if (size > 4 && strcmp(d->d_name + size - 4, ".tmp") == 0)
			rc = file_remove(dirfd, d->d_name, e);
	}
	closedir(dir);
	return rc;
}

static int certify(struct executing *x, const char *officer, struct officer_key *key,
		   int64_t *certificate, struct err *e)
{
	struct adversary_report report = { .was_run = false };
	int rc = -1;

	if (sweep_certificates(x->vault, e) < 0 || adversary_run(x->vault, &report, e) < 0)
		return err_wrap(e, "it is destroyed, and has no certificate yet (`dispose execute` "
				"again makes it)");
	if (report.was_run && !report.has_passed)
		err_set(e, MUNI_DAMAGED, "the adversarial check could read something of what was "
			"destroyed; there is no certificate: %.600s",
			report.text ? report.text : "");
	else
		rc = certificate_make(x->vault, x->row.id, officer, key, &report, certificate, e);
	free(report.text);
	return rc;
}

static int refuse_state(const struct executing *x, struct err *e)
{
	return err_set(e, MUNI_REFUSED, "state: D%" PRId64 " %s", x->row.id,
		       x->row.state == DISPOSITION_WITHDRAWN ? "was withdrawn" :
		       "has been executed, and has its certificate (`muni cert list`)");
}

static int step(struct executing *x, const char *officer, struct officer_key *key,
		const struct vault_monitor *m, int64_t *certificate, struct err *e)
{
	int rc;

	if (x->row.state == DISPOSITION_CERTIFIED || x->row.state == DISPOSITION_WITHDRAWN)
		rc = refuse_state(x, e);
	else
		rc = prove(x, officer, key, e);
	if (rc < 0) {
		char what[48];

		snprintf(what, sizeof what, "execute D%" PRId64, x->row.id);
		if (e->code == MUNI_REFUSED)
			clearance_refused(x->vault, what, NULL, e);
		return -1;
	}
	rc = x->row.state == DISPOSITION_GONE ? go_on(x, e) : destroy(x, m, e);
	if (rc < 0 || x->row.kind == DISPOSITION_SHORTEN)
		return rc;
	if (x->row.kind == DISPOSITION_LIVE && renew_epoch(x, m, e) < 0)
		return -1;
	return certify(x, officer, key, certificate, e);
}

int vault_execute(struct vault *v, int64_t id, const char *officer, struct officer_key *key,
		  const struct epoch_options *o, const struct vault_monitor *m,
		  int64_t *certificate, struct err *e)
{
	struct executing x = { .vault = v, .options = o };
	int rc = -1;

	*certificate = 0;
	if (catalogue_disposition_get(v->catalogue, id, &x.row, e) == 0 &&
	    roster_load(v, &x.roster, e) == 0)
		rc = step(&x, officer, key, m, certificate, e);
	executing_clear(&x);
	return rc;
}

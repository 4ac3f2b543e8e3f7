/*
 * After the point of no return: mounts, the key, the files; and the way back from before
 * it.
 */
#include "fs/vault/epoch_inside.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/redo.h"
#include "fs/vault/execution.h"
#include "fs/vault/presence.h"

#define MOUNTS_TIMEOUT_MS 60000
#define DETAILS_MAX 400

/* ---- who has the old epoch open ------------------------------------------------------- */

static void hear(void *arg, const struct presence_mount *m)
{
	const struct epoch_options *o = arg;

	if (o->mount)
		o->mount(o->arg, m->about, m->outcome == PRESENCE_DONE);
}

static int move_mounts(struct vault *v, const struct epoch_options *o, unsigned timeout_ms,
		       struct epoch_result *out, struct err *e)
{
	struct presence_ask ask = {
		.kind = PRESENCE_EPOCH,
		.epoch = v->epoch,
		.key = keyring_catalogue_key(v->keyring, v->epoch),
		.timeout_ms = timeout_ms,
		.may_end = o->abort_mounts,
		.archive = v->path,
		.row = hear,
		.arg = (void *)(uintptr_t)o,
	};
	int run = vault_run_dir(v, false, e), rc;
	struct presence_count count;

	if (run < 0) {
		if (e->code != MUNI_NOT_FOUND)
			return -1;
		*e = ERR_NONE;	/* none was ever mounted from here */
		return 0;
	}
	rc = presence_switch(run, &ask, &count, e);
	file_close(&run);
	out->mounts_answered = count.done;
	out->mounts_aborted = count.ended;
	return rc;
}

/* ---- forward ---------------------------------------------------------------------------- */

/* E3: nothing that holds the old key is left when it is overwritten. */
static int end_key(struct vault *v, const struct epoch_options *o, struct epoch_result *out,
		   struct err *e)
{
	unsigned timeout_ms = o->mounts_timeout_ms ? o->mounts_timeout_ms : MOUNTS_TIMEOUT_MS;
	unsigned readers_ms = timeout_ms;

	if (o->mounts_timeout_ms == 0 && o->wait && o->wait->seconds > MOUNTS_TIMEOUT_MS / 1000)
		readers_ms = o->wait->seconds < UINT_MAX / 1000 ? o->wait->seconds * 1000 : UINT_MAX;
	if (keyring_successor_epoch(v->keyring) == 0)	/* done before we were cut off */
		return keyring_confirm(v->keyring, e);
	if (move_mounts(v, o, timeout_ms, out, e) < 0 ||
	    epoch_await_readers(v, keyring_epoch(v->keyring), readers_ms, o->wait, e) < 0)
		return -1;
	return keyring_epoch_finish(v->keyring, e) < 0 ? -1 : keyring_confirm(v->keyring, e);
}

/* E1, N1: from here on the head decides, so it has to be there after a power cut too. */
static int anchor(struct vault *v, struct err *e)
{
	struct catalogue_settings s;

	if (log_sync(v->log, e) < 0 || catalogue_settings_get(v->catalogue, &s, e) < 0)
		return -1;
	return archive_move_anchor(v, s.generation, e);
}

/* What is known at the end: the rest was kept by whoever began the switch. */
static void add_end(struct execution *x, const struct epoch_result *r)
{
	x->epoch.after = r->after;
	x->epoch.mounts_answered = r->mounts_answered;
	x->epoch.mounts_aborted = r->mounts_aborted;
	x->epoch.keyring_inside = r->keyring_inside;
	x->keyring_was_read_back = true;	/* E3 */
}

int epoch_keep_facts(struct catalogue *c, int64_t disposition, const struct epoch_result *r,
		     bool has_ended, struct err *e)
{
	struct execution x = { .officer = NULL };
	struct disposition_row row;
	char *json = NULL;
	int rc = -1;

	if (disposition == 0)
		return 0;
	if (catalogue_disposition_get(c, disposition, &row, e) < 0)
		return -1;
	if (row.result && execution_read(row.result, &x, e) < 0)
		goto out;
	if (has_ended)
		add_end(&x, r);
	else
		x.epoch = *r;
	if (execution_write(&x, &json, e) == 0)
		rc = catalogue_disposition_state(c, disposition, DISPOSITION_GONE, json, e);
out:
	free(json);
	execution_clear(&x);
	disposition_row_clear(&row);
	return rc;
}

static int record_end(struct vault *v, const struct epoch_result *r, struct err *e)
{
	char details[DETAILS_MAX];
	int64_t disposition;
	uint64_t to;

	if (catalogue_begin(v->catalogue, e) < 0)
		return -1;
	if (catalogue_switch_get(v->catalogue, &to, &disposition, e) < 0 ||
	    epoch_keep_facts(v->catalogue, disposition, r, true, e) < 0 ||
	    catalogue_switch_put(v->catalogue, 0, 0, e) < 0) {
		catalogue_rollback(v->catalogue);
		return -1;
	}
	snprintf(details, sizeof details,
		 "{\"disposition\":%" PRId64 ",\"ended\":%" PRIu64 ",\"epoch\":%" PRIu64
		 ",\"keyring_inside\":%s,\"mounts_aborted\":%u,\"mounts_answered\":%u}",
		 disposition, v->epoch - 1, v->epoch, r->keyring_inside ? "true" : "false",
		 r->mounts_aborted, r->mounts_answered);
	return vault_commit_act(v, LOG_EPOCH_ENDED, details, e);
}

int epoch_end(struct vault *v, const struct epoch_options *o, struct epoch_result *out,
	      struct err *e)
{
	uint64_t segments;

	out->keyring_inside = archive_keyring_is_inside(v);
	if (anchor(v, e) < 0 || end_key(v, o, out, e) < 0 ||
	    redo_drop_before(v->objects, v->id, v->epoch, e) < 0 ||
	    epoch_remove_segments(v, &segments, e) < 0 ||
	    epoch_remove_catalogues(v, false, e) < 0 ||
	    log_newest_head(v->log, &out->after, e) < 0 ||
	    record_end(v, out, e) < 0)
		return err_wrap(e, "epoch %" PRIu64 " has begun, but the one before has not "
				"ended; the next command that writes goes on from here",
				v->epoch);
	return 0;
}

/* ---- back ----------------------------------------------------------------------------------- */

static int record_taken_back(struct vault *v, struct err *e)
{
	char details[DETAILS_MAX];
	int64_t disposition;
	uint64_t to;

	if (catalogue_begin(v->catalogue, e) < 0)
		return -1;
	/* Its approvals are of the list, which is the same. */
	if (catalogue_switch_get(v->catalogue, &to, &disposition, e) < 0 ||
	    (disposition != 0 &&
	     catalogue_disposition_state(v->catalogue, disposition, DISPOSITION_PROPOSED, NULL,
					 e) < 0) ||
	    catalogue_switch_put(v->catalogue, 0, 0, e) < 0) {
		catalogue_rollback(v->catalogue);
		return -1;
	}
	snprintf(details, sizeof details, "{\"disposition\":%" PRId64 ",\"epoch\":%" PRIu64 "}",
		 disposition, v->epoch + 1);
	return vault_commit_act(v, LOG_EPOCH_ABANDONED, details, e);
}

/* The key first: what is left of the next epoch is noise then. */
int epoch_take_back(struct vault *v, struct err *e)
{
	uint64_t segments;

	if (keyring_epoch_abandon(v->keyring, e) < 0 ||
	    epoch_remove_catalogues(v, true, e) < 0 ||
	    redo_drop_after(v->objects, v->id, v->epoch, e) < 0 ||
	    epoch_remove_segments(v, &segments, e) < 0 ||
	    record_taken_back(v, e) < 0)
		return err_wrap(e, "taking back a switch of epoch that was cut off");
	return 0;
}

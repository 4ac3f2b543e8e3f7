#include "fs/vault/epoch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/clearance.h"
#include "fs/vault/epoch_inside.h"

#define DETAILS_MAX 200

/* ---- before --------------------------------------------------------------------------- */

static int require_quiet(struct vault *v, struct err *e)
{
	bool is_in_progress;

	if (v->mode != VAULT_WRITE)
		return err_set(e, MUNI_USAGE, "the archive is open for reading only");
	if (v->is_spent)
		return err_set(e, MUNI_BUSY, "a switch of epoch was cut off here: the next "
			       "command that writes ends it or takes it back");
	if (catalogue_is_in_progress(v->catalogue, &is_in_progress, e) < 0)
		return -1;
	if (is_in_progress)
		return err_set(e, MUNI_BUSY, "an ingest or a scan is in progress");
	return 0;
}

/* E2: whoever calls us, and whatever was asked before. */
static int require_clearance(struct vault *v, int64_t disposition, struct err *e)
{
	struct disposition_row row;
	enum disposition_kind kind;

	if (catalogue_disposition_get(v->catalogue, disposition, &row, e) < 0)
		return -1;
	kind = row.kind;
	disposition_row_clear(&row);
	if (kind != DISPOSITION_RECORDS && kind != DISPOSITION_RESTORED)
		return err_set(e, MUNI_USAGE, "disposition D%" PRId64 " names no records of the "
			       "archive", disposition);
	return clearance_check(v, disposition, e);
}

/* The mark says from here on that there is something to end or to take back. */
static int declare(struct vault *v, int64_t disposition, struct err *e)
{
	char details[DETAILS_MAX];

	if (catalogue_begin(v->catalogue, e) < 0)
		return -1;
	if (catalogue_switch_put(v->catalogue, v->epoch + 1, disposition, e) < 0 ||
	    (disposition != 0 &&
	     catalogue_disposition_state(v->catalogue, disposition, DISPOSITION_SWITCHING, NULL,
					 e) < 0)) {
		catalogue_rollback(v->catalogue);
		return -1;
	}
	snprintf(details, sizeof details, "{\"disposition\":%" PRId64 ",\"epoch\":%" PRIu64 "}",
		 disposition, v->epoch + 1);
	return vault_commit_act(v, LOG_EPOCH_INTENT, details, e);
}

/* ---- the whole -------------------------------------------------------------------------- */

/* What failed is what e says; that the way back failed too is told beside it. */
static int go_back(struct vault *v, struct err *e)
{
	struct err second = ERR_NONE;
	int64_t disposition;
	uint64_t to;

	if (v->is_spent)
		return err_wrap(e, "the switch of epoch was cut off at the moment that decides: "
				"the next command that writes ends it or takes it back");
	if (catalogue_switch_get(v->catalogue, &to, &disposition, &second) == 0 && to == 0)
		return -1;	/* the intent itself was not recorded */
	if (epoch_take_back(v, &second) < 0) {
		v->is_spent = true;
		return err_wrap(e, "the next command that writes takes back what was begun (%s)",
				second.text);
	}
	return err_wrap(e, "the epoch was not switched, all is as it was");
}

int vault_epoch_switch(struct vault *v, const struct epoch_options *o,
		       const struct vault_monitor *m, struct epoch_result *out, struct err *e)
{
	*out = (struct epoch_result){ .old_epoch = v->epoch, .new_epoch = v->epoch + 1 };
	if (require_quiet(v, e) < 0 || log_newest_head(v->log, &out->before, e) < 0)
		return -1;
	if (o->disposition != 0 && require_clearance(v, o->disposition, e) < 0)
		return -1;
	if (declare(v, o->disposition, e) < 0 ||
	    epoch_build(v, v->epoch + 1, o->disposition, m, out, e) < 0)
		return go_back(v, e);
	return epoch_end(v, o, out, e);
}

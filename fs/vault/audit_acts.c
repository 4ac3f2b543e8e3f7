/* What each act of the log is called, here and in PREMIS. */
#include <stdio.h>
#include <string.h>

#include "fs/vault/audit.h"

/* premis: https://id.loc.gov/vocabulary/preservation/eventType */
static const struct {
	const char *name, *premis;
	bool has_failed;
} acts[] = {
	[LOG_INIT] = { "init", "creation", false },
	[LOG_INGEST] = { "ingest", "ingestion", false },
	[LOG_INGEST_ABANDONED] = { "ingest taken back", "ingestion", true },
	[LOG_OPEN] = { "open", "dissemination", false },
	[LOG_KEY_ADDED] = { "key added", "encryption", false },
	[LOG_KEY_REMOVED] = { "key removed", "encryption", false },
	[LOG_EPOCH_INTENT] = { "epoch intent", "encryption", false },
	[LOG_EPOCH_SWITCHED] = { "epoch switched", "encryption", false },
	[LOG_REPAIR] = { "repair", "recovery", false },
	[LOG_EXPORT] = { "export", "dissemination", false },
	[LOG_VERIFY] = { "verify", "fixity check", false },
	[LOG_SCAN] = { "scan", "metadata extraction", false },
	[LOG_SCAN_STOPPED] = { "scan cut off", "metadata extraction", true },
	[LOG_UPGRADE] = { "format upgrade", "migration", false },
	[LOG_CLASSIFY] = { "classify", "appraisal", false },
	[LOG_DECIDE] = { "decide", "appraisal", false },
	[LOG_EPOCH_ABANDONED] = { "epoch taken back", "encryption", true },
	[LOG_OFFICER_ADDED] = { "officer added", "policy assignment", false },
	[LOG_OFFICER_APPROVED] = { "officer approved", "policy assignment", false },
	[LOG_OFFICER_REMOVED] = { "officer removed", "policy assignment", false },
	[LOG_EVENT] = { "event", "metadata modification", false },
	[LOG_HOLD_PLACED] = { "hold placed", "policy assignment", false },
	[LOG_HOLD_RELEASED] = { "hold released", "policy assignment", false },
	[LOG_RETENTION_EXTENDED] = { "retention extended", "policy assignment", false },
	[LOG_RETENTION_SHORTENED] = { "retention shortened", "policy assignment", false },
	[LOG_RESTRICTED] = { "restricted", "policy assignment", false },
	[LOG_RESTRICTION_LIFTED] = { "restriction lifted", "policy assignment", false },
	[LOG_PROPOSED] = { "disposition proposed", "deaccession", false },
	[LOG_APPROVED] = { "disposition approved", "deaccession", false },
	[LOG_WITHDRAWN] = { "disposition withdrawn", "deaccession", true },
	[LOG_REFUSED] = { "refused", "deaccession", true },
	[LOG_DESTROYED] = { "destroyed", "deletion", false },
	[LOG_CERTIFIED] = { "certified", "digital signature generation", false },
	[LOG_CLOCK] = { "time signed", "validation", false },
	[LOG_AUTHORITY] = { "authority named", "policy assignment", false },
	[LOG_COPY] = { "copy declared", "replication", false },
	[LOG_EPOCH_ENDED] = { "epoch ended", "encryption", false },
	[LOG_RESTRICTED_USED] = { "restricted records used", "dissemination", false },
	[LOG_LIVE_BEGUN] = { "live destruction begun", "deletion", false },
	[LOG_RESTORE_BEGUN] = { "restore begun", "recovery", false },
	[LOG_RESTORED] = { "restored", "recovery", false },
	[LOG_SIGNING_RENEWED] = { "signing key renewed", "encryption", false },
	[LOG_STAMPED] = { "time-stamp renewed", "digital signature generation", false },
};

#define ACTS (sizeof acts / sizeof acts[0])

static bool is_known(enum log_act act)
{
	return (unsigned)act < ACTS && acts[act].name != NULL;
}

const char *audit_act_name(enum log_act act)
{
	static _Thread_local char number[32];

	if (is_known(act))
		return acts[act].name;
	snprintf(number, sizeof number, "act %u", (unsigned)act);
	return number;
}

int audit_act_parse(const char *name, enum log_act *out)
{
	for (size_t i = 0; i < ACTS; i++) {
		if (acts[i].name != NULL && strcmp(acts[i].name, name) == 0) {
			*out = (enum log_act)i;
			return 0;
		}
	}
	return -1;
}

const char *audit_act_premis(enum log_act act)
{
	return is_known(act) ? acts[act].premis : "unknown";
}

bool audit_act_is_success(enum log_act act)
{
	return !is_known(act) || !acts[act].has_failed;
}

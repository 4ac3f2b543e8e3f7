/*
 * Refusals in the log: what was asked for, and the rule that was against it.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/clearance.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"

/* The rule is what stands before the first colon of the sentence. */
static json_t *refused_json(const char *what, const struct err *e)
{
	const char *colon = strchr(e->text, ':');
	size_t size = colon ? (size_t)(colon - e->text) : 0;

	return json_pack("{s:s, s:s%, s:s}", "what", what, "rule", e->text, size, "why", e->text);
}

void clearance_refused(struct vault *v, const char *what, const struct digest *actor,
		       const struct err *e)
{
	struct err second = ERR_NONE;
	char *details = NULL;

	/* An older copy gets no act before it is what there is: one more, and it would no longer
	 * look older than what this host has seen. */
	if (v->mode != VAULT_WRITE || v->is_older)
		return;
	catalogue_rollback(v->catalogue);
	if (details_text(refused_json(what, e), &details, &second) < 0 ||
	    catalogue_begin(v->catalogue, &second) < 0 ||
	    vault_commit_act_by(v, LOG_REFUSED, actor, details, &second) < 0) {
		catalogue_rollback(v->catalogue);
		vault_add_notice(v, "that this was refused could not be logged: %s", second.text);
	}
	free(details);
}

#include "fs/vault/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"

#define A_DAY 86400
#define SIGNING_TAKES 300	/* between the signature and its entry */

/* What is signed: the time, and the place in the log, so that it counts there alone. */
static int statement(const struct vault *v, uint64_t sequence, int64_t time, char **out,
		     struct err *e)
{
	return details_text(json_pack("{s:s, s:I, s:I, s:s}", "archive", v->id_hex, "entry",
				      (json_int_t)sequence, "time", (json_int_t)time, "type",
				      "muniment-time-1"), out, e);
}

int clock_signer(struct vault *v, const struct roster *r, const struct log_entry *entry,
		 const struct officer **who, struct err *e)
{
	char *details = NULL, *text = NULL;
	const char *base64;
	struct cms_signer *signers = NULL;
	struct err why = ERR_NONE;
	struct digest commitment;
	uint8_t salt[16], *signature = NULL;
	size_t size = 0, count = 0;
	json_t *o = NULL;
	int64_t time;
	int rc = -1;

	*who = NULL;
	if (catalogue_log_detail_get(v->catalogue, entry->sequence, salt, &details, e) < 0)
		return -1;
	if (details == NULL)
		return 0;
	commitment = digest_of_pair(salt, sizeof salt, details, strlen(details));
	o = json_loads(details, JSON_REJECT_DUPLICATES, NULL);
	time = json_integer_value(json_object_get(o, "time"));
	if (statement(v, entry->sequence, time, &text, e) < 0)
		goto out;
	base64 = json_string_value(json_object_get(o, "signature"));
	signature = base64 != NULL ? text_unbase64_bytes(base64, &size) : NULL;
	if (digest_equal(&commitment, &entry->commitment) && signature != NULL &&
	    entry->time >= time && entry->time - time <= SIGNING_TAKES &&
	    cms_verify_detached(signature, size, text, strlen(text), &signers, &count, &why) == 0 &&
	    count == 1)
		*who = roster_by_certificate(r, &signers[0].identity.fingerprint);
	rc = 0;
out:
	cms_signers_free(signers, count);
	json_decref(o);
	free(signature);
	free(text);
	free(details);
	return rc;
}

/* Has another person signed within a day before `now`? */
static int find_other(struct vault *v, const struct roster *r, const struct officer *me,
		      int64_t now, bool *out, struct err *e)
{
	uint64_t count = log_count(v->log);

	*out = false;
	for (uint64_t i = count; !*out && i > 0; i--) {
		const struct officer *who;
		struct log_entry entry;

		if (log_read(v->log, i - 1, &entry, e) < 0)
			return -1;
		if (entry.act != LOG_CLOCK || entry.time < now - A_DAY || entry.time > now + A_DAY)
			continue;
		if (clock_signer(v, r, &entry, &who, e) < 0)
			return -1;
		*out = who != NULL && !is_same_person(&who->identity, &me->identity);
	}
	return 0;
}

int vault_clock_sign(struct vault *v, const char *officer, struct officer_key *key,
		     bool *is_enough, struct err *e)
{
	struct roster roster;
	const struct officer *who = NULL;
	uint8_t *signature = NULL;
	size_t size = 0;
	int64_t now = vault_now(v);
	char *text = NULL, *details = NULL, *base64 = NULL;
	int rc = -1;

	if (roster_load(v, &roster, e) < 0)
		return -1;
	if (statement(v, log_count(v->log), now, &text, e) < 0 ||
	    roster_prove(&roster, officer, key, ROLES_DECIDING | ROLE_WITNESS,
			 "sign the present time", text, strlen(text), now, &who, &signature, &size,
			 e) < 0 ||
	    find_other(v, &roster, who, now, is_enough, e) < 0)
		goto out;
	base64 = text_base64(signature, size);
	if (details_text(json_pack("{s:s, s:s, s:I}", "officer", who->id, "signature", base64,
				   "time", (json_int_t)now), &details, e) < 0 ||
	    catalogue_begin(v->catalogue, e) < 0)
		goto out;
	rc = vault_commit_act_by(v, LOG_CLOCK, &who->identity.fingerprint, details, e);
out:
	roster_clear(&roster);
	free(signature);
	free(base64);
	free(details);
	free(text);
	return rc;
}

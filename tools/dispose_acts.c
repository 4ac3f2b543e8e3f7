/* muni dispose propose, approve, withdraw, execute. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/execution.h"
#include "tools/dispose.h"
#include "tools/jsonl.h"
#include "tools/user_file.h"

#define SIGNATURE_FILE_MAX (16u << 20)

/* ---- propose ---------------------------------------------------------------------- */

static int fill_request(struct vault *v, const struct dispose_words *w,
			struct propose_request *r, struct err *e)
{
	struct version version;

	*r = (struct propose_request){
		.kind = w->live ? DISPOSITION_LIVE : w->shorten ? DISPOSITION_SHORTEN :
			DISPOSITION_RECORDS,
		.filter = { .system = w->system, .path = w->path, .class_code = w->class_code },
		.is_whole = !w->is_due && !w->live && !w->shorten,
		.by_review = w->by_review, .reason = w->reason, .source = w->live,
		.shorten_class = w->shorten, .policy_digest = w->policy,
	};
	if (w->asof && cli_time("--asof", w->asof, true, &r->asof, e) < 0)
		return -1;
	if (!w->version)
		return 0;
	if (vault_resolve(vault_catalogue(v), w->version, &version, e) < 0)
		return -1;
	r->filter.version = version.id;
	return 0;
}

static void say_lines(struct cli *cli, const char *lines)
{
	for (const char *at = lines; at && *at; ) {
		size_t size = strcspn(at, "\n");

		cli_say(cli, "left out: %.*s", (int)size, at);
		at += size + (at[size] == '\n');
	}
}

static int tell_proposal(struct cli *cli, int64_t id, const struct left_out *left,
			 struct err *e)
{
	char text[24];

	snprintf(text, sizeof text, "D%" PRId64, id);
	if (cli->json) {
		json_t *o = jsonl_new("proposed");

		jsonl_text(o, "disposition", text);
		jsonl_number(o, "items", left->taken);
		jsonl_text(o, "left_out", left->text ? left->text : "");
		return jsonl_end(o, e);
	}
	if (!cli->quiet)
		printf("%" PRIu64 " item%s proposed for destruction\n", left->taken,
		       left->taken == 1 ? "" : "s");
	printf("%s\n", text);
	return 0;
}

int dispose_propose(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct dispose_words *w = words;
	struct propose_request request;
	struct officer_key *key = NULL;
	struct left_out left = { .taken = 0 };
	int64_t id = 0;
	int rc = -1;

	if (fill_request(v, w, &request, e) < 0 ||
	    officer_words_open(cli, v, &w->officer, &key, e) < 0)
		return -1;
	rc = vault_propose(v, &request, w->officer.by, key, &left, &id, e);
	if (!cli->quiet && (rc == 0 || e->code == MUNI_REFUSED))
		say_lines(cli, left.text);
	if (rc == 0)
		rc = tell_proposal(cli, id, &left, e);
	left_out_clear(&left);
	officer_key_close(key);
	return rc;
}

/* ---- approve, withdraw ------------------------------------------------------------- */

static int tell_missing(struct cli *cli, struct vault *v, int64_t id, struct err *e)
{
	char *missing = NULL, text[24];
	int rc = vault_disposition_missing(v, id, &missing, e);

	snprintf(text, sizeof text, "D%" PRId64, id);
	if (rc == 0 && cli->json) {
		json_t *o = jsonl_new("approved");

		jsonl_text(o, "disposition", text);
		jsonl_text(o, "missing", missing);
		rc = jsonl_end(o, e);
	} else if (rc == 0 && !cli->quiet) {
		printf("%s is approved%s\n%s", text, *missing ? "; still asked for:" :
		       " by all that is asked for", missing);
	}
	free(missing);
	return rc;
}

int dispose_approve(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct dispose_words *w = words;
	struct officer_key *key = NULL;
	uint8_t *signature = NULL;
	size_t size = 0;
	int rc = -1;

	if (w->signature ? user_file_load(w->signature, SIGNATURE_FILE_MAX, &signature, &size, e)
			 : officer_words_open(cli, v, &w->officer, &key, e))
		goto out;
	if (vault_approve(v, w->id, w->officer.by, key, signature, size, e) == 0)
		rc = tell_missing(cli, v, w->id, e);
out:
	free(signature);
	officer_key_close(key);
	return rc;
}

int dispose_withdraw(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct dispose_words *w = words;
	struct officer_key *key = NULL;
	int rc;

	if (officer_words_open(cli, v, &w->officer, &key, e) < 0)
		return -1;
	rc = vault_withdraw(v, w->id, w->officer.by, key, w->reason, e);
	officer_key_close(key);
	return rc;
}

/* ---- execute ------------------------------------------------------------------------- */

static void tell_mount(void *arg, const char *about, bool has_answered)
{
	struct cli *cli = arg;

	cli_say(cli, "mount %s: %s", text_printable(about), has_answered ?
		"has moved to the new epoch" : "does not answer");
}

/* Copies of before are noise, those of what stays too: say what has to be copied anew. */
static int tell_backups(struct cli *cli, struct vault *v, int64_t id, struct err *e)
{
	struct disposition_row row;
	struct execution x;
	char moved[TEXT_SIZE_MAX];
	int rc = catalogue_disposition_get(vault_catalogue(v), id, &row, e);

	if (rc < 0)
		return -1;
	if (row.kind == DISPOSITION_RECORDS && row.result != NULL &&
	    (rc = execution_read(row.result, &x, e)) == 0) {
		cli_say(cli, "back up now: the keyring, catalogue.%" PRIu64 ", audit/ and "
			"certificates/; of segments/ what is new since (%s were packed anew), what "
			"was copied before stays good", x.epoch.new_epoch,
			text_size(x.epoch.doom.bytes_repacked, moved));
		cli_say(cli, "and destroy the copies of the keyring that were made before: with one "
			"of them an old copy of the archive can still be read");
		if (x.epoch.keyring_inside)
			cli_say(cli, "the keyring lies in the archive's folder: every old backup of "
				"that folder opens what was destroyed until it is destroyed itself");
		execution_clear(&x);
	}
	disposition_row_clear(&row);
	return rc;
}

int dispose_execute(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct dispose_words *w = words;
	const struct epoch_options options = {
		.disposition = w->id, .mounts_timeout_ms = (unsigned)w->mounts_timeout_s * 1000,
		.abort_mounts = w->abort_mounts, .mount = cli->quiet ? NULL : tell_mount,
		.arg = cli,
	};
	struct officer_key *key = NULL;
	int64_t certificate = 0;
	char text[24];
	int rc;

	if (officer_words_open(cli, v, &w->officer, &key, e) < 0)
		return -1;
	rc = vault_execute(v, w->id, w->officer.by, key, &options, &cli->monitor, &certificate,
			   e);
	officer_key_close(key);
	if (rc < 0)
		return -1;
	if (!cli->quiet && tell_backups(cli, v, w->id, e) < 0)
		return -1;
	snprintf(text, sizeof text, "C%" PRId64, certificate);
	if (cli->json) {
		json_t *o = jsonl_new("executed");

		jsonl_number(o, "disposition", (uint64_t)w->id);
		jsonl_text(o, "certificate", certificate ? text : NULL);
		return jsonl_end(o, e);
	}
	if (certificate == 0)
		printf("D%" PRId64 " is done; nothing was destroyed by it, so there is no "
		       "certificate\n", w->id);
	else
		printf("%s\n", text);
	return 0;
}

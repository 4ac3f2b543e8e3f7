#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/disposition.h"
#include "fs/vault/office.h"
#include "tools/act.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/officer_key.h"
#include "tools/print.h"
#include "tools/table.h"
#include "tools/user_file.h"

#define SIGNATURE_FILE_MAX (1u << 20)

enum { ID = 256, ROLE, CERT, REASON, WITHOUT, SIGNATURE };

static const struct cli_option options[] = {
	{ ID, "id", "ID", "the officer's id, for ever" },
	{ ROLE, "role", "ROLE[,ROLE]", "add: " OFFICER_ROLES },
	{ CERT, "cert", "CERT.pem", "add: the officer's X.509 certificate" },
	{ REASON, "reason", "TEXT", "remove: why; add --without-approval: why nobody can sign" },
	{ WITHOUT, "without-approval", NULL, "add: nobody in office can sign; counts after 30 days" },
	{ SIGNATURE, "signature", "FILE.p7s", "approve: a detached CMS over the statement, made elsewhere" },
	OFFICER_KEY_OPTIONS,
	{ .name = NULL },
};

struct words {
	const char *id, *role, *cert, *reason, *signature;
	bool is_without;
	struct officer_words officer;
};

/* ---- list ------------------------------------------------------------------------ */

static const char *state_word(const struct officer *o, int64_t now, char time[48])
{
	if (o->removed)
		return print_time(o->removed, time);
	if (officer_counts(o, now))
		return "in office";
	return o->standing == OFFICER_ALONE ? "waits 30 days" : "proposed";
}

static int show_json(const struct roster *r, const struct officer *o, struct err *e)
{
	json_t *j = jsonl_new("officer"), *by = json_array();

	for (size_t i = 0; i < o->approved_count; i++)
		json_array_append_new(by, json_string(r->list[o->approved_by[i]].id));
	jsonl_text(j, "id", o->id);
	jsonl_text(j, "roles", o->roles_text);
	jsonl_text(j, "person", o->person);
	jsonl_digest(j, "certificate", &o->identity.fingerprint);
	jsonl_time(j, "added", o->added, 0);
	jsonl_bool(j, "in_office", o->removed == 0 && officer_counts(o, r->now));
	jsonl_text(j, "standing", office_word(o->standing));
	if (j && by)
		json_object_set(j, "approved_by", by);
	json_decref(by);
	if (o->standing == OFFICER_ALONE) {
		jsonl_time(j, "counts_from", o->counts_from, 0);
		jsonl_text(j, "because", o->because);
	}
	if (o->removed)
		jsonl_time(j, "removed", o->removed, 0);
	return jsonl_end(j, e);
}

static void show_row(struct table *t, const struct roster *r, const struct officer *o)
{
	char hex[DIGEST_HEX_SIZE], time[48];

	digest_hex(&o->identity.fingerprint, hex);
	table_cell(t, "%s", text_printable(o->id));
	table_cell(t, "%s", text_printable(o->roles_text));
	table_cell(t, "%s", text_printable(o->person));
	table_cell(t, "%s", print_time(o->added, time));
	table_cell(t, "%s", state_word(o, r->now, time));
	table_cell(t, "%s", office_word(o->standing));
	table_cell(t, "%.16s", hex);
}

static int list(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	static const char *const heads[] = { "ID", "ROLES", "PERSON", "ADDED (UTC)", "REMOVED",
		"ADMITTED", "CERTIFICATE" };
	struct table *t = cli->json ? NULL : table_new(stdout, "lllllll", heads);
	struct roster r;
	int rc = roster_load(v, &r, e);

	(void)w;
	for (size_t i = 0; rc == 0 && i < r.count; i++) {
		if (cli->json)
			rc = show_json(&r, &r.list[i], e);
		else
			show_row(t, &r, &r.list[i]);
	}
	if (rc == 0 && r.forged > 0)
		cli_say(cli, "entry %" PRIu64 " of the audit log says that an officer was approved, "
			"and bears no signature of anybody who could sign for him: somebody with "
			"the archive's key has written it with another program.  It lets nobody in",
			r.forged_at);
	roster_clear(&r);
	if (!cli->json && table_end(t) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	return rc;
}

/* ---- add, approve, remove ----------------------------------------------------------------------- */

/* What the officer still waits for. */
static int tell_standing(struct cli *cli, struct vault *v, const char *id, struct err *e)
{
	const struct officer *o;
	struct roster r;

	if (cli->quiet)
		return 0;
	if (roster_load(v, &r, e) < 0)
		return -1;
	o = roster_listed(&r, id);
	if (o && o->standing == OFFICER_WAITING)
		cli_say(cli, "%s is proposed, and in office when two persons in office have signed "
			"(`muni officer approve`); %zu signature%s there", text_printable(id),
			o->approved_count, o->approved_count == 1 ? " is" : "s are");
	else if (o && o->standing == OFFICER_ALONE && !officer_counts(o, r.now))
		cli_say(cli, "%s is made an officer without approval: counts after 30 days, for "
			"nothing that was proposed before, and certificates say so for ever",
			text_printable(id));
	roster_clear(&r);
	return 0;
}

static int add(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	if (vault_officer_add(v, w->id, w->role, w->cert, w->is_without ? w->reason : NULL, e) < 0)
		return -1;
	printf("%s\n", text_printable(w->id));
	return tell_standing(cli, v, w->id, e);
}

static int approve(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	struct officer_key *key = NULL;
	uint8_t *signature = NULL;
	size_t size = 0;
	int rc = w->signature ?
		 user_file_load(w->signature, SIGNATURE_FILE_MAX, &signature, &size, e) :
		 officer_words_open(cli, v, &w->officer, &key, e);

	if (rc == 0)
		rc = vault_officer_approve(v, w->id, w->officer.by, key, signature, size, e);
	if (rc == 0)
		rc = tell_standing(cli, v, w->id, e);
	officer_key_close(key);
	free(signature);
	return rc;
}

/* These bytes and no other: no newline behind them. */
static int statement(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	char *text = NULL;

	(void)cli;
	if (vault_officer_statement(v, w->id, &text, e) < 0)
		return -1;
	fwrite(text, 1, strlen(text), stdout);
	free(text);
	return 0;
}

static int take_away(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	if (vault_officer_remove(v, w->id, w->reason, e) < 0)
		return -1;
	if (!cli->quiet)
		cli_say(cli, "%s is not in office any more: approvals of what has not been "
			"executed yet do not count", text_printable(w->id));
	return 0;
}

/* ---- the command -------------------------------------------------------------------------- */

static const struct act acts[] = {
	{ "list", VAULT_READ, 2, list },
	{ "add", VAULT_WRITE, 2, add },
	{ "approve", VAULT_WRITE, 2, approve },
	{ "statement", VAULT_READ, 2, statement },
	{ "remove", VAULT_WRITE, 2, take_away },
};

static bool has_signing(const struct words *w)
{
	return w->signature || w->officer.by || w->officer.key || w->officer.passphrase_file ||
	       w->officer.pin_file;
}

static int check_words(struct cli *cli, const struct act *act, const struct words *w)
{
	if (act->run == add && (!w->id || !w->role || !w->cert || !w->reason != !w->is_without))
		return cli_usage(cli, "add wants --id ID --role ROLE --cert CERT.pem, or the same "
				 "with --without-approval --reason TEXT");
	if (act->run == take_away && (!w->id || !w->reason))
		return cli_usage(cli, "remove wants --id ID --reason TEXT");
	if (act->run == approve && (!w->id || !w->signature == !w->officer.key ||
				    (w->officer.key && !w->officer.by)))
		return cli_usage(cli, "approve wants --id ID and --by ID --key KEY, or "
				 "--signature FILE");
	if (act->run == statement && !w->id)
		return cli_usage(cli, "statement wants --id ID");
	if (act->run == list && w->id)
		return cli_usage(cli, "list shows them all");
	if (act->run != add && (w->role || w->cert || w->is_without))
		return cli_usage(cli, "--role, --cert and --without-approval go with add");
	if (act->run != approve && has_signing(w))
		return cli_usage(cli, "--by, --key and --signature go with approve");
	if (act->run != add && act->run != take_away && w->reason)
		return cli_usage(cli, "--reason goes with remove, or add --without-approval");
	return 0;
}

static int run(struct cli *cli)
{
	struct words w = { .id = NULL };
	const struct act *act;
	int o;

	while ((o = cli_next(cli)) > 0) {
		if (officer_words_take(&w.officer, o, cli->value))
			continue;
		if (o == WITHOUT)
			w.is_without = true;
		else
			*(o == ID ? &w.id : o == ROLE ? &w.role : o == CERT ? &w.cert :
			  o == SIGNATURE ? &w.signature : &w.reason) = cli->value;
	}
	if (o != CLI_END)
		return cli_stopped(o);
	act = act_find(cli, acts, sizeof acts / sizeof *acts, NULL);
	if (!act || check_words(cli, act, &w) != 0)
		return CLI_USAGE;
	return act_run(cli, act, &w);
}

const struct command cmd_officer = {
	.name = "officer",
	.operands = "list|add|approve|statement|remove ARCHIVE",
	.summary = "who may propose, approve, witness: add, approve, list, remove",
	.about =
	"An officer is an X.509 certificate with roles: " OFFICER_ROLES ".\n"
	"Records, owner, legal and it may propose, approve and execute; a witness signs\n"
	"beside them and counts towards no quorum; an auditor signs nothing.  Certificates\n"
	"of one subject, or with one key, are one person.\n\n"
	"list      all, those who left too, and how each was admitted\n"
	"add       --id ID --role ROLE[,ROLE] --cert CERT.pem: with the archive's key until\n"
	"          something has been approved; from then on a proposal\n"
	"approve   --id ID with --by ID --key KEY, or --signature FILE: two persons in office\n"
	"          let the proposed one in\n"
	"statement --id ID: what they sign, for `openssl cms -sign`\n"
	"remove    --id ID --reason TEXT; a renewed certificate is added under the same id\n\n"
	"Where nobody in office can sign any more, add --without-approval --reason TEXT: it\n"
	"counts after 30 days and is told for ever.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};

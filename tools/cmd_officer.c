#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/disposition.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/table.h"

enum { ID = 256, ROLE, CERT, REASON };

static const struct cli_option options[] = {
	{ ID, "id", "ID", "the officer's id, for ever" },
	{ ROLE, "role", "ROLE[,ROLE]", "add: " OFFICER_ROLES },
	{ CERT, "cert", "CERT.pem", "add: the officer's X.509 certificate" },
	{ REASON, "reason", "TEXT", "remove: why" },
	{ .name = NULL },
};

struct words {
	const char *id, *role, *cert, *reason;
};

/* ---- list ------------------------------------------------------------------------ */

struct listing {
	struct table *table;	/* NULL: JSON */
	struct err *e;
};

static int show_json(const struct officer_row *o, struct err *e)
{
	json_t *j = jsonl_new("officer");

	jsonl_text(j, "id", o->id);
	jsonl_text(j, "roles", o->roles);
	jsonl_text(j, "person", o->person);
	jsonl_digest(j, "certificate", &o->fingerprint);
	jsonl_time(j, "added", o->added, 0);
	jsonl_bool(j, "in_office", o->removed == 0);
	if (o->removed)
		jsonl_time(j, "removed", o->removed, 0);
	return jsonl_end(j, e);
}

static int show(void *arg, const struct officer_row *o)
{
	struct listing *l = arg;
	char hex[DIGEST_HEX_SIZE], time[48];

	if (!l->table)
		return show_json(o, l->e);
	text_hex(o->fingerprint.bytes, DIGEST_SIZE, hex);
	table_cell(l->table, "%s", text_printable(o->id));
	table_cell(l->table, "%s", text_printable(o->roles));
	table_cell(l->table, "%s", text_printable(o->person));
	table_cell(l->table, "%s", print_time(o->added, time));
	table_cell(l->table, "%s", o->removed ? print_time(o->removed, time) : "in office");
	table_cell(l->table, "%.16s", hex);
	return 0;
}

static int list(struct cli *cli, struct vault *v, const struct words *w, struct err *e)
{
	static const char *const heads[] = { "ID", "ROLES", "PERSON", "ADDED (UTC)", "REMOVED",
		"CERTIFICATE" };
	struct listing l = { .table = cli->json ? NULL : table_new(stdout, "llllll", heads),
			     .e = e };
	int rc = catalogue_officers(vault_catalogue(v), show, &l, e);

	(void)w;
	if (!cli->json && table_end(l.table) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	return rc;
}

/* ---- add, remove ----------------------------------------------------------------------- */

static int add(struct cli *cli, struct vault *v, const struct words *w, struct err *e)
{
	(void)cli;
	if (vault_officer_add(v, w->id, w->role, w->cert, e) < 0)
		return -1;
	printf("%s\n", text_printable(w->id));
	return 0;
}

static int take_away(struct cli *cli, struct vault *v, const struct words *w, struct err *e)
{
	if (vault_officer_remove(v, w->id, w->reason, e) < 0)
		return -1;
	if (!cli->quiet)
		cli_say(cli, "%s is not in office any more: approvals of what has not been "
			"executed yet do not count", text_printable(w->id));
	return 0;
}

/* ---- the command -------------------------------------------------------------------------- */

static const struct act {
	const char *name;
	enum vault_mode mode;
	int (*run)(struct cli *cli, struct vault *v, const struct words *w, struct err *e);
} acts[] = {
	{ "list", VAULT_READ, list },
	{ "add", VAULT_WRITE, add },
	{ "remove", VAULT_WRITE, take_away },
};

static int check_words(struct cli *cli, const struct act *act, const struct words *w)
{
	if (!act)
		return cli_usage(cli, "there is no '%s'", text_printable(cli->operands[0]));
	if (act->run == add && (!w->id || !w->role || !w->cert || w->reason))
		return cli_usage(cli, "add wants --id ID --role ROLE --cert CERT.pem");
	if (act->run == take_away && (!w->id || !w->reason || w->role || w->cert))
		return cli_usage(cli, "remove wants --id ID --reason TEXT");
	if (act->run == list && (w->id || w->role || w->cert || w->reason))
		return cli_usage(cli, "list shows them all");
	return 0;
}

static int run(struct cli *cli)
{
	struct words w = { .id = NULL };
	const struct act *act = NULL;
	struct err e = ERR_NONE;
	struct vault *v = NULL;
	int o, rc;

	while ((o = cli_next(cli)) > 0)
		*(o == ID ? &w.id : o == ROLE ? &w.role : o == CERT ? &w.cert : &w.reason) =
			cli->value;
	if (o != CLI_END)
		return cli_stopped(o);
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
		if (strcmp(acts[i].name, cli->operands[0]) == 0)
			act = &acts[i];
	if (check_words(cli, act, &w) != 0)
		return CLI_USAGE;
	rc = cli_open(cli, cli->operands[1], act->mode, &v, &e);
	if (rc == 0)
		rc = act->run(cli, v, &w, &e);
	vault_close(v);
	return cli_end(cli, rc, &e);
}

const struct command cmd_officer = {
	.name = "officer",
	.operands = "list|add|remove ARCHIVE",
	.summary = "who may propose, approve, witness: add, list, remove",
	.about =
	"An officer is an X.509 certificate with roles: " OFFICER_ROLES ".\n"
	"Records, owner, legal and it may propose, approve and execute; a witness signs\n"
	"beside them and counts towards no quorum; an auditor signs nothing.  Certificates\n"
	"of one subject, or with one key, are one person.\n\n"
	"list     all, those who left too\n"
	"add      --id ID --role ROLE[,ROLE] --cert CERT.pem\n"
	"remove   --id ID --reason TEXT; a renewed certificate is added under the same id",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};

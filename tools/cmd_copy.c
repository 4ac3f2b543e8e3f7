#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/copies.h"
#include "tools/act.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/table.h"

enum { OF = 256, PLACE, STATE };

static const struct cli_option options[] = {
	{ OF, "of", "data|keyring", "add: what it is a copy of" },
	{ PLACE, "place", "TEXT", "add: where it lies, and who keeps it" },
	{ STATE, "state", "kept|destroyed|lost", "set: what became of it" },
	{ .name = NULL },
};

struct words {
	const char *of, *place, *state;
};

struct listing {
	struct table *table;	/* NULL: JSON */
	struct err *e;
};

static int show_json(const struct copy_row *k, struct err *e)
{
	json_t *o = jsonl_new("copy");

	jsonl_number(o, "copy", (uint64_t)k->id);
	jsonl_text(o, "of", k->of);
	jsonl_text(o, "place", k->place);
	jsonl_text(o, "state", k->state);
	jsonl_time(o, "declared", k->declared, 0);
	jsonl_time(o, "changed", k->changed, 0);
	return jsonl_end(o, e);
}

static int show(void *arg, const struct copy_row *k)
{
	struct listing *l = arg;
	char time[48];

	if (!l->table)
		return show_json(k, l->e);
	table_cell(l->table, "%" PRId64, k->id);
	table_cell(l->table, "%s", text_printable(k->of));
	table_cell(l->table, "%s", text_printable(k->state));
	table_cell(l->table, "%s", print_time(k->changed, time));
	table_cell(l->table, "%s", text_printable(k->place));
	return 0;
}

static int list(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	static const char *const heads[] = { "copy", "of", "state", "since", "place" };
	struct listing l = { .table = cli->json ? NULL : table_new(stdout, "rllll", heads),
			     .e = e };
	int rc;

	(void)w;
	if (!cli->json && !l.table)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	rc = catalogue_copies(vault_catalogue(v), show, &l, e);
	if (l.table && table_end(l.table) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	return rc;
}

static int add(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	int64_t id;

	if (vault_copy_declare(v, w->of, w->place, &id, e) < 0)
		return -1;
	if (cli->json) {
		json_t *o = jsonl_new("copy");

		jsonl_number(o, "copy", (uint64_t)id);
		return jsonl_end(o, e);
	}
	printf("%" PRId64 "\n", id);
	return 0;
}

static int set(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	uint64_t id;

	return cli_number("the copy", cli->operands[2], 1, INT64_MAX, &id, e) < 0 ? -1 :
	       vault_copy_settle(v, (int64_t)id, w->state, e);
}

static const struct act acts[] = {
	{ "list", VAULT_READ, 2, list },
	{ "add", VAULT_WRITE, 2, add },
	{ "set", VAULT_WRITE, 3, set },
};

static int check_words(struct cli *cli, const struct act *act, const struct words *w)
{
	if (act->run == add && (!w->of || !w->place))
		return cli_usage(cli, "add wants --of data|keyring and --place TEXT");
	if (act->run == set && !w->state)
		return cli_usage(cli, "set wants --state kept|destroyed|lost");
	return 0;
}

static int run(struct cli *cli)
{
	struct words w = { 0 };
	const struct act *act;
	int o;

	while ((o = cli_next(cli)) > 0) {
		if (o == OF)
			w.of = cli->value;
		else if (o == PLACE)
			w.place = cli->value;
		else
			w.state = cli->value;
	}
	if (o != CLI_END)
		return cli_stopped(o);
	act = act_find(cli, acts, sizeof acts / sizeof *acts, "a copy's number");
	if (!act || check_words(cli, act, &w) != 0)
		return CLI_USAGE;
	return act_run(cli, act, &w);
}

const struct command cmd_copy = {
	.name = "copy",
	.operands = "list|add|set ARCHIVE [COPY]",
	.summary = "declare the copies of data and keyring that are kept elsewhere",
	.about =
	"add   declares a copy: of the data (the archive's folder) or of the keyring;\n"
	"      prints its number\n"
	"set   says what became of it: kept, destroyed or lost\n"
	"list  all of them\n"
	"\n"
	"A certificate of destruction names every declared copy with its state, and claims\n"
	"an erasure only where no copy of the keyring from before is kept: with one, and\n"
	"an older copy of the data, what was destroyed can still be read.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 3,
	.run = run,
};

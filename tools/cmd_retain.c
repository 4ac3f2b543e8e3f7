#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/base/total.h"
#include "tools/act.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/scope.h"
#include "tools/table.h"

enum { UNTIL = 'u', REASON = 'r' };

static const struct cli_option options[] = {
	{ UNTIL, "until", "DATE", "extend: the last day on which it must be kept" },
	{ REASON, "reason", "TEXT", "why" },
	SCOPE_OPTIONS,
	SCOPE_OPTION_STANDING,
	{ .name = NULL },
};

struct words {
	struct scope_request scope;
	const char *until, *reason;
	bool has_scope;
	struct civil day;
};

static void take_option(struct words *w, int o, const char *value)
{
	if (scope_option(&w->scope, o, value))
		w->has_scope = true;
	else if (o == UNTIL)
		w->until = value;
	else
		w->reason = value;
}

/* ---- extend ------------------------------------------------------------------------- */

static int extend(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	int64_t id;

	(void)cli;
	if (vault_retain_extend(v, &w->scope, w->day, w->reason, &id, e) < 0)
		return -1;
	printf("X%" PRId64 "\n", id);
	return 0;
}

/* ---- restrict, lift ----------------------------------------------------------------- */

static int change(struct cli *cli, struct vault *v, const struct words *w, bool is_lifted,
		  struct err *e)
{
	char count[TEXT_COUNT_MAX];
	uint64_t changed;
	json_t *o;

	if (vault_restrict(v, &w->scope, is_lifted, w->reason, &changed, e) < 0)
		return -1;
	if (cli->json) {
		o = jsonl_new(is_lifted ? "lifted" : "restricted");
		jsonl_number(o, "files", changed);
		return jsonl_end(o, e);
	}
	if (!cli->quiet)
		printf("%s file%s %s\n", text_count(changed, count), changed == 1 ? "" : "s",
		       is_lifted ? "may be used again" : "kept, and barred from use");
	return 0;
}

static int restrict_use(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	return change(cli, v, w, false, e);
}

static int lift(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	return change(cli, v, w, true, e);
}

/* ---- list --------------------------------------------------------------------------- */

struct listing {
	struct cli *cli;
	struct catalogue *c;
	struct table *table;
	uint64_t restricted, bytes;
	struct err *e;
};

static int on_extension(void *arg, const struct extension_row *x)
{
	struct listing *l = arg;
	char id[24], day[16], time[TEXT_TIME_MAX];

	snprintf(id, sizeof id, "X%" PRId64, x->id);
	civil_text(civil_of_day(x->until), day);
	if (l->cli->json) {
		json_t *o = jsonl_new("extension");

		jsonl_text(o, "extension", id);
		jsonl_text(o, "until", day);
		jsonl_text(o, "reason", x->reason);
		jsonl_time(o, "made", x->made, 0);
		if (scope_json(o, l->c, &x->scope, l->e) < 0) {
			json_decref(o);
			return -1;
		}
		return jsonl_end(o, l->e);
	}
	char *scope = scope_words(l->c, &x->scope, l->e);

	if (!scope)
		return -1;
	table_cell(l->table, "%s", id);
	table_cell(l->table, "%s", day);
	table_cell(l->table, "%s", print_time(x->made, time));
	table_cell(l->table, "%s", scope);
	table_cell(l->table, "%s", text_printable(x->reason));
	free(scope);
	return 0;
}

static int on_record(void *arg, const struct record_state *s)
{
	struct listing *l = arg;

	if (cli_is_over())
		return 1;
	if (s->is_restricted) {
		l->restricted++;
		total_add(&l->bytes, s->record->node->kind == NODE_FILE ? s->record->node->size : 0);
	}
	return 0;
}

static int tell_restricted(struct listing *l, struct err *e)
{
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX];

	if (l->cli->json) {
		json_t *o = jsonl_new("restricted");

		jsonl_number(o, "records", l->restricted);
		jsonl_number(o, "bytes", l->bytes);
		return jsonl_end(o, e);
	}
	if (l->restricted > 0)
		printf("%s record%s (%s) %s barred from use\n", text_count(l->restricted, count),
		       l->restricted == 1 ? "" : "s", text_size(l->bytes, size),
		       l->restricted == 1 ? "is" : "are");
	return 0;
}

static int list(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	static const char *const heads[] = { "EXTENSION", "KEPT UNTIL", "MADE (UTC)", "COVERS",
					     "REASON" };
	struct listing l = { .cli = cli, .c = vault_catalogue(v), .e = e };

	(void)w;
	l.table = cli->json ? NULL : table_new(stdout, "lllll", heads);
	int rc = catalogue_extensions(l.c, on_extension, &l, e);
	if (!cli->json && table_end(l.table) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	if (rc < 0 || vault_due(l.c, NULL, vault_now(v), on_record, &l, e) < 0 ||
	    cli_check_signal(e) < 0)
		return -1;
	return tell_restricted(&l, e);
}

/* ---- the whole ---------------------------------------------------------------------- */

static const struct act acts[] = {
	{ "extend", VAULT_WRITE, 2, extend },
	{ "restrict", VAULT_WRITE, 2, restrict_use },
	{ "lift", VAULT_WRITE, 2, lift },
	{ "list", VAULT_READ, 2, list },
};

static int check_words(struct cli *cli, const struct act *act, struct words *w)
{
	if ((act->run == extend) != (w->until != NULL))
		return cli_usage(cli, act->run == extend ? "--until DATE says how long" :
				 "--until goes with extend");
	if (act->run == list ? w->reason || w->has_scope : !w->reason)
		return cli_usage(cli, act->run == list ? "list wants the archive alone" :
				 "--reason TEXT says why");
	if (act->run != extend && w->scope.is_standing)
		return cli_usage(cli, "--standing goes with extend");
	if (w->until && civil_parse(w->until, &w->day) < 0)
		return cli_usage(cli, "--until %s: a day is written 2031-12-31",
				 text_printable(w->until));
	return 0;
}

static int run(struct cli *cli)
{
	struct words w = { .until = NULL };
	const struct act *act;
	int o;

	while ((o = cli_next(cli)) > 0)
		take_option(&w, o, cli->value);
	if (o != CLI_END)
		return cli_stopped(o);
	act = act_find(cli, acts, sizeof acts / sizeof *acts, NULL);
	if (!act || check_words(cli, act, &w) != 0)
		return CLI_USAGE;
	return act_run(cli, act, &w);
}

const struct command cmd_retain = {
	.name = "retain",
	.operands = "extend|restrict|lift|list ARCHIVE",
	.summary = "keep records longer, or bar them from use",
	.about =
	"  extend    keeps what the scope covers at least until that day, and prints the id of\n"
	"            the extension.  Lengthening needs no approval; an earlier day than counts\n"
	"            already changes nothing\n"
	"  restrict  keeps records and bars them from use: no mount shows them\n"
	"  lift      lets them be used again\n"
	"  list      shows the extensions, and how much is restricted\n"
	"All words of the scope must match; none is the whole archive.  What a restriction\n"
	"concerns is a file: with one of its names the others are barred too.  Each is an act\n"
	"in the audit log.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};

#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/commands.h"
#include "tools/due.h"
#include "tools/jsonl.h"
#include "tools/table.h"

enum { ASOF = 'a', SYSTEM = 's', CLASS = 'c', PATH = 'p', STANDING = 256, LIST, SUMMARY, CSV,
       MARK };

static const struct cli_option options[] = {
	{ ASOF, "asof", "DATE", "as it would be on that day, instead of today" },
	{ SYSTEM, "system", "NAME", "only records of this system" },
	{ CLASS, "class", "ID", "only records of this class" },
	{ PATH, "path", "GLOB", "only these paths (** crosses folders), or what is below one" },
	{ STANDING, "standing", "S", "only due, held, grace, kept, missing, unclassified, review" },
	{ LIST, "list", NULL, "each record, not sums alone" },
	{ SUMMARY, "summary", NULL, "with --json: sums alone" },
	{ CSV, "csv", NULL, "each record, as a spreadsheet" },
	{ MARK, "excel", NULL, "with --csv: a byte order mark in front" },
	{ .name = NULL },
};

struct listing {
	struct cli *cli;
	struct record_filter filter;
	bool has_standing, is_list, only_sums, is_csv, has_mark;
	enum record_standing standing;
	struct civil day;
	int64_t asof;		/* seconds, where has_asof */
	bool has_asof;
	struct due_sums sums;
	struct table *table;
	struct sheet_out sheet;
	struct err *e;
};

static int take_asof(struct listing *l, const char *value, struct err *e)
{
	l->has_asof = true;
	if (civil_parse(value, &l->day) == 0)
		l->filter.day = &l->day;
	return cli_time("--asof", value, false, &l->asof, e);
}

static int take_option(struct listing *l, int o, const char *value, struct err *e)
{
	switch (o) {
	case ASOF:
		return take_asof(l, value, e);
	case SYSTEM:
		l->filter.system = value;
		return 0;
	case CLASS:
		l->filter.class_code = value;
		return 0;
	case PATH:
		l->filter.path = value;
		return 0;
	case STANDING:
		l->has_standing = true;
		if (due_standing_parse(value, &l->standing) == 0)
			return 0;
		return err_set(e, MUNI_USAGE, "--standing is due, held, grace, kept, missing, "
			       "unclassified or review");
	default:
		l->is_list |= o == LIST;
		l->only_sums |= o == SUMMARY;
		l->is_csv |= o == CSV;
		l->has_mark |= o == MARK;
		return 0;
	}
}

static void table_row(struct listing *l, const struct record_state *s)
{
	char until[16], eligible[16];

	civil_text(s->until, until);
	civil_text(s->eligible, eligible);
	table_cell(l->table, "%s%s", standing_name(s->standing),
		   s->is_restricted ? " (restricted)" : "");
	table_cell(l->table, "%s", text_printable(due_class(s)));
	table_cell(l->table, "%s", s->has_due ? until : "-");
	table_cell(l->table, "%s", s->has_due ? eligible : "-");
	table_cell(l->table, "%s", text_printable(s->system_name));
	table_cell(l->table, "%s", text_printable_n(s->record->path, s->record->path_size));
}

static int on_record(void *arg, const struct record_state *s)
{
	struct listing *l = arg;
	json_t *o;

	if (cli_is_over())
		return 1;
	if (l->has_standing && s->standing != l->standing)
		return 0;
	if (due_sums_add(&l->sums, s, l->e) < 0)
		return -1;
	if (l->is_csv) {
		due_sheet_row(&l->sheet, s);
	} else if (l->cli->json && !l->only_sums) {
		o = jsonl_new("record");
		due_json(o, s);
		return jsonl_end(o, l->e);
	} else if (l->table) {
		table_row(l, s);
	}
	return 0;
}

static void begin(struct listing *l)
{
	static const char *const heads[] = { "STANDING", "CLASS", "KEPT UNTIL", "MAY GO FROM",
					     "SYSTEM", "PATH" };

	if (l->is_csv) {
		l->sheet.to = stdout;
		if (l->has_mark)
			sheet_mark(&l->sheet);
		due_sheet_head(&l->sheet);
	} else if (!l->cli->json && l->is_list) {
		l->table = table_new(stdout, "llllll", heads);
	}
}

static int end(struct listing *l, struct err *e)
{
	bool is_table = l->is_list && !l->is_csv && !l->cli->json;

	if (is_table && table_end(l->table) < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	if (l->cli->json)
		return l->only_sums ? due_sums_json(&l->sums, e) : 0;
	if (l->is_csv)
		return sheet_end(&l->sheet, e);
	if (is_table)
		putchar('\n');
	return due_sums_print(&l->sums, e);
}

static int list(struct listing *l, struct vault *v, struct err *e)
{
	l->e = e;
	begin(l);
	if (vault_due(vault_catalogue(v), &l->filter, l->has_asof ? l->asof : vault_now(v),
		      on_record, l, e) < 0 || cli_check_signal(e) < 0)
		return -1;
	return end(l, e);
}

static int run(struct cli *cli)
{
	struct err e = ERR_NONE;
	struct listing l = { .cli = cli };
	struct vault *v = NULL;
	int rc = -1, o;

	while ((o = cli_next(cli)) > 0)
		if (take_option(&l, o, cli->value, &e) < 0)
			return cli_usage(cli, "%s", e.text);
	if (o != CLI_END)
		return cli_stopped(o);
	if (l.is_csv && (cli->json || l.only_sums || l.is_list))
		return cli_usage(cli, "--csv goes without --json, --list and --summary");
	if (l.only_sums && l.is_list)
		return cli_usage(cli, "--summary goes without --list");
	if (cli_open(cli, cli->operands[0], VAULT_READ, &v, &e) == 0)
		rc = list(&l, v, &e);
	vault_close(v);
	due_sums_free(&l.sums);
	return cli_end(cli, rc, &e);
}

const struct command cmd_due = {
	.name = "due",
	.operands = "ARCHIVE",
	.summary = "what must be kept until when, and what is due",
	.about =
	"Counts for each record how long it must be kept: by every class that it falls under,\n"
	"under every policy that describes the class, with what was extended; the longest\n"
	"counts.  Shown are sums by class and standing, with the first day on which one of\n"
	"them may go; with --list, --json or --csv each record.\n"
	"  due           its time and the grace of its class are over\n"
	"  review        the same, but its class asks for a review or a transfer first\n"
	"  grace         its time is over, the time for objections is not\n"
	"  held          a hold covers it: it is not destroyed, whatever its date\n"
	"  kept          its time is not over, or never is\n"
	"  missing       there is no date to count from: kept, until one is told\n"
	"  unclassified  no policy says how long: kept, until one does\n"
	"Nothing is changed; what is due is proposed with `muni dispose`.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
